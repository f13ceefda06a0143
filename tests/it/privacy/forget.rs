//! `forget`: contacts go from the state and from every kept run, and come back with none.

use std::time::Duration;

use serde_json::json;

use super::canaries::{files, forms, holds};
use crate::mock::{Answer, Mock};
use crate::support::{Finished, Job};

/// The text that stands nowhere but in what the API says of this contact.
fn name(contact_id: i64) -> String {
    format!("canary-of-contact-{contact_id:05}-x")
}

fn mock() -> Mock {
    Mock::answering(|request| {
        let id = request.contact_id;
        let chats: Vec<_> = (0..3)
            .map(|_| json!({ "ChatSessionId": id, "Name": name(id) }))
            .collect();
        let body = json!({ "Contact": { "ContactId": id, "Name": name(id) }, "Chats": chats });
        Answer::json(200, body.to_string())
    })
}

/// A job with two kept runs of these contacts.
fn published(mock: &Mock, format: &str, contacts: i64) -> Job {
    let job = Job::against(mock)
        .ids(1..=contacts)
        .with(&format!("output.format = \"{format}\""));
    job.run().expect(0);
    job.run().expect(0);
    job
}

fn forget(job: &Job, arguments: &[&str]) -> Finished {
    let child = job
        .command()
        .args(["forget", "job.toml"])
        .args(arguments)
        .spawn();
    job.finish(child.unwrap())
}

#[track_caller]
fn verify_all(job: &Job) {
    for run in job.runs() {
        if run.starts_with('.') {
            continue;
        }
        let folder = format!("exports/runs/{run}");
        let output = job.command().args(["verify", &folder]).output().unwrap();
        assert!(
            output.status.success(),
            "{run}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

/// The files that hold this text, in whatever form.
fn holding(job: &Job, text: &str) -> Vec<String> {
    let holding = files(&job.path("exports")).into_iter().filter(|file| {
        let forms = forms(&std::fs::read(file).unwrap());
        forms.iter().any(|form| holds(form, text))
    });
    holding.map(|file| file.display().to_string()).collect()
}

#[test]
fn forgotten_contacts_are_in_no_file_and_are_asked_for_no_more() {
    for format in ["parquet", "csv"] {
        let mock = mock();
        let job = published(&mock, format, 20).file("ids.csv", "contactId\n3\n7\n");
        assert!(!holding(&job, &name(7)).is_empty());
        let told = forget(&job, &["5", "--file", "ids.csv", "--dry-run"]).expect(0);
        assert!(
            told.stdout
                .starts_with("3 contacts would be forgotten; the state held 3 of them\n")
        );
        assert!(
            !holding(&job, &name(7)).is_empty(),
            "a dry run changes nothing"
        );
        let told = forget(&job, &["5", "--file", "ids.csv"]).expect(0);
        assert_eq!(told.stdout.lines().count(), 3, "{}", told.stdout);
        for id in [3, 5, 7] {
            assert_eq!(holding(&job, &name(id)), Vec::<String>::new());
        }
        assert!(!holding(&job, &name(8)).is_empty());
        verify_all(&job);
        let manifest = job.export().manifest();
        assert_eq!(manifest["forgotten"], 3);
        assert_eq!(
            (
                &manifest["targets"]["distinct"],
                &manifest["tables"]["chats"]["rows"]
            ),
            (&json!(17), &json!(51))
        );
        // The list still names them; no guard minds that they are gone.
        let calls = mock.calls();
        job.run().expect(0);
        assert_eq!(mock.calls(), calls + 17);
        verify_all(&job);
        let rows = job.export().rows("outcomes");
        let rejected: Vec<_> = rows
            .iter()
            .filter(|row| row["outcome"] == "rejected")
            .map(|row| (row["contact_id"].clone(), row["error"].clone()))
            .collect();
        assert_eq!(rejected, vec![(json!(null), json!("forgotten")); 3]);
        // Again, and contacts that nothing is known of.
        let told = forget(&job, &["5", "999"]).expect(0);
        assert_eq!(
            told.stdout,
            "2 contacts forgotten; the state held 0 of them\n"
        );
        let noted = std::fs::read_to_string(job.path("exports/forgotten.csv")).unwrap();
        let ids: Vec<_> = noted
            .lines()
            .map(|line| line.split(',').next().unwrap())
            .collect();
        assert_eq!(ids, ["contact_id", "3", "5", "7", "999"]);
    }
}

#[test]
fn all_contacts_can_be_forgotten() {
    let mock = mock();
    let job = published(&mock, "parquet", 12);
    let ids: Vec<_> = (1..=12).map(|id| id.to_string()).collect();
    forget(&job, &ids.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
    verify_all(&job);
    assert_eq!(job.export().rows("contacts").len(), 0);
    let calls = mock.calls();
    job.run().expect(0);
    assert_eq!(mock.calls(), calls);
    verify_all(&job);
}

#[test]
fn what_cannot_be_forgotten_is_said() {
    let mock = mock();
    let job = Job::against(&mock).file("ids.csv", "contactId\n3\nx\n");
    forget(&job, &["3"])
        .expect(2)
        .says(&["holds no state of this job"]);
    assert!(job.written().is_empty());
    job.run().expect(0);
    for arguments in [&["0"][..], &["--file", "ids.csv"], &[]] {
        forget(&job, arguments)
            .expect(2)
            .says(&["has to be contact ids, and all of it; nothing was forgotten"]);
    }
    assert!(!job.path("exports/forgotten.csv").exists());
}

#[test]
fn nothing_is_forgotten_during_a_run() {
    let mock = Mock::always(Answer::summary(1).held());
    let job = Job::against(&mock).ids([1]);
    let run = job.start_with(&[]);
    mock.wait_for_calls(1);
    forget(&job, &["1"]).expect(3);
    mock.release();
    job.finish(run).expect(0);
    assert!(!job.path("exports/forgotten.csv").exists());
}

#[test]
fn whenever_it_is_killed_each_run_is_whole_and_the_same_command_completes_it() {
    let mock = mock();
    let job = published(&mock, "parquet", 30);
    let mut killed = 0;
    for round in 0..60_u64 {
        let id = (round % 30 + 1).to_string();
        let mut child = job
            .command()
            .args(["forget", "job.toml", &id])
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(500 * round));
        child.kill().unwrap();
        let ended = job.finish(child);
        killed += usize::from(ended.code.is_none());
        verify_all(&job);
        assert!(job.latest().starts_with("runs/"));
    }
    assert!(killed > 0, "none was killed: this says nothing");
    let ids: Vec<_> = (1..=20).map(|id| id.to_string()).collect();
    forget(&job, &ids.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
    verify_all(&job);
    for id in 1..=20 {
        assert_eq!(holding(&job, &name(id)), Vec::<String>::new());
    }
    let runs = job.runs();
    assert_eq!(runs.len(), 2, "nothing is left over: {runs:?}");
}
