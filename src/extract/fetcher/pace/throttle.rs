//! Adaptive client-side rate limiting (throttling): the rate that a server which answers 429 has
//! shown to bear. There is none before refusals come close together. Each lowers it by a
//! multiplicative decrease below what was served of late; answers raise it again, slowly at first
//! and ever faster, until it no longer matters. Pure: time is an argument.
//!
//! The scenarios named below are those of `fetcher/tests/scenarios.rs`.

use std::time::Duration;

use crate::extract::fetcher::pace::limiter::{Limiter, Rate};

/// A refusal says something where the one before it lies at most so many answers back. A lone one
/// may have any reason: `refusals_that_have_nothing_to_do_with_the_rate_do_not_slow_it_down`
/// refuses one in 800 requests. A server that refuses one in 50 is still within the 3 % that
/// `a_server_that_counts_requests_refuses_at_most_three_percent_once_settled` allows.
const NEAR: u32 = 50;
/// What a refusal leaves of the rate that was served: the same as push-back leaves of the limit in
/// flight. The AWS SDKs' adaptive mode leaves 0.7.
const AFTER_REFUSAL: f64 = 0.85;
/// A refusal takes at most this much of the rate, since one that comes in a burst says little:
/// TCP's halving. `bursts_of_refusals_are_sat_out` is what it is for.
const MOST_TAKEN: f64 = 0.5;
/// Requests per second that are always sent: the floor of the AWS SDKs' adaptive mode.
const LEAST: f64 = 0.5;
/// Growth per second just after a refusal, and how many seconds it takes to double. Set by hand:
/// slow enough for the 3 % of
/// `a_server_that_counts_requests_refuses_at_most_three_percent_once_settled`, and fast enough that
/// a rate of a seventh is forgotten within 40 seconds (the test below).
const GROWTH: f64 = 0.01;
const DOUBLES_IN: f64 = 4.0;
/// Seconds without answers count for at most so many, since silence is no sign of health: one, as
/// what was served is counted by the second.
const LONGEST_STEP: f64 = 1.0;
/// Requests per second beyond which a rate holds nothing back: more than this machine can send.
const UNLIMITED: f64 = 100_000.0;

/// Keeps requests to the rate that the server bears.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    served: Served,
    /// Answers since the last refusal, where there was one.
    since_refusal: Option<u32>,
    limit: Option<Limit>,
}

#[derive(Debug)]
struct Limit {
    limiter: Limiter,
    per_second: f64,
    refused_at: Duration,
    grown_at: Duration,
    /// Seconds with answers since the refusal.
    age: f64,
}

impl Throttle {
    /// When the next request may be sent, where that is ahead.
    pub(super) fn closed_until(&self, now: Duration) -> Option<Duration> {
        self.limit.as_ref()?.limiter.closed_until(now)
    }

    /// Notes that a request was sent.
    pub(super) fn sent(&mut self, now: Duration) {
        if let Some(limit) = &mut self.limit {
            limit.limiter.sent(now);
        }
    }

    /// Notes an answer as it should be.
    pub(super) fn served(&mut self, now: Duration) {
        self.served.note(now);
        self.since_refusal = self.since_refusal.map(|answers| answers.saturating_add(1));
        if let Some(limit) = &mut self.limit {
            limit.grow(now);
            if limit.per_second > UNLIMITED {
                self.limit = None;
            }
        }
    }

    /// Notes that a request, sent at `sent`, was one too many. Those sent before the last such news
    /// tell nothing new.
    pub(super) fn refused(&mut self, now: Duration, sent: Duration) {
        if self
            .since_refusal
            .replace(0)
            .is_none_or(|answers| answers > NEAR)
        {
            return;
        }
        let served = self.served.per_second(now);
        let borne = match &self.limit {
            Some(limit) if sent < limit.refused_at => return,
            Some(limit) => served.clamp(limit.per_second * MOST_TAKEN, limit.per_second),
            None => served,
        };
        let per_second = (borne * AFTER_REFUSAL).max(LEAST);
        self.limit = Rate::per_second(per_second).map(|rate| {
            let mut limiter = Limiter::new(rate);
            // The one that was refused takes its turn.
            limiter.sent(now);
            Limit {
                limiter,
                per_second,
                refused_at: now,
                grown_at: now,
                age: 0.0,
            }
        });
    }
}

impl Limit {
    fn grow(&mut self, now: Duration) {
        let passed = now
            .saturating_sub(self.grown_at)
            .as_secs_f64()
            .min(LONGEST_STEP);
        self.grown_at = now;
        self.age += passed;
        let growth = GROWTH * (self.age / DOUBLES_IN).exp2();
        self.per_second = (self.per_second * (growth * passed).exp()).min(2.0 * UNLIMITED);
        if let Some(rate) = Rate::per_second(self.per_second) {
            self.limiter.change(rate);
        }
    }
}

/// Answers in this second and in the one before.
#[derive(Debug, Default)]
struct Served {
    second: u64,
    now: f64,
    before: f64,
}

impl Served {
    fn note(&mut self, now: Duration) {
        self.turn(now);
        self.now += 1.0;
    }

    fn per_second(&mut self, now: Duration) -> f64 {
        self.turn(now);
        let passed = f64::from(now.subsec_millis()) / 1_000.0;
        if self.second == 0 {
            // The first moments say little: one answer after a millisecond is not a thousand a second.
            self.now / passed.max(0.1)
        } else {
            (self.before + self.now) / (1.0 + passed)
        }
    }

    fn turn(&mut self, now: Duration) {
        let second = now.as_secs();
        if second != self.second {
            self.before = if second == self.second + 1 {
                self.now
            } else {
                0.0
            };
            self.now = 0.0;
            self.second = second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as fast as the throttle lets it for a second; every request is served at once. Gives
    /// how many there were.
    fn one_second(throttle: &mut Throttle, from: u64) -> u32 {
        let mut sent = 0;
        for millisecond in 0..1_000 {
            let now = Duration::from_secs(from) + Duration::from_millis(millisecond);
            if throttle.closed_until(now).is_none() {
                throttle.sent(now);
                throttle.served(now);
                sent += 1;
            }
        }
        sent
    }

    #[test]
    fn refusals_lower_the_rate_and_answers_raise_it_again() {
        let mut throttle = Throttle::default();
        assert_eq!(one_second(&mut throttle, 0), 1_000, "nothing holds back");
        let now = Duration::from_secs(1);
        throttle.refused(now, now);
        assert_eq!(
            throttle.closed_until(now),
            None,
            "a lone refusal says nothing"
        );
        (0..12).for_each(|_| throttle.refused(now, now));
        let sent: Vec<_> = (2..42)
            .map(|second| one_second(&mut throttle, second))
            .collect();
        // Each refusal takes its part of what was served: 0.85 to the power of twelve leaves 142 of
        // 1,000.
        assert!(
            (140..150).contains(&sent[0]) && sent[4] < sent[0] + 20,
            "slowly at first: {sent:?}"
        );
        assert!(
            sent[16] > 2 * sent[0] && sent[16] < 1_000,
            "then faster: {sent:?}"
        );
        assert!(
            sent[39] == 1_000,
            "and in the end nothing holds back: {sent:?}"
        );
    }
}
