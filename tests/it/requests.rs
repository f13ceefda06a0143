//! What a run sends: headers, logins, bodies, connections.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::mock::{Answer, Mock, Request};
use crate::support::Job;

/// Runs a job of one contact, and gives the request that it made.
fn request_of(adapt: impl FnOnce(Job) -> Job) -> Request {
    let mock = Mock::healthy();
    let job = adapt(Job::against(&mock).ids([1]));
    job.run().expect(0);
    mock.requests().remove(0)
}

#[test]
fn the_question_stands_in_the_headers() {
    let request = request_of(|job| {
        job.with("api.language = \"nb\"")
            .with("api.culture = \"nb-NO\"")
            .with("api.time_zone = \"Europe/Oslo\"")
            .with("api.app_token = { env = \"APP_TOKEN\" }")
            .with("api.headers = { X-Trace = \"nightly\" }")
            .env("APP_TOKEN", "an invented token")
    });
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/api/v1/Agents/Contact/GetContactSummary")
    );
    assert_eq!(request.body, r#"{"ContactId":1,"Limit":100}"#);
    let expected = [
        ("accept", "application/json"),
        ("accept-encoding", "gzip"),
        ("accept-language", "nb"),
        ("content-type", "application/json; charset=utf-8"),
        ("so-language", "nb"),
        ("so-culture", "nb-NO"),
        ("so-timezone", "Europe/Oslo,includeTZOffset"),
        ("so-apptoken", "an invented token"),
        (
            "user-agent",
            concat!("superoffice-export/", env!("CARGO_PKG_VERSION")),
        ),
        ("x-trace", "nightly"),
    ];
    for (name, value) in expected {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

#[test]
fn nothing_is_said_that_was_not_asked_for() {
    let request = request_of(|job| job);
    assert_eq!(
        (request.header("so-language"), request.header("so-timezone")),
        (Some("en"), Some("UTC,includeTZOffset"))
    );
    for name in [
        "authorization",
        "so-culture",
        "so-apptoken",
        "cookie",
        "referer",
    ] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[test]
fn each_scheme_logs_in_by_its_header() {
    let cases = [
        (
            "{ scheme = \"basic\", user = \"ola\", password = { env = \"SECRET\" } }",
            "Basic b2xhOnMzY3JldA==",
        ),
        (
            "{ scheme = \"bearer\", token = { env = \"SECRET\" } }",
            "Bearer s3cret",
        ),
        (
            "{ scheme = \"ticket\", ticket = { file = \"secret.txt\" } }",
            "SOTicket 7T:invented",
        ),
    ];
    for (auth, expected) in cases {
        let request = request_of(|job| {
            job.with(&format!("api.auth = {auth}"))
                .env("SECRET", "s3cret")
                .file("secret.txt", "7T:invented\n")
        });
        assert_eq!(request.header("authorization"), Some(expected), "{auth}");
    }
}

#[test]
fn what_is_written_is_private_and_holds_no_secret() {
    let mock = Mock::scripted([(
        1,
        vec![Answer::json(500, r#"{"Error":true,"Message":"busy"}"#)],
    )]);
    let job = Job::against(&mock)
        .with("api.auth = { scheme = \"bearer\", token = { env = \"SECRET\" } }")
        .with("api.headers = { X-Key = \"s3cret\" }")
        .env("SECRET", "s3cret");
    let run = job.run_with(&["--verbose"]).expect(0);
    assert!(!run.all().contains("s3cret"), "{}", run.all());
    let mut folders = vec![job.path("exports")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for path in std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.is_symlink())
        {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(6).any(|window| window == b"s3cret"),
                "{}",
                path.display()
            );
            files += 1;
        }
    }
    assert!(files >= 11, "{files} files");
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path)
        .unwrap()
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn a_retry_sends_the_whole_request_again() {
    let mock = Mock::scripted([(
        1,
        vec![Answer::reset(), Answer::status(503), Answer::status(500)],
    )]);
    let job = Job::against(&mock)
        .ids([1])
        .with("api.auth = { scheme = \"bearer\", token = { env = \"SECRET\" } }")
        .env("SECRET", "s3cret");
    job.run().expect(0);
    let requests = mock.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!(
            (&request.method, &request.path, &request.body),
            (&requests[0].method, &requests[0].path, &requests[0].body)
        );
        assert_eq!(request.headers, requests[0].headers);
        assert_eq!(request.body, r#"{"ContactId":1,"Limit":100}"#);
    }
    assert_eq!(job.export().outcome(1), "exported - 200 after 4");
}

#[test]
fn no_more_requests_are_in_flight_than_allowed() {
    // Each answer waits until four requests are there: with fewer in flight the run would hang.
    let mock = Mock::answering(|request| {
        Answer::summary(request.contact_id).after_calls(request.call.next_multiple_of(4))
    });
    let job = Job::against(&mock)
        .ids(1..=40)
        .with("fetch.max_in_flight = 4");
    job.run().expect(0);
    assert_eq!((mock.calls(), mock.most_in_flight()), (40, 4));
}
