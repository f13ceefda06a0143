//! One and the same refusal to everybody: of a server that is away in its own way, or of contacts
//! that are gone.

use super::*;
use crate::extract::fetcher::refusals::LAST_LOOKS;

/// Every kind of refusal that a server may give to everybody.
const REFUSALS: [Say; 12] = [
    Say::Status(302, None),
    Say::Status(400, None),
    Say::Status(403, None),
    Say::Status(404, None),
    Say::Status(405, None),
    Say::Status(410, None),
    Say::Status(204, None),
    Say::NoPage,
    Say::Page,
    Say::Empty,
    Say::Nothing,
    Say::Other,
];

/// Contacts from one to the other are refused in this way, for ever.
fn block(from: i64, to: i64, refusal: Say) -> impl Fn(Seen) -> (Duration, Say) {
    move |seen| {
        let is_refused = (from..=to).contains(&seen.contact_id);
        (ms(10), if is_refused { refusal } else { Say::Summary })
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_everybody_for_a_while_is_waited_for() {
    for refusal in REFUSALS {
        for max_attempts in [1, 6] {
            let mut trial = trial(500);
            trial.settings.retry.max_attempts = NonZeroU32::new(max_attempts).unwrap();
            // Those that were asked for before it began are slower than its refusals.
            let react = |seen: Seen| {
                if (seconds(1)..seconds(300)).contains(&seen.at) {
                    (ms(2), refusal)
                } else {
                    (
                        ms(50 + 7 * seen.contact_id.unsigned_abs() % 90),
                        Say::Summary,
                    )
                }
            };
            let outcomes = trial.run(react).await;
            assert_eq!(
                (
                    outcomes.count(Outcome::Exported),
                    outcomes.fetched.progress.outages
                ),
                (500, 1),
                "{refusal:?} {max_attempts}"
            );
            let during = outcomes
                .times(None)
                .into_iter()
                .filter(|at| (seconds(2)..seconds(300)).contains(at))
                .count();
            assert!((10..30).contains(&during), "{refusal:?}: {during} requests");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_api_refuses_to_all_tonight_and_did_not_last_time_is_waited_for() {
    for refusal in REFUSALS {
        for known_good in [None, Some(7), Some(5_000)] {
            for contacts in [10, 100] {
                let mut trial = trial(contacts);
                trial.settings.worked_before = true;
                trial.settings.known_good =
                    known_good.and_then(ContactId::new).into_iter().collect();
                let react = |seen: Seen| {
                    let is_away = seen.at < seconds(300);
                    (ms(10), if is_away { refusal } else { Say::Summary })
                };
                let outcomes = trial.run(react).await;
                assert_eq!(
                    outcomes.count(Outcome::Exported),
                    usize::try_from(contacts).unwrap(),
                    "{refusal:?} {known_good:?}"
                );
            }
            let mut trial = trial(100);
            trial.settings.worked_before = true;
            trial.settings.known_good = known_good.and_then(ContactId::new).into_iter().collect();
            let outcomes = trial.run(block(1, 5_000, refusal)).await;
            assert_eq!(
                (
                    outcomes.fetched.end.clone(),
                    outcomes.fetched.progress.served,
                    outcomes.count(Outcome::Pending)
                ),
                (End::Unreachable, 0, outcomes.answers.len()),
                "{refusal:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_block_of_deleted_contacts_is_no_outage() {
    for refusal in [Say::Status(404, None), Say::Nothing, Say::Status(403, None)] {
        for deleted in [9_u32, 10, 50, 150, 3_200] {
            let mut trial = trial(deleted + 200);
            // Whoever is in flight when ten are refused is asked for once more, too.
            trial.settings.max_in_flight = NonZeroU32::MIN;
            let outcomes = trial
                .run(block(101, i64::from(deleted) + 100, refusal))
                .await;
            let progress = outcomes.fetched.progress;
            assert_eq!(
                (
                    outcomes.fetched.end.clone(),
                    outcomes.count(Outcome::Exported),
                    progress.outages
                ),
                (End::Complete, 200, 0),
                "{refusal:?} {deleted}"
            );
            // A probe when ten are refused, a hundred more, and each thousand more; and the first
            // of the block are asked for once more.
            let probes = match deleted {
                0..10 => 0,
                10..110 => 1,
                110..1_110 => 2,
                _ => 2 + (deleted - 110) / 1_000,
            };
            let looks = match deleted {
                0..10 => 0,
                10..110 => 10,
                110..1_110 => 110,
                _ => u32::try_from(LAST_LOOKS).unwrap(),
            };
            assert_eq!(
                progress.attempts,
                u64::from(deleted + 200 + probes + looks),
                "{refusal:?} {deleted}"
            );
            let asked = (101..=i64::from(deleted) + 100)
                .filter(|id| outcomes.attempts(*id) > 2)
                .count();
            assert_eq!(asked, 0, "{refusal:?} {deleted}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_refused_by_one_machine_of_two_is_asked_for_once_more() {
    // The probe, on a connection of its own, meets the other machine.
    let react = |seen: Seen| {
        let is_ill = (seconds(1)..ms(1_100)).contains(&seen.at) && !seen.is_on_new_connection;
        let say = if is_ill { Say::Nothing } else { Say::Summary };
        (ms(10), say)
    };
    let outcomes = trial(2_000).run(react).await;
    assert_eq!(outcomes.count(Outcome::Exported), 2_000);
    assert!(outcomes.fetched.progress.retries > 10);
}

#[tokio::test(start_paused = true)]
async fn a_known_contact_that_is_gone_holds_up_nobody() {
    let mut trial = trial(1_000);
    trial.settings.worked_before = true;
    trial.settings.known_good = ContactId::new(5_000).into_iter().collect();
    let react = |seen: Seen| {
        let is_gone = seen.contact_id <= 40 || seen.contact_id == 5_000;
        (ms(10), if is_gone { Say::Nothing } else { Say::Summary })
    };
    let outcomes = trial.run(react).await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Missing)
        ),
        (End::Complete, 40)
    );
    assert!(
        outcomes.took < Duration::from_mins(45),
        "{:?}",
        outcomes.took
    );
}

#[tokio::test(start_paused = true)]
async fn few_refusals_between_answers_stand_at_once() {
    let react = |seen: Seen| {
        let is_gone = seen.contact_id % 10 != 0;
        (ms(10), if is_gone { Say::Nothing } else { Say::Summary })
    };
    let mut trial = trial(5_000);
    trial.settings.max_in_flight = NonZeroU32::MIN;
    let outcomes = trial.run(react).await;
    assert_eq!(
        (
            outcomes.fetched.progress.attempts,
            outcomes.count(Outcome::Missing)
        ),
        (5_000, 4_500)
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_in_doubt_leaves_its_refusals_open() {
    let react = |seen: Seen| {
        let is_away = seen.at >= seconds(1);
        (ms(10), if is_away { Say::Nothing } else { Say::Summary })
    };
    let mut trial = trial(10_000);
    trial.stop_after = Some(seconds(60));
    let outcomes = trial.run(react).await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Missing)
        ),
        (End::Interrupted, 0)
    );
    assert!(outcomes.count(Outcome::Pending) >= 10);
}
