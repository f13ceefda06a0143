//! Whether the server is down: after failures of many different contacts with no success between, sending stops and one
//! probe at a time asks whether it is back. Pure: time and dice are arguments.

use std::collections::HashSet;
use std::time::Duration;

use crate::schema::ContactId;

/// Different contacts that fail in a row before it is an outage.
const CONTACTS: usize = 10;
/// Wait before the first probe.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// Longest wait between probes.
const LAST_PROBE: Duration = Duration::from_mins(1);

/// What is known of the server's being there.
#[derive(Debug, Default)]
pub struct Outage {
    streak: HashSet<ContactId>,
    down: Option<Down>,
}

#[derive(Debug)]
struct Down {
    since: Duration,
    interval: Duration,
    probe_at: Duration,
    probing: bool,
}

/// Whether a request may be sent, as far as an outage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// There is no outage.
    Open,
    /// The one probe may be sent.
    Probe,
    /// Nothing before this time.
    ClosedUntil(Duration),
    /// Nothing before the probe that is under way has ended.
    Closed,
}

impl Outage {
    /// Whether an outage lasts, and since when.
    pub fn since(&self) -> Option<Duration> {
        self.down.as_ref().map(|down| down.since)
    }

    /// The contacts whose failures led to it: none of them used up an attempt.
    pub fn streak(&self) -> &HashSet<ContactId> {
        &self.streak
    }

    /// Notes an answer; true where it ends an outage.
    pub fn answered(&mut self) -> bool {
        self.streak.clear();
        self.down.take().is_some()
    }

    /// Notes a failure; true where it begins an outage.
    pub fn failed(&mut self, contact_id: ContactId, now: Duration, roll: f64) -> bool {
        if let Some(down) = &mut self.down {
            if down.probing {
                down.interval = (down.interval * 2).min(LAST_PROBE);
            }
            down.schedule(now, roll);
            return false;
        }
        self.streak.insert(contact_id);
        if self.streak.len() < CONTACTS {
            return false;
        }
        self.begin(now, roll);
        true
    }

    fn begin(&mut self, now: Duration, roll: f64) {
        let mut down = Down { since: now, interval: FIRST_PROBE, probe_at: now, probing: false };
        down.schedule(now, roll);
        self.down = Some(down);
    }

    /// Notes that tenant or login server cannot be used, whatever contacts fare; true where that begins an outage.
    pub fn away(&mut self, now: Duration, roll: f64) -> bool {
        match &mut self.down {
            None => self.begin(now, roll),
            Some(down) => {
                down.interval = (down.interval * 2).min(LAST_PROBE);
                down.schedule(now, roll);
                return false;
            }
        }
        true
    }

    /// Whether a request may be sent now.
    pub fn gate(&self, now: Duration) -> Gate {
        match &self.down {
            None => Gate::Open,
            Some(down) if down.probing => Gate::Closed,
            Some(down) if down.probe_at <= now => Gate::Probe,
            Some(down) => Gate::ClosedUntil(down.probe_at),
        }
    }

    /// Notes that the probe was sent.
    pub fn probe_sent(&mut self) {
        if let Some(down) = &mut self.down {
            down.probing = true;
        }
    }
}

impl Down {
    /// The next probe after the interval, give or take a quarter.
    fn schedule(&mut self, now: Duration, roll: f64) {
        self.probing = false;
        self.probe_at = now + self.interval.mul_f64(0.75 + roll.clamp(0.0, 1.0) / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(number: usize) -> ContactId {
        ContactId::new(i64::try_from(number).unwrap() + 1).unwrap()
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn down_at(now: Duration) -> Outage {
        let mut outage = Outage::default();
        let began = (0..CONTACTS).map(|number| outage.failed(contact(number), now, 0.5)).filter(|began| *began).count();
        assert_eq!(began, 1);
        outage
    }

    #[test]
    fn one_contact_is_no_outage_and_an_answer_ends_the_streak() {
        let mut outage = Outage::default();
        for _ in 0..100 {
            assert!(!outage.failed(contact(1), Duration::ZERO, 0.5));
        }
        for number in 0..1_000 {
            assert!(!outage.failed(contact(number), Duration::ZERO, 0.5));
            if number % 8 == 0 {
                assert!(!outage.answered());
            }
        }
        assert_eq!(outage.gate(Duration::ZERO), Gate::Open);
    }

    #[test]
    fn probes_go_out_one_at_a_time_at_growing_intervals() {
        let mut outage = down_at(seconds(100));
        let mut now = seconds(100);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(outage.gate(now), Gate::ClosedUntil(now + seconds(expected)));
            now += seconds(expected);
            assert_eq!(outage.gate(now), Gate::Probe);
            outage.probe_sent();
            assert_eq!(outage.gate(now + seconds(999)), Gate::Closed);
            assert!(!outage.failed(contact(1), now, 0.5));
        }
        assert_eq!(outage.since(), Some(seconds(100)));
        assert!(outage.answered());
        assert_eq!(outage.gate(now), Gate::Open);
    }

    #[test]
    fn late_failures_do_not_count_as_probes() {
        let mut outage = down_at(seconds(0));
        for number in 0..50 {
            outage.failed(contact(number), seconds(0), 0.5);
        }
        assert_eq!(outage.gate(seconds(0)), Gate::ClosedUntil(seconds(1)));
    }

    #[test]
    fn a_tenant_that_is_away_is_asked_at_growing_intervals() {
        let mut outage = Outage::default();
        for (expected, begins) in [(1, true), (2, false), (4, false)] {
            assert_eq!(outage.away(seconds(0), 0.5), begins);
            assert_eq!(outage.gate(seconds(0)), Gate::ClosedUntil(seconds(expected)));
        }
        assert!(outage.answered());
    }

    #[test]
    fn intervals_are_jittered() {
        for (roll, milliseconds) in [(0.0, 750), (1.0, 1_250)] {
            let mut outage = Outage::default();
            outage.away(Duration::ZERO, roll);
            assert_eq!(outage.gate(Duration::ZERO), Gate::ClosedUntil(Duration::from_millis(milliseconds)));
        }
    }
}
