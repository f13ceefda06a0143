//! Any mixture of faults: no contact is lost, doubled or altered.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::extract::fetcher::pace::limiter::Rate;

fn any_say() -> impl Strategy<Value = Say> {
    let retry_after = prop_oneof![
        Just(None),
        (0_u64..40).prop_map(|after| Some(seconds(after)))
    ];
    let status = prop::sample::select(vec![
        204, 302, 400, 403, 404, 408, 410, 418, 421, 429, 500, 501, 502, 503, 504,
    ]);
    prop_oneof![
        8 => Just(Say::Summary),
        1 => Just(Say::Nothing),
        1 => Just(Say::Empty),
        1 => Just(Say::Page),
        1 => Just(Say::Refuse),
        1 => Just(Say::Reset),
        1 => Just(Say::Hang),
        4 => (status, retry_after).prop_map(|(status, after)| Say::Status(status, after)),
    ]
}

/// How a contact ends that meets these answers; none where the order in which the fetcher asks
/// decides.
fn plain_ending(says: &[Say]) -> Option<Outcome> {
    match says.first()? {
        Say::Summary => Some(Outcome::Exported),
        Say::Nothing | Say::Status(204 | 404 | 410, _) => Some(Outcome::Missing),
        Say::Status(302 | 400 | 403 | 418 | 501, _) => Some(Outcome::Failed),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_contact_gets_exactly_one_final_answer(
        scripts in vec(vec((0_u64..3_000, any_say()), 1..6), 0..120),
        max_in_flight in 1_u32..40,
        max_attempts in 1_u32..5,
        per_second in prop_oneof![Just(None), (1.0..200.0).prop_map(Some)],
        max_calls in prop_oneof![3 => Just(None), 1 => (0_u64..100).prop_map(Some)],
        stop_after in prop_oneof![
            3 => Just(None),
            1 => (0_u64..60_000).prop_map(|after| Some(ms(after))),
        ],
        seed: u64,
    ) {
        let mut trial = trial(u32::try_from(scripts.len()).unwrap());
        trial.seed = seed;
        trial.stop_after = stop_after;
        trial.settings.max_in_flight = NonZeroU32::new(max_in_flight).unwrap();
        trial.settings.retry.max_attempts = NonZeroU32::new(max_attempts).unwrap();
        trial.settings.rate = per_second.and_then(Rate::per_second);
        trial.settings.max_calls = max_calls;
        let script = |contact_id: i64| {
            scripts.get(usize::try_from(contact_id - 1).unwrap()).unwrap()
        };
        let react = |seen: Seen| {
            let says = script(seen.contact_id);
            let (after, say) = says[usize::try_from(seen.attempt - 1).unwrap() % says.len()];
            (ms(after), say)
        };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let outcomes = runtime.block_on(trial.run(react));
        let end = &outcomes.fetched.end;

        let is_cut_short = max_calls.is_some() || stop_after.is_some();
        // A server that serves nobody and asks for less, again and again, is away.
        let is_throttled = *end == End::Unreachable && outcomes.count(Outcome::Exported) == 0;
        prop_assert!(*end == End::Complete || is_cut_short || is_throttled, "{end:?}");
        prop_assert!(max_calls.is_none_or(|max| outcomes.fetched.progress.attempts <= max));
        for answer in &outcomes.answers {
            let script = script(answer.contact_id.get());
            let says: Vec<_> = script.iter().map(|(_, say)| *say).collect();
            let outcome = answer.ending.outcome;
            let is_plain = plain_ending(&says).is_none_or(|ending| ending == outcome);
            // Whoever was in flight at the end has no answer, and what was refused while an outage
            // was suspected is asked for again.
            let is_again = says.first() != Some(&Say::Summary) && answer.ending.attempts > 1;
            prop_assert!(
                is_plain || is_again || outcome == Outcome::Pending,
                "{answer:?} of {says:?}"
            );
        }
        // A round for each request, each answer and each second: it never spins.
        let most = 2 * outcomes.seen.len() + usize::try_from(outcomes.took.as_secs()).unwrap() + 50;
        prop_assert!(
            outcomes.rounds <= most,
            "{} rounds, {} requests in {:?}",
            outcomes.rounds,
            outcomes.seen.len(),
            outcomes.took
        );
    }
}
