//! `check`: what it prints, and with which exit.

use super::*;
use crate::support::Finished;

fn check(job: &Job) -> Finished {
    let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
    let finished = job.finish(child);
    assert_eq!(finished.stderr, "");
    assert!(job.written().is_empty(), "a check leaves nothing behind");
    finished
}

/// The lines of a checklist, addresses cut.
fn lines(finished: &Finished) -> Vec<String> {
    finished.stdout.lines().map(|line| line.split("http://").next().unwrap().trim_end().to_owned()).collect()
}

#[test]
fn a_job_that_is_well_has_a_tick_in_every_line() {
    let sandbox = sandbox(|_| {});
    let job = system_user(&sandbox).csv("contactId\n17\nx\n18\n17\n");
    let expected = [
        "✓ job      job.toml",
        "✓ input    ./contacts.csv: 4 lines, 2 contact ids, 1 rejected; ids come from the column `contactId`",
        "✓ secrets  all that scheme \"system-user\" needs is there",
        "✓ tenant",
        "✓ login    scheme \"system-user\"",
        "✓ access   the API lets the login in",
        "✓ contact  17: a summary, as it should be",
    ];
    assert_eq!(lines(&check(&job).expect(0)), expected);
    assert_eq!((sandbox.requests(), tenant(&sandbox).logins()), (1, 1));
}

/// The step that fails is marked, what needs it is left out, and the exit is that of a run.
#[track_caller]
fn check_failure(job: &Job, code: i32, expected: &[&str]) {
    let finished = check(job).expect(code);
    let lines = lines(&finished);
    assert_eq!(lines.len(), 7.min(lines.len()));
    for expected in expected {
        assert!(finished.stdout.contains(expected), "{}", finished.stdout);
    }
    assert!(finished.stdout.contains('✗'), "{}", finished.stdout);
}

#[test]
fn what_fails_is_said_with_its_remedy() {
    use superoffice_export::sandbox::State;

    let sandbox = sandbox(|_| {});
    let job = || system_user(&sandbox);
    check_failure(&job().with("api.limit = 0"), 2, &["✗ job", "`api.limit`: must be above zero"]);
    check_failure(&job().csv(""), 2, &["✗ input", "✓ login"]);
    check_failure(&job().file("key.pem", "x"), 2, &["✓ input", "✗ secrets  `api.auth.private_key` holds no RSA private key"]);
    check_failure(
        &job().env("APP_TOKEN", "other"),
        5,
        &["✓ tenant", "✗ login    the login server refused the application token\n           → check `api.app_token`"],
    );
    let basic = Job::new(&tenant(&sandbox).endpoint())
        .with("api.auth = { scheme = \"basic\", user = \"demo\", password = { env = \"PASSWORD\" } }")
        .env("PASSWORD", "wrong");
    check_failure(&basic, 5, &["✓ login", "✗ access   the API refused the login with status 401\n           → wrong user or password"]);
    tenant(&sandbox).set_state(State::OfflineMaintenance);
    check_failure(&job(), 4, &["✗ tenant   the tenant cannot be used now; its state is OfflineMaintenance"]);
    tenant(&sandbox).set_state(State::Deleted);
    check_failure(&job(), 1, &["✗ tenant   the tenant cannot be used; its state is Deleted"]);
    check_failure(&Job::new("http://127.0.0.1:1/x"), 4, &["✓ address", "✗ access   the API gave no answer (connection)"]);
    assert_eq!(sandbox.requests(), 0);
}
