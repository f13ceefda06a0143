//! How often and when a contact is asked for.

use super::*;
use crate::extract::fetcher::pace::limiter::Rate;

#[tokio::test(start_paused = true)]
async fn each_contact_is_asked_for_once_where_nothing_fails() {
    let outcomes = trial(1_000).run(|_| (ms(20), Say::Summary)).await;
    assert_eq!(outcomes.fetched.end, End::Complete);
    assert_eq!(
        (outcomes.seen.len(), outcomes.count(Outcome::Exported)),
        (1_000, 1_000)
    );
    // From four in flight to eight within two round trips; then a thousand take 125 of them.
    assert!(outcomes.took < seconds(3), "{:?}", outcomes.took);
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept() {
    let mut trial = trial(200);
    trial.settings.rate = Rate::per_second(10.0);
    let times = trial.run(|_| (ms(300), Say::Summary)).await.times(None);
    for pair in times.windows(11) {
        let [first, .., last] = pair else {
            unreachable!()
        };
        assert!(
            *last >= *first + ms(990),
            "eleven requests from {first:?} to {last:?}"
        );
    }
    assert!(*times.last().unwrap() < ms(20_100), "the rate is used");
}

#[tokio::test(start_paused = true)]
async fn fates_and_attempts() {
    use Outcome::{Exported, Failed, Missing};
    use Reason::{Connection, Forbidden, HttpStatus, NotJson, Timeout, WrongStructure};
    use Say::{Empty, Hang, NoPage, Nothing, Other, Page, Refuse, Reset, Summary};

    let status = |status| Say::Status(status, None);
    // What contact 5 meets, its last answer for ever; the others are well.
    let cases = [
        (&[Summary][..], Exported, None, Some(200), 1),
        (&[Nothing], Missing, None, Some(200), 1),
        (&[status(204)], Missing, None, Some(204), 1),
        (&[status(404)], Missing, None, Some(404), 1),
        (&[Empty], Missing, None, Some(200), 3),
        (&[Empty, Summary], Exported, None, Some(200), 2),
        // Empty, but not so that it stays: neither is the contact gone.
        (
            &[Empty, Empty, status(500), Empty, Summary],
            Exported,
            None,
            Some(200),
            5,
        ),
        (
            &[
                status(500),
                status(500),
                status(500),
                Empty,
                status(500),
                Empty,
            ],
            Failed,
            Some(NotJson),
            Some(200),
            6,
        ),
        (&[status(400)], Failed, Some(HttpStatus), Some(400), 1),
        (&[status(403)], Failed, Some(Forbidden), Some(403), 1),
        (
            &[status(500), status(500), Summary],
            Exported,
            None,
            Some(200),
            3,
        ),
        (&[status(500)], Failed, Some(HttpStatus), Some(500), 6),
        (&[status(503)], Failed, Some(HttpStatus), Some(503), 6),
        (&[status(429)], Failed, Some(HttpStatus), Some(429), 6),
        (&[Refuse, Refuse, Summary], Exported, None, Some(200), 3),
        (&[Page], Failed, Some(NotJson), Some(200), 6),
        (&[Reset], Failed, Some(Connection), None, 6),
        (&[Hang, Reset, Hang], Failed, Some(Timeout), None, 6),
        (&[NoPage], Failed, Some(HttpStatus), Some(404), 6),
        (&[NoPage, Summary], Exported, None, Some(200), 2),
        (&[Other], Failed, Some(WrongStructure), Some(200), 1),
    ];
    for (script, outcome, error, http_status, attempts) in cases {
        let react = |seen: Seen| {
            let nth = usize::try_from(seen.attempt).unwrap() - 1;
            (
                ms(10),
                if seen.contact_id == 5 {
                    script[nth.min(script.len() - 1)]
                } else {
                    Summary
                },
            )
        };
        let outcomes = trial(20).run(react).await;
        let ending = &outcomes.answer(5).ending;
        assert_eq!(
            (
                ending.outcome,
                ending.error,
                ending.http_status,
                ending.attempts
            ),
            (outcome, error, http_status, attempts),
            "{script:?}"
        );
        assert_eq!(outcomes.attempts(5), attempts, "{script:?}");
        assert_eq!(outcomes.fetched.end, End::Complete);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_contact_may_fail_like_any_other() {
    let says = [Say::Status(429, None), Say::Status(503, None), Say::Reset];
    for (say, attempts) in says
        .into_iter()
        .flat_map(|say| [1, 3, 6].map(|attempts| (say, attempts)))
    {
        let react = |seen: Seen| {
            (
                ms(10),
                if seen.contact_id == 20 {
                    say
                } else {
                    Say::Summary
                },
            )
        };
        let mut trial = trial(20);
        trial.settings.retry.max_attempts = NonZeroU32::new(attempts).unwrap();
        let outcomes = trial.run(react).await;
        assert_eq!(
            (
                outcomes.fetched.end.clone(),
                outcomes.count(Outcome::Failed)
            ),
            (End::Complete, 1)
        );
        assert_eq!(
            (outcomes.attempts(20), outcomes.fetched.progress.outages),
            (attempts, 0),
            "{say:?}"
        );
        let others = outcomes.seen.len() - usize::try_from(attempts).unwrap();
        assert!(
            (19..=20).contains(&others),
            "{say:?}: at most one that is known to be good is asked for again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_met_a_closed_connection_is_sent_again_at_once_at_no_cost() {
    // A server that serves one request on each connection.
    let react = |seen: Seen| {
        let say = if seen.is_on_new_connection {
            Say::Summary
        } else {
            Say::Drop
        };
        (ms(10), say)
    };
    let mut trial = trial(2_000);
    trial.settings.retry.max_attempts = NonZeroU32::MIN;
    let outcomes = trial.run(react).await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.outages,
            outcomes.fetched.progress.attempts
        ),
        (2_000, 0, 4_000)
    );
    assert!(outcomes.took < seconds(6), "{:?}", outcomes.took);
    assert!(
        outcomes
            .answers
            .iter()
            .all(|answer| answer.ending.attempts == 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_waits_holds_no_slot() {
    let mut trial = trial(100);
    trial.settings.max_in_flight = NonZeroU32::MIN;
    let react = |seen: Seen| match (seen.contact_id, seen.attempt) {
        (1, 1) => (ms(10), Say::Status(503, Some(seconds(3_600)))),
        _ => (ms(10), Say::Summary),
    };
    let outcomes = trial.run(react).await;
    let others = outcomes
        .seen
        .iter()
        .filter(|seen| seen.contact_id != 1)
        .map(|seen| seen.at)
        .max()
        .unwrap();
    assert!(
        others < seconds(2),
        "the last of the others went out at {others:?}"
    );
    assert!(outcomes.times(Some(1))[1] >= seconds(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_429_pauses_all_and_a_503_its_contact() {
    for (status, pauses_all) in [(429, true), (503, false)] {
        let react = move |seen: Seen| match (seen.contact_id, seen.attempt) {
            (50, 1) => (ms(10), Say::Status(status, Some(seconds(100)))),
            _ => (ms(10), Say::Summary),
        };
        let outcomes = trial(400).run(react).await;
        let refused_at = outcomes.times(Some(50))[0] + ms(10);
        let inside = outcomes
            .times(None)
            .iter()
            .filter(|at| **at > refused_at && **at < refused_at + seconds(100))
            .count();
        assert_eq!(inside == 0, pauses_all, "{status}: {inside} requests");
        assert!(outcomes.times(Some(50))[1] >= refused_at + seconds(100));
        assert_eq!(outcomes.count(Outcome::Exported), 400);
        assert_eq!(outcomes.fetched.progress.outages, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn no_server_is_waited_for_longer_than_patience() {
    for status in [429, 503] {
        let mut trial = trial(20);
        trial.settings.patience = seconds(60);
        let react = move |seen: Seen| match (seen.contact_id, seen.attempt) {
            (5, 1) => (ms(10), Say::Status(status, Some(seconds(1_000_000)))),
            _ => (ms(10), Say::Summary),
        };
        let outcomes = trial.run(react).await;
        assert_eq!(outcomes.fetched.end, End::Complete);
        assert!(
            outcomes.took >= seconds(60) && outcomes.took < seconds(62),
            "{status}: {:?}",
            outcomes.took
        );
        assert!(
            outcomes.rounds < 100,
            "{status}: {} rounds",
            outcomes.rounds
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_retry_budget_holds_retries_back_and_loses_nobody() {
    // Every other request of a contact fails, so that there are as many retries as contacts.
    let react = |seen: Seen| {
        (
            ms(10),
            if seen.attempt % 2 == 1 && seen.contact_id % 4 != 0 {
                Say::Status(500, None)
            } else {
                Say::Summary
            },
        )
    };
    let mut trial = trial(4_000);
    trial.settings.max_in_flight = NonZeroU32::new(64).unwrap();
    let outcomes = trial.run(react).await;
    assert_eq!(outcomes.count(Outcome::Exported), 4_000);
    // 3,000 retries, less the burst and a fifth of the calls, at ten a second.
    assert!(
        outcomes.took >= seconds(150) && outcomes.took < seconds(190),
        "{:?}",
        outcomes.took
    );
    assert_eq!(outcomes.fetched.progress.outages, 0);
}
