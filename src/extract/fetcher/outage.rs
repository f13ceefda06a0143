//! A circuit breaker, half-open with one probe at a time (M. Nygard, "Release It!"): after failures
//! of many different contacts with no success between, sending stops, and single probes ask
//! whether the server is back. Any answer closes it again. Pure: time and dice are arguments.
//!
//! - **Closed**: requests go out; failures are counted by contact, and refusals for being too fast
//!   (429) apart from them. An answer begins the count anew. One and the same refusal to many
//!   contacts in a row opens it too; `refusals.rs` counts those.
//! - **Open, suspected**: nothing goes out before the first probe. It may still turn out that the
//!   contacts were at fault, so their attempts count.
//! - **Open, confirmed**: the first probe failed, too. The failures that led here are given back to
//!   their contacts, and `patience` runs.
//! - **Half-open**: the one probe is under way; whatever else still fails tells nothing new. Where
//!   refusals opened it, only an answer to a request that was sent since then closes it.

use std::collections::HashMap;
use std::time::Duration;

use crate::contact::ContactId;
use crate::extract::fetcher::attempt::Send;

/// Different contacts that fail in a row before an outage is suspected. Set by hand: bad contacts
/// in a row are no outage, and with a known good contact the first probe clears them (scenario
/// `contacts_that_fail_by_their_own_fault_are_no_endless_outage`).
pub(super) const CONTACTS: usize = 10;
/// Refusals for being too fast, of any contacts, before an outage is suspected; and only where
/// nothing else has come for this long, since lower pace is the first answer to them. Scenario
/// `bursts_of_refusals_are_sat_out` refuses everything for a second and is no outage.
const REFUSALS: u32 = 10;
const REFUSED_FOR: Duration = Duration::from_secs(1);
/// Wait before the first probe. Set by hand: a server that restarts takes at least that long.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// Longest wait between probes, set by hand: an outage costs 60 to 120 calls an hour (scenario
/// `an_outage_stops_sends_uses_up_no_attempts_and_ends`).
const LAST_PROBE: Duration = Duration::from_mins(1);
/// Growth of the wait from probe to probe: it stays below a third of the outage's length, so that
/// its end is soon seen. Scenario
/// `after_an_outage_of_a_minute_the_rate_is_back_within_half_a_minute` needs that; doubling does
/// not give it.
const GROWTH: f64 = 1.3;
/// Jitter: each wait is drawn from 0.75 to 1.25 of itself, so that many jobs do not probe in step.
const EARLIEST: f64 = 0.75;

/// The circuit breaker.
#[derive(Debug, Default)]
pub(super) struct Outage {
    streak: Streak,
    /// Open or half-open, where there is one.
    down: Option<Down>,
    /// How many probes for contacts that were had before have failed, over all outages: whoever was
    /// gone in the last one is gone in the next.
    known_good_failed: usize,
}

/// Failures with no success between, by contact.
#[derive(Debug, Default)]
struct Streak {
    failures: HashMap<ContactId, u32>,
    refusals: HashMap<ContactId, u32>,
    refused_since: Duration,
    /// How many requests were in flight when the first of them timed out, as long as nothing but
    /// time-outs came: then all that were have failed, and no more of them are waited for.
    silent: Option<usize>,
}

/// When fewer contacts than usual are enough, at the end of a plan: where none but those that
/// failed is left, and each of them failed so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastContacts {
    /// Contacts that have no final answer yet.
    pub(super) unanswered: usize,
    /// How often each has to have failed.
    pub(super) failures: u32,
    /// How often any contact has to have failed, with nobody served between: its next attempt is
    /// the last, and where few are in flight that comes before ten contacts have failed.
    pub(super) of_one: u32,
}

/// What a failure was, as far as that decides how many of its kind are an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// No answer in time, with so many requests in flight. To wait for ten time-outs one after the
    /// other takes minutes.
    Timeout { in_flight: usize },
    /// An answer that the contacts' own fault may explain: so many of them have to get it.
    Refusal { enough: usize },
    /// Any other.
    Other,
}

/// A request that failed by what may be the server's fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    /// What was sent.
    pub(super) send: Send,
    pub(super) sign: Sign,
    /// When it failed.
    pub(super) at: Duration,
    pub(super) last_contacts: LastContacts,
    /// The dice for the wait before the next probe: from 0 to 1.
    pub(super) roll: f64,
}

impl Failure {
    fn contact_id(&self) -> ContactId {
        self.send.contact_id()
    }
}

impl Streak {
    /// Counts a failure; true where its contacts are enough for an outage.
    fn failed(&mut self, failure: &Failure) -> bool {
        let is_first = self.failures.is_empty() && self.refusals.is_empty();
        *self.failures.entry(failure.contact_id()).or_default() += 1;
        self.silent = match failure.sign {
            Sign::Timeout { in_flight } if is_first => Some(in_flight),
            Sign::Timeout { .. } => self.silent,
            Sign::Refusal { .. } | Sign::Other => None,
        };
        let enough = match failure.sign {
            Sign::Timeout { .. } => self.silent.map_or(CONTACTS, |all| all.min(CONTACTS)),
            Sign::Refusal { enough } => enough,
            Sign::Other => CONTACTS,
        };
        let last = failure.last_contacts;
        self.failures.len() >= enough
            || self.is_everyone(last)
            || self.failures.values().any(|times| *times >= last.of_one)
    }

    fn is_everyone(&self, last: LastContacts) -> bool {
        // A contact that failed and was refused as well is one all the same.
        let is_other = |id: &&ContactId| !self.failures.contains_key(*id);
        let contacts = self.failures.len() + self.refusals.keys().filter(is_other).count();
        let mut times = self.failures.values().chain(self.refusals.values());
        contacts >= last.unanswered && times.all(|failures| *failures >= last.failures)
    }
}

#[derive(Debug)]
struct Down {
    trigger: Trigger,
    since: Duration,
    interval: Duration,
    probe_at: Duration,
    /// The contact that is asked for just now.
    probe: Option<ContactId>,
    /// Whether the contact that was had before was refused by the last probe, so that another one
    /// is asked for by the next: it may itself be gone since.
    is_known_good_refused: bool,
    /// Whether a probe has failed, so that it was no accident.
    is_confirmed: bool,
}

/// What opened the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// Requests failed.
    Failures,
    /// Contacts were refused, all in the same way.
    Refusals,
}

/// What an answer put an end to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// A suspicion: it was the contacts' own fault.
    Suspicion,
    /// An outage.
    Outage,
}

/// Whether a request may be sent, as far as an outage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// There is no outage.
    Send,
    /// The one probe may be sent.
    Probe,
    /// Nothing before this time.
    WaitUntil(Duration),
    /// Nothing before the probe that is under way has ended.
    WaitForProbe,
}

/// Whose failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// Its contact's, as far as is known.
    Contact,
    /// Its contact's, as far as is known, and an outage is suspected from here on.
    Suspicion,
    /// The server's: it belongs to an outage.
    Outage,
    /// The server's: it shows that there is an outage, to which it belongs, as do all those that
    /// led to it; see [`Outage::streak`].
    ConfirmedOutage,
}

impl Outage {
    /// Whether sending is stopped, for an outage or the suspicion of one.
    pub(super) fn is_suspected(&self) -> bool {
        self.down.is_some()
    }

    /// What it was that stopped sending, where something did.
    pub(super) fn trigger(&self) -> Option<Trigger> {
        self.down.as_ref().map(|down| down.trigger)
    }

    /// Whether the next probe asks for another contact than the one that was had before.
    pub(super) fn probes_another(&self) -> bool {
        self.down
            .as_ref()
            .is_some_and(|down| down.is_known_good_refused)
    }

    /// How many probes for contacts that were had before have failed.
    pub(super) fn probes_of_known_good(&self) -> usize {
        self.known_good_failed
    }

    /// Whether there is an outage that is more than a suspicion, and since when.
    pub(super) fn since(&self) -> Option<Duration> {
        self.down
            .as_ref()
            .filter(|down| down.is_confirmed)
            .map(|down| down.since)
    }

    /// The contacts whose failures led to it, and how often each failed.
    pub(super) fn streak(&self) -> impl Iterator<Item = (ContactId, u32)> {
        self.streak
            .failures
            .iter()
            .chain(&self.streak.refusals)
            .map(|(contact_id, failures)| (*contact_id, *failures))
    }

    /// Notes an answer to a request that was sent then; tells what it put an end to.
    pub(super) fn answered(&mut self, sent: Duration) -> Option<Closed> {
        self.streak = Streak::default();
        // Whoever was let in before the refusals began says nothing of them.
        let down = self
            .down
            .take_if(|down| down.trigger == Trigger::Failures || sent > down.since)?;
        Some(if down.is_confirmed {
            Closed::Outage
        } else {
            Closed::Suspicion
        })
    }

    /// Notes a failure of the server.
    pub(super) fn failed(&mut self, failure: &Failure) -> Blame {
        if let Some(blame) = self.failed_in_outage(failure) {
            return blame;
        }
        let is_outage = self.streak.failed(failure);
        self.begin_if(is_outage, failure)
    }

    /// Suspects an outage, since contacts were refused that many times in the same way; or notes
    /// one more refusal where there is one.
    pub(super) fn refused_alike(&mut self, failure: &Failure) -> Blame {
        if let Some(blame) = self.failed_in_outage(failure) {
            return blame;
        }
        let down = Down::begin(Trigger::Refusals, failure.at, failure.roll);
        self.down = Some(down);
        Blame::Suspicion
    }

    /// Notes a failure where there is an outage, or the suspicion of one, already.
    fn failed_in_outage(&mut self, failure: &Failure) -> Option<Blame> {
        let down = self.down.as_mut()?;
        self.known_good_failed += usize::from(matches!(failure.send, Send::Probe(_)));
        Some(down.failed(failure))
    }

    /// The probe brought nothing to go by: another one may go as soon as anything may.
    pub(super) fn probe_void(&mut self, contact_id: ContactId) {
        if let Some(down) = &mut self.down {
            down.probe = down.probe.filter(|probe| *probe != contact_id);
        }
    }

    /// Notes that a request came too fast for the server.
    pub(super) fn refused(&mut self, failure: &Failure) -> Blame {
        if let Some(blame) = self.failed_in_outage(failure) {
            return blame;
        }
        if self.streak.refusals.is_empty() {
            self.streak.refused_since = failure.at;
        }
        *self
            .streak
            .refusals
            .entry(failure.contact_id())
            .or_default() += 1;
        let lasts = failure.at.saturating_sub(self.streak.refused_since) >= REFUSED_FOR;
        let many = self.streak.refusals.values().sum::<u32>() >= REFUSALS;
        let is_outage = many && lasts || self.streak.is_everyone(failure.last_contacts);
        self.begin_if(is_outage, failure)
    }

    /// Puts the next probe off, since the server asked for that.
    pub(super) fn put_off(&mut self, until: Duration) {
        if let Some(down) = &mut self.down {
            down.probe_at = down.probe_at.max(until);
        }
    }

    fn begin_if(&mut self, is_outage: bool, failure: &Failure) -> Blame {
        if !is_outage {
            return Blame::Contact;
        }
        let trigger = match failure.sign {
            Sign::Refusal { .. } => Trigger::Refusals,
            Sign::Timeout { .. } | Sign::Other => Trigger::Failures,
        };
        self.down = Some(Down::begin(trigger, failure.at, failure.roll));
        Blame::Suspicion
    }

    /// Notes that the tenant or the login server cannot be used, however contacts fare.
    pub(super) fn away(&mut self, now: Duration, roll: f64) -> Blame {
        if let Some(down) = &mut self.down {
            return down.probe_failed(now, roll);
        }
        let down = Down::begin(Trigger::Failures, now, roll);
        self.down.insert(down).confirm()
    }

    /// Whether a request may be sent now.
    pub(super) fn permit(&self, now: Duration) -> Permit {
        match &self.down {
            None => Permit::Send,
            Some(down) if down.probe.is_some() => Permit::WaitForProbe,
            Some(down) if down.probe_at <= now => Permit::Probe,
            Some(down) => Permit::WaitUntil(down.probe_at),
        }
    }

    /// Notes that a request was sent: in an outage it is the probe.
    pub(super) fn sent(&mut self, contact_id: ContactId) {
        if let Some(down) = &mut self.down {
            down.probe = Some(contact_id);
        }
    }
}

impl Down {
    fn begin(trigger: Trigger, now: Duration, roll: f64) -> Self {
        let mut down = Self {
            trigger,
            since: now,
            interval: FIRST_PROBE,
            probe_at: now,
            probe: None,
            is_known_good_refused: false,
            is_confirmed: false,
        };
        down.schedule(now, roll);
        down
    }

    /// Requests that were under way when the outage began fail later; only the probe tells
    /// something new.
    fn failed(&mut self, failure: &Failure) -> Blame {
        if self.probe != Some(failure.contact_id()) {
            return Blame::Outage;
        }
        let is_known_good = matches!(failure.send, Send::Probe(_));
        self.is_known_good_refused = is_known_good && matches!(failure.sign, Sign::Refusal { .. });
        self.probe_failed(failure.at, failure.roll)
    }

    fn probe_failed(&mut self, now: Duration, roll: f64) -> Blame {
        self.probe = None;
        self.interval = self.interval.mul_f64(GROWTH).min(LAST_PROBE);
        self.schedule(now, roll);
        self.confirm()
    }

    fn confirm(&mut self) -> Blame {
        if std::mem::replace(&mut self.is_confirmed, true) {
            Blame::Outage
        } else {
            Blame::ConfirmedOutage
        }
    }

    /// The next probe after the interval, give or take a quarter.
    fn schedule(&mut self, now: Duration, roll: f64) {
        let spread = 2.0 * (1.0 - EARLIEST);
        let share = EARLIEST + roll.clamp(0.0, 1.0) * spread;
        self.probe_at = now + self.interval.mul_f64(share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(number: usize) -> ContactId {
        ContactId::new(i64::try_from(number).unwrap() + 1).unwrap()
    }

    const MANY: LastContacts = LastContacts {
        unanswered: usize::MAX,
        failures: u32::MAX,
        of_one: u32::MAX,
    };

    fn failure(number: usize, at: Duration) -> Failure {
        Failure {
            send: Send::Contact(contact(number)),
            sign: Sign::Other,
            at,
            last_contacts: MANY,
            roll: 0.5,
        }
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn down_at(now: Duration) -> Outage {
        let mut outage = Outage::default();
        let meanings: Vec<_> = (0..CONTACTS)
            .map(|number| outage.failed(&failure(number, now)))
            .collect();
        assert_eq!(
            meanings
                .iter()
                .position(|meaning| *meaning == Blame::Suspicion),
            Some(CONTACTS - 1)
        );
        assert!(outage.is_suspected() && outage.since().is_none());
        outage
    }

    #[test]
    fn one_contact_is_no_outage_and_an_answer_ends_the_streak() {
        let mut outage = Outage::default();
        for _ in 0..100 {
            assert_eq!(outage.failed(&failure(1, Duration::ZERO)), Blame::Contact);
        }
        for number in 0..1_000 {
            assert_eq!(
                outage.failed(&failure(number, Duration::ZERO)),
                Blame::Contact
            );
            if number % 8 == 0 {
                assert_eq!(outage.answered(seconds(9)), None);
            }
        }
        assert_eq!(outage.permit(Duration::ZERO), Permit::Send);
    }

    #[test]
    fn probes_go_out_one_at_a_time_at_growing_intervals() {
        let mut outage = down_at(seconds(100));
        let mut now = seconds(100);
        let mut interval = seconds(1);
        for index in 0..30 {
            assert_eq!(outage.permit(now), Permit::WaitUntil(now + interval));
            now += interval;
            assert_eq!(outage.permit(now), Permit::Probe);
            outage.sent(contact(77));
            assert_eq!(outage.permit(now + seconds(999)), Permit::WaitForProbe);
            let meaning = if index == 0 {
                Blame::ConfirmedOutage
            } else {
                Blame::Outage
            };
            assert_eq!(outage.failed(&failure(77, now)), meaning);
            interval = interval.mul_f64(GROWTH).min(LAST_PROBE);
        }
        assert_eq!(interval, LAST_PROBE);
        assert_eq!(outage.since(), Some(seconds(100)));
        assert_eq!(outage.answered(seconds(0)), Some(Closed::Outage));
        assert_eq!(outage.permit(now), Permit::Send);
    }

    #[test]
    fn the_last_contacts_are_enough_where_each_failed_often() {
        let last = LastContacts {
            unanswered: 2,
            failures: 3,
            of_one: u32::MAX,
        };
        let of_last = |number| Failure {
            last_contacts: last,
            ..failure(number, seconds(0))
        };
        let mut outage = Outage::default();
        for number in [1, 1, 1, 2, 2] {
            assert_eq!(outage.failed(&of_last(number)), Blame::Contact);
        }
        assert_eq!(
            outage.refused(&of_last(2)),
            Blame::Contact,
            "this one is counted apart"
        );
        assert_eq!(outage.answered(seconds(9)), None);
        for number in [1, 2, 1, 2, 1] {
            assert_eq!(outage.refused(&of_last(number)), Blame::Contact);
        }
        assert_eq!(outage.refused(&of_last(2)), Blame::Suspicion);
    }

    #[test]
    fn one_contact_is_not_the_last_two_however_it_fails() {
        let last = LastContacts {
            unanswered: 2,
            failures: 3,
            of_one: u32::MAX,
        };
        let of_last = |number| Failure {
            last_contacts: last,
            ..failure(number, seconds(0))
        };
        let mut outage = Outage::default();
        for _ in 0..3 {
            assert_eq!(outage.failed(&of_last(1)), Blame::Contact);
        }
        for _ in 0..3 {
            assert_eq!(outage.refused(&of_last(1)), Blame::Contact);
        }
    }

    #[test]
    fn a_probe_can_be_put_off_but_not_brought_forward() {
        let mut outage = down_at(seconds(100));
        outage.put_off(seconds(1));
        assert_eq!(outage.permit(seconds(100)), Permit::WaitUntil(seconds(101)));
        outage.put_off(seconds(400));
        assert_eq!(outage.permit(seconds(101)), Permit::WaitUntil(seconds(400)));
    }

    #[test]
    fn late_failures_are_no_probes() {
        let mut outage = down_at(seconds(0));
        for number in 0..50 {
            assert_eq!(outage.failed(&failure(number, seconds(0))), Blame::Outage);
        }
        assert_eq!(outage.permit(seconds(0)), Permit::WaitUntil(seconds(1)));
        outage.sent(contact(77));
        assert_eq!(outage.failed(&failure(3, seconds(1))), Blame::Outage);
        assert_eq!(
            outage.permit(seconds(1)),
            Permit::WaitForProbe,
            "the probe is still under way"
        );
    }

    #[test]
    fn the_streak_tells_how_often_each_contact_failed() {
        let mut outage = Outage::default();
        outage.failed(&failure(0, seconds(0)));
        assert_eq!(outage.answered(seconds(0)), None);
        for number in [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9] {
            outage.failed(&failure(number, seconds(0)));
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
                outage.refused(&failure(number, Duration::from_millis(999))),
                Blame::Contact
            );
        }
        assert_eq!(outage.answered(seconds(9)), None);
        for number in 0..50 {
            assert_eq!(outage.refused(&failure(number, seconds(5))), Blame::Contact);
            assert_eq!(outage.failed(&failure(1, seconds(5))), Blame::Contact);
        }
        assert_eq!(outage.refused(&failure(1, seconds(6))), Blame::Suspicion);
    }

    #[test]
    fn a_tenant_that_is_away_is_asked_at_growing_intervals() {
        let mut outage = Outage::default();
        let cases = [
            (1_000, Blame::ConfirmedOutage),
            (1_300, Blame::Outage),
            (1_690, Blame::Outage),
        ];
        for (milliseconds, meaning) in cases {
            assert_eq!(outage.away(Duration::ZERO, 0.5), meaning);
            assert_eq!(
                outage.permit(Duration::ZERO),
                Permit::WaitUntil(Duration::from_millis(milliseconds))
            );
        }
        assert_eq!(outage.answered(seconds(0)), Some(Closed::Outage));
    }

    #[test]
    fn intervals_are_jittered() {
        for (roll, milliseconds) in [(0.0, 750), (1.0, 1_250)] {
            let mut outage = Outage::default();
            outage.away(Duration::ZERO, roll);
            assert_eq!(
                outage.permit(Duration::ZERO),
                Permit::WaitUntil(Duration::from_millis(milliseconds))
            );
        }
    }
}
