//! The contact that fails tonight: an older answer stands in for it and says so, but never where the
//! contact is gone or may no longer be seen.

use serde_json::{Value, json};

use crate::mock::{Answer, Mock};
use crate::support::Job;

/// A job of twenty contacts of which the second gives these answers, night after night.
fn job_with(answers: Vec<Answer>) -> (Mock, Job) {
    let mock = Mock::scripted([(2, answers)]);
    let job = Job::against(&mock)
        .ids(1..=20)
        .with("output.max_failed = \"5%\"")
        .with("output.max_missing = \"5%\"");
    (mock, job)
}

fn refused() -> Answer {
    Answer::json(400, r#"{"Error":true,"Message":"No agent"}"#)
}

/// Publishes a night; gives how the second contact ended, and how many rows it has.
fn night(job: &Job) -> (String, usize) {
    job.run().expect(0);
    let contacts = job.export().rows("contacts");
    let rows = contacts.iter().filter(|row| row["contact_id"] == 2).count();
    (job.export().outcome(2), rows)
}

#[test]
fn an_older_answer_stands_in_and_says_how_old_it_is_and_why() {
    let (_mock, job) = job_with(vec![Answer::summary(2), refused()]);
    assert_eq!(night(&job), ("exported - 200 after 1".to_owned(), 1));
    let before = job.export();
    let fetched_at = before.outcome_row(2)["fetched_at"].clone();
    let ended = job
        .run()
        .expect(0)
        .says(&["failed: http_status (such as contact 2)"]);
    assert!(
        ended.stderr.contains("19 exported, 1 stale"),
        "{}",
        ended.stderr
    );
    let export = job.export();
    assert_eq!(export.outcome(2), "stale http_status 400 after 1: No agent");
    assert_eq!(export.outcome_row(2)["fetched_at"], fetched_at);
    assert_ne!(
        export.outcome_row(1)["fetched_at"],
        before.outcome_row(1)["fetched_at"]
    );
    assert_eq!(export.bytes_of_tables(), before.bytes_of_tables());
    let manifest = export.manifest();
    assert_eq!(
        (&manifest["outcomes"]["stale"], &manifest["coverage"]),
        (&json!(1), &json!(1.0))
    );
    let instant = |cell: &Value| cell.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(
        instant(&manifest["oldest_fetched_at"]),
        instant(&fetched_at)
    );
    // The next good night makes it new.
    assert_eq!(night(&job), ("exported - 200 after 1".to_owned(), 1));
}

#[test]
fn what_stands_in_counts_as_failed_tonight() {
    let (_mock, job) = job_with(vec![Answer::summary(2), refused()]);
    job.run().expect(0);
    let job = job.with("output.max_failed = \"4%\"");
    job.run()
        .expect(1)
        .says(&["error: nothing was published: 1 of 20 targets failed"]);
    assert_eq!(job.runs().len(), 1);
}

#[test]
fn an_answer_that_is_too_old_does_not_stand_in() {
    let (_mock, job) = job_with(vec![Answer::summary(2), refused(), refused()]);
    job.run().expect(0);
    job.let_hours_pass(29 * 24);
    assert_eq!(night(&job).1, 1);
    job.let_hours_pass(2 * 24);
    let failed = "failed http_status 400 after 1: No agent".to_owned();
    assert_eq!(night(&job), (failed, 0));
}

#[test]
fn what_may_no_longer_be_seen_is_not_shown_whatever_fails_after_that() {
    let (_mock, job) = job_with(vec![Answer::summary(2), Answer::status(403), refused()]);
    job.run().expect(0);
    assert_eq!(night(&job), ("failed forbidden 403 after 1".to_owned(), 0));
    let failed = "failed http_status 400 after 1: No agent".to_owned();
    assert_eq!(night(&job), (failed, 0));
    // It may be seen again.
    assert_eq!(night(&job), ("exported - 200 after 1".to_owned(), 1));
}

#[test]
fn what_is_gone_is_not_shown_whatever_fails_after_that() {
    let (_mock, job) = job_with(vec![Answer::summary(2), Answer::not_there(), refused()]);
    job.run().expect(0);
    let gone = "missing - 404 after 1: No such entity".to_owned();
    assert_eq!(night(&job), (gone, 0));
    let failed = "failed http_status 400 after 1: No agent".to_owned();
    assert_eq!(night(&job), (failed, 0));
}
