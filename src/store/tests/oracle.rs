//! What a run promises of plan and walk, checked against the list of everything that was recorded,
//! in whatever order clocks told the time.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Something recorded.
#[derive(Debug, Clone, Copy)]
struct Event {
    run: i64,
    /// Which of [`questions`].
    question: usize,
    contact_id: i64,
    /// In seconds, by a clock that may be wrong.
    at: i64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Exported,
    Missing,
    Failed,
    Forbidden,
    Tried,
}

impl Event {
    fn answer(self) -> Answer<Vec<u8>> {
        let (contact_id, at) = (self.contact_id, self.at);
        match self.kind {
            Kind::Exported => exported(contact_id, at),
            Kind::Missing => missing(contact_id, at),
            Kind::Failed => failed(contact_id, at),
            Kind::Forbidden => {
                let mut answer = failed(contact_id, at);
                answer.ending.error = Some(Reason::Forbidden);
                answer
            }
            Kind::Tried => tried(contact_id, at),
        }
    }
}

/// The first is asked; answers to the second may stand in for its answers; the third is another
/// login's.
fn questions() -> [Question; 3] {
    let larger = Question {
        limit: 200,
        ..some_question()
    };
    let stranger = Question {
        login: "basic anna".into(),
        ..some_question()
    };
    [some_question(), larger, stranger]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Exported),
        1 => Just(Kind::Missing),
        2 => Just(Kind::Failed),
        1 => Just(Kind::Forbidden),
        1 => Just(Kind::Tried),
    ]
}

/// Events of runs that follow one another, while the clock jumps as it likes.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0_usize..3, 1_i64..12, 0_i64..2_000, kind(), any::<bool>());
    vec(event, 0..40).prop_map(|all| {
        let mut run = 1;
        let event = |(question, contact_id, at, kind, is_next_run)| {
            run += i64::from(is_next_run);
            Event {
                run,
                question,
                contact_id,
                at,
                kind,
            }
        };
        all.into_iter().map(event).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn plan_and_walk_keep_their_promises(
        targets in vec(1_i64..12, 0..16),
        events in events(),
        max_age in 0_u64..1_500,
        max_stale in 0_u64..1_500,
    ) {
        let mut scene = Scene::new();
        let ids = questions().map(|question| scene.store.question(&question).unwrap());
        let distinct: BTreeSet<_> = targets.iter().copied().collect();
        let counts = scene.targets(targets.iter().copied());
        let duplicates = count(targets.len() - distinct.len());
        let expected = TargetCounts { distinct: count(distinct.len()), duplicates, rejected: 0 };
        prop_assert_eq!(counts, expected);
        for event in &events {
            let run = some_run("run", event.run);
            scene.store.record(&run, ids[event.question], &[event.answer()]).unwrap();
        }
        scene.terms = Terms {
            run: events.last().map_or(1, |event| event.run),
            max_age: Duration::from_secs(max_age),
            max_stale: Duration::from_secs(max_stale),
            ..scene.terms
        };
        let of = |contact_id: i64| {
            let all: Vec<_> = events.iter().filter(|event| event.contact_id == contact_id).copied().collect();
            let last = all.last().copied();
            let answer = all.into_iter().rfind(|event| event.kind == Kind::Exported);
            (last, answer)
        };

        let plan = scene.planned();
        let planned: BTreeSet<_> = plan.iter().copied().collect();
        prop_assert_eq!(planned.len(), plan.len(), "each contact is planned once");
        for contact_id in &distinct {
            let (last, answer) = of(*contact_id);
            let is_planned = planned.contains(contact_id);
            let Some(last) = last else {
                prop_assert!(is_planned, "{contact_id} was never asked for");
                continue;
            };
            if last.question == 2 {
                // Another login's attempts say nothing; its answer took the place of an older one.
                prop_assert!(is_planned || answer.is_some_and(|answer| answer.question == 0));
                continue;
            }
            let is_mine = last.question == 0 && last.run == scene.terms.run;
            if last.kind == Kind::Exported && is_mine {
                prop_assert!(!is_planned, "{contact_id} was answered in this run: it is bought once");
            }
            let age = u64::try_from(1_000 - last.at);
            let is_young = age.is_ok_and(|age| age < max_age);
            if last.kind == Kind::Exported && last.question == 0 && is_young {
                prop_assert!(!is_planned, "{contact_id} was answered lately: it is not bought again");
            }
            if !is_planned {
                prop_assert!(last.question != 1 || last.kind != Kind::Exported, "another question");
                prop_assert!(is_mine || last.at <= 1_000, "{contact_id} is fresh from the future");
                prop_assert!(!matches!(last.kind, Kind::Failed | Kind::Forbidden | Kind::Tried));
            }
            if answer.is_none_or(|answer| answer.question != 0) && last.kind != Kind::Missing {
                prop_assert!(is_planned, "{contact_id} has no answer to this question");
            }
        }
        let turns: Vec<_> = plan.iter().map(|id| of(*id).0.map(|last| (last.run, last.at))).collect();
        prop_assert!(turns.is_sorted(), "{turns:?}");

        let walked = scene.walked();
        let seen: Vec<_> = walked.iter().map(|(target, _)| target.contact_id.unwrap().get()).collect();
        prop_assert_eq!(seen, distinct.iter().copied().collect::<Vec<_>>());
        for (target, shown) in walked {
            let (last, answer) = of(target.contact_id.unwrap().get());
            let Ending { outcome, fetched_at, .. } = target.ending;
            prop_assert_eq!(shown.is_some(), outcome.has_rows());
            // An answer that is shown is the newest one, and says when it was true.
            if let Some(shown) = shown {
                let answer = answer.unwrap();
                prop_assert_eq!(String::from_utf8(shown).unwrap(), body(answer.contact_id, answer.at));
                prop_assert_eq!(fetched_at, Some(answer.at * SECOND));
                prop_assert!(answer.question != 2, "another login's answer is shown");
            }
            match last {
                Some(last) if last.question != 2 => match last.kind {
                    Kind::Missing => prop_assert_eq!(outcome, Outcome::Missing),
                    Kind::Forbidden => prop_assert_eq!(outcome, Outcome::Failed),
                    Kind::Failed => prop_assert!(matches!(outcome, Outcome::Failed | Outcome::Stale)),
                    Kind::Exported => prop_assert_eq!(outcome, Outcome::Exported),
                    Kind::Tried => prop_assert!(matches!(outcome, Outcome::Pending | Outcome::Exported)),
                },
                Some(_) => prop_assert!(outcome != Outcome::Failed && outcome != Outcome::Missing),
                None => prop_assert_eq!(outcome, Outcome::Pending),
            }
            if outcome == Outcome::Stale {
                prop_assert!(answer.unwrap().at.abs_diff(1_000) <= max_stale);
            }
        }
    }

    #[test]
    fn pages_of_the_plan_are_the_plan(targets in vec(1_i64..100, 0..50), page in 1_u32..20) {
        let mut scene = Scene::new();
        scene.targets(targets);
        let whole = scene.planned();
        let mut pages = Vec::new();
        loop {
            let next = scene.store.planned(count(pages.len()), page).unwrap();
            if next.is_empty() {
                break;
            }
            pages.extend(next.into_iter().map(|planned| planned.contact_id.get()));
        }
        prop_assert_eq!(pages, whole);
    }
}
