//! How fetching ends.

use super::*;
use crate::extract::api::login_server::Away;
use crate::extract::fetcher::hopeless::Hopeless;

#[tokio::test(start_paused = true)]
async fn an_empty_plan_is_complete() {
    let outcomes = trial(0).run(|_| (ms(10), Say::Summary)).await;
    assert_eq!(
        (outcomes.fetched.end, outcomes.seen.len()),
        (End::Complete, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn max_calls_ends_it_and_keeps_what_is_in_flight() {
    for max in [0, 1, 123] {
        let mut trial = trial(1_000);
        trial.settings.max_calls = Some(max);
        let outcomes = trial.run(|_| (ms(10), Say::Summary)).await;
        assert_eq!(outcomes.fetched.end, End::Budget);
        assert_eq!(
            (
                outcomes.fetched.progress.attempts,
                outcomes.fetched.progress.done
            ),
            (max, max)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn max_duration_ends_it_and_keeps_what_is_in_flight() {
    let mut trial = trial(10_000);
    trial.settings.max_duration = Some(seconds(10));
    // Not even a pause holds the end up.
    let react = |seen: Seen| {
        (
            ms(2_500),
            if seen.contact_id == 20 {
                Say::Status(429, Some(seconds(999)))
            } else {
                Say::Summary
            },
        )
    };
    let outcomes = trial.run(react).await;
    assert_eq!(outcomes.fetched.end, End::Budget);
    assert_eq!(outcomes.answers.len(), outcomes.seen.len());
    let refused = &outcomes.answer(20).ending;
    assert_eq!(
        (refused.outcome, refused.http_status, refused.attempts),
        (Outcome::Pending, Some(429), 1)
    );
    assert!(
        outcomes.took >= seconds(10) && outcomes.took < seconds(13),
        "{:?}",
        outcomes.took
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_in_what_answers_within_five_seconds() {
    for (latency, answered) in [(ms(4_000), true), (seconds(60), false)] {
        let mut trial = trial(10_000);
        trial.stop_after = Some(ms(100));
        let outcomes = trial.run(|_| (latency, Say::Summary)).await;
        assert_eq!(outcomes.fetched.end, End::Interrupted);
        assert_eq!(outcomes.seen.len(), 4);
        let expected = if answered {
            Outcome::Exported
        } else {
            Outcome::Pending
        };
        assert_eq!(outcomes.count(expected), 4);
        assert!(outcomes.took <= ms(5_101), "{:?}", outcomes.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_shortens_the_wait_for_the_last_answers() {
    let mut trial = trial(10);
    trial.settings.max_calls = Some(4);
    trial.stop_after = Some(seconds(2));
    let outcomes = trial.run(|_| (seconds(60), Say::Summary)).await;
    assert_eq!(outcomes.fetched.end, End::Budget);
    assert!(outcomes.took <= ms(7_001), "{:?}", outcomes.took);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_heard_during_a_pause_and_an_outage() {
    for say in [Say::Status(429, Some(seconds(3_600))), Say::Reset] {
        let mut trial = trial(100);
        trial.stop_after = Some(seconds(300));
        let outcomes = trial.run(|_| (ms(10), say)).await;
        assert_eq!(outcomes.fetched.end, End::Interrupted);
        assert!(outcomes.took <= ms(300_010), "{:?}", outcomes.took);
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_where_answers_are_no_longer_taken() {
    for say in [Say::Summary, Say::Reset] {
        let mut trial = trial(100_000);
        trial.deaf_after = Some(seconds(5));
        let outcomes = trial.run(|_| (ms(10), say)).await;
        assert_eq!(outcomes.fetched.end, End::NotStored);
        assert!(outcomes.took <= seconds(7), "{:?}", outcomes.took);
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_equal_refusals_are_hopeless() {
    let cases = [
        (Say::Status(400, None), 400, Reason::HttpStatus),
        (Say::Status(403, None), 403, Reason::Forbidden),
        (Say::Status(302, None), 302, Reason::Redirect),
        (Say::Page, 200, Reason::NotJson),
        (Say::NoPage, 404, Reason::HttpStatus),
    ];
    for (say, status, reason) in cases {
        let outcomes = trial(1_000).run(|_| (ms(10), say)).await;
        assert_eq!(
            outcomes.fetched.end,
            End::Hopeless(Hopeless { status, reason })
        );
        assert!(
            (50..60).contains(&outcomes.seen.len()),
            "{} requests",
            outcomes.seen.len()
        );
    }
    let outcomes = trial(1_000)
        .run(|seen| {
            (
                ms(10),
                if seen.contact_id == 30 {
                    Say::Summary
                } else {
                    Say::Status(400, None)
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Failed)
        ),
        (End::Complete, 999)
    );
}

#[tokio::test(start_paused = true)]
async fn contacts_that_failed_before_do_not_make_it_hopeless() {
    let refuse = |_| (ms(10), Say::Status(400, None));
    let mut known = trial(200);
    known.failed_before = 1..201;
    let outcomes = known.run(refuse).await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Failed)
        ),
        (End::Complete, 200)
    );
    let mut mixed = trial(1_000);
    mixed.failed_before = 1..101;
    let outcomes = mixed.run(refuse).await;
    assert_eq!(
        outcomes.fetched.end,
        End::Hopeless(Hopeless {
            status: 400,
            reason: Reason::HttpStatus
        })
    );
    assert!(
        (150..160).contains(&outcomes.seen.len()),
        "{} requests",
        outcomes.seen.len()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_to_all_is_not_hopeless_where_the_api_worked_before() {
    let mut trial = trial(1_000);
    trial.settings.worked_before = true;
    let outcomes = trial.run(|_| (ms(10), Say::Status(403, None))).await;
    assert_eq!(outcomes.fetched.end, End::Unreachable);
    assert_eq!(outcomes.fetched.cause, "forbidden, status 403");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_never_accepted_ends_it_and_later_it_is_an_outage() {
    let outcomes = trial(100).run(|_| (ms(10), Say::Distrust)).await;
    assert_eq!(
        (outcomes.fetched.end.clone(), outcomes.seen.len()),
        (End::Untrusted, 4)
    );
    let mut trial_of_host = trial(100);
    trial_of_host.locate = |_| Err(NotLocated::Away(Away::Untrusted));
    let outcomes = trial_of_host.run(|_| (ms(10), Say::Summary)).await;
    assert_eq!(outcomes.fetched.end, End::Untrusted);
    let later = |seen: Seen| {
        let is_replaced = (ms(50)..seconds(60)).contains(&seen.at);
        (
            ms(10),
            if is_replaced {
                Say::Distrust
            } else {
                Say::Summary
            },
        )
    };
    let outcomes = trial(100).run(later).await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.outages
        ),
        (End::Complete, 100, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_ends_a_run_is_on_record() {
    let cases = [
        (Say::Distrust, None),
        (Say::Status(401, None), Some(401)),
        (Say::Status(400, None), Some(400)),
        (Say::Reset, None),
    ];
    for (say, status) in cases {
        let mut trial = trial(60);
        trial.settings.patience = seconds(60);
        let outcomes = trial.run(|_| (ms(10), say)).await;
        assert_ne!(outcomes.fetched.end, End::Complete, "{say:?}");
        let pending = outcomes
            .answers
            .iter()
            .filter(|answer| answer.ending.outcome == Outcome::Pending)
            .collect::<Vec<_>>();
        assert!(!pending.is_empty(), "{say:?}");
        assert!(
            pending
                .iter()
                .any(|answer| answer.ending.http_status == status),
            "{say:?}"
        );
        assert!(
            pending
                .iter()
                .all(|answer| answer.ending.fetched_at.is_some())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_refused_ends_it() {
    let outcomes = trial(100).run(|_| (ms(10), Say::Status(401, None))).await;
    assert_eq!(
        outcomes.fetched.end,
        End::LoginRefused {
            status: 401,
            worked_before: false
        }
    );
    let later = |seen: Seen| {
        (
            ms(10),
            if seen.contact_id < 50 {
                Say::Summary
            } else {
                Say::Status(401, None)
            },
        )
    };
    let outcomes = trial(100).run(later).await;
    assert_eq!(
        outcomes.fetched.end,
        End::LoginRefused {
            status: 401,
            worked_before: true
        }
    );
    assert_eq!(outcomes.count(Outcome::Exported), 49);
}
