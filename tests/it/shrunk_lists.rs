//! The list that came shrunk, broken or empty: it is noticed before any contact is called, the
//! export and the answers of the night before stay, and the operator is told what to type.

use crate::mock::{Answer, Mock};
use crate::support::{Finished, Job};

const NOBODY: [i64; 0] = [];

/// The heading, these ids, and so many lines that hold none.
fn list(ids: impl IntoIterator<Item = i64>, unusable: usize) -> String {
    let lines = ids
        .into_iter()
        .map(|id| format!("{id}\n"))
        .collect::<Vec<_>>()
        .concat();
    format!("contactId\n{lines}{}", "n/a\n".repeat(unusable))
}

/// A job that has published forty contacts.
fn published(mock: &Mock) -> Job {
    let job = Job::against(mock).ids(1..=40);
    job.run().expect(0);
    assert_eq!(mock.calls(), 40);
    job
}

#[test]
fn a_list_that_is_not_believed_changes_nothing_and_says_why() {
    let shrunk = |now: &str| {
        format!(
            "error: nothing was called: the list names {now} contacts, and the last export had 40: \
             fewer by more than `source.max_shrink` = 20%; mend the list, or, where that is right, \
             add --accept\n"
        )
    };
    let cases = [
        (
            "headings only",
            list(NOBODY, 0),
            "error: nothing was called: the list names no contact, and the last export had 40; \
             mend the list, or, where that is right, add --accept\n"
                .to_owned(),
        ),
        ("a file copied half", list(1..=20, 0), shrunk("20")),
        (
            "one contact fewer than is allowed",
            list(1..=31, 0),
            shrunk("31"),
        ),
        ("half of the ids unreadable", list(1..=20, 20), shrunk("20")),
        (
            "a few more lines without an id than are allowed",
            list(1..=40, 3),
            "error: nothing was called: 3 of 43 lines of the list hold no contact id, more than \
             `source.max_rejected` = 5%; mend the list, or, where that is right, add --accept\n"
                .to_owned(),
        ),
        (
            "no id in any line",
            list(NOBODY, 2),
            "error: nothing was called: none of the 2 lines of the list holds a contact id; mend \
             the list or `source.column`\n"
                .to_owned(),
        ),
    ];
    let mock = Mock::healthy();
    let job = published(&mock);
    let (latest, kept) = (job.latest(), job.export().bytes_of_tables());
    let mut job = job;
    for (what, text, message) in cases {
        job = job.csv(text);
        for arguments in [
            ["--progress", "none"].as_slice(),
            &["--fresh"],
            &["--offline"],
        ] {
            let refused = job.run_with(arguments).expect(2);
            assert!(
                refused.stderr.ends_with(&message),
                "{what}: {}",
                refused.stderr
            );
        }
        assert_eq!((mock.calls(), job.latest()), (40, latest.clone()), "{what}");
    }
    for table in ["targets", "responses"] {
        assert_eq!(job.stored(&format!("SELECT count(*) FROM {table}")), 40);
    }
    assert_eq!(
        (job.runs().len(), job.export().bytes_of_tables()),
        (1, kept)
    );
    // The list is whole again: the night goes on as if nothing had been.
    let job = job.ids(1..=40);
    job.run_with(&["--max-age", "1h"]).expect(0);
    assert_eq!(mock.calls(), 40);
}

#[test]
fn another_list_tried_by_hand_does_not_take_the_place_of_the_export() {
    let mock = Mock::healthy();
    let job = published(&mock).file("one.csv", "contactId\n7\n");
    let latest = job.latest();
    job.run_with(&["--source", "one.csv"]).expect(2).says(&[
        "the list names 1 contacts, and the last export had 40",
        "--accept",
    ]);
    // A plan only tells of it.
    let planned = job
        .run_with(&["--source", "one.csv", "--plan"])
        .expect(0)
        .says(&[
            "WARN a run would call nothing: the list names 1 contacts",
            "had 40",
        ]);
    assert_eq!(planned.stdout, "1 of 1 to fetch\n");
    assert_eq!((mock.calls(), job.latest()), (40, latest));
}

#[test]
fn a_list_may_shrink_by_as_much_as_the_job_allows() {
    let mock = Mock::healthy();
    let job = published(&mock).ids(1..=32);
    job.run().expect(0);
    let job = job.ids(1..=8).with("source.max_shrink = \"75%\"");
    job.run().expect(0);
    assert_eq!(job.export().manifest()["targets"]["distinct"], 8);
    // So few contacts make no share.
    job.ids([1]).without("source.max_shrink").run().expect(0);
}

#[test]
fn a_first_list_is_judged_by_itself() {
    let cases = [
        ("no line at all", list(NOBODY, 0), 0),
        ("a few lines, half of them without an id", list(1..=4, 4), 0),
        ("all lines without an id", list(NOBODY, 1), 2),
        ("many lines, some of them without an id", list(1..=40, 3), 2),
    ];
    for (what, text, code) in cases {
        let mock = Mock::healthy();
        let job = Job::against(&mock).csv(text);
        let ended = job.run();
        assert_eq!(ended.code, Some(code), "{what}: {}", ended.all());
        assert_eq!(job.path("exports/latest").exists(), code == 0, "{what}");
        assert_eq!(mock.calls() > 0, what.starts_with("a few"), "{what}");
    }
}

#[test]
fn a_check_fails_where_no_line_holds_an_id() {
    let check = |job: &Job| {
        let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
        job.finish(child)
    };
    let mock = Mock::healthy();
    for text in [list(NOBODY, 0), list(NOBODY, 3)] {
        let job = Job::against(&mock).csv(text);
        let checked = check(&job).expect(2).stdout;
        assert!(checked.contains("✗ input    ./contacts.csv: "), "{checked}");
        assert!(
            checked.contains("→ no contact id was found; mend the list"),
            "{checked}"
        );
    }
}

#[test]
fn what_the_operator_accepts_is_published_and_remembered() {
    let mock = Mock::healthy();
    let job = published(&mock).ids(1..=20);
    job.run().expect(2);
    let told = "WARN accepted: the list names 20 contacts, and the last export had 40";
    job.run_with(&["--accept"]).expect(0).says(&[told]);
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 20);
    // From now on that is the list.
    assert!(!job.run().expect(0).stderr.contains("WARN"));
    let job = job.csv(list(NOBODY, 0));
    job.run_with(&["--accept"])
        .expect(0)
        .says(&["WARN accepted: the list names no contact"]);
    assert_eq!(job.export().rows("outcomes").len(), 0);
}

#[test]
fn what_was_accepted_outlives_a_crash() {
    let mock = Mock::answering(|request| {
        let answer = Answer::summary(request.contact_id);
        if request.call > 40 {
            answer.held()
        } else {
            answer
        }
    });
    let job = published(&mock).ids(1..=20);
    job.run().expect(2);
    job.killed(&["--accept"], &mock, 41);
    mock.release();
    let goes_on = |ended: Finished| {
        ended.says(&[
            "going on with run",
            "WARN accepted: the list names 20 contacts",
        ]);
    };
    goes_on(job.run().expect(0));
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 20);
}

/// A link that somebody removed, or a manifest that a disk damaged, makes no night the first one.
#[test]
fn without_its_newest_export_a_list_is_compared_with_the_one_before() {
    let mock = Mock::healthy();
    let job = published(&mock);
    let shrunk = "error: nothing was called: the list names 5 contacts, and the last export had 40";
    let latest = job.path("exports").join(job.latest());
    std::fs::remove_file(job.path("exports/latest")).unwrap();
    let refused = job.ids(1..=5);
    let told = refused.run().expect(2).says(&[shrunk]);
    assert!(!told.stderr.contains("WARN"), "{}", told.stderr);

    let job = refused.ids(1..=40);
    job.run().expect(0);
    assert_ne!(job.path("exports").join(job.latest()), latest);
    std::fs::write(job.path("exports/latest/manifest.json"), "{").unwrap();
    let job = job.ids(1..=5);
    let told = job.run().expect(2).says(&[shrunk]);
    let warning = "WARN an export cannot be compared with this one: [folder]/exports/latest/\
                   manifest.json: not a manifest of this program";
    assert_eq!(told.stderr.matches(warning).count(), 1, "{}", told.stderr);
    assert_eq!(mock.calls(), 80);
}
