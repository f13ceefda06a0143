//! Plan, resume, fresh starts and rebuilds: what is fetched again, what is not, and what a start
//! leaves as it was.

use serde_json::json;

use crate::mock::{Answer, Mock};
use crate::support::Job;

/// A server that withholds the answers of contacts from this id on until it is told.
fn withholding(from: i64) -> Mock {
    Mock::answering(move |request| {
        let answer = Answer::summary(request.contact_id);
        if request.contact_id >= from {
            answer.held()
        } else {
            answer
        }
    })
}

#[test]
fn a_plan_is_printed_and_nothing_is_called() {
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .ids(1..=7_200)
        .with("fetch.requests_per_second = 10");
    let planned = job.run_with(&["--plan"]).expect(0);
    assert_eq!(
        planned.stdout,
        "7,200 of 7,200 to fetch, about 12 min at 10/s\n"
    );
    let limited = job.run_with(&["--plan", "--max-calls", "100"]).expect(0);
    assert_eq!(
        limited.stdout,
        "7,200 of 7,200 to fetch, 100 calls allowed, about 10 s at 10/s\n"
    );
    assert_eq!((mock.calls(), job.runs()), (0, vec![]));
}

#[test]
fn a_plan_starts_no_run_and_disturbs_none() {
    let mock = withholding(3);
    let job = Job::against(&mock)
        .ids(1..=4)
        .file("part.csv", "contactId\n1\n9\n");
    job.cut_off(&mock, 4);
    let plan = |arguments: &[&str]| {
        job.run_with(&[&["--plan"], arguments].concat())
            .expect(0)
            .stdout
    };
    assert_eq!(plan(&[]), "2 of 4 to fetch; 2 fresh\n");
    assert_eq!(plan(&["--fresh"]), "4 of 4 to fetch\n");
    assert_eq!(
        plan(&["--source", "part.csv"]),
        "1 of 2 to fetch; 1 fresh\n"
    );
    mock.release();
    job.run().expect(0);
    let calls: Vec<_> = (1..=4)
        .map(|contact_id| mock.calls_for(contact_id))
        .collect();
    assert_eq!(calls, [1, 1, 2, 2]);
}

#[test]
fn a_run_that_was_cut_off_goes_on() {
    let mock = withholding(3);
    let job = Job::against(&mock).ids(1..=4);
    let said = job.cut_off(&mock, 4).stderr;
    assert!(
        said.contains("error: interrupted") && said.contains("hint: run the same command again"),
        "{said}"
    );
    assert!(job.runs().is_empty());
    mock.release();
    let said = job.run().expect(0).stderr;
    assert!(
        said.contains("going on with run") && said.contains("2 of 4 to fetch; 2 fresh"),
        "{said}"
    );
    let manifest = job.export().manifest();
    assert_eq!(manifest["outcomes"]["exported"], 4);
    // Over both starts: the two that were given up when it was interrupted were sent again.
    assert_eq!(
        (manifest["calls"]["attempts"].as_u64(), mock.calls()),
        (Some(6), 6)
    );
}

#[test]
fn a_fresh_start_leaves_the_run_that_was_cut_off() {
    let mock = withholding(3);
    let job = Job::against(&mock).ids(1..=4);
    job.cut_off(&mock, 4);
    mock.release();
    job.run_with(&["--fresh"]).expect(0);
    assert_eq!((mock.calls(), job.runs().len()), (8, 1));
    assert_eq!(job.export().manifest()["calls"]["attempts"], 4);
}

#[test]
fn the_command_to_go_on_with_a_fresh_start_is_not_another_one() {
    let mock = withholding(3);
    let job = Job::against(&mock).ids(1..=4);
    let again = |said: &str| said.lines().last().unwrap().to_owned();
    let said = job
        .cut_off_with(&["--fresh", "--limit", "5"], &mock, 4)
        .stderr;
    assert_eq!(
        again(&said),
        "again: superoffice-export run job.toml --limit 5"
    );
    assert!(
        said.contains("hint: leave `--fresh` out of it, which would begin anew\n"),
        "{said}"
    );
    mock.release();
    job.run_with(&["--limit", "5"]).expect(0);
    assert_eq!(mock.calls(), 6, "two answers were had before");

    // Where no run was noted yet, the start is still to be a fresh one.
    let job = Job::against(&mock);
    std::fs::create_dir(job.path("exports")).unwrap();
    let job = job.file("exports/runs", "no folder");
    assert_eq!(
        again(&job.run_with(&["--fresh"]).expect(6).stderr),
        "again: superoffice-export run job.toml --fresh"
    );
}

#[test]
fn failed_targets_alone_are_tried_again() {
    let mock = Mock::scripted([(2, vec![Answer::status(400)])]);
    let job = Job::against(&mock).ids(1..=3);
    job.run().expect(1);
    assert!(job.runs().is_empty());
    job.run().expect(0);
    let calls: Vec<_> = (1..=3)
        .map(|contact_id| mock.calls_for(contact_id))
        .collect();
    assert_eq!(calls, [1, 2, 1]);
}

#[test]
fn answers_young_enough_are_used_again_where_the_question_is_the_same() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=3);
    job.run().expect(0);
    job.run_with(&["--max-age", "1h"]).expect(0);
    assert_eq!(mock.calls(), 3, "none is fetched again");
    assert_eq!(job.export().manifest()["coverage"], 1.0);
    for (calls, other) in [
        (6, ["--limit", "5"]),
        (9, ["--tables", "contacts"]),
        (12, ["--language", "nb"]),
        (15, ["--time-zone", "CET"]),
    ] {
        job.run_with(&[&["--max-age", "1h"], other.as_slice()].concat())
            .expect(0);
        assert_eq!(mock.calls(), calls, "{other:?}");
    }
    job.run().expect(0);
    assert_eq!(
        mock.calls(),
        18,
        "without max_age a new night fetches everything"
    );
}

#[test]
fn an_answer_outlives_the_nights_in_which_its_contact_fails() {
    // One request at a time, so that the order is that of the ids; contact 3 fails in the second
    // night.
    let mock = Mock::scripted([(3, vec![Answer::summary(3), Answer::status(400)])]);
    let job = Job::against(&mock)
        .with("fetch.max_in_flight = 1")
        .with("output.max_failed = \"50%\"");
    job.run().expect(0);
    job.run().expect(0);
    let fails = |job: &Job| {
        assert_eq!(job.export().outcome(3), "stale http_status 400 after 1");
        assert_eq!(job.export().rows("contacts").len(), 3);
    };
    fails(&job);
    job.run_with(&["--offline"]).expect(0);
    fails(&job);
    // A night that does not come to it says the same.
    job.run_with(&["--max-calls", "2"]).expect(0);
    assert_eq!(mock.calls_for(3), 2);
    fails(&job);
    job.run().expect(0);
    assert_eq!(
        (mock.calls_for(3), job.export().outcome(3)),
        (3, "exported - 200 after 1".to_owned())
    );
}

#[test]
fn a_rebuild_calls_nothing_and_needs_neither_server_nor_secret() {
    let mock = Mock::healthy();
    let auth = "api.auth = { scheme = \"bearer\", token = { env = \"TOKEN\" } }";
    let job = Job::against(&mock)
        .ids(1..=5)
        .with(auth)
        .env("TOKEN", "secret-of-the-test");
    job.run().expect(0);
    let parquet = job.export();
    drop(mock);
    let job = job.env("TOKEN", "");
    let rebuilt = job.run_with(&["--offline", "--format", "csv"]).expect(0);
    assert!(
        rebuilt
            .stderr
            .contains("5 of 5 answered in the store, nothing is fetched"),
        "{}",
        rebuilt.stderr
    );
    let csv = job.export();
    assert_eq!(job.runs().len(), 2);
    for table in [
        "contacts",
        "tickets",
        "followups",
        "documents",
        "sales",
        "chats",
    ] {
        let (was, is) = (parquet.rows(table), csv.rows(table));
        assert_eq!(was.len(), is.len(), "{table}");
        let ids = |rows: &[crate::support::Row]| {
            rows.iter()
                .map(|row| row["contact_id"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&was), ids(&is), "{table}");
    }
    assert_eq!(
        csv.manifest()["calls"],
        json!({ "attempts": 0, "retries": 0, "logins": 0 })
    );
    assert_eq!(
        csv.manifest()["oldest_fetched_at"],
        parquet.manifest()["oldest_fetched_at"]
    );
    // The same format again gives the same bytes.
    job.run_with(&["--offline"]).expect(0);
    assert_eq!(job.export().bytes_of_tables(), parquet.bytes_of_tables());
}

#[test]
fn a_rebuild_leaves_the_run_that_was_cut_off() {
    let mock = withholding(3);
    let job = Job::against(&mock).ids(1..=4);
    job.cut_off(&mock, 4);
    // Of part of the list, too: the rest is not forgotten.
    let job = job.file("part.csv", "contactId\n1\n3\n");
    job.run_with(&["--offline", "--source", "part.csv"])
        .expect(0);
    assert_eq!(
        job.export().manifest()["outcomes"],
        json!({
            "exported": 1, "stale": 0, "missing": 0, "failed": 0, "pending": 1, "rejected": 0,
        })
    );
    mock.release();
    job.run().expect(0);
    assert_eq!(
        (mock.calls_for(1), mock.calls_for(2), job.runs().len()),
        (1, 1, 2)
    );
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 4);
}

#[test]
fn a_rebuild_without_an_answer_publishes_nothing() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run_with(&["--offline"]).expect(1);
    job.run().expect(0);
    // What another login may see is another matter.
    let job = job
        .with("api.auth = { scheme = \"bearer\", token = { env = \"TOKEN\" } }")
        .env("TOKEN", "secret-of-the-test");
    let refused = job.run_with(&["--offline"]).expect(1);
    assert!(
        refused
            .stderr
            .contains("no target has a stored answer to what this job asks"),
        "{}",
        refused.stderr
    );
    assert_eq!((job.runs().len(), mock.calls()), (1, 3));
}

#[test]
fn a_run_that_died_right_after_it_was_published_is_neither_lost_nor_made_again() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    let first = job.latest();
    job.run().expect(0);
    let second = job.latest();
    for arguments in [["--offline"].as_slice(), &["--fresh"], &[]] {
        // As it stands between the rename and everything that follows.
        job.state()
            .execute(
                "UPDATE runs SET ended_at = NULL, state = 'open' WHERE run = ?1",
                [second.file_name().unwrap().to_str()],
            )
            .unwrap();
        std::fs::remove_file(job.path("exports/latest")).unwrap();
        std::os::unix::fs::symlink(&first, job.path("exports/latest")).unwrap();
        let before = job.runs();
        job.run_with(&["--plan"]).expect(0);
        assert_eq!((job.latest(), job.runs()), (first.clone(), before.clone()));
        job.run_with(&[arguments, &["--progress", "none"]].concat())
            .expect(0);
        assert_ne!(job.latest(), second, "{arguments:?}: a new run");
        assert_eq!(job.runs().len(), before.len() + 1, "{arguments:?}");
        let open: i64 = job
            .state()
            .query_row(
                "SELECT count(*) FROM runs WHERE state != 'published'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(open, 0, "{arguments:?}");
    }
    assert_eq!(job.runs().len(), 5);
}

#[test]
fn old_runs_are_removed_whole_once_a_new_one_is_published() {
    let mock = Mock::scripted([(
        1,
        vec![
            Answer::summary(1),
            Answer::summary(1),
            Answer::summary(1),
            Answer::status(400),
        ],
    )]);
    let job = Job::against(&mock).with("output.keep = 2");
    for _ in 0..3 {
        job.run().expect(0);
    }
    let kept = job.runs();
    assert_eq!(
        (kept.len(), job.latest().file_name().unwrap().to_str()),
        (2, kept.last().map(String::as_str))
    );
    job.run().expect(1);
    assert_eq!(
        job.runs(),
        kept,
        "a run that is not published removes nothing"
    );
}

#[test]
fn state_that_cannot_be_used_is_left_alone() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    job.state()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let newer = job.run().expect(6).stderr;
    assert!(
        newer.contains(
            "[folder]/exports/state.sqlite: the state is of version 99, this program knows 3"
        ),
        "{newer}"
    );
    std::fs::write(job.path("exports/state.sqlite"), "no state").unwrap();
    let foreign = job.run_with(&["--fresh"]).expect(6).stderr;
    assert!(
        foreign.contains("[folder]/exports/state.sqlite: not a state file of this program"),
        "{foreign}"
    );
    assert!(
        foreign.contains("move it aside") && !foreign.contains("hint"),
        "{foreign}"
    );
    assert_eq!(
        (
            std::fs::read(job.path("exports/state.sqlite")).unwrap(),
            mock.calls()
        ),
        (b"no state".to_vec(), 3)
    );
    std::fs::rename(job.path("exports/state.sqlite"), job.path("aside")).unwrap();
    job.run().expect(0);
    assert_eq!(job.runs().len(), 2);
}
