//! When a run stops or does not publish: refused logins, too many failures, a job that is wrong
//! from the start; and what a server can ask of its pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::mock::{Answer, Mock};
use crate::support::Job;

#[test]
fn failures_up_to_the_allowed_share_are_published_and_one_more_is_not() {
    let failing = |count: i64| {
        let failed = (1..=count).map(|id| (id, vec![Answer::json(400, "{}")]));
        let missing = (50..=80)
            .step_by(2)
            .map(|id| (id, vec![Answer::json(200, "null")]));
        Mock::scripted(failed.chain(missing))
    };
    let mock = failing(2);
    let job = Job::against(&mock)
        .ids(1..=100)
        .with("output.max_failed = \"2%\"");
    let run = job.run().expect(0);
    assert_eq!(job.export().manifest()["outcomes"]["failed"], 2);
    assert!(
        run.stderr
            .contains("again superoffice-export run job.toml --max-age 24h"),
        "{}",
        run.stderr
    );
    job.run_with(&["--max-age", "24h"]).expect(0);
    assert_eq!(mock.calls(), 102, "only those that failed");

    let mock = failing(3);
    let job = Job::against(&mock)
        .ids(1..=100)
        .with("output.max_failed = \"2%\"");
    let run = job.run().expect(1);
    assert!(
        run.stderr
            .contains("3 failed: http_status (such as contact 1, 2, 3)"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("error: nothing was published: 3 of 100 targets failed"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("again: superoffice-export run job.toml\n"),
        "{}",
        run.stderr
    );
    assert!(!job.path("exports/latest").exists());
    assert_eq!(
        std::fs::read_dir(job.path("exports/runs")).unwrap().count(),
        0
    );

    // The scripts are through: the same command asks again for the failed ones and for those that
    // were not there, and publishes.
    job.run().expect(0);
    assert_eq!(mock.calls(), 100 + 3 + 16);
    assert!((81..=100).all(|id| mock.calls_for(id) == 1));
    assert_eq!(job.export().manifest()["outcomes"]["failed"], 0);
}

/// A server that gives every contact the same refusal ends the run at once, with this exit code and
/// hint.
#[track_caller]
fn check_hopeless(answer: Answer, code: i32, hint: &str) {
    let mock = Mock::always(answer);
    let job = Job::against(&mock)
        .ids(1..=500)
        .with("fetch.max_in_flight = 8")
        .with("output.max_failed = \"100%\"");
    let run = job.run().expect(code);
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    assert!((50..=58).contains(&mock.calls()), "{} calls", mock.calls());
    assert!(!job.path("exports/latest").exists());
}

#[test]
fn a_job_that_is_wrong_from_the_start_stops_at_once() {
    let html = |status| Answer::new(status, &[("Content-Type", "text/html")], "<html></html>");
    check_hopeless(
        Answer::json(400, r#"{"Error":true,"Message":"no"}"#),
        1,
        "status 400",
    );
    check_hopeless(html(403), 5, "hint: the login may not read contacts");
    check_hopeless(html(404), 1, "hint: there is no API at this address");
    check_hopeless(html(200), 1, "hint: the address answers with a web page");
    check_hopeless(
        Answer::new(302, &[("Location", "/login")], ""),
        1,
        "hint: the address redirects",
    );
    check_hopeless(
        Answer::json(200, r#"{"Error":true,"Message":"no"}"#),
        1,
        "api_error",
    );
    check_hopeless(Answer::json(200, "[]"), 1, "wrong_structure");
}

#[test]
fn contacts_that_are_not_there_are_no_reason_to_stop() {
    for answer in [
        Answer::not_there(),
        Answer::json(200, "null"),
        Answer::status(204),
        Answer::status(410),
    ] {
        let mock = Mock::always(answer);
        let job = Job::against(&mock).ids(1..=120);
        // All of them are asked for; that the export would be empty is another matter.
        job.run().expect(1);
        assert_eq!(mock.calls(), 120);
        job.run_with(&["--accept"]).expect(0);
        assert_eq!(mock.calls(), 120);
        assert_eq!(job.export().manifest()["outcomes"]["missing"], 120);
    }
}

#[test]
fn a_login_that_never_worked_ends_the_run() {
    let mock = Mock::always(Answer::json(
        401,
        r#"{"Error":true,"Message":"Not logged in"}"#,
    ));
    let job = Job::against(&mock)
        .ids(1..=200)
        .with("fetch.max_in_flight = 4")
        .with("api.auth = { scheme = \"bearer\", token = { env = \"SECRET\" } }")
        .env("SECRET", "s3cret");
    let run = job.run().expect(5);
    assert!(
        run.stderr
            .contains("error: the API refused the login with status 401"),
        "{}",
        run.stderr
    );
    assert!(!run.all().contains("s3cret"));
    assert!(mock.calls() <= 4, "{} calls", mock.calls());
    assert!(!job.path("exports/latest").exists());
}

#[test]
fn too_many_requests_pause_everything_for_as_long_as_the_server_asks() {
    let mock = Mock::scripted([(1, vec![Answer::new(429, &[("Retry-After", "1")], "")])]);
    let job = Job::against(&mock)
        .ids(1..=10)
        .with("fetch.max_in_flight = 1");
    job.run().expect(0);
    let requests = mock.requests();
    assert_eq!(requests.len(), 11);
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
    assert_eq!(job.export().outcome(1), "exported - 200 after 2");
}

#[test]
fn an_unavailable_contact_waits_alone() {
    let mock = Mock::scripted([(1, vec![Answer::new(503, &[("Retry-After", "2")], "")])]);
    let job = Job::against(&mock)
        .ids(1..=10)
        .with("fetch.max_in_flight = 1");
    job.run().expect(0);
    let requests = mock.requests();
    let of_first: Vec<_> = requests
        .iter()
        .filter(|request| request.contact_id == 1)
        .collect();
    assert_eq!((requests.len(), of_first.len()), (11, 2));
    assert!(of_first[1].at - of_first[0].at >= Duration::from_secs(2));
    assert!(of_first[1].call > 2, "the others waited too");
}

#[test]
fn a_server_that_stays_away_ends_the_run_and_the_next_one_goes_on() {
    for away in [
        Answer::status(503),
        Answer::reset(),
        Answer::new(502, &[("Content-Type", "text/html")], "<html></html>"),
    ] {
        let is_back = Arc::new(AtomicBool::new(false));
        let there = Arc::clone(&is_back);
        let calls = AtomicUsize::new(0);
        let mock = Mock::answering(move |request| {
            let answers = calls.fetch_add(1, Ordering::SeqCst) < 20 || there.load(Ordering::SeqCst);
            if answers {
                Answer::summary(request.contact_id)
            } else {
                away.clone()
            }
        });
        let job = Job::against(&mock)
            .ids(1..=500)
            .with("fetch.patience = \"0s\"")
            .with("fetch.max_in_flight = 4");
        let run = job.run().expect(4);
        assert!(
            run.stderr
                .contains("hint: run the same command again; it goes on where this one ended"),
            "{}",
            run.stderr
        );
        // Ten contacts, each with all its attempts, show that it is no matter of one contact.
        assert!(
            mock.calls() < 20 + 10 * 6 + 10,
            "{} calls to a server that is away",
            mock.calls()
        );
        assert!(!job.path("exports/latest").exists());
        is_back.store(true, Ordering::SeqCst);
        job.run().expect(0);
        assert_eq!(job.export().manifest()["outcomes"]["exported"], 500);
        // Four in flight may come in another order.
        let again = (1..=16).filter(|id| mock.calls_for(*id) > 1).count();
        assert!(
            again <= 1,
            "an answer that was paid for is not asked for again, \
             but for the one by which a server is found to be away"
        );
    }
}

#[test]
fn faults_on_the_way_change_no_row() {
    let tables = |faults: &str| {
        let job = Job::sandbox()
            .ids(1..=400)
            .with(&format!("sandbox.faults = \"{faults}\""));
        job.run().expect(0);
        (job.export().bytes_of_tables(), job.export().manifest())
    };
    let ((quiet, _), (troubled, manifest)) = (tables("0%"), tables("5%"));
    assert!(manifest["calls"]["retries"].as_u64().unwrap() > 0);
    assert!(quiet == troubled);
}

#[test]
fn a_budget_of_calls_leaves_the_rest_pending() {
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .ids(1..=10)
        .with("fetch.max_calls = 4")
        .with("fetch.max_in_flight = 1");
    job.run().expect(0);
    let outcomes = job.export().manifest()["outcomes"].clone();
    assert_eq!(
        (mock.calls(), &outcomes["exported"], &outcomes["pending"]),
        (4, &4.into(), &6.into())
    );
    assert_eq!(job.export().outcome(10), "pending - - after 0");
}

#[test]
fn the_api_is_quoted_in_outcomes_alone_and_never_at_length() {
    let secret = "Kari Nordmann";
    let long = format!("{}{}", "æ".repeat(290), "x".repeat(100));
    let bodies = [
        (
            1,
            Answer::json(400, format!(r#"{{"Error":true,"Message":"{long}"}}"#)),
        ),
        (
            2,
            Answer::json(200, format!(r#"{{"Contact":["{secret}"]}}"#)),
        ),
        (
            3,
            Answer::json(200, format!(r#"{{"Contact":{{"Name":"{secret}","#)),
        ),
        (
            4,
            Answer::json(
                400,
                format!(r#"{{"Error":true,"Message":"{secret} has no\naccess"}}"#),
            ),
        ),
        (
            5,
            Answer::json(
                200,
                format!(r#"{{"Contact":{{"ContactId":99,"Name":"{secret}"}}}}"#),
            ),
        ),
        (
            6,
            Answer::json(
                200,
                format!(
                    r#"{{"Contact":{{"AssociateId":"{secret}"}},
                    "Sales":[{{"SaleDate":"{secret}"}}]}}"#
                ),
            ),
        ),
    ];
    let mock = Mock::scripted(bodies.into_iter().map(|(id, answer)| (id, vec![answer; 6])));
    let job = Job::against(&mock)
        .ids(1..=6)
        .with("output.max_failed = \"100%\"");
    let run = job.run_with(&["--verbose"]).expect(0);
    assert!(!run.all().contains(secret), "{}", run.all());
    let export = job.export();
    let message = |id| {
        export.outcome_row(id)["message"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(
        message(1),
        Some(format!("{}{}", "æ".repeat(290), "x".repeat(10)))
    );
    assert_eq!(message(4).as_deref(), Some("Kari Nordmann has no access"));
    assert_eq!([2, 3, 5, 6].map(message), [None, None, None, None]);
}
