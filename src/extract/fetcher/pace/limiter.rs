//! A rate limiter, as a leaky bucket that queues nothing: one request per period, evenly, with no
//! credit for idle times. A token bucket would send such a credit as a burst, which a server that
//! counts requests answers with refusals. What the rate is, the job says, or the throttle. Pure:
//! time is an argument.

use std::time::Duration;

/// A rate of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_second: f64,
}

impl Rate {
    /// So many requests per second; none unless the number is above zero and finite.
    pub fn per_second(number: f64) -> Option<Self> {
        (number.is_finite() && number > 0.0).then_some(Self { per_second: number })
    }

    /// Requests per second.
    pub fn get(self) -> f64 {
        self.per_second
    }

    /// Time from one request to the next.
    pub fn period(self) -> Duration {
        Duration::try_from_secs_f64(1.0 / self.per_second)
            .unwrap_or(Duration::from_hours(24))
            .max(Duration::from_nanos(1))
    }
}

/// A timer that fires late does not lower the rate, up to this much. The runtime's timers tick in
/// milliseconds; the rest is room for a machine that is busy. Set by hand.
const CATCH_UP: Duration = Duration::from_millis(5);

/// Keeps a rate: one request per period, evenly, with nothing saved up from idle times.
#[derive(Debug)]
pub(crate) struct Limiter {
    period: Duration,
    next: Duration,
}

impl Limiter {
    /// A limiter that lets the first request go at once.
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            period: rate.period(),
            next: Duration::ZERO,
        }
    }

    /// When the next request may be sent, where that is ahead.
    pub(crate) fn closed_until(&self, now: Duration) -> Option<Duration> {
        (self.next > now).then_some(self.next)
    }

    /// Keeps another rate from the next request on.
    pub(super) fn change(&mut self, rate: Rate) {
        self.period = rate.period();
    }

    /// Notes that a request was sent.
    pub(crate) fn sent(&mut self, now: Duration) {
        self.next = self.next.max(now.saturating_sub(CATCH_UP)) + self.period;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_out_evenly_at_their_rate() {
        let mut limiter = Limiter::new(Rate::per_second(10.0).unwrap());
        let mut now = Duration::ZERO;
        let mut sent = 0;
        while now < Duration::from_secs(10) {
            if let Some(until) = limiter.closed_until(now) {
                // A timer fires a little late.
                now = until + Duration::from_millis(1);
            } else {
                limiter.sent(now);
                sent += 1;
            }
        }
        assert_eq!(sent, 100);
        now += Duration::from_mins(1);
        limiter.sent(now);
        limiter.sent(now);
        assert_eq!(
            limiter.closed_until(now),
            Some(now + Duration::from_millis(195)),
            "idle times are not made up for"
        );
    }
}
