//! How many requests may be in flight: additive increase while replies come at their usual speed
//! and the limit is in use, multiplicative decrease on push-back and clear slow-down, judged at
//! most once per round trip. How many a second is the limiter's and the throttle's matter. Pure:
//! time is an argument.

pub mod limiter;
mod throttle;

use std::num::NonZeroU32;
use std::time::Duration;

use crate::extract::fetcher::pace::throttle::Throttle;
use crate::extract::fetcher::verdict::Health;

/// Where the limit starts: low, since nothing is known of the server yet.
const START: f64 = 4.0;
/// What push-back leaves of the limit.
const AFTER_PUSH_BACK: f64 = 0.85;
/// What slow-down leaves of the limit.
const AFTER_SLOW_DOWN: f64 = 0.9;
/// From this share of the limit at which the server pushed back last, growth is careful: so much
/// per round trip.
const NEAR: f64 = 0.9;
const CAREFUL_STEP: f64 = 0.05;
/// A round slower than this many times the usual one, and by more than [`SLOWER_BY`], is a clear
/// slow-down.
const SLOWER_TIMES: f64 = 3.0;
const SLOWER_BY: f64 = 0.1;
/// How fast the usual latency follows a server that has become slower, per round.
const FOLLOW: f64 = 1.05;

/// The limit of requests in flight.
#[derive(Debug)]
pub struct Pace {
    max: f64,
    limit: f64,
    /// The limit at which the server pushed back last.
    ceiling: f64,
    /// Until the first decrease, or until the ceiling is near, every reply raises the limit: it
    /// doubles each round trip.
    is_starting: bool,
    decreased_at: Option<Duration>,
    paused_until: Duration,
    throttle: Throttle,
    slow_downs: u64,
    round: Round,
    usual: Option<f64>,
}

#[derive(Debug, Default)]
struct Round {
    replies: f64,
    seconds: f64,
}

impl Pace {
    /// A pace up to this many in flight.
    pub fn new(max_in_flight: NonZeroU32) -> Self {
        let max = f64::from(max_in_flight.get());
        Self {
            max,
            limit: START.min(max),
            ceiling: f64::INFINITY,
            is_starting: true,
            decreased_at: None,
            paused_until: Duration::ZERO,
            throttle: Throttle::default(),
            slow_downs: 0,
            round: Round::default(),
            usual: None,
        }
    }

    /// How many may be in flight now; at least one.
    pub fn limit(&self) -> usize {
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the limit is from 1 to u32::MAX; its fraction is what is cut off"
        )]
        let whole = self.limit as usize;
        whole
    }

    /// Until when nothing may be sent since the server asked for a pause, where that is ahead.
    pub fn paused_until(&self, now: Duration) -> Option<Duration> {
        (self.paused_until > now).then_some(self.paused_until)
    }

    /// When the next request may be sent, where that is ahead.
    pub fn closed_until(&self, now: Duration) -> Option<Duration> {
        self.paused_until(now).max(self.throttle.closed_until(now))
    }

    /// Notes that a request was sent.
    pub fn sent(&mut self, now: Duration) {
        self.throttle.sent(now);
    }

    /// Stops all sending until this time.
    pub fn pause_until(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    /// How often answers slowed down so clearly that the limit was lowered.
    pub fn slow_downs(&self) -> u64 {
        self.slow_downs
    }

    /// Starts low again, after the server was away.
    pub fn restart(&mut self) {
        self.limit = START.min(self.max);
        self.is_starting = true;
        self.round = Round::default();
    }

    /// Notes a reply to a request that was sent at `sent`, when so many were in flight.
    pub fn replied(&mut self, now: Duration, sent: Duration, in_flight: usize, health: Health) {
        match health {
            Health::TooMany => {
                self.throttle.refused(now, sent);
                self.push_back(now, sent);
            }
            Health::PushBack => self.push_back(now, sent),
            Health::Sick | Health::Away => {}
            Health::Well => {
                self.throttle.served(now);
                let slow = self.end_round(now.saturating_sub(sent).as_secs_f64());
                if slow {
                    self.slow_downs += u64::from(self.decrease(now, sent, AFTER_SLOW_DOWN));
                } else if in_flight >= self.limit() {
                    self.grow();
                }
            }
        }
    }

    fn grow(&mut self) {
        if self.limit > self.ceiling {
            // The server takes more than it did when it pushed back.
            self.ceiling = f64::INFINITY;
        }
        let is_near = self.limit + 1.0 >= self.ceiling * NEAR;
        self.is_starting &= !is_near;
        let per_round_trip = if is_near { CAREFUL_STEP } else { 1.0 };
        let step = if self.is_starting {
            1.0
        } else {
            per_round_trip / self.limit
        };
        self.limit = (self.limit + step).min(self.max);
    }

    fn push_back(&mut self, now: Duration, sent: Duration) {
        let limit = self.limit;
        if self.decrease(now, sent, AFTER_PUSH_BACK) {
            self.ceiling = limit;
        }
    }

    /// Lowers the limit, unless the request was sent before the last decrease: then it tells
    /// nothing new.
    fn decrease(&mut self, now: Duration, sent: Duration, factor: f64) -> bool {
        if self.decreased_at.is_some_and(|at| sent < at) {
            return false;
        }
        self.decreased_at = Some(now);
        self.is_starting = false;
        self.limit = (self.limit * factor).max(1.0);
        self.round = Round::default();
        true
    }

    /// Adds a latency to the round; at its end, tells whether it was clearly slower than usual.
    fn end_round(&mut self, seconds: f64) -> bool {
        self.round.replies += 1.0;
        self.round.seconds += seconds;
        if self.round.replies < self.limit.max(START) {
            return false;
        }
        let latency = self.round.seconds / self.round.replies;
        self.round = Round::default();
        let usual = self.usual.unwrap_or(latency);
        self.usual = Some(latency.min(usual * FOLLOW));
        latency > usual * SLOWER_TIMES && latency > usual + SLOWER_BY
    }
}

#[cfg(test)]
mod scenarios;
