//! The state against slow, obvious oracles, and against damage.

mod damage;
mod forgetting;
mod layouts;
mod oracle;

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::contact::{
    Answer, Calls, ContactId, Ending, InputLine, KeptMembers, Outcome, Question, Reason, Target,
    TargetCounts,
};

/// Microseconds in a second: instants of these tests are whole seconds.
const SECOND: i64 = 1_000_000;

/// A state in a folder of its own, and the terms of the run that is under way.
struct Scene {
    folder: TempDir,
    store: Store,
    terms: Terms,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("state.sqlite")).unwrap();
        // No power fails here.
        store
            .connection
            .execute_batch("PRAGMA synchronous = OFF")
            .unwrap();
        let terms = Terms {
            question: store.question(&some_question()).unwrap(),
            run: 1,
            now: 1_000 * SECOND,
            max_age: Duration::ZERO,
            max_stale: Duration::from_secs(10_000),
        };
        Self {
            folder,
            store,
            terms,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.sqlite")
    }

    fn targets(&mut self, ids: impl IntoIterator<Item = i64>) -> TargetCounts {
        let lines = ids
            .into_iter()
            .zip(2..)
            .map(|(id, input_line)| Ok::<_, Error>(target(id, input_line)));
        self.store.replace_targets(lines, |_| Ok(())).unwrap()
    }

    /// Records answers of the run that is under way.
    fn record(&mut self, answers: &[Answer<Vec<u8>>]) {
        let run = Run {
            number: self.terms.run,
            ..some_run("run", 0)
        };
        let question = self.terms.question;
        self.store.record(&run, question, answers).unwrap();
    }

    fn planned(&mut self) -> Vec<i64> {
        let plan = self.store.plan(&self.terms).unwrap();
        let all = self.store.planned(0, u32::MAX).unwrap();
        assert_eq!(
            (plan.to_fetch, plan.fresh),
            (count(all.len()), plan.targets - count(all.len()))
        );
        all.into_iter()
            .map(|planned| planned.contact_id.get())
            .collect()
    }

    fn walked(&mut self) -> Vec<(Target, Option<Vec<u8>>)> {
        let mut all = Vec::new();
        let visit = |stored: Stored<'_>| {
            all.push((stored.target, stored.answer.map(|(body, _)| body.to_vec())));
            Ok(())
        };
        self.store.walk::<Error>(&self.terms, visit).unwrap();
        all
    }

    /// The target's outcome, its time in seconds, and its body as text.
    fn shown(&mut self, contact_id: i64) -> (Outcome, Option<i64>, Option<String>) {
        let is_it = |(target, _): &(Target, _)| target.contact_id == Some(id(contact_id));
        let (target, body) = self.walked().into_iter().find(is_it).unwrap();
        (
            target.ending.outcome,
            target.ending.fetched_at.map(|at| at / SECOND),
            body.map(|body| String::from_utf8(body).unwrap()),
        )
    }

    fn ask(&mut self, question: &Question) {
        self.terms.question = self.store.question(question).unwrap();
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

fn id(number: i64) -> ContactId {
    ContactId::new(number).unwrap()
}

fn some_question() -> Question {
    Question {
        place: "sandbox 1".into(),
        login: "none".into(),
        limit: 100,
        members: None,
        language: "en".into(),
        culture: None,
        zone: "UTC".into(),
        kept: KeptMembers::all(),
        headers: Vec::new(),
    }
}

fn target(contact_id: i64, input_line: u64) -> InputLine {
    InputLine::Target {
        contact_id: id(contact_id),
        input_line,
        input_value: contact_id.to_string(),
    }
}

fn some_run(name: &str, number: i64) -> Run {
    Run {
        number,
        name: name.into(),
        started_at: 0,
        answered_at: None,
        state: RunState::Open,
        is_offline: false,
        is_accepted: false,
        calls: Calls::default(),
        fetch_seconds: 0.0,
    }
}

fn body(contact_id: i64, at: i64) -> String {
    format!("body of {contact_id} at {at}")
}

/// The answer that came in that second.
fn exported(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let body = Some(body(contact_id, at).into_bytes());
    Answer {
        body,
        ..ended(contact_id, at, Outcome::Exported, Some(200))
    }
}

fn missing(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    ended(contact_id, at, Outcome::Missing, Some(404))
}

fn failed(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let mut answer = ended(contact_id, at, Outcome::Failed, Some(500));
    answer.ending.error = Some(Reason::HttpStatus);
    answer.ending.message = Some("no".into());
    answer
}

fn tried(contact_id: i64, at: i64) -> Answer<Vec<u8>> {
    let mut answer = failed(contact_id, at);
    answer.ending.outcome = Outcome::Pending;
    answer
}

fn ended(contact_id: i64, at: i64, outcome: Outcome, http_status: Option<u16>) -> Answer<Vec<u8>> {
    Answer {
        contact_id: id(contact_id),
        ending: Ending {
            http_status,
            attempts: 2,
            fetched_at: Some(at * SECOND),
            ..Ending::of(outcome)
        },
        body: None,
    }
}

#[test]
fn targets_are_distinct_in_the_order_of_their_ids_and_rejects_come_last() {
    let mut scene = Scene::new();
    let lines = [
        target(30, 2),
        InputLine::Rejected {
            input_line: 3,
            input_value: "x".into(),
            reason: Reason::RaggedRow,
        },
        InputLine::Target {
            contact_id: id(4),
            input_line: 4,
            input_value: "4.0".into(),
        },
        target(30, 5),
    ];
    let lines = lines.into_iter().map(Ok::<_, Error>);
    let counts = scene.store.replace_targets(lines, |_| Ok(())).unwrap();
    let expected = TargetCounts {
        distinct: 2,
        duplicates: 1,
        rejected: 1,
    };
    assert_eq!(counts, expected);
    let shown = scene.walked().into_iter().map(|(target, _)| {
        let id = target.contact_id.map(ContactId::get);
        (
            id,
            target.input_line,
            target.input_value,
            target.ending.error,
        )
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            (Some(4), 4, "4.0".to_owned(), None),
            (Some(30), 2, "30".to_owned(), None),
            (None, 3, "x".to_owned(), Some(Reason::RaggedRow))
        ]
    );
}

#[test]
fn an_input_that_breaks_off_or_is_not_accepted_leaves_the_targets_as_they_were() {
    let mut scene = Scene::new();
    scene.targets([1, 2]);
    let gone = || Error::Gone {
        path: "input".into(),
    };
    let lines = [Ok(target(9, 2)), Err(gone())];
    let broken = scene.store.replace_targets(lines.into_iter(), |_| Ok(()));
    assert!(matches!(broken, Err(Error::Gone { .. })));
    assert_eq!(scene.planned(), [1, 2]);
    let lines = [Ok(target(9, 2))].into_iter();
    let refused = scene.store.replace_targets(lines, |counts| {
        assert_eq!(counts.distinct, 1);
        Err(gone())
    });
    assert!(matches!(refused, Err(Error::Gone { .. })));
    assert_eq!(scene.planned(), [1, 2]);
}

#[test]
fn answers_and_calls_outlive_the_process() {
    let mut scene = Scene::new();
    let run = some_run("20261122T020000Z", 1);
    scene.store.start_run(&run).unwrap();
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
    let answers = [exported(1, 110), missing(2, 111), failed(3, 112)];
    let question = scene.terms.question;
    scene.store.record(&run, question, &answers).unwrap();
    // As a killed process leaves it: nothing is closed.
    scene.store = Store::open(&scene.path()).unwrap();
    let expected = Run {
        answered_at: Some(112 * SECOND),
        ..run
    };
    assert_eq!(scene.store.newest_run().unwrap(), Some(expected));
    let walked = scene.walked().into_iter();
    let endings: Vec<_> = walked.map(|(target, body)| (target.ending, body)).collect();
    assert_eq!(endings, answers.map(|answer| (answer.ending, answer.body)));
}

#[test]
fn an_older_answer_stands_in_for_one_that_failed() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(&[exported(1, 100)]);
    scene.terms.run = 2;
    scene.record(&[failed(1, 200)]);
    let stale = (Outcome::Stale, Some(100), Some(body(1, 100)));
    assert_eq!(scene.shown(1), stale);
    // A later night that did not come to this contact knows no better.
    scene.terms.run = 3;
    assert_eq!(scene.shown(1), stale);
    scene.terms.max_age = Duration::from_hours(1);
    assert_eq!(
        scene.planned(),
        [1],
        "a failure is tried again, however young the answer"
    );
    scene.record(&[exported(1, 300)]);
    assert_eq!(
        scene.shown(1),
        (Outcome::Exported, Some(300), Some(body(1, 300)))
    );
    assert_eq!(scene.planned(), [0_i64; 0]);
}

#[test]
fn no_answer_is_replaced_by_nothing() {
    let mut scene = Scene::new();
    scene.targets([1, 2, 3]);
    scene.record(&[exported(1, 100), exported(2, 100), exported(3, 100)]);
    scene.terms.run = 2;
    scene.record(&[missing(1, 200), failed(2, 200), tried(3, 200)]);
    assert_eq!(scene.shown(1), (Outcome::Missing, Some(200), None));
    assert_eq!(
        scene.shown(2),
        (Outcome::Stale, Some(100), Some(body(2, 100)))
    );
    assert_eq!(
        scene.shown(3),
        (Outcome::Exported, Some(100), Some(body(3, 100)))
    );
    let sql = "SELECT count(*) FROM responses";
    let kept: i64 = scene
        .store
        .connection
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 3);
}

#[test]
fn older_answers_to_another_question_are_shown_until_new_ones_come() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(&[exported(1, 100)]);
    let old = scene.shown(1);
    scene.terms.max_age = Duration::from_hours(1);
    let others = [
        Question {
            limit: 200,
            ..some_question()
        },
        Question {
            zone: "NO".into(),
            ..some_question()
        },
        Question {
            language: "de".into(),
            ..some_question()
        },
        Question {
            culture: Some("nb-NO".into()),
            ..some_question()
        },
        Question {
            members: Some("Contact,Sales".into()),
            ..some_question()
        },
        Question {
            headers: vec![("x".into(), Some("y".into()))],
            ..some_question()
        },
    ];
    for other in &others {
        scene.ask(other);
        assert_eq!(scene.shown(1), old, "{other:?}");
        assert_eq!(scene.planned(), [1], "{other:?}");
        assert_eq!(scene.store.plan(&scene.terms).unwrap().unanswered, 0);
    }
    let strangers = [
        Question {
            place: "sandbox 2".into(),
            ..some_question()
        },
        Question {
            login: "basic anna".into(),
            ..some_question()
        },
    ];
    for stranger in &strangers {
        scene.ask(stranger);
        assert_eq!(
            scene.shown(1),
            (Outcome::Pending, None, None),
            "{stranger:?}"
        );
        assert_eq!(scene.planned(), [1], "{stranger:?}");
        assert_eq!(scene.store.plan(&scene.terms).unwrap().unanswered, 1);
    }
    scene.ask(&some_question());
    assert_eq!((scene.shown(1), scene.planned()), (old, vec![]));
}

#[test]
fn answers_without_a_wanted_member_are_not_shown() {
    let mut scene = Scene::new();
    scene.targets([1]);
    let only = |members: &str| Question {
        members: Some(members.into()),
        ..some_question()
    };
    scene.ask(&only("Contact,Sales"));
    scene.record(&[exported(1, 100)]);
    for (members, outcome) in [
        ("Sales", Outcome::Exported),
        ("Contact,Sales", Outcome::Exported),
        ("Contact,Chats", Outcome::Pending),
    ] {
        scene.ask(&only(members));
        assert_eq!(scene.shown(1).0, outcome, "{members}");
    }
    scene.ask(&some_question());
    assert_eq!(scene.shown(1).0, Outcome::Pending);
}

#[test]
fn what_a_login_was_denied_outlives_other_logins() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.terms.max_age = Duration::from_hours(1);
    let anna = Question {
        login: "basic anna".into(),
        ..some_question()
    };
    let forbidden = |at| {
        let mut answer = failed(1, at);
        answer.ending.error = Some(Reason::Forbidden);
        answer
    };
    scene.record(&[exported(1, 100), forbidden(200)]);
    // Whatever another login is told says nothing of it.
    for answer in [failed(1, 300), forbidden(400)] {
        scene.ask(&anna);
        scene.record(&[answer]);
        scene.ask(&some_question());
        assert_eq!(scene.shown(1), (Outcome::Pending, None, None));
        assert_eq!(scene.planned(), [1]);
    }
    scene.record(&[failed(1, 500)]);
    assert_eq!(scene.shown(1), (Outcome::Failed, Some(500), None));
    // And what another login was denied is not this one's matter.
    scene.record(&[exported(1, 600)]);
    scene.ask(&anna);
    scene.record(&[forbidden(700)]);
    scene.ask(&some_question());
    scene.record(&[failed(1, 800)]);
    assert_eq!(
        scene.shown(1),
        (Outcome::Stale, Some(600), Some(body(1, 600)))
    );
}

#[test]
fn failing_contacts_go_to_the_end_of_the_list() {
    let mut scene = Scene::new();
    scene.targets(1..=6);
    scene.record(&[exported(1, 900), exported(6, 100)]);
    scene.terms.run = 2;
    scene.record(&[failed(2, 300), exported(3, 200), missing(4, 150)]);
    scene.terms.run = 3;
    scene.record(&[failed(4, 10)]);
    scene.terms.run = 4;
    // The clock of the third run was wrong; that of the first one, too.
    assert_eq!(scene.planned(), [5, 6, 1, 3, 2, 4]);
}

#[test]
fn contacts_that_were_had_before_are_known() {
    let mut scene = Scene::new();
    let known = |scene: &Scene| scene.store.known_good(&scene.terms, 2).unwrap();
    assert_eq!(known(&scene), []);
    scene.record(&[exported(1, 1), failed(1, 2), exported(2, 1)]);
    scene.terms.run = 2;
    scene.record(&[exported(3, 1), missing(3, 2)]);
    assert_eq!(known(&scene), [id(2)]);
    scene.record(&[exported(4, 3), tried(4, 4)]);
    assert_eq!(known(&scene), [id(2), id(4)]);
    scene.record(&[exported(4, 5)]);
    assert_eq!(known(&scene), [id(4), id(2)]);
    scene.record(&[exported(5, 3)]);
    assert_eq!(known(&scene), [id(4), id(5)]);
    scene.ask(&Question {
        login: "basic anna".into(),
        ..some_question()
    });
    assert_eq!(known(&scene), []);
}

#[test]
fn an_offline_run_leaves_the_one_that_was_cut_off() {
    let mut scene = Scene::new();
    let offline = |name, number| Run {
        is_offline: true,
        ..some_run(name, number)
    };
    let unpublished = |scene: &Scene| {
        let runs = scene.store.unpublished_runs().unwrap().into_iter();
        let open = runs.filter(|run| run.state == RunState::Open);
        open.map(|run| run.name).collect::<Vec<_>>()
    };
    assert_eq!(scene.store.newest_run().unwrap(), None);
    assert_eq!(scene.store.next_number().unwrap(), 1);
    scene.store.start_run(&some_run("a", 1)).unwrap();
    scene.store.start_run(&offline("b", 2)).unwrap();
    assert_eq!(scene.store.newest_run().unwrap(), Some(some_run("a", 1)));
    assert_eq!(unpublished(&scene), ["a", "b"]);
    scene.store.end_run(2, 3).unwrap();
    assert_eq!(scene.store.last_published().unwrap().unwrap().name, "b");
    assert_eq!(unpublished(&scene), ["a"]);
    // A dead offline run is not taken up again, and a fresh run takes the place of what was cut
    // off.
    scene.store.start_run(&offline("c", 3)).unwrap();
    scene.store.start_run(&offline("d", 4)).unwrap();
    assert_eq!(unpublished(&scene), ["a", "d"]);
    scene.store.start_run(&some_run("e", 5)).unwrap();
    assert_eq!(unpublished(&scene), ["e"]);
    assert_eq!(scene.store.next_number().unwrap(), 6);
}

#[test]
fn how_a_run_stands_is_noted() {
    let mut scene = Scene::new();
    scene.store.start_run(&some_run("a", 1)).unwrap();
    let stopped = Run {
        state: RunState::Stopped,
        is_accepted: true,
        ..some_run("a", 1)
    };
    scene.store.note_run(&stopped).unwrap();
    assert_eq!(scene.store.newest_run().unwrap(), Some(stopped));
}

#[test]
fn a_state_belongs_to_one_place() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(&[exported(1, 100)]);
    assert_eq!(scene.store.owner("sandbox 1", None).unwrap(), Owner::Nobody);
    scene.store.claim("sandbox 1", None).unwrap();
    assert_eq!(scene.store.owner("sandbox 1", None).unwrap(), Owner::Same);
    let error = scene
        .store
        .claim("sandbox 2", Some("sandbox 3"))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("sandbox 1") && text.contains("sandbox 2"),
        "{text}"
    );
    // The installation moved, and its answers with it.
    scene.store.claim("sandbox 2", Some("sandbox 1")).unwrap();
    scene.ask(&Question {
        place: "sandbox 2".into(),
        ..some_question()
    });
    assert_eq!(scene.shown(1).0, Outcome::Exported);
    assert!(scene.store.claim("sandbox 1", None).is_err());
}

#[test]
fn the_zone_found_is_kept() {
    let mut scene = Scene::new();
    assert_eq!(scene.store.zone_found().unwrap(), None);
    scene.store.keep_zone("NO").unwrap();
    scene.store.keep_zone("US-NY").unwrap();
    assert_eq!(scene.store.zone_found().unwrap().as_deref(), Some("US-NY"));
}

#[test]
fn the_average_body_is_that_of_stored_ones() {
    let mut scene = Scene::new();
    assert_eq!(scene.store.average_body().unwrap(), None);
    scene.record(&[missing(1, 1)]);
    assert_eq!(scene.store.average_body().unwrap(), None);
    let mut large = exported(2, 1);
    let mut dice = fastrand::Rng::with_seed(1);
    large.body = Some(std::iter::repeat_with(|| dice.u8(..)).take(4_000).collect());
    scene.record(&[large]);
    let average = scene.store.average_body().unwrap().unwrap();
    assert!((4_000..4_100).contains(&average), "{average}");
}
