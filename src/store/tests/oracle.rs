//! The plan and the walk, computed again in plain Rust from the list of everything that was
//! recorded.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Something recorded: question, contact, time, how it ended (0 exported, 1 missing, 2 failed, 3
/// pending).
type Event = (i64, i64, i64, u8);

fn answered((_, contact_id, at, kind): Event) -> Answer<Vec<u8>> {
    match kind {
        0 => exported(contact_id, at),
        1 => missing(contact_id, at),
        3 => tried(contact_id, at),
        _ => failed(contact_id, at),
    }
}

/// The last answer to this question, unless one to another question has replaced it.
fn last_answer(contact_id: i64, events: &[Event]) -> Option<Event> {
    let last = events
        .iter()
        .rev()
        .find(|event| event.1 == contact_id && event.3 < 2);
    last.copied().filter(|event| event.0 == KEY)
}

/// The attempt at this question that brought nothing, and that nothing has followed.
fn last_failure(contact_id: i64, events: &[Event]) -> Option<Event> {
    let last = events.iter().rev().find(|event| event.1 == contact_id);
    last.copied().filter(|event| event.0 == KEY && event.3 >= 2)
}

fn expected_plan(targets: &BTreeSet<i64>, events: &[Event], fresh_since: i64) -> Vec<i64> {
    let mut plan = Vec::new();
    for contact_id in targets {
        let (answer, failure) = (
            last_answer(*contact_id, events),
            last_failure(*contact_id, events),
        );
        let is_fresh = failure.is_none() && answer.is_some_and(|(_, _, at, _)| at >= fresh_since);
        if !is_fresh {
            let last_attempt = answer
                .into_iter()
                .chain(failure)
                .map(|(_, _, at, _)| at)
                .max();
            plan.push((last_attempt, *contact_id));
        }
    }
    // `None`, which is never, comes before every time.
    plan.sort_unstable();
    plan.into_iter().map(|(_, contact_id)| contact_id).collect()
}

fn expected_outcome(
    contact_id: i64,
    events: &[Event],
    failed_since: i64,
) -> (Outcome, Option<i64>) {
    let (answer, failure) = (
        last_answer(contact_id, events),
        last_failure(contact_id, events),
    );
    match (answer, failure) {
        (None, None) => (Outcome::Pending, None),
        (None, Some((_, _, at, 3))) => (Outcome::Pending, Some(at)),
        (None, Some((_, _, at, _))) => (Outcome::Failed, Some(at)),
        (_, Some((_, _, at, 2))) if at >= failed_since => (Outcome::Failed, Some(at)),
        (Some((_, _, at, kind)), _) => (
            if kind == 0 {
                Outcome::Exported
            } else {
                Outcome::Missing
            },
            Some(at),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn plan_and_walk_agree_with_the_oracle(
        targets in vec(1_i64..12, 0..16),
        events in vec((KEY..KEY + 2, 1_i64..12, 0_u8..4), 0..40),
        since in 0_i64..45,
    ) {
        // Time goes on from one event to the next.
        let events: Vec<Event> = events.into_iter().zip(1..).map(|((key, contact_id, kind), at)| (key, contact_id, at, kind)).collect();
        let mut scene = Scene::new();
        let counts = scene.targets(targets.iter().copied());
        let distinct: BTreeSet<_> = targets.iter().copied().collect();
        prop_assert_eq!(counts, TargetCounts { distinct: count(distinct.len()), duplicates: count(targets.len() - distinct.len()), rejected: 0 });
        for event in &events {
            scene.record(event.0, &[answered(*event)]);
        }
        prop_assert_eq!(scene.planned(since), expected_plan(&distinct, &events, since));
        let walked: Vec<_> = scene.walked(since).into_iter().map(|(target, body)| {
            let Ending { outcome, fetched_at, .. } = target.ending;
            assert_eq!(body.is_some(), outcome == Outcome::Exported);
            (target.contact_id.unwrap().get(), (outcome, fetched_at))
        }).collect();
        let expected: Vec<_> = distinct.iter().map(|contact_id| (*contact_id, expected_outcome(*contact_id, &events, since))).collect();
        prop_assert_eq!(walked, expected);
    }

    #[test]
    fn pages_of_the_plan_are_the_plan(targets in vec(1_i64..100, 0..50), page in 1_u32..20) {
        let mut scene = Scene::new();
        scene.targets(targets);
        let whole = scene.planned(0);
        let mut pages = Vec::new();
        loop {
            let next = scene.store.planned(KEY, count(pages.len()), page).unwrap();
            if next.is_empty() {
                break;
            }
            pages.extend(next.into_iter().map(|planned| planned.contact_id.get()));
        }
        prop_assert_eq!(pages, whole);
    }
}
