//! Who may read what is published: a second real user of this machine tries. Where no user can be
//! added the theme says so and passes, unless `REQUIRE_USERS=1` is set.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::support::Job;

/// The user, whose group has the same name.
const ANALYST: &str = "soexport-analyst";

fn as_root(words: &[&str]) -> Option<Output> {
    let words = if rustix::process::geteuid().is_root() {
        words.to_vec()
    } else {
        [&["sudo", "-n"], words].concat()
    };
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).output().ok()
}

fn succeeds(words: &[&str]) -> bool {
    as_root(words).is_some_and(|output| output.status.success())
}

/// Whether the user is there, or could be added.
#[expect(clippy::print_stderr, reason = "a theme that is left out says so")]
fn is_there() -> bool {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    let is_there = *IS_THERE.get_or_init(|| {
        let add = ["useradd", "--no-create-home", "--user-group", ANALYST];
        (succeeds(&["id", ANALYST]) || succeeds(&add))
            && succeeds(&["runuser", "-u", ANALYST, "--", "true"])
    });
    if !is_there {
        assert_ne!(
            std::env::var("REQUIRE_USERS").as_deref(),
            Ok("1"),
            "no second user can be added here"
        );
        eprintln!("skipped: no second user can be added here");
    }
    is_there
}

/// Whether the analyst can read this file, or list this folder.
fn reads(path: &Path) -> bool {
    let path = path.to_str().unwrap();
    let program = if Path::new(path).is_dir() {
        "ls"
    } else {
        "cat"
    };
    succeeds(&["runuser", "-u", ANALYST, "--", program, path])
}

/// A job in a folder that others may pass through, with its output folder.
fn job() -> Job {
    let job = Job::sandbox().without("api.time_zone");
    let folder = job.path(".");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
    std::fs::create_dir(job.path("exports")).unwrap();
    job
}

/// What stays the owner's, whatever the access.
#[track_caller]
fn assert_state_closed(job: &Job) {
    for name in ["state.sqlite", "state.lock"] {
        assert!(!reads(&job.path(&format!("exports/{name}"))), "{name}");
    }
}

#[test]
fn a_second_user_reads_what_the_job_lets_out_and_never_the_state() {
    if !is_there() {
        return;
    }
    let job = job().with("output.access = \"group\"");
    let exports = job.path("exports");
    // As the README says.
    assert!(succeeds(&["chgrp", ANALYST, exports.to_str().unwrap()]));
    assert!(succeeds(&["chmod", "2750", exports.to_str().unwrap()]));
    let check = job.command().args(["check", "job.toml"]).output().unwrap();
    let text = String::from_utf8(check.stdout).unwrap();
    assert!(
        text.contains(&format!("the group {ANALYST} ({ANALYST}) read")),
        "{text}"
    );
    job.run().expect(0);
    let first = exports.join("runs").join(&job.runs()[0]);
    let files = [
        "contacts.parquet",
        "outcomes.parquet",
        "manifest.json",
        "views.sql",
    ];
    for file in files {
        assert!(reads(&exports.join("latest").join(file)), "{file}");
        assert!(reads(&first.join(file)), "{file}");
    }
    assert!(reads(&exports.join("runs")));
    assert_state_closed(&job);
    // Narrowed again, in the runs that were let out before, too.
    let job = job.with("output.access = \"owner\"");
    job.run().expect(0);
    for file in files {
        assert!(!reads(&exports.join("latest").join(file)), "{file}");
        assert!(!reads(&first.join(file)), "{file}");
    }
    assert_state_closed(&job);
    let job = job.with("output.access = \"everyone\"");
    job.run().expect(0);
    assert!(reads(&first.join("contacts.parquet")));
    assert_state_closed(&job);
}

#[test]
fn an_access_of_another_word_is_refused() {
    let job = Job::sandbox().with("output.access = \"all\"");
    job.run()
        .expect(2)
        .says(&["`output.access`: must be \"owner\", \"group\" or \"everyone\""]);
    assert!(job.written().is_empty());
}
