//! A server that is away for a while, or for good.

use super::*;

/// Away between these seconds, well before and after.
fn away(from: u64, to: u64, fault: Say) -> impl Fn(Seen) -> (Duration, Say) {
    move |seen| {
        (
            ms(10),
            if (seconds(from)..seconds(to)).contains(&seen.at) {
                fault
            } else {
                Say::Summary
            },
        )
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_stops_sends_uses_up_no_attempts_and_ends() {
    for fault in [
        Say::Reset,
        Say::Hang,
        Say::Page,
        Say::Status(502, None),
        Say::Status(503, None),
        Say::Status(429, None),
    ] {
        let mut trial = trial(100_000);
        trial.settings.max_calls = Some(20_000);
        trial.settings.retry.max_attempts = NonZeroU32::new(2).unwrap();
        let outcomes = trial.run(away(5, 3_605, fault)).await;
        let progress = outcomes.fetched.progress;
        assert_eq!((progress.failed, progress.outages), (0, 1), "{fault:?}");
        let during = outcomes
            .times(None)
            .into_iter()
            .filter(|at| (seconds(7)..seconds(3_605)).contains(at))
            .collect::<Vec<_>>();
        assert!(
            (60..120).contains(&during.len()),
            "{fault:?}: {} requests",
            during.len()
        );
        assert!(
            during.windows(2).all(|pair| pair[1] >= pair[0] + ms(750)),
            "{fault:?}: two probes at once"
        );
        // One per answer, one per second, and one per request that waits for its turn after many
        // were refused.
        let steps = usize::try_from(progress.attempts).unwrap() + 3_700 + 2_000;
        assert!(
            outcomes.rounds < steps,
            "{fault:?}: {} rounds",
            outcomes.rounds
        );
    }
}

/// With one request in flight and a server that is slow to fail, the retries of the first contacts
/// come before the first attempts of the others.
#[tokio::test(start_paused = true)]
async fn nobody_uses_up_attempts_before_an_outage_is_seen() {
    for fault in [Say::Status(503, None), Say::Status(500, None), Say::Page] {
        let mut trial = trial(30);
        trial.settings.max_in_flight = NonZeroU32::MIN;
        trial.settings.worked_before = true;
        trial.settings.known_good = ContactId::new(5_000).into_iter().collect();
        let react = |seen: Seen| {
            let is_away = seen.at < seconds(600);
            let say = if is_away { fault } else { Say::Summary };
            (seconds(4), say)
        };
        let outcomes = trial.run(react).await;
        assert_eq!(
            (
                outcomes.count(Outcome::Exported),
                outcomes.fetched.progress.outages
            ),
            (30, 1),
            "{fault:?}"
        );
    }
}

/// A contact that always fails, alone on its night, and one that was had before but is gone, or
/// fails too, by now: the others that were had before tell that the server is there.
#[tokio::test(start_paused = true)]
async fn a_contact_that_was_had_before_and_is_gone_ends_no_night() {
    for gone in [
        Say::Status(400, None),
        Say::Status(404, None),
        Say::Status(500, None),
        Say::Hang,
    ] {
        let mut trial = trial(1);
        trial.settings.worked_before = true;
        trial.settings.known_good = [7, 8].into_iter().filter_map(ContactId::new).collect();
        let react = |seen: Seen| {
            let say = match seen.contact_id {
                1 => Say::Status(500, None),
                7 => gone,
                _ => Say::Summary,
            };
            (ms(10), say)
        };
        let outcomes = trial.run(react).await;
        assert_eq!(
            (
                outcomes.fetched.end.clone(),
                outcomes.count(Outcome::Failed)
            ),
            (End::Complete, 1),
            "{gone:?}"
        );
        // Once it is known to be gone, it is asked for no more.
        assert_eq!(outcomes.times(Some(7)).len(), 1, "{gone:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_503_is_not_asked_again_before_its_time_even_in_an_outage() {
    let react = |seen: Seen| {
        (
            ms(10),
            if seen.at < seconds(1) {
                Say::Status(503, Some(seconds(600)))
            } else {
                Say::Summary
            },
        )
    };
    let outcomes = trial(30).run(react).await;
    assert_eq!(outcomes.count(Outcome::Exported), 30);
    for contact_id in 1..=30 {
        let times = outcomes.times(Some(contact_id));
        assert!(times[0] >= seconds(1) || times[1] >= times[0] + seconds(600));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_not_sent_before_the_time_that_the_server_asked_for() {
    let outcomes = trial(10_000)
        .run(away(2, 902, Say::Status(503, Some(seconds(120)))))
        .await;
    assert_eq!(outcomes.count(Outcome::Exported), 10_000);
    let during = outcomes
        .times(None)
        .into_iter()
        .filter(|at| (seconds(3)..seconds(902)).contains(at))
        .count();
    assert!((5..=8).contains(&during), "{during} requests");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_never_answers_is_noticed_after_one_time_out() {
    for max_in_flight in [1, 4, 8] {
        let mut trial = trial(100);
        trial.settings.max_in_flight = NonZeroU32::new(max_in_flight).unwrap();
        trial.settings.retry.max_attempts = NonZeroU32::new(2).unwrap();
        let react = |seen: Seen| {
            let is_hanging = (seconds(1)..seconds(1_000)).contains(&seen.at);
            if is_hanging {
                (seconds(30), Say::Hang)
            } else {
                (ms(200), Say::Summary)
            }
        };
        let outcomes = trial.run(react).await;
        assert_eq!(
            (
                outcomes.count(Outcome::Exported),
                outcomes.fetched.progress.outages
            ),
            (100, 1),
            "{max_in_flight}"
        );
        let alone = outcomes
            .times(None)
            .into_iter()
            .filter(|at| *at > seconds(32))
            .take(5)
            .collect::<Vec<_>>();
        assert!(
            alone.windows(2).all(|pair| pair[1] > pair[0] + seconds(30)),
            "{max_in_flight}: {alone:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn probes_go_out_on_connections_of_their_own() {
    let outcomes = trial(1_000).run(away(1, 100, Say::Reset)).await;
    for seen in &outcomes.seen {
        let is_probe = (seconds(2)..seconds(100)).contains(&seen.at);
        assert!(seen.is_on_new_connection || !is_probe, "{seen:?}");
        assert!(!seen.is_on_new_connection || seen.at > seconds(1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_plan_is_known_as_soon_as_its_last_page_is_begun() {
    // The three contacts of the last page are in flight when the server goes away, and they cannot
    // afford to fail again before that is seen.
    let mut trial = trial(103);
    trial.settings.retry.max_attempts = NonZeroU32::new(2).unwrap();
    trial.settings.max_in_flight = NonZeroU32::new(3).unwrap();
    let react = |seen: Seen| {
        let is_away = (seen.contact_id > 100 || seen.attempt > 1) && seen.at < seconds(300);
        let say = if is_away {
            Say::Status(502, None)
        } else {
            Say::Summary
        };
        (ms(100), say)
    };
    let outcomes = trial.run(react).await;
    assert_eq!(
        (
            outcomes.count(Outcome::Exported),
            outcomes.fetched.progress.outages
        ),
        (103, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_contacts_wait_out_an_outage_like_all() {
    // Away when three are left, for longer than attempts last; they are 18 to 20, each in flight
    // for long.
    for fault in [
        Say::Refuse,
        Say::Reset,
        Say::Hang,
        Say::Status(502, None),
        Say::Status(503, None),
        Say::Status(429, None),
    ] {
        let react = move |seen: Seen| match (seen.contact_id, seen.at) {
            (18.., at) if at < seconds(300) => (ms(10), fault),
            (_, at) if (seconds(2)..seconds(300)).contains(&at) => (ms(10), fault),
            _ => (ms(10), Say::Summary),
        };
        let outcomes = trial(20).run(react).await;
        assert_eq!(
            (
                outcomes.count(Outcome::Exported),
                outcomes.fetched.progress.outages
            ),
            (20, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_and_goes_for_ever_is_no_endless_outage() {
    // Contact 3 is never served, and whoever is asked in its place to find out why is served every
    // other time.
    for fault in [Say::Refuse, Say::Status(503, None), Say::Status(429, None)] {
        let react = move |seen: Seen| {
            (
                ms(10),
                if seen.contact_id == 3 || seen.attempt.is_multiple_of(2) {
                    fault
                } else {
                    Say::Summary
                },
            )
        };
        let outcomes = trial(3).run(react).await;
        assert_eq!(
            (
                outcomes.fetched.end.clone(),
                outcomes.count(Outcome::Failed)
            ),
            (End::Complete, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_is_waited_for_however_few_ask() {
    for contacts in [1, 3, 100] {
        let react = |seen: Seen| {
            (
                ms(10),
                if seen.at < seconds(600) {
                    Say::Refuse
                } else {
                    Say::Summary
                },
            )
        };
        let outcomes = trial(contacts).run(react).await;
        assert_eq!(
            outcomes.count(Outcome::Exported),
            usize::try_from(contacts).unwrap()
        );
        let mut impatient = trial(contacts);
        impatient.settings.patience = seconds(300);
        let outcomes = impatient.run(react).await;
        assert_eq!(
            (
                outcomes.fetched.end.clone(),
                outcomes.count(Outcome::Pending)
            ),
            (End::Unreachable, outcomes.answers.len())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn after_patience_it_is_unreachable() {
    let throttle = Say::Status(429, Some(seconds(30)));
    for (fault, max_in_flight) in [
        (Say::Reset, 8),
        (Say::Status(503, None), 8),
        (throttle, 8),
        (throttle, 1),
    ] {
        let mut trial = trial(10_000);
        trial.settings.max_in_flight = NonZeroU32::new(max_in_flight).unwrap();
        trial.settings.patience = seconds(900);
        let outcomes = trial.run(away(2, 1_000_000, fault)).await;
        assert_eq!(outcomes.fetched.end, End::Unreachable, "{fault:?}");
        assert_eq!(outcomes.fetched.progress.failed, 0, "{fault:?}");
        // A throttle with pauses takes some of them to show that it is none that passes.
        assert!(
            outcomes.took >= seconds(901) && outcomes.took < seconds(1_300),
            "{fault:?}: {:?}",
            outcomes.took
        );
        let probes = outcomes
            .times(None)
            .into_iter()
            .filter(|at| *at > seconds(4))
            .count();
        assert!((15..40).contains(&probes), "{fault:?}: {probes} probes");
    }
}

#[tokio::test(start_paused = true)]
async fn contacts_that_fail_by_their_own_fault_are_no_endless_outage() {
    // At the end of the plan, where only they are left; and at its start, where nothing is known to
    // be good.
    for (from, to) in [(961, 1_000), (1, 40), (1, 1_000)] {
        let is_bad = move |id: i64| (from..=to).contains(&id) && id != 500;
        let react = move |seen: Seen| {
            (
                ms(10),
                if is_bad(seen.contact_id) {
                    Say::Status(500, None)
                } else {
                    Say::Summary
                },
            )
        };
        let mut trial = trial(1_000);
        if to - from > 900 {
            // Even among hundreds in a row the one good contact is found in the end.
            trial.settings.patience = seconds(100_000);
        }
        let outcomes = trial.run(react).await;
        assert_eq!(outcomes.fetched.end, End::Complete, "{from} to {to}");
        assert!(
            from != 961 || outcomes.fetched.progress.outages == 0,
            "a suspicion is no outage"
        );
        assert_eq!(
            outcomes.count(Outcome::Failed),
            (1..=1_000).filter(|id| is_bad(*id)).count()
        );
        assert!(outcomes.answers.iter().all(|answer| {
            answer
                .ending
                .error
                .is_none_or(|error| error == Reason::HttpStatus)
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_web_page_during_an_outage_does_not_stop_the_probes() {
    // Nothing but 503 at first, then the page of a starting server, then all is well.
    let react = |seen: Seen| {
        let say = match seen.at.as_secs() {
            0..10 => Say::Status(503, None),
            10..40 => Say::Page,
            _ => Say::Summary,
        };
        (ms(10), say)
    };
    let outcomes = trial(100).run(react).await;
    assert_eq!(
        (
            outcomes.fetched.end.clone(),
            outcomes.count(Outcome::Exported)
        ),
        (End::Complete, 100)
    );
    assert!(outcomes.took < seconds(60), "{:?}", outcomes.took);
}
