//! How fast, and how many at once: adaptive concurrency by AIMD (additive increase, multiplicative
//! decrease), as TCP does it for its congestion window, together with every limit on the rate. The
//! limit in flight grows while replies come at their usual speed and it is in use, from a slow
//! start; it falls on push-back and on a clear slow-down, judged at most once per round trip.
//!
//! Whoever asks "may I send?" asks here, and gets one answer: `limit` for how many at once, and
//! `closed_until` for when, out of the job's own rate, the rate that the server has shown to bear
//! (`throttle.rs`), and the pause that it asked for. Pure: time is an argument.
//!
//! Scenarios that are named without a file are those of `scenarios.rs` beside this one.

pub mod limiter;
mod throttle;

use std::num::NonZeroU32;
use std::time::Duration;

use crate::extract::fetcher::pace::limiter::{Limiter, Rate};
use crate::extract::fetcher::pace::throttle::Throttle;
use crate::extract::fetcher::verdict::Health;

/// Where the limit starts: low, since nothing is known of the server yet. It is half of what a job
/// for SuperOffice Online allows by default, and set by hand.
const START: f64 = 4.0;
/// What push-back leaves of the limit. TCP leaves 0.5 and CUBIC 0.7; this one is gentler and is
/// held to it by scenario "8 slots and 64 allowed", which refuses at most 3 % of the calls and
/// still uses the slots.
const AFTER_PUSH_BACK: f64 = 0.85;
/// What slow-down leaves of the limit: less of a sign than push-back, so it takes less. It is the
/// usual back-off ratio of Netflix's `concurrency-limits`.
const AFTER_SLOW_DOWN: f64 = 0.9;
/// From this share of the limit at which the server pushed back last, growth is careful, by so much
/// per round trip: twenty round trips for one more in flight. Set by hand; it is what keeps
/// scenario "8 slots and 64 allowed" at 3 %.
const NEAR: f64 = 0.9;
const CAREFUL_STEP: f64 = 0.05;
/// A round slower than this many times the usual one, and by more than [`SLOWER_BY`] seconds, is a
/// clear slow-down: scenario `a_step_in_latency_is_noticed` has twelve times. Set by hand, far from
/// the spread of any healthy server, since answers differ in size.
const SLOWER_TIMES: f64 = 3.0;
const SLOWER_BY: f64 = 0.1;
/// How fast the usual latency follows a server that has become slower, per round: scenario "a step
/// in latency lowers the limit, and it recovers while the server stays slow".
const FOLLOW: f64 = 1.05;

/// How fast, and how many at once.
#[derive(Debug)]
pub(super) struct Pace {
    max: f64,
    limit: f64,
    /// The limit at which the server pushed back last.
    ceiling: f64,
    /// Until the first decrease, or until the ceiling is near, every reply raises the limit: it
    /// doubles each round trip.
    is_starting: bool,
    decreased_at: Option<Duration>,
    paused_until: Duration,
    /// Keeps the job's rate, where it has one.
    job: Option<Limiter>,
    /// Keeps the rate that the server has shown to bear.
    server: Throttle,
    slow_downs: u64,
    round: Round,
    /// Seconds that a reply usually takes.
    usual: Option<f64>,
}

/// A request and its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundTrip {
    /// When the request was sent.
    pub(super) sent: Duration,
    /// When the reply came.
    pub(super) done: Duration,
    /// How many requests were in flight then.
    pub(super) in_flight: usize,
    /// What the reply says of the server.
    pub(super) health: Health,
}

/// Replies since the latency was judged last.
#[derive(Debug, Default)]
struct Round {
    replies: f64,
    seconds: f64,
}

impl Pace {
    /// A pace up to this many in flight, at this rate.
    pub(super) fn new(max_in_flight: NonZeroU32, rate: Option<Rate>) -> Self {
        let max = f64::from(max_in_flight.get());
        Self {
            max,
            limit: START.min(max),
            ceiling: f64::INFINITY,
            is_starting: true,
            decreased_at: None,
            paused_until: Duration::ZERO,
            job: rate.map(Limiter::new),
            server: Throttle::default(),
            slow_downs: 0,
            round: Round::default(),
            usual: None,
        }
    }

    /// How many may be in flight now; at least one.
    pub(super) fn limit(&self) -> usize {
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
    pub(super) fn paused_until(&self, now: Duration) -> Option<Duration> {
        (self.paused_until > now).then_some(self.paused_until)
    }

    /// When the next request may be sent, where that is ahead: the latest of the pause that the
    /// server asked for, its rate, and the job's.
    pub(super) fn closed_until(&self, now: Duration) -> Option<Duration> {
        let of_job = self
            .job
            .as_ref()
            .and_then(|limiter| limiter.closed_until(now));
        self.paused_until(now)
            .max(self.server.closed_until(now))
            .max(of_job)
    }

    /// Notes that a request was sent.
    pub(super) fn sent(&mut self, now: Duration) {
        self.server.sent(now);
        if let Some(limiter) = &mut self.job {
            limiter.sent(now);
        }
    }

    /// Stops all sending until this time.
    pub(super) fn pause_until(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    /// How often answers slowed down so clearly that the limit was lowered.
    pub(super) fn slow_downs(&self) -> u64 {
        self.slow_downs
    }

    /// Starts low again, after the server was away. The ceiling stays: what the server could not take
    /// before is the best guess at what it cannot take now.
    pub(super) fn restart(&mut self) {
        self.limit = START.min(self.max);
        self.is_starting = true;
        self.round = Round::default();
    }

    /// Notes a reply.
    pub(super) fn replied(&mut self, trip: &RoundTrip) {
        match trip.health {
            Health::TooMany => {
                self.server.refused(trip.done, trip.sent);
                self.push_back(trip);
            }
            Health::PushBack => self.push_back(trip),
            Health::Sick | Health::Away => {}
            Health::Well => {
                self.server.served(trip.done);
                let latency = trip.done.saturating_sub(trip.sent);
                let slow = self.end_round(latency.as_secs_f64());
                if slow {
                    self.slow_downs += u64::from(self.decrease(trip, AFTER_SLOW_DOWN));
                } else if trip.in_flight >= self.limit() {
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
        // The next step would be there, so it is near already.
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

    fn push_back(&mut self, trip: &RoundTrip) {
        let limit = self.limit;
        if self.decrease(trip, AFTER_PUSH_BACK) {
            self.ceiling = limit;
        }
    }

    /// Lowers the limit, unless the request was sent before the last decrease: then it tells
    /// nothing new.
    fn decrease(&mut self, trip: &RoundTrip, factor: f64) -> bool {
        if self.decreased_at.is_some_and(|at| trip.sent < at) {
            return false;
        }
        self.decreased_at = Some(trip.done);
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
