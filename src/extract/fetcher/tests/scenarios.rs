//! Servers with limits of their own, met by the whole fetcher: what the pace comes to.

use super::*;

/// Requests that went out in these seconds.
fn sent(outcomes: &Outcomes, from: u64, to: u64) -> usize {
    outcomes
        .times(None)
        .iter()
        .filter(|at| (seconds(from)..seconds(to)).contains(*at))
        .count()
}

fn wide_trial() -> Trial {
    let mut trial = trial(1_000_000);
    trial.settings.max_in_flight = NonZeroU32::new(64).unwrap();
    trial
}

#[tokio::test(start_paused = true)]
async fn eight_slots_refuse_at_most_three_percent_once_settled() {
    let mut trial = wide_trial();
    trial.settings.max_duration = Some(seconds(120));
    let refused = Cell::new(0);
    let react = |seen: Seen| {
        if seen.working < 8 {
            return (ms(50 + seen.contact_id.unsigned_abs() % 7), Say::Summary);
        }
        refused.set(refused.get() + usize::from(seen.at >= seconds(20)));
        (ms(2), Say::Status(429, None))
    };
    let outcomes = trial.run(react).await;
    let settled = sent(&outcomes, 20, 120);
    assert!(
        refused.get() * 100 <= settled * 3,
        "{} of {settled} refused",
        refused.get()
    );
    assert!(settled >= 100 * 120, "{settled} in 100 s");
    assert_eq!(
        (
            outcomes.fetched.progress.outages,
            outcomes.fetched.progress.failed
        ),
        (0, 0)
    );
}

/// A server that takes so many requests per second, a second's worth of them at once, and refuses
/// the rest.
struct Bucket {
    per_second: f64,
    tokens: Cell<f64>,
    filled_at: Cell<Duration>,
}

impl Bucket {
    fn new(per_second: f64) -> Self {
        Self {
            per_second,
            tokens: Cell::new(per_second),
            filled_at: Cell::new(Duration::ZERO),
        }
    }

    fn takes(&self, now: Duration) -> bool {
        let passed = now
            .saturating_sub(self.filled_at.replace(now))
            .as_secs_f64();
        let tokens = (self.tokens.get() + passed * self.per_second).min(self.per_second);
        let takes = tokens >= 1.0;
        self.tokens.set(if takes { tokens - 1.0 } else { tokens });
        takes
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_counts_requests_refuses_at_most_three_percent_once_settled() {
    for (per_second, retry_after) in [(20.0, None), (200.0, None), (20.0, Some(seconds(1)))] {
        let mut trial = wide_trial();
        trial.settings.max_duration = Some(seconds(120));
        let bucket = Bucket::new(per_second);
        let refused = RefCell::new(Vec::new());
        let react = |seen: Seen| {
            if bucket.takes(seen.at) {
                return (ms(5), Say::Summary);
            }
            refused.borrow_mut().push(seen.at);
            (ms(2), Say::Status(429, retry_after))
        };
        let outcomes = trial.run(react).await;
        let at_first = refused
            .borrow()
            .iter()
            .filter(|at| **at < seconds(20))
            .count();
        let later = refused.borrow().len() - at_first;
        let settled = sent(&outcomes, 20, 120);
        assert!(at_first < 150, "{per_second}: {at_first} refused at first");
        assert!(
            later * 100 <= settled * 3,
            "{per_second}: {later} of {settled} refused"
        );
        assert!(
            f64::from(u32::try_from(settled - later).unwrap()) >= 80.0 * per_second,
            "{per_second}: {settled} in 100 s"
        );
        assert_eq!(
            (
                outcomes.fetched.progress.outages,
                outcomes.fetched.progress.failed
            ),
            (0, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_that_have_nothing_to_do_with_the_rate_do_not_slow_it_down() {
    let mut trial = wide_trial();
    trial.settings.max_duration = Some(seconds(60));
    let react = |seen: Seen| {
        let is_refused = seen.contact_id % 800 == 0 && seen.attempt == 1;
        (
            ms(20),
            if is_refused {
                Say::Status(429, None)
            } else {
                Say::Summary
            },
        )
    };
    let outcomes = trial.run(react).await;
    assert!(
        sent(&outcomes, 40, 60) >= 20 * 500,
        "{} in 20 s",
        sent(&outcomes, 40, 60)
    );
    assert_eq!(outcomes.fetched.progress.failed, 0);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_of_a_minute_the_rate_is_back_within_half_a_minute() {
    for (seed, fault) in
        (0..8).flat_map(|seed| [(seed, Say::Reset), (seed, Say::Status(503, None))])
    {
        let mut trial = wide_trial();
        trial.seed = seed;
        trial.settings.max_in_flight = NonZeroU32::new(16).unwrap();
        trial.settings.max_duration = Some(seconds(110));
        let react = |seen: Seen| {
            if (seconds(10)..seconds(70)).contains(&seen.at) {
                (ms(2), fault)
            } else {
                (ms(200), Say::Summary)
            }
        };
        let outcomes = trial.run(react).await;
        let (before, after) = (sent(&outcomes, 5, 10), sent(&outcomes, 100, 105));
        assert!(
            after * 100 >= before * 95,
            "seed {seed}, {fault:?}: {before} before and {after} after"
        );
        assert_eq!(outcomes.fetched.progress.failed, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn bursts_of_refusals_are_sat_out() {
    let mut trial = wide_trial();
    trial.settings.max_duration = Some(seconds(200));
    // The first second of every twenty is refused.
    let is_burst = |at: Duration| at.as_secs() % 20 == 19;
    let react = |seen: Seen| {
        if is_burst(seen.at) {
            (ms(2), Say::Status(429, Some(seconds(2))))
        } else {
            (ms(100), Say::Summary)
        }
    };
    let outcomes = trial.run(react).await;
    let in_bursts = outcomes
        .times(None)
        .into_iter()
        .filter(|at| is_burst(*at))
        .count();
    assert!(in_bursts <= 10 * 64, "{in_bursts} requests into the bursts");
    assert_eq!(
        (
            outcomes.fetched.progress.outages,
            outcomes.fetched.progress.failed
        ),
        (0, 0)
    );
    assert!(
        outcomes.fetched.progress.done >= 60_000,
        "{}",
        outcomes.fetched.progress.done
    );
}
