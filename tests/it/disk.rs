//! Disks that are full, read-only, too small or gone: exit 6 with the path, nothing published, and
//! the same command goes on once that is mended. Disks are small tmpfs mounts; where mounting is
//! not allowed, these tests say so and pass, unless `REQUIRE_MOUNT=1` makes that a failure.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

use crate::mock::{Answer, Mock, summary};
use crate::support::{Finished, Job, hold_when};

/// How often a moment is waited for that may go by unseen.
const TRIES: usize = 40;

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

/// A disk of a given size in a folder, until the value goes away.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// None where mounting is not allowed.
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&folder).unwrap();
        let is_mounted = mount(
            &[
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "tmpfs",
            ],
            &folder,
        );
        if !is_mounted {
            let is_required = std::env::var("REQUIRE_MOUNT").as_deref() == Ok("1");
            assert!(!is_required, "mounting is not allowed here");
            eprintln!("skipped: mounting is not allowed here");
        }
        is_mounted.then_some(Self { folder })
    }

    fn change(&self, option: &str) {
        assert!(
            mount(&["-o", &format!("remount,{option}")], &self.folder),
            "{option}"
        );
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount")
            .arg("--lazy")
            .arg(&self.folder)
            .status()
            .unwrap();
    }
}

fn mount(options: &[&str], folder: &Path) -> bool {
    Command::new("mount")
        .args(options)
        .arg(folder)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A server whose answers hold this much that cannot be compressed well, from contact 4 on.
fn wordy(bytes: usize) -> Mock {
    Mock::answering(move |request| {
        let mut answer = summary(request.contact_id);
        if request.contact_id > 3 {
            let mut dice = fastrand::Rng::with_seed(request.contact_id.unsigned_abs());
            answer["Contact"]["Name"] = std::iter::repeat_with(|| dice.alphanumeric())
                .take(bytes)
                .collect::<String>()
                .into();
        }
        Answer::json(200, answer.to_string())
    })
}

/// Expects exit 6 that names this path, and says that it can go on.
#[track_caller]
fn expect_storage(finished: Finished, path: &str) {
    let finished = finished.expect(6);
    assert!(
        finished.stderr.contains(&format!("[folder]/exports{path}")),
        "{}",
        finished.stderr
    );
    assert!(
        finished
            .stderr
            .contains("hint: mend that and run the same command again"),
        "{}",
        finished.stderr
    );
}

/// The run that `latest` names, and how many runs are published.
fn published(job: &Job) -> (Option<PathBuf>, usize) {
    let runs = std::fs::read_dir(job.path("exports/runs")).map(|runs| {
        let names = runs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with('.')).count()
    });
    (
        std::fs::read_link(job.path("exports/latest")).ok(),
        runs.unwrap_or_default(),
    )
}

#[test]
fn a_full_disk_under_the_state_ends_the_run_which_goes_on_later() {
    let mock = wordy(200_000);
    let job = Job::against(&mock).with("fetch.requests_per_second = 60");
    let Some(disk) = Disk::mount(job.path("exports"), "12m") else {
        return;
    };
    job.run().expect(0);
    let before = published(&job);
    let job = job.ids(1..=100);
    expect_storage(
        job.run(),
        "/state.sqlite: the state cannot be read or written",
    );
    assert_eq!((published(&job), before.1), (before.clone(), 1));
    disk.change("size=100m");
    let calls = mock.calls();
    job.run().expect(0);
    assert_eq!(job.export().rows("contacts").len(), 100);
    assert!(
        mock.calls() - calls < 100,
        "answers that were stored before the disk was full are not fetched again"
    );
}

#[test]
fn a_full_disk_under_the_export_publishes_nothing_and_costs_no_call() {
    for format in ["parquet", "csv"] {
        let mock = wordy(50_000);
        let job = Job::against(&mock).with(&format!("output.format = \"{format}\""));
        let Some(disk) = Disk::mount(job.path("exports/runs"), "1m") else {
            return;
        };
        job.run().expect(0);
        let before = published(&job);
        let job = job.ids(1..=40);
        expect_storage(job.run(), "/runs/.");
        assert_eq!(published(&job), before, "{format}");
        expect_storage(job.run(), "/runs/.");
        disk.change("size=50m");
        let calls = mock.calls();
        job.run().expect(0);
        assert_eq!(
            (mock.calls() - calls, job.export().rows("contacts").len()),
            (0, 40),
            "{format}"
        );
    }
}

#[test]
fn a_disk_that_is_clearly_too_small_is_refused_before_the_first_call() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=10_000);
    let Some(disk) = Disk::mount(job.path("exports"), "10m") else {
        return;
    };
    let refused = job.run().expect(6);
    assert!(
        refused.stderr.contains("[folder]/exports: about ") && refused.stderr.contains("are free"),
        "{}",
        refused.stderr
    );
    assert_eq!((mock.calls(), published(&job)), (0, (None, 0)));
    // A budget may fit where the whole does not.
    job.run_with(&["--max-calls", "5"]).expect(0);
    disk.change("size=60m");
    assert_eq!(mock.calls(), 5);
}

#[test]
fn a_read_only_disk_is_told_before_the_first_call() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    let Some(disk) = Disk::mount(job.path("exports"), "20m") else {
        return;
    };
    job.run().expect(0);
    let before = published(&job);
    disk.change("ro");
    // Nothing was called, and nothing is left to go on with: wrong input.
    let refused = job.run().expect(2);
    assert!(
        refused.stderr.contains("/exports cannot be written"),
        "{}",
        refused.stderr
    );
    assert_eq!((published(&job), mock.calls()), (before, 3));
    disk.change("rw");
    job.run().expect(0);
    assert_eq!(mock.calls(), 6);
}

/// Starts the job as somebody whom permissions bind. That is everybody but root, who hands it to
/// somebody else.
fn start_bound(job: &Job, verb: &str) -> Child {
    let mut command = job.command();
    if rustix::process::geteuid().is_root() {
        for name in ["", "job.toml", "contacts.csv"] {
            chown(job.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    command.args([verb, "job.toml"]).spawn().unwrap()
}

#[test]
fn a_check_tells_of_an_output_folder_as_a_run_does() {
    let message =
        "`output.dir`: ./parent/exports cannot be written; check the path and its permissions";
    for name in ["parent", "parent/exports"] {
        let mock = Mock::healthy();
        let job = Job::against(&mock).with("output.dir = \"parent/exports\"");
        std::fs::create_dir_all(job.path(name)).unwrap();
        set_permissions(job.path(name), Permissions::from_mode(0o555)).unwrap();
        if rustix::process::geteuid().is_root() {
            chown(job.path("parent"), Some(NOBODY), Some(NOBODY)).unwrap();
            if name == "parent/exports" {
                let told = "./parent/exports belongs to root, and this is nobody";
                job.finish(start_bound(&job, "run")).expect(2).says(&[told]);
                chown(job.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let checked = job.finish(start_bound(&job, "check")).expect(2);
        assert!(
            checked
                .stdout
                .contains(&format!("✗ output   {message}: Permission denied")),
            "{}",
            checked.stdout
        );
        let run = job.finish(start_bound(&job, "run")).expect(2);
        assert!(
            run.stderr
                .contains(&format!("error: {message}\ncaused by: Permission denied")),
            "{}",
            run.stderr
        );
        set_permissions(job.path(name), Permissions::from_mode(0o755)).unwrap();
        let checked = job.finish(start_bound(&job, "check")).expect(0);
        assert!(
            checked.stdout.contains("✓ output   ./parent/exports\n"),
            "{}",
            checked.stdout
        );
        assert_eq!(
            std::fs::read_dir(job.path(name)).unwrap().count(),
            0,
            "a check leaves nothing behind"
        );
    }
}

#[test]
fn a_check_finds_what_is_somebody_else_s_as_a_run_does() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can make files that are somebody else's");
        return;
    }
    for theirs in ["state.lock", "state.sqlite", "runs"] {
        let mock = Mock::healthy();
        let job = Job::against(&mock);
        job.run().expect(0);
        for ours in ["", "state.lock", "state.sqlite", "last_run.json", "runs"] {
            let path = job.path("exports").join(ours);
            if ours == theirs {
                set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            } else {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let told = format!("exports/{theirs} belongs to root, and this is nobody");
        let checked = job.finish(start_bound(&job, "check")).expect(2).stdout;
        assert!(checked.contains(&told), "{checked}");
        let calls = mock.calls();
        let run = job.finish(start_bound(&job, "run")).expect(2).stderr;
        assert!(run.contains(&told), "{run}");
        assert_eq!(mock.calls(), calls, "nothing is called first");
    }
}

#[test]
fn a_permission_that_is_lost_mid_run_publishes_nothing_and_costs_no_call() {
    let mock = Mock::answering(|request| Answer::summary(request.contact_id).held());
    let job = Job::against(&mock).with("api.limit = 50");
    let start = || start_bound(&job, "run");
    let child = start();
    mock.wait_for_calls(3);
    set_permissions(job.path("exports/runs"), Permissions::from_mode(0o500)).unwrap();
    mock.release();
    expect_storage(job.finish(child), "/runs/.");
    assert_eq!(published(&job), (None, 0));
    set_permissions(job.path("exports/runs"), Permissions::from_mode(0o700)).unwrap();
    job.finish(start()).expect(0);
    assert_eq!((mock.calls(), published(&job).1), (3, 1));
}

#[test]
fn a_folder_that_is_deleted_mid_run_ends_the_run() {
    for is_moved in [false, true] {
        let mock = Mock::answering(|request| Answer::summary(request.contact_id).held());
        let job = Job::against(&mock);
        let child = job.start_with(&[]);
        mock.wait_for_calls(3);
        if is_moved {
            std::fs::rename(job.path("exports"), job.path("elsewhere")).unwrap();
        } else {
            std::fs::remove_dir_all(job.path("exports")).unwrap();
        }
        mock.release();
        let ended = job.finish(child).expect(6);
        let expected = "[folder]/exports/state.sqlite: the state file was removed or replaced \
            while the run was under way";
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert_eq!(
            (job.written(), published(&job)),
            (vec![], (None, 0)),
            "nothing is written beside it"
        );
        job.run().expect(0);
    }
}

#[test]
fn a_folder_that_is_deleted_while_the_export_is_written_ends_the_run() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    let runs = job.path("exports/runs");
    let is_partial = |entry: std::fs::DirEntry| {
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        is_hidden.then(|| entry.path())
    };
    let partial = || {
        let entries = std::fs::read_dir(&runs).unwrap().flatten();
        entries
            .filter(|entry| entry.path().is_dir())
            .find_map(is_partial)
    };
    let is_caught = (0..TRIES).any(|_| {
        let mut child = job.start_with(&["--offline"]);
        // It stands still while its folder is taken away.
        let is_held = hold_when(&mut child, || partial().is_some());
        let is_removed = is_held && std::fs::rename(partial().unwrap(), job.path("aside")).is_ok();
        let before = published(&job);
        if is_held {
            kill_process(Pid::from_child(&child), Signal::CONT).unwrap();
        }
        let ended = job.finish(child);
        if is_removed {
            expect_storage(ended, "/runs/.");
            std::fs::remove_dir_all(job.path("aside")).unwrap();
            assert_eq!(published(&job), before);
        }
        is_removed
    });
    assert!(is_caught, "no export was caught in the making");
    job.run().expect(0);
}

#[test]
fn a_full_disk_does_not_keep_a_signal_from_ending_it() {
    let mock = Mock::answering(|request| Answer::summary(request.contact_id).held());
    let job = Job::against(&mock);
    let Some(_disk) = Disk::mount(job.path("exports"), "9m") else {
        return;
    };
    let child = job.start_with(&[]);
    mock.wait_for_calls(3);
    let filler = std::fs::write(job.path("exports/filler"), vec![1; 9 << 20]);
    assert!(filler.is_err(), "the disk is full now");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    mock.release();
    let ended = job.finish(child);
    assert!(matches!(ended.code, Some(6 | 130)), "{ended:?}");
    assert_eq!(published(&job), (None, 0));
}
