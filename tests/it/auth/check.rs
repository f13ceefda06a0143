//! `check`: what it prints, and with which exit.

use super::*;
use crate::mock::{Answer, Mock};
use crate::support::{Finished, gzip};

fn check(job: &Job) -> Finished {
    let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
    let finished = job.finish(child);
    assert_eq!(finished.stderr, "");
    assert!(job.written().is_empty(), "a check leaves nothing behind");
    finished
}

/// The lines of a checklist, addresses cut.
fn lines(finished: &Finished) -> Vec<String> {
    finished
        .stdout
        .lines()
        .map(|line| line.split("http://").next().unwrap().trim_end().to_owned())
        .collect()
}

#[test]
fn a_job_that_is_well_has_a_tick_in_every_line() {
    let sandbox = sandbox(|_| {});
    let job = system_user(&sandbox).csv("contactId\n17\nx\n18\n17\n");
    let told = check(&job).expect(0);
    let readers = told
        .stdout
        .lines()
        .find(|line| line.starts_with("✓ readers"));
    assert!(readers.unwrap().ends_with(" alone reads what is published"));
    let expected = [
        "✓ job      job.toml",
        "✓ input    ./contacts.csv: 4 lines, 2 contact ids, 1 rejected; \
         ids come from the column `contactId`",
        "✓ output   ./exports",
        readers.unwrap(),
        "✓ secrets  all that scheme \"system-user\" needs is there",
        "✓ tenant",
        "✓ login    scheme \"system-user\"",
        "✓ access   the API lets the login in",
        "✓ zone     UTC, as the job says",
        "✓ contact  17: a summary, as it should be",
    ];
    assert_eq!(lines(&told), expected);
    assert_eq!((sandbox.requests(), tenant(&sandbox).logins()), (1, 1));
}

/// The step that fails is marked, what needs it is left out, and the exit is that of a run.
#[track_caller]
fn check_failure(job: &Job, code: i32, expected: &[&str]) {
    let finished = check(job).expect(code);
    let lines = lines(&finished);
    assert_eq!(lines.len(), 9.min(lines.len()));
    for expected in expected {
        assert!(finished.stdout.contains(expected), "{}", finished.stdout);
    }
    assert!(finished.stdout.contains('✗'), "{}", finished.stdout);
}

#[test]
fn what_fails_is_said_with_its_remedy() {
    use superoffice_export::sandbox::SimulatedTenantState;

    let sandbox = sandbox(|_| {});
    let job = || system_user(&sandbox);
    check_failure(
        &job().with("api.limit = 0"),
        2,
        &["✗ job", "`api.limit`: must be between 1 and"],
    );
    check_failure(&job().csv(""), 2, &["✗ input", "✓ login"]);
    let blocked = job()
        .ids([])
        .file("file", "")
        .with("output.dir = \"file/exports\"");
    check_failure(
        &blocked,
        2,
        &[
            "✗ output   `output.dir`: ./file/exports cannot be written; check the path",
            "✓ login",
        ],
    );
    check_failure(
        &job().file("key.pem", "x"),
        2,
        &[
            "✓ input",
            "✗ secrets  `api.auth.private_key` holds no RSA private key",
        ],
    );
    check_failure(
        &job().env("APP_TOKEN", "other"),
        5,
        &[
            "✓ tenant",
            "✗ login    the login server refused the application token\n           \
             → check `api.app_token`",
        ],
    );
    let basic = Job::new(&tenant(&sandbox).endpoint())
        .with(
            "api.auth = { scheme = \"basic\", user = \"demo\", password = { env = \"PASSWORD\" } }",
        )
        .env("PASSWORD", "wrong");
    check_failure(
        &basic,
        5,
        &[
            "✓ login",
            "✗ access   the API refused the login with status 401\n           \
             → wrong user or password",
        ],
    );
    tenant(&sandbox).set_state(SimulatedTenantState::OfflineMaintenance);
    check_failure(
        &job(),
        4,
        &["✗ tenant   the tenant cannot be used now; its state is OfflineMaintenance"],
    );
    tenant(&sandbox).set_state(SimulatedTenantState::Deleted);
    check_failure(
        &job(),
        1,
        &["✗ tenant   the tenant cannot be used; its state is Deleted"],
    );
    let refused = "Connection refused (os error 111)";
    check_failure(
        &Job::new("http://127.0.0.1:1/x"),
        4,
        &[
            "✓ address",
            "✗ access   the API gave no answer (connection): ",
            refused,
        ],
    );
    let nowhere = job().with("api.environment = \"http://127.0.0.1:1\"");
    check_failure(
        &nowhere,
        4,
        &[
            "✗ tenant   the state endpoint is away: no answer came (connection): ",
            refused,
        ],
    );
    let reset = Mock::always(Answer::reset());
    check_failure(
        &Job::against(&reset),
        4,
        &[
            "✗ access   the API gave no answer (connection): ",
            "Connection reset by peer (os error 104)",
        ],
    );
    assert_eq!(sandbox.requests(), 0);
}

const NO_API: &str = "→ there is no API at this address; check `api.base_url`";
const PAGE: &str = "→ the address answers with a web page; check `api.base_url`";
const REDIRECT: &str = "→ the address redirects, which is never followed";
const AWAY: &str = "→ a run waits for that up to `fetch.patience`";

fn html(status: u16) -> Answer {
    Answer::new(status, &[("Content-Type", "text/html")], "<html></html>")
}

#[test]
fn an_answer_is_judged_as_a_run_judges_it() {
    const NO_PAGE: &str = "? access   no page here tells who is logged in";
    let object = |status| {
        Answer::json(
            status,
            r#"{"Error":true,"ErrorType":"SoNotFoundException","ErrorMessage":"no"}"#,
        )
    };
    let packed = Answer::new(200, &[("Content-Encoding", "gzip")], gzip(b"<html></html>"));
    // What every request is answered with.
    let cases: [(Answer, i32, &[&str]); 9] = [
        (
            html(404),
            1,
            &[NO_PAGE, "✗ contact  1: status 404\n", NO_API],
        ),
        (
            Answer::status(404),
            1,
            &[NO_PAGE, "✗ contact  1: status 404\n", NO_API],
        ),
        (
            object(404),
            0,
            &[
                NO_PAGE,
                "✓ contact  1: no such contact (status 404); the API answers",
            ],
        ),
        (
            html(200),
            1,
            &["✗ access   the API: not_json (status 200)", PAGE],
        ),
        (
            packed,
            1,
            &["✗ access   the API: not_json (status 200)", PAGE],
        ),
        (
            Answer::new(302, &[("Location", "/login")], ""),
            1,
            &["✗ access   the API: redirect (status 302)", REDIRECT],
        ),
        (
            object(400),
            1,
            &[
                "✗ access   the API: status 400",
                "→ check `api.base_url` and the request settings",
            ],
        ),
        (
            html(403),
            5,
            &["✗ access   the API refused the login with status 403"],
        ),
        (
            html(503),
            4,
            &["✗ access   the API answered with status 503", AWAY],
        ),
    ];
    for (answer, code, expected) in cases {
        check_says(&Job::against(&Mock::always(answer)), code, expected);
    }
}

#[test]
fn the_answer_for_a_contact_alone_is_judged_as_a_run_judges_it() {
    let of_contact = |answer: Answer| {
        Mock::answering(move |request| {
            if request.contact_id == 0 {
                Answer::json(200, "{}")
            } else {
                answer.clone()
            }
        })
    };
    let cases: [(Answer, i32, &[&str]); 5] = [
        (
            html(404),
            1,
            &["✓ access", "✗ contact  1: status 404", NO_API],
        ),
        (html(200), 1, &["✗ contact  1: not_json (status 200)", PAGE]),
        (
            Answer::new(302, &[("Location", "/login")], ""),
            1,
            &["✗ contact  1: redirect (status 302)", REDIRECT],
        ),
        (
            html(403),
            5,
            &[
                "✗ contact  1: forbidden (status 403)",
                "→ the login may not read contacts",
            ],
        ),
        (html(500), 4, &["✗ contact  1: status 500", AWAY]),
    ];
    for (answer, code, expected) in cases {
        check_says(&Job::against(&of_contact(answer)), code, expected);
    }
}

#[track_caller]
fn check_says(job: &Job, code: i32, expected: &[&str]) {
    let finished = check(job).expect(code);
    for expected in expected {
        assert!(
            finished.stdout.contains(expected),
            "{expected:?} is not in\n{}",
            finished.stdout
        );
    }
}
