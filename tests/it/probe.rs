//! `probe`: what it asks, and that its report holds nothing of what was answered.

use serde_json::{Value, json};

use crate::mock::{Answer, Mock};
use crate::support::{Finished, Job};

/// Stands in every answer, as text, as number and as name: none of it may be printed.
const CANARY: &str = "Kanarifugl";
const CANARY_NUMBER: i64 = 748_159_263;

fn probe(job: &Job, arguments: &[&str]) -> Finished {
    let arguments = [&["probe", "job.toml"], arguments].concat();
    let child = job.command().args(arguments).spawn().unwrap();
    let finished = job.finish(child);
    assert!(job.written().is_empty(), "a probe leaves nothing behind");
    finished
}

fn report(job: &Job) -> Value {
    let finished = probe(job, &["--json"]).expect(0);
    serde_json::from_str(&finished.stdout).unwrap()
}

/// What the report says of a question.
fn of<'a>(report: &'a Value, question: &str) -> &'a Value {
    let questions = report["questions"].as_array().unwrap();
    let found = questions.iter().find(|entry| entry["question"] == question);
    found.unwrap_or_else(|| panic!("{question} is not in the report"))
}

fn fact<'a>(report: &'a Value, question: &str, name: &str) -> &'a Value {
    let facts = of(report, question)["facts"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact[0] == name);
    &fact.unwrap_or_else(|| panic!("{question} has no {name}"))[1]
}

#[test]
fn the_sandbox_tells_what_it_is_like() {
    let job = Job::sandbox().csv("contactId\n11\n");
    let report = report(&job);
    assert_eq!(fact(&report, "contact", "rows"), 1000);
    assert_eq!(fact(&report, "contact", "key_is"), "a number");
    assert_eq!(fact(&report, "ticket", "keys_rise"), true);
    assert_eq!(fact(&report, "page_of_5000", "rows"), 1000);
    assert_eq!(fact(&report, "operator_ge", "status"), 500);
    assert_eq!(
        fact(&report, "no_filter", "answer"),
        "the API's error object"
    );
    assert_eq!(fact(&report, "limit_0", "status"), 200);
    assert_eq!(fact(&report, "user", "user_type"), "SystemUser");
    assert!(of(&report, "deleted_id")["not_asked"].is_string());
    let calls = report["calls"].as_u64().unwrap();
    assert!((35..=50).contains(&calls), "{calls}");
    let text = probe(&job, &[]).expect(0).stdout;
    assert!(
        text.ends_with(&format!("{calls} calls, and 0 to log in\n")),
        "{text}"
    );
}

/// Answers full of what must not be printed.
fn canaries(path: &str) -> Answer {
    let date = "2026-03-07T11:22:33.4455667+01:00";
    let row = json!({
        "PrimaryKey": CANARY_NUMBER.to_string(), "EntityName": CANARY, CANARY: CANARY,
        "contact.contact_id": CANARY_NUMBER, "contact.updated": date,
        "ticket.id": CANARY_NUMBER, "ticket.contact_id": CANARY, "ticket.last_changed": CANARY,
        "contactId": CANARY_NUMBER,
    });
    let item = json!({ "Registered": date, "Title": CANARY, "TicketId": CANARY_NUMBER, CANARY: 1 });
    let contact = json!({ "Name": CANARY, "ContactId": CANARY_NUMBER, "CategoryName": CANARY });
    let answer = json!({
        "odata.nextLink": CANARY, "value": [row, row], "UserType": CANARY, "Message": CANARY,
        "Contact": contact, "Tickets": [item], "Sales": [item], "Chats": CANARY, CANARY: CANARY,
        "FunctionRights": [CANARY],
    });
    let status = if path.contains("Agents/List") {
        400
    } else {
        200
    };
    let header = [
        ("X-RateLimit-Limit", CANARY),
        ("Server", CANARY),
        (CANARY, CANARY),
    ];
    Answer::new(status, &header, answer.to_string())
}

#[test]
fn no_value_of_an_answer_is_printed() {
    let mock = Mock::answering(|request| canaries(&request.path));
    let job = Job::against(&mock).csv("contactId\n31\n");
    for arguments in [&[][..], &["--json"]] {
        let printed = probe(&job, arguments).expect(0).all();
        for value in [CANARY, "748159263", "11:22:33", "4455667", "2026-03-07"] {
            assert!(!printed.contains(value), "{value} in {printed}");
        }
        assert!(printed.contains("x-ratelimit-limit"), "{printed}");
        assert!(printed.contains("another one"), "{printed}");
    }
    // The stamp went back to the server, to be asked for.
    let requests = mock.requests();
    assert!(
        requests
            .iter()
            .any(|request| request.path.contains("2026-03-07T11:22:33"))
    );
    for request in requests {
        let is_read = request.method == "GET" || request.path.contains("/Get");
        assert!(is_read, "{} {}", request.method, request.path);
    }
}

#[test]
fn a_server_that_refuses_everything_is_reported_as_such() {
    let page = "<html><body>Sign in</body></html>";
    for (answer, word) in [
        (Answer::status(403), "nothing"),
        (
            Answer::json(500, r#"{"Error":true,"Message":"no"}"#),
            "the API's error object",
        ),
        (
            Answer::new(200, &[("Content-Type", "text/html")], page),
            "a web page",
        ),
        (Answer::json(200, "[[["), "neither JSON nor a web page"),
        (
            Answer::json(200, "[".repeat(100_000)),
            "neither JSON nor a web page",
        ),
    ] {
        let mock = Mock::always(answer);
        let job = Job::against(&mock).csv("contactId\n31\n");
        let report = report(&job);
        assert_eq!(fact(&report, "contact", "answer"), word);
        assert_eq!(fact(&report, "summary", "answer"), word);
        assert_eq!(report["calls"], mock.requests().len());
    }
}

#[test]
fn a_silent_server_is_not_asked_for_long() {
    let mock = Mock::always(Answer::never());
    let job = Job::against(&mock)
        .with("fetch.timeout = \"200ms\"")
        .csv("contactId\n31\n");
    let finished = probe(&job, &[]).expect(4);
    assert!(
        finished.stdout.contains("no answer (timeout)"),
        "{}",
        finished.stdout
    );
    assert!(
        finished
            .stdout
            .contains("not asked: the server has not answered")
    );
    assert_eq!(mock.requests().len(), 3);
}

#[test]
fn a_server_that_asks_for_peace_gets_it() {
    let mock = Mock::answering(|request| {
        if request.call < 5 {
            Answer::json(200, "{}")
        } else {
            Answer::new(429, &[("Retry-After", "1")], "")
        }
    });
    let job = Job::against(&mock).csv("contactId\n31\n");
    let finished = probe(&job, &[]).expect(0);
    assert!(
        finished.stdout.contains("status 429"),
        "{}",
        finished.stdout
    );
    assert!(finished.stdout.contains("limit header retry-after"));
    assert_eq!(mock.requests().len(), 5);
}
