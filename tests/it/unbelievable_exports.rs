//! Exports that are not believed: everyone missing, rows or contacts lost, nothing answered. They
//! are not published, no answer is lost by it, and the operator is told what to type.

use serde_json::json;

use crate::mock::{Answer, Mock, Switch, summary};
use crate::support::Job;

const WAY_ON: &str = "hint: `latest` stays as it was, and every answer is kept; look at the cause, \
    or, where the export is right, run the same command with --accept, which calls nothing\n";

/// A job of forty contacts that asks for one after the other.
fn job_of_forty(mock: &Mock) -> Job {
    Job::against(mock)
        .ids(1..=40)
        .with("fetch.max_in_flight = 1")
        .with("fetch.patience = \"0s\"")
}

/// Thirty of forty contacts, never many of them in a row.
fn is_hit(contact_id: i64) -> bool {
    contact_id % 4 != 0
}

fn hits(answer: Answer) -> (Switch, Mock) {
    let switch = Switch::default();
    let mock = Mock::troubled(&switch, move |id| is_hit(id).then(|| answer.clone()));
    (switch, mock)
}

#[test]
fn many_contacts_that_are_suddenly_missing_are_not_believed() {
    let (trouble, mock) = hits(Answer::not_there());
    let job = job_of_forty(&mock);
    job.run().expect(0);
    let (latest, kept) = (job.latest(), job.export().bytes_of_tables());
    trouble.turn_on();
    let message = "error: nothing was published: 30 of the 40 contacts of the last export are \
        missing now, more than `output.max_missing` = 2%\n";
    job.run().expect(1).says(&[message, WAY_ON]);
    // Neither does an export from the store alone make it a fact.
    job.run_with(&["--offline"])
        .expect(1)
        .says(&[message, WAY_ON]);
    assert_eq!((job.latest(), job.runs().len()), (latest, 1));
    assert_eq!(job.export().bytes_of_tables(), kept);
    assert_eq!(job.stored("SELECT count(*) FROM responses"), 40);
    // The same command asks for them again, and for nobody else.
    trouble.turn_off();
    job.run().expect(0);
    assert_eq!((mock.calls_for(1), mock.calls_for(4)), (3, 2));
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 40);
}

#[test]
fn what_was_stopped_is_published_without_a_call_once_it_is_accepted() {
    let (trouble, mock) = hits(Answer::not_there());
    let job = job_of_forty(&mock);
    job.run().expect(0);
    trouble.turn_on();
    job.run().expect(1);
    let calls = mock.calls();
    // However old it is by then.
    job.let_hours_pass(200);
    job.run_with(&["--accept"])
        .expect(0)
        .says(&["WARN accepted: 30 of the 40 contacts of the last export are missing now"]);
    assert_eq!(mock.calls(), calls);
    let manifest = job.export().manifest();
    assert_eq!(
        (
            &manifest["outcomes"]["missing"],
            &manifest["outcomes"]["exported"]
        ),
        (&json!(30), &json!(10))
    );
    assert_eq!(job.export().rows("contacts").len(), 10);

    // One published run that says so may be wrong; after the second one the answers go.
    assert_eq!(job.stored("SELECT count(*) FROM responses"), 40);
    job.run().expect(0);
    assert_eq!(job.stored("SELECT count(*) FROM responses"), 10);
}

#[test]
fn what_is_accepted_is_what_the_operator_was_told_of_last() {
    let (trouble, mock) = hits(Answer::not_there());
    let job = job_of_forty(&mock);
    job.run().expect(0);
    trouble.turn_on();
    job.run().expect(1).says(&[WAY_ON]);
    trouble.turn_off();
    // On the next night it is the list that is not believed, and that is what is accepted.
    let told = "the list names 20 contacts, and the last export had 40";
    let job = job.ids(1..=20);
    job.let_hours_pass(24);
    job.run().expect(2).says(&[told, "add --accept"]);
    let calls = mock.calls();
    job.run_with(&["--accept"])
        .expect(0)
        .says(&["WARN accepted: ", told]);
    assert_eq!(mock.calls() - calls, 20);
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 20);
}

#[test]
fn who_accepts_an_export_does_not_accept_a_list_that_came_since() {
    let (trouble, mock) = hits(Answer::not_there());
    let job = job_of_forty(&mock);
    job.run().expect(0);
    let latest = job.latest();
    trouble.turn_on();
    job.run().expect(1).says(&[WAY_ON]);
    let told = "the list names 20 contacts, and the last export had 40";
    let job = job.ids(1..=20);
    job.run_with(&["--accept"])
        .expect(2)
        .says(&[told, "add --accept"]);
    assert_eq!((job.latest(), job.runs().len()), (latest, 1));
    // Told of it, the operator may say so.
    job.run_with(&["--accept"])
        .expect(0)
        .says(&["WARN accepted: ", told]);
}

#[test]
fn a_contact_that_is_back_after_one_night_lost_nothing() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |id| (id == 7).then(Answer::not_there));
    let job = job_of_forty(&mock).with("output.max_missing = \"3%\"");
    job.run().expect(0);
    trouble.turn_on();
    job.run().expect(0);
    assert_eq!(
        job.export().outcome(7),
        "missing - 404 after 1: No such entity"
    );
    assert_eq!(
        job.stored("SELECT count(*) FROM responses WHERE contact_id = 7"),
        1
    );
    trouble.turn_off();
    job.run().expect(0);
    trouble.turn_on();
    job.run().expect(0);
    // It is the first time again.
    assert_eq!(
        job.stored("SELECT count(*) FROM responses WHERE contact_id = 7"),
        1
    );
    job.run().expect(0);
    assert_eq!(
        job.stored("SELECT count(*) FROM responses WHERE contact_id = 7"),
        0
    );
}

#[test]
fn what_is_accepted_beforehand_outlives_a_crash() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |id| match id {
        40 => Some(Answer::summary(40).held()),
        id => is_hit(id).then(Answer::not_there),
    });
    let job = job_of_forty(&mock);
    job.run().expect(0);
    trouble.turn_on();
    job.killed(&["--accept"], &mock, 80);
    mock.release();
    job.run().expect(0).says(&[
        "going on with run",
        "WARN accepted: 30 of the 40 contacts of the last export are missing now",
    ]);
}

#[test]
fn a_first_export_in_which_most_are_missing_is_not_believed() {
    let (trouble, mock) = hits(Answer::not_there());
    trouble.turn_on();
    let job = job_of_forty(&mock);
    job.run().expect(1).says(&[
        "error: nothing was published: 30 contacts are unknown to the API, and 10 are known; the \
         list may hold ids of persons, or of another installation\n",
        WAY_ON,
    ]);
    assert!(!job.path("exports/latest").exists());
    let calls = mock.calls();
    job.run_with(&["--accept"]).expect(0);
    assert_eq!(mock.calls(), calls);
    assert_eq!(job.export().manifest()["outcomes"]["missing"], 30);
}

#[test]
fn an_export_of_nothing_is_not_believed_however_short_the_list() {
    let mock = Mock::always(Answer::not_there());
    let job = Job::against(&mock);
    job.run().expect(1).says(&[
        "error: nothing was published: not one of 3 contacts has an answer to show\n",
        WAY_ON,
    ]);
    assert!(!job.path("exports/latest").exists());
}

#[test]
fn a_night_in_which_nothing_is_answered_is_not_believed() {
    let mock = Mock::healthy();
    let job = job_of_forty(&mock);
    job.run().expect(0);
    let latest = job.latest();
    // All the rows of the night before are there; none of them is of tonight.
    job.run_with(&["--max-calls", "0"]).expect(1).says(&[
        "error: nothing was published: 40 contacts were to be fetched, and the API answered none \
         of them\n",
        WAY_ON,
    ]);
    assert_eq!((job.latest(), mock.calls()), (latest, 40));
}

#[test]
fn a_server_that_is_away_all_night_leaves_the_last_export() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |_| Some(Answer::reset()));
    let job = job_of_forty(&mock);
    job.run().expect(0);
    let latest = job.latest();
    trouble.turn_on();
    job.run()
        .expect(4)
        .says(&["again: superoffice-export run job.toml\n"]);
    assert_eq!((job.latest(), job.runs().len()), (latest, 1));
    assert_eq!(job.stored("SELECT count(*) FROM responses"), 40);
}

#[test]
fn a_table_that_lost_most_of_its_rows_is_not_believed() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |id| {
        let mut answer = summary(id);
        answer["Sales"] = json!([]);
        Some(Answer::json(200, answer.to_string()))
    });
    let job = job_of_forty(&mock).ids(1..=120);
    job.run().expect(0);
    let latest = job.latest();
    trouble.turn_on();
    job.run().expect(1).says(&[
        "error: nothing was published: table sales has 0 rows, and 120 in the last export: fewer \
         by more than `output.max_loss` = 50%\n",
        WAY_ON,
    ]);
    assert_eq!(
        (job.latest(), job.export().rows("sales").len()),
        (latest, 120)
    );
    job.run_with(&["--accept"]).expect(0);
    assert_eq!((job.export().rows("sales").len(), mock.calls()), (0, 240));
    // From now on that is what the next night is compared with.
    job.run().expect(0);
}

#[test]
fn contacts_that_lost_their_rows_for_another_reason_are_not_believed() {
    let (trouble, mock) = hits(Answer::status(403));
    let job = job_of_forty(&mock).with("output.max_failed = \"100%\"");
    job.run().expect(0);
    let latest = job.latest();
    trouble.turn_on();
    job.run().expect(1).says(&[
        "error: nothing was published: 30 of the 40 contacts that had rows in the last export have \
         none now, though they are not missing: more than `output.max_loss` = 50%\n",
        WAY_ON,
    ]);
    assert_eq!(job.latest(), latest);
}
