//! Exponential backoff with full jitter: how often a contact is tried again, and after which delay
//! (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Pure; waiting and
//! dice are left to the fetcher. How often and how soon is the job's to say; see `fetch` in the
//! README for the defaults.

use std::num::NonZeroU32;
use std::time::Duration;

/// No backoff is longer than this; a server may ask for more by `Retry-After`. Set by hand, to the
/// longest wait between the probes of an outage: a contact is not kept waiting longer than a
/// server that is away.
const MAX_DELAY: Duration = Duration::from_mins(1);

/// How often and how soon a contact is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most attempts per contact.
    pub max_attempts: NonZeroU32,
    /// Longest delay before the second attempt; it doubles from there.
    pub first_delay: Duration,
}

/// The attempts at a contact so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Requests sent.
    pub sent: u32,
    /// Those that count against the contact.
    pub counted: u32,
}

impl RetryPolicy {
    /// How long to wait before the next attempt, after so many; none where those that count are
    /// used up.
    ///
    /// It is a `roll` from 0 to 1 of the longest delay, but never less than the server asked for.
    /// Attempts that do not count against the contact lengthen it all the same.
    pub fn delay(
        &self,
        attempts: Attempts,
        asked: Option<Duration>,
        roll: f64,
    ) -> Option<Duration> {
        if attempts.counted >= self.max_attempts.get() {
            return None;
        }
        let doublings = attempts.sent.saturating_sub(1).min(31);
        let longest = self
            .first_delay
            .saturating_mul(1 << doublings)
            .min(MAX_DELAY);
        Some(
            longest
                .mul_f64(roll.clamp(0.0, 1.0))
                .max(asked.unwrap_or_default()),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(max_attempts: u32) -> RetryPolicy {
        RetryPolicy {
            max_attempts: NonZeroU32::new(max_attempts).unwrap(),
            first_delay: Duration::from_millis(500),
        }
    }

    fn attempts(sent: u32, counted: u32) -> Attempts {
        Attempts { sent, counted }
    }

    #[test]
    fn backoff_doubles_up_to_its_bound_and_ends() {
        let cases = [
            (1, Some(500)),
            (2, Some(1_000)),
            (3, Some(2_000)),
            (8, Some(60_000)),
            (9, Some(60_000)),
            (10, None),
            (11, None),
        ];
        for (number, milliseconds) in cases {
            assert_eq!(
                policy(10).delay(attempts(number, number), None, 1.0),
                milliseconds.map(Duration::from_millis),
                "after {number}"
            );
        }
        assert_eq!(
            policy(10).delay(attempts(3, 0), None, 0.25),
            Some(Duration::from_millis(500))
        );
        assert_eq!(policy(1).delay(attempts(1, 1), None, 0.5), None);
    }

    #[test]
    fn a_server_that_asks_for_longer_gets_it() {
        let asked = Some(Duration::from_secs(90));
        assert_eq!(policy(6).delay(attempts(1, 1), asked, 0.0), asked);
        assert_eq!(policy(6).delay(attempts(6, 6), asked, 0.0), None);
    }

    proptest! {
        #[test]
        fn delays_never_overflow_nor_pass_their_bound(
            sent: u32,
            first: u64,
            roll: f64,
            max in 1_u32..,
        ) {
            let policy = RetryPolicy {
                max_attempts: NonZeroU32::new(max).unwrap(),
                first_delay: Duration::from_millis(first),
            };
            if let Some(delay) = policy.delay(attempts(sent, 0), None, roll) {
                prop_assert!(delay <= MAX_DELAY);
            }
        }
    }
}
