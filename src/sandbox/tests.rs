//! The server as a client meets it, over raw sockets.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::client::WireClient;
use super::*;

const SUMMARY: &str = "/SuperOffice/api/v1/Agents/Contact/GetContactSummary";

#[test]
fn a_connection_serves_many_questions() {
    let sandbox = start(ServerSettings::default()).unwrap();
    assert_eq!(
        sandbox.base_url(),
        format!("http://127.0.0.1:{}/SuperOffice", sandbox.port())
    );
    let mut client = WireClient::of(&sandbox);
    for contact_id in 1..=20 {
        let question = format!(r#"{{"ContactId":{contact_id},"Limit":100}}"#);
        let plain = client.post(SUMMARY, "", &question);
        assert_eq!(
            (plain.status, plain.header("Content-Encoding")),
            (200, None)
        );
        assert_eq!(
            plain.header("Content-Type"),
            Some("application/json; charset=utf-8")
        );
        let compressed = client.post(SUMMARY, "Accept-Encoding: gzip\r\n", &question);
        assert_eq!(
            (compressed.status, compressed.header("Content-Encoding")),
            (200, Some("gzip"))
        );
        let mut decoded = Vec::new();
        GzDecoder::new(compressed.body.as_slice())
            .read_to_end(&mut decoded)
            .unwrap();
        assert_eq!(decoded, plain.body);
        if let Some(contact) = plain
            .json()
            .get("Contact")
            .filter(|contact| !contact.is_null())
        {
            assert_eq!(contact["ContactId"], contact_id);
        }
    }
    assert_eq!(sandbox.requests(), 40);
}

#[test]
fn select_and_malformed_questions_are_answered_as_documented() {
    let sandbox = start(ServerSettings {
        missing: 0.0,
        ..ServerSettings::default()
    })
    .unwrap();
    let mut client = WireClient::of(&sandbox);
    let sales = client
        .post(
            &format!("{SUMMARY}?$select=sales"),
            "",
            r#"{"contactid":1,"limit":3}"#,
        )
        .json();
    assert_eq!(
        (&sales["Contact"], &sales["Chats"]),
        (&Value::Null, &Value::Null)
    );
    let refused = client.post(SUMMARY, "", "{");
    assert_eq!(
        (refused.status, &refused.json()["Message"]),
        (400, &Value::from("The request is invalid."))
    );
}

#[test]
fn other_paths_are_described_or_not_found() {
    let sandbox = start(ServerSettings::default()).unwrap();
    let mut client = WireClient::of(&sandbox);
    for path in [
        "/SuperOffice/api",
        "/SuperOffice/api/",
        "/SuperOffice/api/v1",
        "/SuperOffice/api/v1/",
    ] {
        let answer = client.send("GET", path, "", "").unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.json()["v1"].is_string());
    }
    assert_eq!(
        client.send("GET", SUMMARY, "", "").unwrap().json()["Method"],
        "POST"
    );
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/SuperOffice/api/v2"),
        ("POST", "/api/v1/Agents/Contact/GetContactSummary"),
    ] {
        let answer = client.send(method, path, "", "").unwrap();
        assert_eq!(
            (answer.status, answer.header("Content-Type")),
            (404, Some("text/html; charset=utf-8")),
            "{method} {path}"
        );
    }
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn every_fault_looks_like_what_it_is_named() {
    let met = |kind| {
        let settings = ServerSettings {
            faults: 1.0,
            fault_kinds: vec![kind],
            slow: Duration::ZERO,
            missing: 0.0,
            ..ServerSettings::default()
        };
        let sandbox = start(settings).unwrap();
        WireClient::of(&sandbox).send("POST", SUMMARY, "", r#"{"ContactId":1,"Limit":100}"#)
    };
    let status = |kind| met(kind).map(|answer| answer.status);
    assert_eq!(
        met(FaultKind::ServerError).map(|answer| (answer.status, answer.json()["Error"].clone())),
        Some((500, Value::Bool(true)))
    );
    assert_eq!(status(FaultKind::BadGateway), Some(502));
    assert_eq!(status(FaultKind::Unavailable), Some(503));
    assert_eq!(
        met(FaultKind::TooManyRequests)
            .as_ref()
            .map(|answer| (answer.status, answer.header("Retry-After"))),
        Some((429, Some("1")))
    );
    assert!(met(FaultKind::Disconnect).is_none());
    assert!(
        met(FaultKind::HtmlPage).is_some_and(
            |answer| answer.status == 200 && answer.body.starts_with(b"<!DOCTYPE html>")
        )
    );
    assert!(
        met(FaultKind::EmptyBody)
            .is_some_and(|answer| answer.status == 200 && answer.body.is_empty())
    );
    let whole = met(FaultKind::Slow).unwrap();
    let cut = met(FaultKind::BodyCut).unwrap();
    assert_eq!(
        (cut.status, cut.header("Content-Length")),
        (200, whole.header("Content-Length"))
    );
    assert!(
        !cut.body.is_empty()
            && cut.body.len() < whole.body.len()
            && whole.body.starts_with(&cut.body)
    );
}

#[test]
fn a_stopped_server_frees_its_port() {
    let sandbox = start(ServerSettings::default()).unwrap();
    let port = sandbox.port();
    let on_that_port = || ServerSettings {
        port,
        ..ServerSettings::default()
    };
    let refused = start(on_that_port());
    assert!(matches!(refused, Err(StartError::Bind { port: taken, .. }) if taken == port));
    drop(sandbox);
    drop(start(on_that_port()).unwrap());
}
