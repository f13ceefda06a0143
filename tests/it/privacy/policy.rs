//! A policy at work: what it does to tables, manifest and stored answers, and what its changes cost.

use serde_json::{Value, json};

use crate::mock::{Answer, Mock};
use crate::support::Job;

const KEY: &str = "privacy.key = { file = \"hash-key\" }";

/// A server whose contacts say all of this, in two tables that join by a name.
fn mock() -> Mock {
    Mock::answering(|request| {
        let id = request.contact_id;
        let body = json!({
            "Contact": { "ContactId": id, "Name": format!("Name {id}"), "City": "Bergen" },
            "Chats": [
                { "ChatSessionId": id, "Name": format!("Name {}", id % 2 + 1),
                  "FirstMessage": "first", "LastMessage": "last" },
            ],
        });
        Answer::json(200, body.to_string())
    })
}

fn job(mock: &Mock) -> Job {
    Job::against(mock)
        .file("hash-key", "0123456789abcdef\n")
        .with("fetch.max_age = \"1d\"")
}

/// The rows of a table, read with Python's eyes: by the names that are in the file.
fn query(job: &Job, sql: &str) -> Value {
    let output = std::process::Command::new("duckdb")
        .current_dir(job.path("exports/latest"))
        .args(["-init", "views.sql", "-json", "-bail", "-c", sql])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{sql}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// Whether `verify` finds the export as its manifest says.
#[track_caller]
fn verify(job: &Job) {
    let output = job.command().args(["verify", "exports"]).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn plan(job: &Job) -> String {
    job.run_with(&["--plan"]).expect(0).stdout
}

#[test]
fn columns_are_left_out_redacted_and_hashed_in_both_formats() {
    if !crate::duckdb::is_there() {
        return;
    }
    for format in ["parquet", "csv"] {
        let mock = mock();
        let job = job(&mock)
            .with(&format!("output.format = \"{format}\""))
            .with("privacy.drop = [\"chats.first_message\", \"outcomes.message\"]")
            .with("privacy.redact = [\"chats.last_message\", \"contacts.city\"]")
            .with("privacy.hash = [\"*.name\"]")
            .with(KEY);
        job.run().expect(0);
        verify(&job);
        let columns = query(&job, "SELECT column_name FROM (DESCRIBE chats)");
        assert!(!columns.to_string().contains("first_message"), "{columns}");
        let rows = query(
            &job,
            "SELECT name, last_message FROM chats ORDER BY contact_id",
        );
        // printf %s 'Name 2' | openssl dgst -sha256 -hmac 0123456789abcdef
        let hash = "717b576b0e37a7923bbd9fd75ab7b1471c935da77e496b78cf78dea2d9267e72";
        assert_eq!(rows[0], json!({ "name": hash, "last_message": null }));
        // Joined by their hashes as by their names: 1 with 2, 2 with 1, 3 with 2.
        let joined = query(
            &job,
            "SELECT chats.contact_id AS chat, contacts.contact_id AS contact
             FROM chats JOIN contacts USING (name) ORDER BY ALL",
        );
        let pairs = [(1, 2), (2, 1), (3, 2)]
            .map(|(chat, contact)| json!({ "chat": chat, "contact": contact }));
        assert_eq!(joined, json!(pairs));
        let privacy = &job.export().manifest()["privacy"];
        assert_eq!(
            privacy["drop"],
            json!(["chats.first_message", "outcomes.message"])
        );
        assert_eq!(privacy["hash"], json!(["chats.name", "contacts.name"]));
        assert_eq!(privacy["extra"], "drop");
        assert_eq!(privacy["key"].as_str().unwrap().len(), 8);
    }
}

#[test]
fn a_narrower_policy_costs_no_call_and_a_wider_one_asks_anew() {
    let mock = mock();
    let job = job(&mock);
    job.run().expect(0);
    assert_eq!(mock.calls(), 3);
    // Taken out of the tables and of the store, in the same run and without a call.
    let job = job.with("privacy.drop = [\"chats.first_message\"]");
    let told = "shown no more: *.extra, chats.first_message; ";
    assert_eq!(plan(&job), "0 of 3 to fetch; 3 fresh\n");
    job.run().expect(0).says(&[
        "3 stored answers were rid of",
        told,
        "output.keep",
        "forget",
    ]);
    assert_eq!(mock.calls(), 3);
    verify(&job);
    assert_eq!(job.export().manifest()["answers_to_another_question"], 0);
    // It is told once.
    let again = job.run().expect(0);
    assert!(!again.all().contains("shown no more"), "{}", again.all());
    assert_eq!(mock.calls(), 3);
    // What was taken out and is wanted again was paid for in vain: no null stands in its place.
    let job = job.with("privacy.drop = [\"chats.last_message\"]");
    assert_eq!(plan(&job), "3 of 3 to fetch\n");
    job.run_with(&["--offline"]).expect(1);
    job.run().expect(0);
    assert_eq!(mock.calls(), 6);
    let chats = job.export().cells_of("chats", "first_message");
    assert_eq!(chats, [json!("first"), json!("first"), json!("first")]);
    let job = job.without("privacy.drop");
    job.run().expect(0);
    assert_eq!(mock.calls(), 9);
}

#[test]
fn another_key_is_told_of() {
    let mock = mock();
    let job = job(&mock)
        .with("privacy.hash = [\"contacts.name\"]")
        .with(KEY);
    let quiet = job.run().expect(0);
    assert!(!quiet.all().contains("privacy.key"), "{}", quiet.all());
    let job = job.file("hash-key", "fedcba9876543210\n");
    job.run()
        .expect(0)
        .says(&["`privacy.key` is another one ("]);
    let quiet = job.run().expect(0);
    assert!(!quiet.all().contains("privacy.key"), "{}", quiet.all());
}
