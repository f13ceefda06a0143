//! How a contact ends after each kind of answer: its row in `outcomes`, its attempts, the exit code
//! of the run.

use crate::mock::{Answer, Mock, summary};
use crate::support::{Finished, Job, gzip};

/// Attempts that the jobs here allow.
const MAX_ATTEMPTS: usize = 3;

/// A job of contact 7, and of contact 8, which is exported so that there is something to publish.
/// Where 7 can time out, it does so soon; slow machines may time out early, so that only answers
/// that never come may meet that.
fn job_of(mock: &Mock, can_time_out: bool) -> Job {
    let timeout = if can_time_out { "200ms" } else { "60s" };
    Job::against(mock)
        .ids([7, 8])
        .with(&format!("fetch.max_attempts = {MAX_ATTEMPTS}"))
        .with(&format!("fetch.timeout = \"{timeout}\""))
}

/// Runs the job, which publishes only where contact 7 does not fail; what is stored then tells how
/// it ended.
#[track_caller]
fn check_job(job: &Job, mock: &Mock, expected: &str) -> Finished {
    let failed = expected.starts_with("failed");
    let run = job.run();
    assert_eq!(
        run.code,
        Some(i32::from(failed)),
        "{expected}\n{}",
        run.all()
    );
    if failed {
        assert!(
            !job.path("exports/latest").exists(),
            "{expected}: published all the same"
        );
        job.run_with(&["--offline", "--max-failed", "100%"])
            .expect(0);
    }
    let outcome = job.export().outcome(7);
    assert_eq!(outcome, expected);
    assert!(
        outcome.contains(&format!(" after {}", mock.calls_for(7))),
        "{outcome}, with {} calls",
        mock.calls_for(7)
    );
    run
}

/// A server that always gives this answer ends the contact so.
#[track_caller]
fn check(answer: Answer, expected: &str) {
    let mock = Mock::always_for(7, answer);
    check_job(
        &job_of(&mock, expected.contains("timeout")),
        &mock,
        expected,
    );
}

/// The same, for a JSON answer of this status.
#[track_caller]
fn check_json(status: u16, body: &str, expected: &str) {
    check(Answer::json(status, body), expected);
}

fn html(status: u16) -> Answer {
    Answer::new(
        status,
        &[("Content-Type", "text/html")],
        "<html><body>Service</body></html>",
    )
}

fn with_retry_after(status: u16, value: &str) -> Answer {
    Answer::new(status, &[("Retry-After", value)], "")
}

#[test]
fn a_summary_is_exported() {
    check(Answer::summary(7), "exported - 200 after 1");
    let packed = gzip(summary(7).to_string().as_bytes());
    check(
        Answer::new(200, &[("Content-Encoding", "gzip")], packed),
        "exported - 200 after 1",
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n",
        summary(7).to_string().len()
    );
    check(
        Answer::raw(chunked + &summary(7).to_string() + "\r\n0\r\n\r\n"),
        "exported - 200 after 1",
    );
    let with_mark = format!("\u{FEFF}{}", summary(7));
    check_json(200, &with_mark, "exported - 200 after 1");
}

#[test]
fn a_contact_that_is_not_there_is_missing() {
    check_json(200, "null", "missing - 200 after 1");
    check(Answer::status(204), "missing - 204 after 1");
    check(Answer::status(200), "missing - 200 after 3");
    check_json(200, " \r\n", "missing - 200 after 3");
    for hollow in [
        r#"{"Contact":null,"Tickets":[],"Sales":null}"#,
        r#"{"Contact":{"ContactId":0,"Name":"","IsOwnerContact":false},"Sales":[]}"#,
    ] {
        check_json(200, hollow, "missing - 200 after 1");
    }
    check(html(410), "missing - 410 after 1");
    for status in [404, 410] {
        let gone =
            r#"{"Error":true,"ErrorType":"SoNotFoundException","ErrorMessage":"No such entity"}"#;
        check_json(
            status,
            gone,
            &format!("missing - {status} after 1: No such entity"),
        );
    }
}

#[test]
fn an_unusable_answer_is_asked_for_again() {
    check(html(200), "failed not_json 200 after 3");
    check_json(
        200,
        r#"{"Contact":{"ContactId":7"#,
        "failed not_json 200 after 3",
    );
    check_json(
        200,
        r#"{"Contact":{"Name":"a"}}}"#,
        "failed not_json 200 after 3",
    );
    check_json(
        200,
        "{\"Contact\":{\"Name\":\"\u{e5}\"}}"
            .replace('\u{e5}', "\n")
            .as_str(),
        "failed not_json 200 after 3",
    );
    check(Answer::summary(7).cut(10), "failed body_cut 200 after 3");
    check(
        Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        "failed body_cut 200 after 3",
    );
    let packed = gzip(summary(7).to_string().as_bytes());
    check(
        Answer::new(
            200,
            &[("Content-Encoding", "gzip")],
            &packed[..packed.len() - 9],
        ),
        "failed body_cut 200 after 3",
    );
}

#[test]
fn a_connection_that_fails_is_tried_again() {
    // The first loss may be that of a connection which was kept too long, and costs nothing.
    check(Answer::reset(), "failed connection - after 4");
    check(Answer::raw(""), "failed connection - after 4");
    check(
        Answer::raw("SSH-2.0-invented\r\n\r\n"),
        "failed connection - after 3",
    );
    check(Answer::never(), "failed timeout - after 3");
    check(Answer::summary(7).stalled(10), "failed timeout 200 after 3");
}

#[test]
fn a_connection_that_was_kept_and_is_closed_costs_no_attempt() {
    // A server that lets each connection serve once, without saying so.
    for dropped in [Answer::raw(""), Answer::reset()] {
        let served = std::sync::Mutex::new(std::collections::HashSet::new());
        let mock = Mock::answering(move |request| {
            if served.lock().unwrap().insert(request.client) {
                Answer::summary(request.contact_id)
            } else {
                dropped.clone()
            }
        });
        let job = Job::against(&mock)
            .ids(1..=100)
            .with("fetch.max_attempts = 1")
            .with("fetch.timeout = \"60s\"")
            .with("fetch.patience = \"0s\"");
        let run = job.run().expect(0);
        assert_eq!(run.stderr.matches("does not answer").count(), 0);
        let outcomes = job.export().manifest()["outcomes"].clone();
        assert_eq!(outcomes["exported"], 100);
        assert!(
            mock.calls() > 110,
            "{} calls: it dropped some",
            mock.calls()
        );
    }
}

#[test]
fn a_sick_or_busy_server_is_asked_again() {
    for status in [408, 500, 502, 503, 504, 599] {
        check(
            html(status),
            &format!("failed http_status {status} after 3"),
        );
    }
    for value in ["0", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"] {
        check(
            with_retry_after(503, value),
            "failed http_status 503 after 3",
        );
    }
    let error =
        r#"{"Message":"Object reference not set","ExceptionType":"NullReferenceException"}"#;
    check_json(
        500,
        error,
        "failed http_status 500 after 3: Object reference not set",
    );
}

#[test]
fn a_status_counts_whatever_becomes_of_its_body() {
    check(html(410).cut(1), "missing - 410 after 1");
    check(html(404).cut(1), "failed http_status 404 after 3");
    check(html(400).cut(1), "failed http_status 400 after 1");
    check(html(500).cut(1), "failed http_status 500 after 3");
    let announced =
        Answer::raw("HTTP/1.1 503 Recycling\r\nRetry-After: 0\r\nContent-Length: 99999999\r\n\r\n");
    check(announced, "failed http_status 503 after 3");
}

#[test]
fn a_contact_that_is_always_too_many_fails_in_the_end() {
    for answer in [
        html(429),
        with_retry_after(429, "0"),
        with_retry_after(429, "soon"),
    ] {
        check(answer, "failed http_status 429 after 3");
    }
}

#[test]
fn a_contact_that_is_always_elsewhere_fails_in_the_end() {
    // Where others are served, its first such answer may be news of a tenant that has moved.
    let mock = Mock::always_for(7, html(421));
    let job = job_of(&mock, false).ids(7..=200);
    job.run().expect(0);
    let calls = mock.calls_for(7);
    assert!(
        (MAX_ATTEMPTS..=MAX_ATTEMPTS + 1).contains(&calls),
        "{calls} calls"
    );
    assert_eq!(
        job.export().outcome(7),
        format!("failed http_status 421 after {calls}")
    );
}

#[test]
fn whatever_passes_is_forgotten() {
    let faults = [
        html(200),
        Answer::status(200),
        Answer::summary(7).cut(1),
        Answer::reset(),
        Answer::raw(""),
        html(408),
        with_retry_after(429, "0"),
        Answer::json(500, r#"{"Error":true,"Message":"busy"}"#),
        html(502),
        with_retry_after(503, "0"),
        html(421),
    ];
    for fault in faults {
        let mock = Mock::scripted([(7, vec![fault])]);
        check_job(&job_of(&mock, false), &mock, "exported - 200 after 2");
    }
    // A slow machine may need more than one attempt after the first.
    let mock = Mock::scripted([(7, vec![Answer::never()])]);
    let job = job_of(&mock, true).with("fetch.max_attempts = 50");
    job.run().expect(0);
    assert!(job.export().outcome(7).starts_with("exported - 200 after "));
}

#[test]
fn a_refusal_is_final() {
    let invalid = r#"{"Message":"The request is invalid.","MessageDetail":"x"}"#;
    check_json(
        400,
        invalid,
        "failed http_status 400 after 1: The request is invalid.",
    );
    check_json(400, r#"{"Error":true}"#, "failed http_status 400 after 1");
    for status in [
        400, 402, 405, 406, 409, 411, 413, 414, 415, 422, 426, 431, 451, 501,
    ] {
        check(
            html(status),
            &format!("failed http_status {status} after 1"),
        );
    }
    check(html(403), "failed forbidden 403 after 1");
    check(
        with_retry_after(400, "60"),
        "failed http_status 400 after 1",
    );
}

#[test]
fn an_error_in_a_200_is_found() {
    let carriers = [
        r#"{"Error":true,"ErrorType":"ArgumentException","Message":"No access"}"#,
        r#"{"Error":true,"ErrorType":"ArgumentException","ErrorMessage":"No access"}"#,
        r#"{"Message":"No access","MessageDetail":"x"}"#,
        r#"{"Contact":null,"Error":true,"Message":"No access"}"#,
    ];
    for body in carriers {
        check_json(200, body, "failed api_error 200 after 1: No access");
    }
}

#[test]
fn an_answer_of_another_shape_or_contact_makes_no_rows() {
    for body in [
        "{}",
        "[]",
        "true",
        "7",
        r#""text""#,
        r#"{"Contact":[]}"#,
        r#"{"Tickets":{}}"#,
        r#"{"Tickets":[7]}"#,
        r#"{"Value":{}}"#,
    ] {
        check_json(200, body, "failed wrong_structure 200 after 1");
    }
    for id in ["8", "\"8\"", "0", "true"] {
        check_json(
            200,
            &format!(r#"{{"Contact":{{"ContactId":{id},"Name":"a"}}}}"#),
            "failed other_contact 200 after 1",
        );
    }
    for id in ["7", "7.0", "\"7\"", "null"] {
        check_json(
            200,
            &format!(r#"{{"Contact":{{"ContactId":{id},"Name":"a"}}}}"#),
            "exported - 200 after 1",
        );
    }
}

#[test]
fn redirects_are_not_followed() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let elsewhere = Mock::healthy();
        let mock = Mock::always_for(
            7,
            Answer::new(status, &[("Location", &elsewhere.url())], ""),
        );
        let job = job_of(&mock, false)
            .with("api.auth = { scheme = \"bearer\", token = { env = \"SECRET\" } }")
            .env("SECRET", "s3cret");
        let run = check_job(&job, &mock, &format!("failed redirect {status} after 1"));
        assert_eq!(elsewhere.calls(), 0, "{status}");
        assert!(!run.all().contains("s3cret"));
    }
}
