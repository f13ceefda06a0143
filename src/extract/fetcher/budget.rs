//! A retry budget for the whole run, kept as a token bucket: retries are a share of the calls, so
//! that they never multiply the load on a sick server (a retry storm). A retry that finds the
//! budget empty waits; no contact is given up for it. Pure: time is an argument.

use std::time::Duration;

/// Retries that may come at once, before the share counts: the size of the bucket. Set by hand; the
/// AWS SDKs begin with as many tokens, though a retry costs five of them there.
const BURST: f64 = 500.0;
/// Retries earned by each first attempt: the default of Finagle's `RetryBudget`.
const SHARE: f64 = 0.2;
/// Retries earned by each second that passes, so that the last contacts of a run do not wait for
/// ever: the default of Finagle's `RetryBudget`, too.
const PER_SECOND: f64 = 10.0;

/// A token bucket: first attempts and time fill it, retries draw on it.
#[derive(Debug)]
pub(super) struct RetryBudget {
    tokens: f64,
    filled_at: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            tokens: BURST,
            filled_at: Duration::ZERO,
        }
    }
}

impl RetryBudget {
    /// Notes a first attempt.
    pub(super) fn earn(&mut self) {
        self.tokens = (self.tokens + SHARE).min(BURST);
    }

    /// Draws a retry; where there is none to draw, the error tells from when on there is.
    pub(super) fn draw(&mut self, now: Duration) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * PER_SECOND).min(BURST);
        self.filled_at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(now
            + Duration::from_secs_f64((1.0 - self.tokens) / PER_SECOND)
            // Rounding must not wake the fetcher a moment too early, for nothing.
            + Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_burst_then_a_share_of_the_calls() {
        let mut budget = RetryBudget::default();
        let drawn = |budget: &mut RetryBudget| {
            (0..10_000)
                .take_while(|_| budget.draw(Duration::ZERO).is_ok())
                .count()
        };
        assert_eq!(drawn(&mut budget), 500);
        (0..100).for_each(|_| budget.earn());
        assert!((19..=20).contains(&drawn(&mut budget)));
    }

    #[test]
    fn an_empty_budget_tells_when_to_come_back() {
        let mut budget = RetryBudget::default();
        while budget.draw(Duration::ZERO).is_ok() {}
        let at = budget.draw(Duration::ZERO).unwrap_err();
        assert!(at > Duration::ZERO && at < Duration::from_secs(1));
        assert_eq!(budget.draw(at), Ok(()));
    }
}
