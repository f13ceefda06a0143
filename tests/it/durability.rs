//! What has to be on the disk before the next step is taken, so that no power cut leaves half an
//! export, or loses an answer that was paid for. Nothing but a look at the calls themselves tells:
//! a library that notes them is loaded before the C library, with which it is compiled here.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::layout_1;
use crate::mock::{Answer, Mock};
use crate::support::Job;

/// Longest wait for answers to be on the disk. They are stored within a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// The library. Whoever could build the program has the compiler.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/durability.c");
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("durability.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .args([source, "-ldl"])
            .status();
        assert!(compiled.unwrap().success(), "{source} does not compile");
        library
    })
}

const LOG: &str = "steps";

/// The job, which notes what it does.
fn noted(job: Job) -> Job {
    let log = job.path(LOG);
    job.env("LD_PRELOAD", &library().to_string_lossy())
        .env("SYNC_LOG", &log.to_string_lossy())
}

/// What a job did, in order: `sync PATH`, `rename FROM TO`, or `remove PATH`; paths begin at the job's folder.
struct Steps(Vec<String>);

impl Steps {
    /// The steps of one run of the job.
    fn of(job: &Job, arguments: &[&str]) -> Self {
        job.run_with(arguments).expect(0);
        Self::so_far(job)
    }

    fn so_far(job: &Job) -> Self {
        let steps = std::fs::read_to_string(job.path(LOG)).unwrap_or_default();
        // The program names paths as the job does, and open files have whole ones.
        let folder = format!("{}/", job.path("").canonicalize().unwrap().display());
        let steps = steps.replace(&folder, "").replace("./exports", "exports");
        Self(steps.lines().map(str::to_owned).collect())
    }

    fn count(&self, step: &str) -> usize {
        self.0.iter().filter(|one| *one == step).count()
    }

    /// Where this step stands; it has to be there.
    #[track_caller]
    fn place(&self, step: &str) -> usize {
        let place = self.0.iter().position(|one| one == step);
        place.unwrap_or_else(|| panic!("there is no {step:?} in\n{}", self.0.join("\n")))
    }

    /// The first of such steps after this place; it has to be there.
    #[track_caller]
    fn after(&self, place: usize, step: &str) -> usize {
        let found = self.0.iter().skip(place).position(|one| one == step);
        place
            + found.unwrap_or_else(|| panic!("no {step:?} after {place} in\n{}", self.0.join("\n")))
    }
}

#[test]
fn an_export_is_on_the_disk_before_it_has_its_name_and_before_latest_names_it() {
    for format in ["parquet", "csv"] {
        let mock = Mock::healthy();
        let job = noted(Job::against(&mock)).with(&format!("output.format = \"{format}\""));
        let steps = Steps::of(&job, &[]);
        let run = &job.runs()[0];
        let partial = format!("exports/runs/.{run}.partial");
        let named = steps.place(&format!("rename {partial} exports/runs/{run}"));
        let files: Vec<_> = std::fs::read_dir(job.path("exports/latest"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(files.len() >= 9, "{files:?}");
        let folder = steps.place(&format!("sync {partial}"));
        for file in files {
            let written = steps.place(&format!("sync {partial}/{file}"));
            assert!(written < folder, "{file}");
        }
        assert!(folder < named);
        let latest = steps.place("rename exports/.latest.partial exports/latest");
        assert!(steps.after(named, "sync exports/runs") < latest);
        steps.after(latest, "sync exports");
        // A second export takes its place, and is nowhere in between.
        let steps = Steps::of(&job, &[]);
        steps.place("rename exports/.latest.partial exports/latest");
        assert_eq!(steps.count("remove exports/latest"), 0);
    }
}

#[test]
fn a_new_state_is_on_the_disk_before_it_has_its_name() {
    let mock = Mock::healthy();
    let steps = Steps::of(&noted(Job::against(&mock)), &[]);
    let named = steps.place("rename exports/state.sqlite.partial exports/state.sqlite");
    assert!(steps.place("sync exports/state.sqlite.partial") < named);
    // Nothing comes between: the next step might be the first answer.
    assert_eq!(steps.0[named + 1], "sync exports");
}

#[test]
fn the_way_back_to_an_older_layout_is_on_the_disk_before_the_state_is_changed() {
    let steps = Steps::of(&noted(layout_1::old()), &["--offline"]);
    let copied = steps.place("sync exports/state.layout-1.partial");
    let named = "rename exports/state.layout-1.partial exports/state.layout-1.sqlite";
    let named = steps.place(named);
    let is_state = |step: &String| step.starts_with("sync exports/state.sqlite");
    let changed = steps.0.iter().position(is_state).unwrap();
    assert!(copied < named && steps.after(named, "sync exports") < changed);
}

/// Commits in the write-ahead log of the state, by SQLite's description of the file: a frame that
/// ends one tells the size of the database; frames of an earlier round have another salt.
fn commits(job: &Job) -> usize {
    let log = std::fs::read(job.path("exports/state.sqlite-wal")).unwrap_or_default();
    let Some((header, frames)) = log.split_at_checked(32) else {
        return 0;
    };
    let page = u32::from_be_bytes(header[8..12].try_into().unwrap());
    let length = 24 + usize::try_from(page).unwrap();
    let ends_commit = |frame: &&[u8]| frame[8..16] == header[16..24] && frame[4..8] != [0; 4];
    frames.chunks_exact(length).filter(ends_commit).count()
}

#[test]
fn every_answer_that_is_stored_is_on_the_disk_before_the_run_goes_on() {
    let mock = Mock::answering(|request| {
        let answer = Answer::summary(request.contact_id);
        if request.contact_id == 3 {
            answer.held()
        } else {
            answer
        }
    });
    let job = noted(Job::against(&mock));
    let child = job.start_with(&[]);
    mock.wait_for_calls(3);
    let began = Instant::now();
    // Two answers are stored, and nothing more can be while the third is waited for.
    let stored = "SELECT count(*) FROM responses";
    while !job.path("exports/state.sqlite").exists() || job.stored(stored) < 2 {
        assert!(began.elapsed() < PATIENCE, "no answers are stored");
        std::thread::yield_now();
    }
    loop {
        let commits = commits(&job);
        assert!(
            commits > 2,
            "there is a list, a plan, and answers: {commits}"
        );
        let synced = Steps::so_far(&job).count("sync exports/state.sqlite-wal");
        if synced >= commits {
            break;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{synced} of {commits} commits are on the disk"
        );
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    assert_eq!(job.finish(child).code, None);
    mock.release();
}
