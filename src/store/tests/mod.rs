//! The state against slow, obvious oracles, and against damage.

mod damage;
mod oracle;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::contact::{
    Answer, Calls, ContactId, Ending, InputLine, Outcome, Reason, Target, TargetCounts,
};

/// What is asked in these tests.
const KEY: i64 = 7;

/// A state in a folder of its own.
struct Scene {
    folder: TempDir,
    store: Store,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.sqlite")).unwrap();
        // No power fails here.
        store
            .connection
            .execute_batch("PRAGMA synchronous = OFF")
            .unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.sqlite")
    }

    fn targets(&mut self, ids: impl IntoIterator<Item = i64>) -> TargetCounts {
        let lines = ids
            .into_iter()
            .zip(2..)
            .map(|(id, input_line)| Ok::<_, Error>(target(id, input_line)));
        self.store.replace_targets(lines).unwrap()
    }

    fn record(&mut self, key: i64, answers: &[Answer<Vec<u8>>]) {
        self.store
            .record(&some_run("run", 0), key, answers)
            .unwrap();
    }

    fn planned(&mut self, fresh_since: i64) -> Vec<i64> {
        let plan = self.store.plan(KEY, fresh_since).unwrap();
        let all = self.store.planned(KEY, 0, u32::MAX).unwrap();
        assert_eq!(
            (plan.to_fetch, plan.fresh),
            (count(all.len()), plan.targets - count(all.len()))
        );
        all.into_iter()
            .map(|planned| planned.contact_id.get())
            .collect()
    }

    fn walked(&mut self, failed_since: i64) -> Vec<(Target, Option<Vec<u8>>)> {
        let mut all = Vec::new();
        let visit = |stored: Stored<'_>| {
            all.push((stored.target, stored.body.map(<[u8]>::to_vec)));
            Ok(())
        };
        self.store.walk::<Error>(KEY, failed_since, visit).unwrap();
        all
    }

    /// The target's outcome and time, and its body as text.
    fn shown(
        &mut self,
        contact_id: i64,
        failed_since: i64,
    ) -> (Outcome, Option<i64>, Option<String>) {
        let (target, body) = self
            .walked(failed_since)
            .into_iter()
            .find(|(target, _)| target.contact_id == Some(id(contact_id)))
            .unwrap();
        (
            target.ending.outcome,
            target.ending.fetched_at,
            body.map(|body| String::from_utf8(body).unwrap()),
        )
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

fn id(number: i64) -> ContactId {
    ContactId::new(number).unwrap()
}

fn target(contact_id: i64, input_line: u64) -> InputLine {
    InputLine::Target {
        contact_id: id(contact_id),
        input_line,
        input_value: contact_id.to_string(),
    }
}

fn some_run(name: &str, started_at: i64) -> Run {
    Run {
        name: name.into(),
        started_at,
        calls: Calls::default(),
        fetch_seconds: 0.0,
    }
}

fn exported(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let ending = Ending {
        outcome: Outcome::Exported,
        http_status: Some(200),
        attempts: 1,
        error: None,
        message: None,
        fetched_at: Some(at),
    };
    Answer {
        contact_id: id(contact_id),
        ending,
        body: Some(format!("body of {contact_id} at {at}").into_bytes()),
    }
}

fn missing(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let ending = Ending {
        outcome: Outcome::Missing,
        http_status: Some(404),
        ..exported(contact_id, at).ending
    };
    Answer {
        contact_id: id(contact_id),
        ending,
        body: None,
    }
}

fn failed(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let error = Some(Reason::Timeout);
    let ending = Ending {
        outcome: Outcome::Failed,
        http_status: None,
        attempts: 6,
        error,
        message: None,
        fetched_at: Some(at),
    };
    Answer {
        contact_id: id(contact_id),
        ending,
        body: None,
    }
}

fn tried(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let mut answer = failed(contact_id, at);
    answer.ending.outcome = Outcome::Pending;
    answer
}

#[test]
fn targets_are_distinct_in_the_order_of_their_ids_and_rejects_come_last() {
    let mut scene = Scene::new();
    let lines = [
        target(30, 2),
        InputLine::Rejected {
            input_line: 3,
            input_value: "x".into(),
            reason: Reason::InvalidId,
        },
        InputLine::Target {
            contact_id: id(4),
            input_line: 4,
            input_value: "4.0".into(),
        },
        target(30, 5),
    ];
    let counts = scene
        .store
        .replace_targets(lines.into_iter().map(Ok::<_, Error>))
        .unwrap();
    assert_eq!(
        counts,
        TargetCounts {
            distinct: 2,
            duplicates: 1,
            rejected: 1
        }
    );
    let shown: Vec<_> = scene
        .walked(0)
        .into_iter()
        .map(|(target, _)| {
            (
                target.contact_id.map(ContactId::get),
                target.input_line,
                target.input_value,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (Some(4), 4, "4.0".to_owned()),
            (Some(30), 2, "30".to_owned()),
            (None, 3, "x".to_owned())
        ]
    );
}

#[test]
fn an_input_that_breaks_off_leaves_the_targets_as_they_were() {
    let mut scene = Scene::new();
    scene.targets([1, 2]);
    let lines = [
        Ok(target(9, 2)),
        Err(Error::Gone {
            path: "input".into(),
        }),
    ];
    assert!(matches!(
        scene.store.replace_targets(lines.into_iter()),
        Err(Error::Gone { .. })
    ));
    assert_eq!(scene.planned(0), [1, 2]);
}

#[test]
fn answers_and_calls_outlive_the_process() {
    let mut scene = Scene::new();
    let run = some_run("20261122T020000Z", 100);
    scene.store.start_run(&run, false).unwrap();
    scene.targets([1, 2, 3]);
    let calls = Calls {
        attempts: 9,
        retries: 4,
        logins: 2,
    };
    let run = Run {
        calls,
        fetch_seconds: 1.5,
        ..run
    };
    scene
        .store
        .record(
            &run,
            KEY,
            &[exported(1, 110), missing(2, 111), failed(3, 112)],
        )
        .unwrap();
    // As a killed process leaves it: nothing is closed.
    let mut reopened = Store::open(&scene.path()).unwrap();
    assert_eq!(reopened.open_run().unwrap(), Some(run));
    let mut endings = Vec::new();
    let visit = |stored: Stored<'_>| {
        endings.push((stored.target.ending, stored.body.map(<[u8]>::to_vec)));
        Ok(())
    };
    reopened.walk::<Error>(KEY, 100, visit).unwrap();
    let expected = [exported(1, 110), missing(2, 111), failed(3, 112)]
        .map(|answer| (answer.ending, answer.body));
    assert_eq!(endings, expected);
}

#[test]
fn a_failure_stands_beside_the_older_answer() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(KEY, &[exported(1, 100)]);
    scene.record(KEY, &[failed(1, 200)]);
    // The night of the failure; a later night that did not come to this contact; the answer that
    // mends it.
    assert_eq!(scene.shown(1, 150), (Outcome::Failed, Some(200), None));
    assert_eq!(
        scene.shown(1, 201),
        (
            Outcome::Exported,
            Some(100),
            Some("body of 1 at 100".into())
        )
    );
    assert_eq!(
        scene.planned(50),
        [1],
        "a failure is tried again, however young the answer before it"
    );
    scene.record(KEY, &[exported(1, 300)]);
    assert_eq!(
        scene.shown(1, 150),
        (
            Outcome::Exported,
            Some(300),
            Some("body of 1 at 300".into())
        )
    );
    assert_eq!(scene.planned(50), [0_i64; 0]);
}

#[test]
fn a_failure_without_an_answer_stays_a_failure() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(KEY, &[failed(1, 200)]);
    assert_eq!(scene.shown(1, 201), (Outcome::Failed, Some(200), None));
}

#[test]
fn an_attempt_that_is_to_be_made_again_hides_no_answer() {
    let mut scene = Scene::new();
    scene.targets([1, 2, 3]);
    scene.record(KEY, &[exported(1, 100), tried(1, 200), tried(2, 201)]);
    assert_eq!(
        scene.shown(1, 150),
        (
            Outcome::Exported,
            Some(100),
            Some("body of 1 at 100".into())
        )
    );
    assert_eq!(scene.shown(2, 150), (Outcome::Pending, Some(201), None));
    assert_eq!(scene.planned(50), [3, 1, 2]);
}

#[test]
fn answers_to_another_question_are_not_shown_but_stay_until_they_are_replaced() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(8, &[exported(1, 100)]);
    assert_eq!(scene.shown(1, 0), (Outcome::Pending, None, None));
    assert_eq!(scene.planned(0), [1]);
    scene.record(KEY, &[failed(1, 200)]);
    let visit = |stored: Stored<'_>| {
        assert_eq!(stored.target.ending.outcome, Outcome::Exported);
        Ok(())
    };
    scene.store.walk::<Error>(8, 0, visit).unwrap();
}

#[test]
fn failing_contacts_go_to_the_end_of_the_list() {
    let mut scene = Scene::new();
    scene.targets(1..=5);
    scene.record(
        KEY,
        &[
            exported(1, 100),
            failed(2, 300),
            exported(3, 200),
            missing(4, 150),
            failed(4, 160),
        ],
    );
    assert_eq!(scene.planned(i64::MAX), [5, 1, 4, 3, 2]);
}

#[test]
fn what_is_no_longer_asked_for_is_forgotten() {
    let mut scene = Scene::new();
    scene.targets([1, 2, 3, 4]);
    scene.record(
        KEY,
        &[exported(1, 1), exported(2, 1), failed(3, 1), failed(4, 1)],
    );
    scene.targets([2, 3]);
    scene.store.forget_others().unwrap();
    scene.targets([1, 2, 3, 4]);
    let outcomes = [1, 2, 3, 4].map(|contact_id| scene.shown(contact_id, 0).0);
    assert_eq!(
        outcomes,
        [
            Outcome::Pending,
            Outcome::Exported,
            Outcome::Failed,
            Outcome::Pending
        ]
    );
}

#[test]
fn an_offline_run_leaves_the_one_that_was_cut_off() {
    let mut scene = Scene::new();
    let run = some_run;
    let unended = |scene: &Scene| scene.store.unended_runs().unwrap();
    assert_eq!(
        (
            scene.store.open_run().unwrap(),
            scene.store.last_start().unwrap()
        ),
        (None, None)
    );
    scene.store.start_run(&run("a", 1), false).unwrap();
    scene.store.start_run(&run("b", 2), true).unwrap();
    assert_eq!(scene.store.open_run().unwrap(), Some(run("a", 1)));
    assert_eq!(
        (unended(&scene), scene.store.last_start().unwrap()),
        (vec!["a".into(), "b".into()], Some(1))
    );
    scene.store.end_run("b", 3).unwrap();
    assert_eq!(unended(&scene), ["a"]);
    // A dead offline run is not taken up again, and a fresh run takes the place of what was cut
    // off.
    scene.store.start_run(&run("c", 4), true).unwrap();
    scene.store.start_run(&run("d", 5), true).unwrap();
    assert_eq!(unended(&scene), ["a", "d"]);
    scene.store.start_run(&run("e", 6), false).unwrap();
    assert_eq!(
        (unended(&scene), scene.store.last_start().unwrap()),
        (vec!["e".into()], Some(6))
    );
}

#[test]
fn the_average_body_is_that_of_stored_ones() {
    let mut scene = Scene::new();
    assert_eq!(scene.store.average_body().unwrap(), None);
    scene.record(KEY, &[missing(1, 1)]);
    assert_eq!(scene.store.average_body().unwrap(), None);
    let mut large = exported(2, 1);
    let mut dice = fastrand::Rng::with_seed(1);
    large.body = Some(std::iter::repeat_with(|| dice.u8(..)).take(4_000).collect());
    scene.record(KEY, &[large]);
    let average = scene.store.average_body().unwrap().unwrap();
    assert!((4_000..4_100).contains(&average), "{average}");
}
