//! Logins that end, addresses that move, tenants and login servers that are away.

use super::*;
use crate::extract::api::login_server::Away;
use crate::extract::api::tenant::{TenantState, Unusable};
use crate::extract::auth::Refusal;

const LIFE: Life = Life {
    lifetime: None,
    idle: None,
    is_renewable: true,
    can_be_refused: true,
};
const REFUSED: Say = Say::Status(401, None);

/// Many in flight, each login good for as long as asked for.
fn wide_trial(contacts: u32) -> Trial {
    let mut trial = trial(contacts);
    trial.settings.max_in_flight = NonZeroU32::new(64).unwrap();
    trial.log_in = |_, _| Ok(LIFE);
    trial
}

#[tokio::test(start_paused = true)]
async fn a_login_that_ends_under_many_requests_is_renewed_once() {
    let mut trial = wide_trial(5_000);
    // No contact can afford to lose an attempt.
    trial.settings.retry.max_attempts = NonZeroU32::new(1).unwrap();
    let good = |seen: Seen| seen.login == 2 || seen.at < seconds(2);
    let outcomes = trial
        .run(|seen| (ms(50), if good(seen) { Say::Summary } else { REFUSED }))
        .await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Exported)
        ),
        (End::Complete, 5_000)
    );
    assert_eq!(outcomes.fetched.progress.logins, 2);
    let refused: Vec<_> = outcomes.seen.iter().filter(|seen| !good(**seen)).collect();
    assert!(
        (2..=64).contains(&refused.len()),
        "{} refused",
        refused.len()
    );
    // Nothing was sent while the login was renewed, and one request tried it before the others.
    let last_refused = refused.iter().map(|seen| seen.at).max().unwrap();
    let later: Vec<_> = outcomes
        .times(None)
        .into_iter()
        .filter(|at| *at > last_refused)
        .take(3)
        .collect();
    assert!(
        later[0] >= last_refused + LOGIN_TAKES && later[1] >= later[0] + ms(50),
        "{last_refused:?} {later:?}"
    );
    assert_eq!(later[1], later[2]);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_never_worked_is_refused_once() {
    let outcomes = wide_trial(100).run(|_| (ms(10), REFUSED)).await;
    assert_eq!(
        outcomes.fetched.end,
        End::LoginRefused {
            status: 401,
            worked_before: false
        }
    );
    assert_eq!(
        (outcomes.seen.len(), outcomes.fetched.progress.logins),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_login_that_is_refused_at_once_ends_it() {
    let outcomes = wide_trial(50_000)
        .run(|seen| {
            (
                ms(10),
                if seen.at < seconds(1) {
                    Say::Summary
                } else {
                    REFUSED
                },
            )
        })
        .await;
    assert_eq!(
        outcomes.fetched.end,
        End::LoginRefused {
            status: 401,
            worked_before: true
        }
    );
    assert_eq!(outcomes.fetched.progress.logins, 2);
    assert_eq!(outcomes.count(Outcome::Failed), 0);
}

#[tokio::test(start_paused = true)]
async fn one_contact_that_is_always_refused_fails_alone() {
    for max_in_flight in [1, 8, 64] {
        let mut trial = wide_trial(300);
        trial.settings.max_in_flight = NonZeroU32::new(max_in_flight).unwrap();
        let outcomes = trial
            .run(|seen| {
                (
                    ms(10),
                    if seen.contact_id == 150 {
                        REFUSED
                    } else {
                        Say::Summary
                    },
                )
            })
            .await;
        assert_eq!(
            (
                outcomes.fetched.end.clone(),
                outcomes.count(Outcome::Exported)
            ),
            (End::Complete, 299),
            "{max_in_flight}"
        );
        assert_eq!(outcomes.answer(150).ending.http_status, Some(401));
        assert!(
            outcomes.fetched.progress.logins <= 8,
            "{} logins",
            outcomes.fetched.progress.logins
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_another_login_a_contact_that_alone_is_refused_fails_alone() {
    for refused_id in [1, 150, 300] {
        for max_in_flight in [1, 8] {
            for status in [200, 404] {
                let mut trial = trial(300);
                trial.settings.max_in_flight = NonZeroU32::new(max_in_flight).unwrap();
                // The one who is refused may have been had before.
                let had_before = [refused_id, 5_000].into_iter();
                trial.settings.known_good = had_before.filter_map(ContactId::new).collect();
                trial.who_am_i = if status == 200 { |_| 200 } else { |_| 404 };
                let react = |seen: Seen| {
                    let is_refused = seen.contact_id == refused_id;
                    (ms(10), if is_refused { REFUSED } else { Say::Summary })
                };
                let outcomes = trial.run(react).await;
                assert_eq!(
                    (
                        outcomes.fetched.end.clone(),
                        outcomes.count(Outcome::Exported)
                    ),
                    (End::Complete, 299),
                    "{refused_id} {max_in_flight} {status}"
                );
                let ending = &outcomes.answer(refused_id).ending;
                assert_eq!(
                    (ending.error, ending.http_status, ending.attempts),
                    (Some(Reason::Forbidden), Some(401), 2)
                );
                assert!(outcomes.asked_who.len() <= 2, "{:?}", outcomes.asked_who);
                let last = outcomes.seen.last().unwrap().contact_id;
                assert_eq!(last, refused_id, "it is asked for again at the end");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_is_no_good_where_whoever_was_had_before_is_refused() {
    // With what the API says of the login, and whether it was had in this run or in another.
    for (who_am_i, refused_from) in [(401, 1), (403, 1), (404, 1), (404, 50), (200, 50), (200, 1)] {
        let mut trial = trial(100);
        trial.settings.worked_before = true;
        trial.settings.known_good = ContactId::new(5_000).into_iter().collect();
        trial.who_am_i = match who_am_i {
            401 => |_| 401,
            403 => |_| 403,
            404 => |_| 404,
            _ => |_| 200,
        };
        let react = |seen: Seen| {
            let is_refused = seen.contact_id >= refused_from || seen.at > ms(100);
            (ms(10), if is_refused { REFUSED } else { Say::Summary })
        };
        let outcomes = trial.run(react).await;
        let End::LoginRefused { status, .. } = outcomes.fetched.end else {
            panic!("{who_am_i} {refused_from}: {:?}", outcomes.fetched.end)
        };
        assert_eq!(status, if who_am_i == 403 { 403 } else { 401 });
        assert_eq!(
            outcomes.count(Outcome::Failed),
            0,
            "{who_am_i} {refused_from}"
        );
        assert!(outcomes.seen.len() < 90, "{} requests", outcomes.seen.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_say_who_is_logged_in_is_waited_for() {
    let mut trial = trial(100);
    trial.who_am_i = |at| if at < seconds(60) { 503 } else { 200 };
    let react = |seen: Seen| {
        let is_refused = seen.contact_id == 3;
        (ms(10), if is_refused { REFUSED } else { Say::Summary })
    };
    let outcomes = trial.run(react).await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Exported)
        ),
        (End::Complete, 99)
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_with_an_end_is_renewed_before_it() {
    let mut trial = wide_trial(20_000);
    trial.settings.max_in_flight = NonZeroU32::new(4).unwrap();
    trial.log_in = |_, _| {
        Ok(Life {
            lifetime: Some(seconds(600)),
            ..LIFE
        })
    };
    let had_at = Cell::new((0, Duration::ZERO));
    let outcomes = trial
        .run(|seen| {
            if had_at.get().0 != seen.login {
                had_at.set((seen.login, seen.at));
            }
            (
                ms(200),
                if seen.at < had_at.get().1 + seconds(600) {
                    Say::Summary
                } else {
                    REFUSED
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.fetched.progress.attempts,
            outcomes.fetched.progress.retries
        ),
        (20_000, 0)
    );
    assert_eq!(outcomes.fetched.progress.logins, 2);
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_renews_a_login_that_ends_unused() {
    let mut trial = trial(100);
    trial.log_in = |_, _| {
        Ok(Life {
            idle: Some(Duration::from_mins(355)),
            ..LIFE
        })
    };
    trial.settings.patience = Duration::from_hours(24);
    let hours = |hours| Duration::from_hours(hours);
    let away = |seen: Seen| {
        if (seconds(1)..hours(7)).contains(&seen.at) {
            Say::Status(503, None)
        } else {
            Say::Summary
        }
    };
    // After six unused hours the old ticket is dead.
    let outcomes = trial
        .run(|seen| {
            (
                ms(200),
                if seen.at > hours(6) && seen.login == 1 {
                    REFUSED
                } else {
                    away(seen)
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Exported)
        ),
        (End::Complete, 100)
    );
    assert_eq!(outcomes.fetched.progress.logins, 2);
    let refused = outcomes
        .seen
        .iter()
        .filter(|seen| seen.at > hours(6) && seen.login == 1)
        .count();
    assert_eq!(refused, 0);
}

#[tokio::test(start_paused = true)]
async fn access_denied_to_all_by_an_old_login_renews_it_and_to_one_does_not() {
    let denied = Say::Status(403, None);
    let trial = wide_trial(20_000);
    let outcomes = trial
        .run(|seen| {
            (
                ms(5_000),
                if seen.login == 1 && seen.at > seconds(700) {
                    denied
                } else {
                    Say::Summary
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.logins
        ),
        (20_000, 2)
    );
    // Requests that were sent after the denied one are let in before it is denied.
    let late = |seen: Seen| {
        if seen.contact_id == 19_000 {
            (seconds(10), denied)
        } else {
            (seconds(4), Say::Summary)
        }
    };
    let outcomes = wide_trial(20_000).run(late).await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.logins
        ),
        (19_999, 1)
    );
    assert_eq!(
        (
            outcomes.attempts(19_000),
            outcomes.answer(19_000).ending.error
        ),
        (1, Some(Reason::Forbidden))
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_server_that_is_away_is_waited_for() {
    let mut trial = wide_trial(100);
    trial.settings.retry.max_attempts = NonZeroU32::new(1).unwrap();
    trial.log_in = |_, at| {
        if at < seconds(600) {
            Err(NoLogin::Away(Away::Status(503)))
        } else {
            Ok(LIFE)
        }
    };
    let outcomes = trial.run(|_| (ms(10), Say::Summary)).await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.outages
        ),
        (100, 1)
    );
    assert!(outcomes.took < seconds(800), "{:?}", outcomes.took);
    assert_eq!(outcomes.fetched.progress.retries, 0);

    let mut trial = wide_trial(100);
    trial.log_in = |_, _| Err(NoLogin::Away(Away::Status(503)));
    let outcomes = trial.run(|_| (ms(10), Say::Summary)).await;
    assert_eq!(
        (outcomes.fetched.end, outcomes.seen.len()),
        (End::Unreachable, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_waiting_does_not_mend_ends_it_at_once() {
    let mut trial = wide_trial(10_000);
    trial.log_in = |number, _| {
        if number == 1 {
            Ok(LIFE)
        } else {
            Err(NoLogin::Refused(Refusal::Revoked))
        }
    };
    let outcomes = trial
        .run(|seen| {
            (
                ms(10),
                if seen.at < ms(200) {
                    Say::Summary
                } else {
                    REFUSED
                },
            )
        })
        .await;
    assert_eq!(outcomes.fetched.end, End::NoLogin(Refusal::Revoked));

    let mut trial = wide_trial(100);
    trial.locate = |_| Err(Unusable::State(TenantState::Deleted).into());
    let outcomes = trial.run(|_| (ms(10), Say::Summary)).await;
    assert_eq!(
        (outcomes.fetched.end, outcomes.seen.len()),
        (End::Unusable(Unusable::State(TenantState::Deleted)), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_asked_for_again_when_its_state_is_old() {
    let mut trial = trial(4_000);
    trial.locate = |_| Ok(Some(seconds(100)));
    let outcomes = trial.run(|_| (seconds(1), Say::Summary)).await;
    assert_eq!(
        (
            outcomes.fetched.progress.attempts,
            outcomes.fetched.progress.retries
        ),
        (4_000, 0)
    );
    let gaps: Vec<_> = outcomes
        .located
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .collect();
    assert!(
        gaps.len() >= 4
            && gaps
                .iter()
                .all(|gap| (seconds(100)..=seconds(101)).contains(gap)),
        "{gaps:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_tenant_in_maintenance_is_waited_for() {
    let mut trial = trial(5_000);
    trial.settings.retry.max_attempts = NonZeroU32::new(2).unwrap();
    let is_away = |at: Duration| (seconds(5)..seconds(605)).contains(&at);
    trial.locate = |at| {
        if (seconds(5)..seconds(605)).contains(&at) {
            Err(NotLocated::NotNow(TenantState::OfflineMaintenance))
        } else {
            Ok(Some(seconds(600)))
        }
    };
    let outcomes = trial
        .run(|seen| {
            (
                ms(10),
                if is_away(seen.at) {
                    Say::Status(503, None)
                } else {
                    Say::Summary
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.outages
        ),
        (5_000, 1)
    );
    // The state endpoint knows; no contact is asked for in vain.
    let in_vain = outcomes
        .times(None)
        .into_iter()
        .filter(|at| is_away(*at) && *at > seconds(6))
        .count();
    assert_eq!(in_vain, 0);
    let asked = outcomes.located.iter().filter(|at| is_away(**at)).count();
    assert!((10..60).contains(&asked), "asked {asked} times");
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_moves_costs_no_attempt() {
    for max_in_flight in [1, 64] {
        let mut trial = trial(5_000);
        trial.settings.max_in_flight = NonZeroU32::new(max_in_flight).unwrap();
        trial.settings.retry.max_attempts = NonZeroU32::new(1).unwrap();
        // It moves in the middle; whoever asks for it after that goes to the new place.
        let react = |seen: Seen| {
            let is_there = seen.at < ms(300) || seen.located > 1;
            (
                ms(10),
                if is_there {
                    Say::Summary
                } else {
                    Say::Status(421, None)
                },
            )
        };
        let outcomes = trial.run(react).await;
        assert_eq!(
            (
                outcomes.count(Outcome::Exported),
                outcomes.fetched.progress.outages
            ),
            (5_000, 0),
            "{max_in_flight}"
        );
        assert_eq!(outcomes.located.len(), 2, "{:?}", outcomes.located);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_nowhere_is_an_outage() {
    let mut trial = trial(5_000);
    trial.settings.patience = seconds(900);
    let outcomes = trial
        .run(|seen| {
            (
                ms(10),
                if seen.at < seconds(2) {
                    Say::Summary
                } else {
                    Say::Status(421, None)
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.fetched.progress.failed
        ),
        (End::Unreachable, 0)
    );
    assert!(
        outcomes.located.len() < 200,
        "asked {} times",
        outcomes.located.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_is_always_elsewhere_fails_in_the_end() {
    let mut trial = trial(5_000);
    trial.settings.retry.max_attempts = NonZeroU32::new(3).unwrap();
    let outcomes = trial
        .run(|seen| {
            (
                ms(10),
                if seen.contact_id == 1 {
                    Say::Status(421, None)
                } else {
                    Say::Summary
                },
            )
        })
        .await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.failed
        ),
        (4_999, 1)
    );
    // The first time may be news of a tenant that has moved.
    let sent = outcomes
        .seen
        .iter()
        .filter(|seen| seen.contact_id == 1)
        .count();
    assert!((3..=4).contains(&sent), "{sent} requests");
}
