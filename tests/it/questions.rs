//! What was asked before: answers to an older question are shown until new ones come, another login
//! or place is another matter, and an output folder belongs to one place.

use serde_json::json;

use crate::mock::{Answer, Mock, Switch};
use crate::support::Job;

/// A job of forty contacts that asks for one after the other and has published once.
fn published(mock: &Mock, adapt: impl FnOnce(Job) -> Job) -> Job {
    let job = Job::against(mock)
        .ids(1..=40)
        .with("fetch.max_in_flight = 1")
        .with("fetch.patience = \"0s\"")
        .with("fetch.max_age = \"1d\"");
    let job = adapt(job);
    job.run().expect(0);
    assert_eq!(mock.calls(), 40);
    job
}

/// Arguments that change the question, but not what the tables hold.
const OTHER_QUESTIONS: [[&str; 2]; 4] = [
    ["--limit", "200"],
    ["--language", "nb"],
    ["--tables", "contacts,sales"],
    ["--time-zone", "CET"],
];

#[test]
fn a_changed_question_costs_no_contact_its_rows() {
    for other in OTHER_QUESTIONS {
        let mock = Mock::healthy();
        let job = published(&mock, |job| job);
        // Night after night a few of them are asked anew, however young their answers are.
        for night in 1..=4 {
            job.run_with(&[other.as_slice(), &["--max-calls", "10"]].concat())
                .expect(0);
            assert_eq!(mock.calls(), 40 + 10 * night, "{other:?}");
            let outcomes = &job.export().manifest()["outcomes"];
            assert_eq!(outcomes["exported"], 40, "{other:?}, night {night}");
            assert_eq!(job.export().rows("contacts").len(), 40);
        }
        // Then each has been asked once, and all answers are young.
        job.run_with(&other).expect(0);
        assert_eq!(mock.calls(), 80, "{other:?}");
        assert!((1..=40).all(|id| mock.calls_for(id) == 2));
    }
}

#[test]
fn a_changed_question_to_a_server_that_is_away_leaves_the_last_export() {
    for other in OTHER_QUESTIONS {
        let trouble = Switch::default();
        let mock = Mock::troubled(&trouble, |_| Some(Answer::reset()));
        let job = published(&mock, |job| job);
        let latest = job.latest();
        trouble.turn_on();
        job.run_with(&other).expect(4);
        assert_eq!(job.latest(), latest, "{other:?}");
        assert_eq!(job.stored("SELECT count(*) FROM responses"), 40);
        // From the store alone it shows what it has.
        let offline = [other.as_slice(), &["--offline"]].concat();
        job.run_with(&offline).expect(0);
        assert_eq!(job.export().rows("contacts").len(), 40, "{other:?}");
    }
}

#[test]
fn more_tables_are_not_filled_from_answers_that_do_not_hold_them() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |_| Some(Answer::reset()));
    let job = published(&mock, |job| job.with("api.tables = [\"contacts\"]"));
    let latest = job.latest();
    let job = job.with("api.tables = [\"contacts\", \"sales\"]");
    // Ten of forty would be an export with most of its contacts gone.
    job.run_with(&["--max-calls", "10"]).expect(1).says(&[
        "error: nothing was published: 30 of the 40 contacts that had rows in the last export have \
         none now, though they are not missing: more than `output.max_loss` = 50%\n",
        "run the same command with --accept, which calls nothing\n",
    ]);
    trouble.turn_on();
    job.run_with(&["--fresh"]).expect(4);
    job.run_with(&["--offline"])
        .expect(1)
        .says(&["30 of the 40 contacts"]);
    assert_eq!((job.latest(), job.runs().len()), (latest, 1));
    trouble.turn_off();
    job.run().expect(0);
    assert_eq!(job.export().rows("sales").len(), 40);
    assert!((1..=40).all(|id| mock.calls_for(id) >= 2));
}

#[test]
fn what_another_login_was_told_is_not_shown() {
    let mock = Mock::healthy();
    let auth = |name: &str| {
        format!("api.auth = {{ scheme = \"bearer\", token = {{ env = \"{name}\" }} }}")
    };
    let job = published(&mock, |job| job.env("TOKEN", "a-token"));
    let latest = job.latest();
    let job = job.with(&auth("TOKEN"));
    job.run_with(&["--offline"])
        .expect(1)
        .says(&["error: no target has a stored answer to what this job asks"]);
    job.run_with(&["--max-calls", "10"])
        .expect(1)
        .says(&["30 of the 40 contacts that had rows in the last export have none now"]);
    assert_eq!(job.latest(), latest);
    // It asks for everything anew, however young the answers of the other one are.
    job.run().expect(0);
    assert!((1..=40).all(|id| mock.calls_for(id) == 2));
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 40);
}

#[test]
fn headers_that_changed_ask_another_question() {
    let mock = Mock::healthy();
    let job = published(&mock, |job| {
        job.with("api.headers = { \"X-Role\" = \"reader\" }")
    });
    job.run().expect(0);
    assert_eq!(mock.calls(), 40);
    let job = job.with("api.headers = { \"X-Role\" = \"manager\" }");
    job.run().expect(0);
    assert_eq!(mock.calls(), 80);
    assert_eq!(mock.requests()[79].header("x-role"), Some("manager"));
}

#[test]
fn an_address_that_never_answered_owns_no_folder() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |_| Some(Answer::reset()));
    let mistaken = format!("{}/mistaken", mock.url());
    trouble.turn_on();
    let job = Job::against(&mock).with("fetch.patience = \"0s\"");
    let ended = job.run_with(&["--base-url", &mistaken]);
    assert_ne!(ended.code, Some(0));
    trouble.turn_off();
    job.run().expect(0);
    job.run_with(&["--base-url", &mistaken]).expect(2);
}

#[test]
fn a_folder_belongs_to_one_place() {
    let mock = Mock::healthy();
    let at = |path: &str| format!("api.base_url = \"{}/{path}\"", mock.url());
    let job = published(&mock, |job| job.with(&at("old")));
    let kept = job.export().bytes_of_tables();
    let job = job.with(&at("new"));
    for arguments in [
        [].as_slice(),
        &["--fresh"],
        &["--offline"],
        &["--plan"],
        &["--accept"],
    ] {
        let refused = job.run_with(arguments).expect(2);
        assert_eq!(
            refused.stderr.lines().last().unwrap(),
            "error: [folder]/exports/state.sqlite: this folder belongs to http://[mock]/old/api, and \
             the job asks http://[mock]/new/api; give each its own `output.dir`, or, where the \
             installation moved, set `api.formerly = \"http://[mock]/old/api\"`"
        );
    }
    assert_eq!((mock.calls(), job.runs().len()), (40, 1));
    assert_eq!(job.export().bytes_of_tables(), kept);

    // A wrong word helps nobody; the right one takes over all answers.
    let formerly = |path: &str| format!("api.formerly = \"{}/{path}\"", mock.url());
    let job = job.with(&formerly("other"));
    job.run().expect(2);
    // As the message says it.
    let job = job.with(&formerly("old/api"));
    job.run().expect(0);
    assert_eq!((mock.calls(), job.export().bytes_of_tables()), (40, kept));
    // It is the new one's from now on.
    let job = job.without("api.formerly");
    job.run().expect(0);
    assert_eq!(mock.calls(), 40);
    let refused = job.with(&at("old")).run().expect(2);
    assert!(
        refused.stderr.contains("belongs to http://[mock]/new"),
        "{}",
        refused.stderr
    );
    assert_eq!(mock.requests()[0].path.split('/').nth(1), Some("old"));
}

#[test]
fn a_list_is_cut_where_it_reached_the_limit_it_was_asked_for_with() {
    let mock = Mock::healthy();
    let job = published(&mock, |job| job.with("api.limit = 1"));
    let cut = |job: &Job| job.export().manifest()["truncated"]["sales"].clone();
    assert_eq!(cut(&job), json!(40));
    job.run_with(&["--limit", "50", "--max-calls", "10"])
        .expect(0);
    assert_eq!(cut(&job), json!(30));
    let truncated = |id| job.export().outcome_row(id)["truncated"].clone();
    assert_eq!(
        (truncated(10), truncated(12)),
        (json!(null), json!("followups,sales"))
    );
}
