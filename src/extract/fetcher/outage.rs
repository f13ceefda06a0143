//! Whether the server is down: after failures of many different contacts with no success between,
//! sending stops and one probe at a time asks whether it is back. Pure: time and dice are
//! arguments.

use std::collections::HashMap;
use std::time::Duration;

use crate::contact::ContactId;

/// Different contacts that fail in a row before it is an outage.
const CONTACTS: usize = 10;
/// Refusals for being too fast, of any contacts, before it is an outage; and only where nothing
/// else has come for this long: the pace comes first.
const REFUSALS: u32 = 10;
const REFUSED_FOR: Duration = Duration::from_secs(1);
/// Wait before the first probe.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// Longest wait between probes.
const LAST_PROBE: Duration = Duration::from_mins(1);
/// Growth of the wait from probe to probe: it stays below a third of the outage's length, so that
/// its end is soon seen.
const GROWTH: f64 = 1.3;

/// What is known of the server's being there.
#[derive(Debug, Default)]
pub struct Outage {
    streak: Streak,
    down: Option<Down>,
}

/// Failures with no success between, by contact.
#[derive(Debug, Default)]
struct Streak {
    failures: HashMap<ContactId, u32>,
    refusals: HashMap<ContactId, u32>,
    refused_since: Duration,
}

/// When fewer contacts are enough: where no other is open, and each of these failed so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Few {
    /// Contacts that have no answer yet.
    pub open: usize,
    /// How often each has to have failed.
    pub failures: u32,
}

impl Streak {
    fn is_everyone(&self, few: Few) -> bool {
        let times = || self.failures.values().chain(self.refusals.values());
        times().count() >= few.open && times().all(|failures| *failures >= few.failures)
    }
}

#[derive(Debug)]
struct Down {
    since: Duration,
    interval: Duration,
    probe_at: Duration,
    /// The contact that is asked for just now.
    probe: Option<ContactId>,
    /// Whether a probe has failed, so that it was no accident.
    is_confirmed: bool,
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

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is its contact's own, as far as is known.
    Own,
    /// It is its contact's own, as far as is known, and an outage is suspected.
    Suspicion,
    /// It belongs to an outage.
    Outage,
    /// It shows that there is an outage, to which it belongs, as do all those that led to it; see
    /// [`Outage::streak`].
    Confirms,
}

impl Outage {
    /// Whether sending is stopped, for an outage or the suspicion of one.
    pub fn is_suspected(&self) -> bool {
        self.down.is_some()
    }

    /// Whether there is an outage that is more than a suspicion, and since when.
    pub fn since(&self) -> Option<Duration> {
        self.down
            .as_ref()
            .filter(|down| down.is_confirmed)
            .map(|down| down.since)
    }

    /// The contacts whose failures led to it, and how often each failed.
    pub fn streak(&self) -> impl Iterator<Item = (ContactId, u32)> {
        self.streak
            .failures
            .iter()
            .chain(&self.streak.refusals)
            .map(|(contact_id, failures)| (*contact_id, *failures))
    }

    /// Notes an answer; true where it ends an outage.
    pub fn answered(&mut self) -> bool {
        self.streak = Streak::default();
        self.down.take().is_some()
    }

    /// Notes a failure of the server.
    pub fn failed(&mut self, contact_id: ContactId, few: Few, now: Duration, roll: f64) -> Meaning {
        if let Some(down) = &mut self.down {
            return down.failed(contact_id, now, roll);
        }
        *self.streak.failures.entry(contact_id).or_default() += 1;
        self.begin_if(
            self.streak.failures.len() >= CONTACTS || self.streak.is_everyone(few),
            now,
            roll,
        )
    }

    /// Notes that a request came too fast for the server.
    pub fn refused(
        &mut self,
        contact_id: ContactId,
        few: Few,
        now: Duration,
        roll: f64,
    ) -> Meaning {
        if let Some(down) = &mut self.down {
            return down.failed(contact_id, now, roll);
        }
        if self.streak.refusals.is_empty() {
            self.streak.refused_since = now;
        }
        *self.streak.refusals.entry(contact_id).or_default() += 1;
        let lasts = now.saturating_sub(self.streak.refused_since) >= REFUSED_FOR;
        let many = self.streak.refusals.values().sum::<u32>() >= REFUSALS;
        self.begin_if(many && lasts || self.streak.is_everyone(few), now, roll)
    }

    /// Puts the next probe off, since the server asked for that.
    pub fn put_off(&mut self, until: Duration) {
        if let Some(down) = &mut self.down {
            down.probe_at = down.probe_at.max(until);
        }
    }

    fn begin_if(&mut self, is_outage: bool, now: Duration, roll: f64) -> Meaning {
        if !is_outage {
            return Meaning::Own;
        }
        self.down = Some(Down::begin(now, roll));
        Meaning::Suspicion
    }

    /// Notes that the tenant or the login server cannot be used, however contacts fare.
    pub fn away(&mut self, now: Duration, roll: f64) -> Meaning {
        match &mut self.down {
            Some(down) => down.probe_failed(now, roll),
            None => self.down.insert(Down::begin(now, roll)).confirm(),
        }
    }

    /// Whether a request may be sent now.
    pub fn gate(&self, now: Duration) -> Gate {
        match &self.down {
            None => Gate::Open,
            Some(down) if down.probe.is_some() => Gate::Closed,
            Some(down) if down.probe_at <= now => Gate::Probe,
            Some(down) => Gate::ClosedUntil(down.probe_at),
        }
    }

    /// Notes that a request was sent: in an outage it is the probe.
    pub fn sent(&mut self, contact_id: ContactId) {
        if let Some(down) = &mut self.down {
            down.probe = Some(contact_id);
        }
    }
}

impl Down {
    fn begin(now: Duration, roll: f64) -> Self {
        let mut down = Self {
            since: now,
            interval: FIRST_PROBE,
            probe_at: now,
            probe: None,
            is_confirmed: false,
        };
        down.schedule(now, roll);
        down
    }

    /// Requests that were under way when the outage began fail later; only the probe tells
    /// something new.
    fn failed(&mut self, contact_id: ContactId, now: Duration, roll: f64) -> Meaning {
        if self.probe != Some(contact_id) {
            return Meaning::Outage;
        }
        self.probe_failed(now, roll)
    }

    fn probe_failed(&mut self, now: Duration, roll: f64) -> Meaning {
        self.probe = None;
        self.interval = self.interval.mul_f64(GROWTH).min(LAST_PROBE);
        self.schedule(now, roll);
        self.confirm()
    }

    fn confirm(&mut self) -> Meaning {
        if std::mem::replace(&mut self.is_confirmed, true) {
            Meaning::Outage
        } else {
            Meaning::Confirms
        }
    }

    /// The next probe after the interval, give or take a quarter.
    fn schedule(&mut self, now: Duration, roll: f64) {
        self.probe_at = now + self.interval.mul_f64(0.75 + roll.clamp(0.0, 1.0) / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(number: usize) -> ContactId {
        ContactId::new(i64::try_from(number).unwrap() + 1).unwrap()
    }

    const MANY: Few = Few {
        open: usize::MAX,
        failures: u32::MAX,
    };

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn down_at(now: Duration) -> Outage {
        let mut outage = Outage::default();
        let meanings: Vec<_> = (0..CONTACTS)
            .map(|number| outage.failed(contact(number), MANY, now, 0.5))
            .collect();
        assert_eq!(
            meanings
                .iter()
                .position(|meaning| *meaning == Meaning::Suspicion),
            Some(CONTACTS - 1)
        );
        assert!(outage.is_suspected() && outage.since().is_none());
        outage
    }

    #[test]
    fn one_contact_is_no_outage_and_an_answer_ends_the_streak() {
        let mut outage = Outage::default();
        for _ in 0..100 {
            assert_eq!(
                outage.failed(contact(1), MANY, Duration::ZERO, 0.5),
                Meaning::Own
            );
        }
        for number in 0..1_000 {
            assert_eq!(
                outage.failed(contact(number), MANY, Duration::ZERO, 0.5),
                Meaning::Own
            );
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
        let mut interval = seconds(1);
        for index in 0..30 {
            assert_eq!(outage.gate(now), Gate::ClosedUntil(now + interval));
            now += interval;
            assert_eq!(outage.gate(now), Gate::Probe);
            outage.sent(contact(77));
            assert_eq!(outage.gate(now + seconds(999)), Gate::Closed);
            let meaning = if index == 0 {
                Meaning::Confirms
            } else {
                Meaning::Outage
            };
            assert_eq!(outage.failed(contact(77), MANY, now, 0.5), meaning);
            interval = interval.mul_f64(GROWTH).min(LAST_PROBE);
        }
        assert_eq!(interval, LAST_PROBE);
        assert_eq!(outage.since(), Some(seconds(100)));
        assert!(outage.answered());
        assert_eq!(outage.gate(now), Gate::Open);
    }

    #[test]
    fn the_last_contacts_are_enough_where_each_failed_often() {
        let few = Few {
            open: 2,
            failures: 3,
        };
        let mut outage = Outage::default();
        for number in [1, 1, 1, 2, 2] {
            assert_eq!(
                outage.failed(contact(number), few, seconds(0), 0.5),
                Meaning::Own
            );
        }
        assert_eq!(
            outage.refused(contact(2), few, seconds(0), 0.5),
            Meaning::Own,
            "this one is counted apart"
        );
        assert!(!outage.answered());
        for number in [1, 2, 1, 2, 1] {
            assert_eq!(
                outage.refused(contact(number), few, seconds(0), 0.5),
                Meaning::Own
            );
        }
        assert_eq!(
            outage.refused(contact(2), few, seconds(0), 0.5),
            Meaning::Suspicion
        );
    }

    #[test]
    fn a_probe_can_be_put_off_but_not_brought_forward() {
        let mut outage = down_at(seconds(100));
        outage.put_off(seconds(1));
        assert_eq!(outage.gate(seconds(100)), Gate::ClosedUntil(seconds(101)));
        outage.put_off(seconds(400));
        assert_eq!(outage.gate(seconds(101)), Gate::ClosedUntil(seconds(400)));
    }

    #[test]
    fn late_failures_are_no_probes() {
        let mut outage = down_at(seconds(0));
        for number in 0..50 {
            assert_eq!(
                outage.failed(contact(number), MANY, seconds(0), 0.5),
                Meaning::Outage
            );
        }
        assert_eq!(outage.gate(seconds(0)), Gate::ClosedUntil(seconds(1)));
        outage.sent(contact(77));
        assert_eq!(
            outage.failed(contact(3), MANY, seconds(1), 0.5),
            Meaning::Outage
        );
        assert_eq!(
            outage.gate(seconds(1)),
            Gate::Closed,
            "the probe is still under way"
        );
    }

    #[test]
    fn the_streak_tells_how_often_each_contact_failed() {
        let mut outage = Outage::default();
        outage.failed(contact(0), MANY, seconds(0), 0.5);
        outage.answered();
        for number in [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9] {
            outage.failed(contact(number), MANY, seconds(0), 0.5);
        }
        assert!(outage.is_suspected());
        let streak: HashMap<_, _> = outage.streak().collect();
        assert_eq!((streak[&contact(0)], streak[&contact(1)]), (1, 2));
    }

    #[test]
    fn refusals_are_an_outage_only_where_they_last() {
        let mut outage = Outage::default();
        for number in 0..50 {
            assert_eq!(
                outage.refused(contact(number), MANY, Duration::from_millis(999), 0.5),
                Meaning::Own
            );
        }
        assert!(!outage.answered());
        for number in 0..50 {
            assert_eq!(
                outage.refused(contact(number), MANY, seconds(5), 0.5),
                Meaning::Own
            );
            assert_eq!(
                outage.failed(contact(1), MANY, seconds(5), 0.5),
                Meaning::Own
            );
        }
        assert_eq!(
            outage.refused(contact(1), MANY, seconds(6), 0.5),
            Meaning::Suspicion
        );
    }

    #[test]
    fn a_tenant_that_is_away_is_asked_at_growing_intervals() {
        let mut outage = Outage::default();
        let cases = [
            (1_000, Meaning::Confirms),
            (1_300, Meaning::Outage),
            (1_690, Meaning::Outage),
        ];
        for (milliseconds, meaning) in cases {
            assert_eq!(outage.away(Duration::ZERO, 0.5), meaning);
            assert_eq!(
                outage.gate(Duration::ZERO),
                Gate::ClosedUntil(Duration::from_millis(milliseconds))
            );
        }
        assert!(outage.answered());
    }

    #[test]
    fn intervals_are_jittered() {
        for (roll, milliseconds) in [(0.0, 750), (1.0, 1_250)] {
            let mut outage = Outage::default();
            outage.away(Duration::ZERO, roll);
            assert_eq!(
                outage.gate(Duration::ZERO),
                Gate::ClosedUntil(Duration::from_millis(milliseconds))
            );
        }
    }
}
