//! The output folder: what a look leaves in it, who may write to it, and what it says of the last
//! start.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::Value;

use crate::mock::{Answer, Mock};
use crate::support::Job;

/// Every file below the job's folder with its bytes and, for a folder, none.
fn everything(job: &Job) -> BTreeMap<String, Vec<u8>> {
    fn visit(folder: &std::path::Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_folder = path.symlink_metadata().unwrap().is_dir();
            let bytes = if is_folder || path.is_symlink() {
                Vec::new()
            } else {
                std::fs::read(&path).unwrap()
            };
            if is_folder {
                visit(&path, found);
            }
            found.insert(path.display().to_string(), bytes);
        }
    }
    let mut found = BTreeMap::new();
    visit(&job.path("."), &mut found);
    found
}

fn check(job: &Job) -> crate::support::Finished {
    let child = job
        .command()
        .args(["check", "job.toml"])
        .spawn()
        .expect("the program can be started");
    job.finish(child)
}

fn last_run(job: &Job) -> Value {
    let text = std::fs::read(job.path("exports/last_run.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn set_mode(job: &Job, name: &str, mode: u32) {
    std::fs::set_permissions(job.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_look_leaves_nothing_where_nothing_was() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    let before = everything(&job);
    job.run_with(&["--plan"]).expect(0);
    check(&job).expect(0);
    assert_eq!(everything(&job), before);
    assert!(!job.path("exports").exists());
}

#[test]
fn a_look_changes_nothing_of_what_is_there() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=10);
    job.run().expect(0);
    // With a question and targets of its own.
    let job = job.ids(1..=11).with("api.limit = 7");
    let before = everything(&job);
    let plan = job.run_with(&["--plan"]).expect(0).stdout;
    assert!(plan.starts_with("11 of 11 to fetch"), "{plan}");
    check(&job).expect(0);
    assert_eq!(everything(&job), before);
    assert_eq!(job.stored("SELECT count(*) FROM targets"), 10);
}

#[test]
fn a_plan_is_told_beside_a_run() {
    let mock = Mock::answering(|request| Answer::summary(request.contact_id).held());
    let job = Job::against(&mock)
        .ids(1..=10)
        .with("fetch.max_in_flight = 4");
    let child = job.start_with(&[]);
    mock.wait_for_calls(4);
    let names = |job: &Job| everything(job).into_keys().collect::<Vec<_>>();
    let before = names(&job);
    let plan = job.run_with(&["--plan"]).expect(0).stdout;
    assert!(plan.starts_with("10 of 10 to fetch"), "{plan}");
    assert_eq!(names(&job), before);
    mock.release();
    job.finish(child).expect(0);
    assert_eq!(mock.calls(), 10);
}

#[test]
fn a_folder_that_others_may_write_to_is_refused_with_the_command_that_mends_it() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).with("output.dir = \"my exports\"");
    job.run().expect(0);
    let calls = mock.calls();
    for mode in [0o770, 0o702] {
        set_mode(&job, "my exports", mode);
        let mended = ["others", "run: chmod go-w './my exports'"];
        job.run().expect(2).says(&mended);
        let checked = check(&job).expect(2).stdout;
        assert!(checked.contains(mended[1]), "{checked}");
    }
    set_mode(&job, "my exports", 0o750);
    job.run().expect(0);
    assert!(mock.calls() > calls);
}

#[test]
fn a_link_in_place_of_a_file_of_ours_is_not_followed() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).file("theirs", "untouched");
    job.run().expect(0);
    let theirs = || std::fs::read_to_string(job.path("theirs")).unwrap();
    std::fs::remove_file(job.path("exports/state.lock")).unwrap();
    symlink("../theirs", job.path("exports/state.lock")).unwrap();
    job.run().expect(2).says(&["state.lock is a link", "rm "]);
    assert_eq!(theirs(), "untouched");
    std::fs::remove_file(job.path("exports/state.lock")).unwrap();
    // What stands in the way of a file in the making is removed, not followed.
    symlink("../theirs", job.path("exports/last_run.json.partial")).unwrap();
    job.run().expect(0);
    assert_eq!(theirs(), "untouched");
    assert_eq!(last_run(&job)["exit_code"], 0);
}

#[test]
fn how_the_last_start_ended_is_written_beside_the_state() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=10);
    job.run().expect(0);
    let published = last_run(&job);
    assert_eq!(published["published"], true);
    assert_eq!(published["outcomes"]["exported"], 10);
    assert_eq!(published["run"], job.export().manifest()["run"]);
    let mode = |name: &str| job.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("exports/last_run.json"), 0o600);

    let job = job.csv("contactId\n");
    let stderr = job.run().expect(2).stderr;
    let failed = last_run(&job);
    assert_eq!(
        (&failed["published"], &failed["exit_code"]),
        (&false.into(), &2.into())
    );
    let error = failed["error"].as_str().unwrap();
    assert!(stderr.contains(error), "{error} is not in {stderr}");

    // What only looks leaves it as it is, and so does who comes second.
    job.run_with(&["--plan"]);
    check(&job);
    assert_eq!(last_run(&job), failed);
    let lock = std::fs::File::open(job.path("exports/state.lock")).unwrap();
    lock.lock().unwrap();
    job.run().expect(3);
    assert_eq!(last_run(&job), failed);
}

#[test]
fn a_login_that_fails_is_written_there_too() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    let job = job.with("api.auth = { scheme = \"bearer\", token = { env = \"NOT_SET\" } }");
    job.run().expect(2);
    assert_eq!(last_run(&job)["exit_code"], 2);
}

#[test]
fn check_finds_a_state_that_a_run_could_not_use() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    check(&job).expect(0);
    std::fs::write(job.path("exports/state.sqlite"), "no database at all").unwrap();
    let checked = check(&job).expect(6).stdout;
    assert!(
        checked.contains("not a state file of this program"),
        "{checked}"
    );

    let other = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    let job = job
        .without("api.base_url")
        .with(&format!("api.base_url = \"{}\"", other.url()));
    let checked = check(&job).expect(2).stdout;
    assert!(checked.contains("this folder belongs to"), "{checked}");
}
