//! Refresh-ahead of a credential, shared by all requests (single flight), with a new one half-open
//! until its first request has ended: whether the login is good, and when it is renewed. That is
//! once for all requests in flight, ahead of its end where that is known, and never on and on.
//! Where a request is refused and there is no other login to be had, the API is asked whether it is
//! the login or the contact. Pure.

use std::time::Duration;

use crate::contact::ContactId;
use crate::extract::auth::Life;
use crate::extract::fetcher::attempt::{Send, Sent};

/// A login that was had longer ago than this may be why access is denied. Set by hand: below the
/// life of any access token that is known of.
const OLD: Duration = Duration::from_mins(10);
/// A login is renewed this long before its end, or a tenth of its life where that is less. Set by
/// hand: requests that are sent until then should be answered before it ends. Scenario
/// `a_login_with_an_end_is_renewed_before_it` needs some of it.
const AHEAD: Duration = Duration::from_mins(1);
/// Refusals that cost a contact no attempt. Set by hand: more than the end of one login costs, and
/// few enough that a contact which alone is refused fails soon (scenario
/// `one_contact_that_is_always_refused_fails_alone`).
const FREE: u32 = 3;

/// What is known of the login.
#[derive(Debug)]
pub(super) struct Login {
    /// Counts logins: a request remembers under which one it was sent.
    number: u64,
    stage: LoginStage,
    probation: Probation,
    life: Life,
    had_at: Duration,
    /// When the last request was sent that this login let in.
    worked_at: Option<Duration>,
    /// Whether any login of this run did.
    worked_before: bool,
    /// The contact that a new login was refused for, where it may be the contact's fault.
    suspect: Option<ContactId>,
    /// Whether a contact that was had before was refused under it.
    is_disproved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoginStage {
    /// There is none that is good.
    Needed,
    /// Logging in is under way.
    UnderWay,
    /// There is one.
    Had,
    /// There is one that a contact was refused under; the API is to be asked whether it is good.
    InDoubt,
    /// The API is asked.
    Asked,
    /// The same, but the API does not tell: a contact that was had before is to be asked for.
    Unproved,
    /// That contact is asked for.
    Proving,
}

/// A new login is tried by one request first: a wrong password sent many times at once locks its
/// account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probation {
    /// The one request is still to be sent.
    Ahead,
    /// It is under way.
    UnderWay,
    /// Any number of requests may go.
    Over,
}

/// What follows from a refusal (401).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The contact is tried again, and it cost it nothing.
    Again,
    /// The contact is tried again as after any other failure.
    Counted,
    /// The contact is tried once more at the end of the plan.
    AtTheEnd,
    /// The contact fails: it alone is refused.
    Alone,
    /// No login is any good.
    Stop,
}

impl Login {
    /// One that is not had yet.
    pub(super) fn new() -> Self {
        Self {
            number: 0,
            stage: LoginStage::Needed,
            probation: Probation::Over,
            life: Life::default(),
            had_at: Duration::ZERO,
            worked_at: None,
            worked_before: false,
            suspect: None,
            is_disproved: false,
        }
    }

    /// Whether to log in now; that is then under way.
    pub(super) fn ask(&mut self, now: Duration) -> bool {
        let ask = self.stage == LoginStage::Needed
            || (self.stage == LoginStage::Had && self.is_ending(now));
        if ask {
            self.stage = LoginStage::UnderWay;
        }
        ask
    }

    /// Whether to ask the API who is logged in; that is then under way.
    pub(super) fn ask_who(&mut self) -> bool {
        let ask = self.stage == LoginStage::InDoubt;
        if ask {
            self.stage = LoginStage::Asked;
        }
        ask
    }

    /// Whether the next request has to be for a contact that was had before.
    pub(super) fn wants_proof(&self) -> bool {
        self.stage == LoginStage::Unproved
    }

    fn is_ending(&self, now: Duration) -> bool {
        let since_use = now.saturating_sub(self.worked_at.unwrap_or(self.had_at));
        let is_over = self.life.lifetime.is_some_and(|lifetime| {
            let usable = lifetime.saturating_sub(AHEAD.min(lifetime / 10));
            now.saturating_sub(self.had_at) >= usable
        });
        is_over || self.life.idle.is_some_and(|idle| since_use >= idle)
    }

    /// Whether requests can be sent under it.
    pub(super) fn is_ready(&self) -> bool {
        match self.stage {
            LoginStage::Had => self.probation != Probation::UnderWay,
            LoginStage::Unproved => true,
            LoginStage::Needed
            | LoginStage::UnderWay
            | LoginStage::InDoubt
            | LoginStage::Asked
            | LoginStage::Proving => false,
        }
    }

    /// Whether any login of this run opened the API.
    pub(super) fn worked_before(&self) -> bool {
        self.worked_before
    }

    /// Notes a new login.
    pub(super) fn had(&mut self, now: Duration, life: Life) {
        self.number += 1;
        self.stage = LoginStage::Had;
        self.probation = if life.can_be_refused {
            Probation::Ahead
        } else {
            Probation::Over
        };
        self.life = life;
        self.had_at = now;
        self.worked_at = None;
        self.suspect = None;
        self.is_disproved = false;
    }

    /// Notes that there is no other login than the one that was refused; false where that is known
    /// to be no good.
    pub(super) fn no_other(&mut self) -> bool {
        self.stage = LoginStage::InDoubt;
        !self.is_disproved
    }

    /// Notes that the API could not say who is logged in: it is asked again.
    pub(super) fn in_doubt(&mut self) {
        self.stage = LoginStage::InDoubt;
    }

    /// Notes that the API knows who is logged in: whoever was refused before was so by itself.
    pub(super) fn let_in(&mut self, now: Duration) {
        self.stage = LoginStage::Had;
        self.probation = Probation::Over;
        self.worked_before = true;
        self.worked_at = self.worked_at.max(Some(now));
    }

    /// Has the login tried by a contact that was had before, alone.
    pub(super) fn prove(&mut self) {
        self.stage = LoginStage::Unproved;
    }

    /// Notes that there was no login to be had; it is still needed.
    pub(super) fn not_had(&mut self) {
        self.stage = LoginStage::Needed;
    }

    /// Notes that a request is sent; gives the login that it is sent under.
    pub(super) fn sent(&mut self) -> u64 {
        if self.stage == LoginStage::Unproved {
            self.stage = LoginStage::Proving;
        }
        if self.probation == Probation::Ahead {
            self.probation = Probation::UnderWay;
        }
        self.number
    }

    /// Notes that a request has ended, however it did.
    pub(super) fn ended(&mut self, sent: Sent) {
        if matches!(sent.send, Send::Proof(_)) && self.stage == LoginStage::Proving {
            self.stage = LoginStage::Had;
        }
        if sent.login == self.number && self.probation == Probation::UnderWay {
            self.probation = Probation::Over;
        }
    }

    /// Notes that a request was let in.
    pub(super) fn worked(&mut self, sent: Sent) {
        self.worked_before = true;
        if sent.login == self.number {
            self.worked_at = self.worked_at.max(Some(sent.at));
        }
    }

    /// What follows from a refusal, where the contact was refused so many times before.
    pub(super) fn refused(&mut self, sent: Sent, refusals: u32) -> Refused {
        let again = self.again(refusals, FREE);
        if matches!(sent.send, Send::Proof(_)) {
            return Refused::Stop;
        }
        if sent.login != self.number || self.stage != LoginStage::Had {
            return again;
        }
        match self.worked_at {
            // It let in a later request, so it is good, or its end is very near.
            Some(at) if at > sent.at => self.again(refusals, 1),
            Some(_) => {
                self.stage = LoginStage::Needed;
                self.is_disproved = matches!(sent.send, Send::Probe(_));
                again
            }
            None if self.is_suspect(sent.send.contact_id(), refusals) => {
                self.suspect = Some(sent.send.contact_id());
                self.probation = Probation::Ahead;
                Refused::Counted
            }
            None => match sent.send {
                Send::Contact(_) => {
                    self.stage = LoginStage::InDoubt;
                    again
                }
                Send::Probe(_) | Send::Proof(_) => Refused::Stop,
            },
        }
    }

    /// How a contact is tried again, at no cost for so many refusals. Where there is no new login
    /// to be had, once is enough.
    fn again(&self, refusals: u32, free: u32) -> Refused {
        match (self.life.is_renewable, refusals) {
            (true, refusals) if refusals < free => Refused::Again,
            (true, _) => Refused::Counted,
            (false, 0) => Refused::AtTheEnd,
            (false, _) => Refused::Alone,
        }
    }

    /// Whether it may be the contact that is refused, not the login: it was refused before, and no
    /// other was since.
    fn is_suspect(&self, contact_id: ContactId, refusals: u32) -> bool {
        self.life.is_renewable
            && self.worked_before
            && refusals > 0
            && self.suspect.is_none_or(|suspect| suspect == contact_id)
    }

    /// Whether a contact that access was denied to (403) is tried again: under a new login, since
    /// the one that it was sent under may have ended. `was_denied` says that it was before.
    pub(super) fn denied(&mut self, sent: Sent, now: Duration, was_denied: bool) -> bool {
        if was_denied || !self.life.is_renewable {
            return false;
        }
        if sent.login != self.number || self.stage != LoginStage::Had {
            return true;
        }
        let is_old = now.saturating_sub(self.had_at) > OLD;
        let is_good = self.worked_at.is_some_and(|at| at > sent.at);
        let renew = is_old && !is_good;
        if renew {
            self.stage = LoginStage::Needed;
        }
        renew
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::api::client::Via;
    const LIFE: Life = Life {
        lifetime: None,
        idle: None,
        is_renewable: true,
        can_be_refused: true,
    };

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sent(contact_id: i64, login: u64, at: u64) -> Sent {
        Sent {
            send: Send::Contact(ContactId::new(contact_id).unwrap()),
            login,
            via: Via::AnyConnection,
            at: seconds(at),
        }
    }

    fn had_at(now: u64, life: Life) -> Login {
        let mut login = Login::new();
        assert!(!login.is_ready() && login.ask(seconds(now)) && !login.ask(seconds(now)));
        login.had(seconds(now), life);
        assert!(login.is_ready());
        login
    }

    /// One that opened the API at that time.
    fn working(now: u64, life: Life) -> Login {
        let mut login = had_at(now, life);
        let number = login.sent();
        assert!(!login.is_ready(), "the first request goes alone");
        login.ended(sent(1, number, now));
        login.worked(sent(1, number, now));
        assert!(login.is_ready());
        login
    }

    #[test]
    fn many_refusals_are_one_renewal() {
        let mut login = working(0, LIFE);
        for contact_id in 1..=64 {
            assert_eq!(login.refused(sent(contact_id, 1, 5), 0), Refused::Again);
        }
        assert!(login.ask(seconds(6)) && !login.ask(seconds(6)) && !login.is_ready());
        login.had(seconds(7), LIFE);
        assert_eq!(login.refused(sent(65, 1, 5), 0), Refused::Again);
        assert!(!login.ask(seconds(8)), "it was sent under the old login");
    }

    #[test]
    fn a_login_that_never_worked_is_not_renewed() {
        let mut login = had_at(0, LIFE);
        login.sent();
        assert_eq!(login.refused(sent(1, 1, 0), 0), Refused::Again);
        assert!(!login.worked_before());
        assert!(!login.ask(seconds(1)) && login.ask_who() && !login.ask_who());
    }

    #[test]
    fn a_new_login_that_is_refused_for_two_contacts_is_no_good() {
        let mut login = working(0, LIFE);
        for contact_id in [1, 2] {
            assert_eq!(login.refused(sent(contact_id, 1, 5), 0), Refused::Again);
        }
        assert!(login.ask(seconds(6)));
        login.had(seconds(6), LIFE);
        for _ in 0..2 {
            login.sent();
            assert_eq!(login.refused(sent(1, 2, 7), 1), Refused::Counted);
            login.ended(sent(1, 2, 7));
        }
        assert_eq!(login.refused(sent(2, 2, 8), 1), Refused::Again);
        assert!(login.worked_before());
        assert!(!login.ask(seconds(9)) && login.ask_who());
    }

    #[test]
    fn without_another_login_a_contact_is_asked_for_once_more() {
        let fixed = Life {
            is_renewable: false,
            ..LIFE
        };
        let mut login = working(10, fixed);
        assert_eq!(login.refused(sent(2, 1, 11), 0), Refused::AtTheEnd);
        assert!(
            login.ask(seconds(12)),
            "whoever put it there may have put a new one"
        );
        assert!(login.no_other() && login.ask_who() && !login.is_ready());
        login.let_in(seconds(13));
        assert!(login.is_ready());
        assert_eq!(login.refused(sent(3, 1, 12), 0), Refused::AtTheEnd);
        assert!(!login.ask(seconds(14)), "it was let in since");
        assert_eq!(login.refused(sent(2, 1, 14), 1), Refused::Alone);
    }

    #[test]
    fn a_contact_that_was_had_before_proves_or_disproves_a_login() {
        let good = Send::Probe(ContactId::new(1).unwrap());
        let fixed = Life {
            is_renewable: false,
            ..LIFE
        };
        let mut login = working(10, fixed);
        let of_probe = Sent {
            send: good,
            ..sent(1, 1, 11)
        };
        assert_eq!(login.refused(of_probe, 0), Refused::AtTheEnd);
        assert!(login.ask(seconds(12)) && !login.no_other());

        let mut login = working(10, fixed);
        login.prove();
        assert!(login.is_ready() && login.wants_proof());
        login.sent();
        assert!(!login.is_ready(), "it goes alone");
        let of_proof = Sent {
            send: Send::Proof(ContactId::new(1).unwrap()),
            ..sent(1, 1, 11)
        };
        login.ended(of_proof);
        assert!(!login.wants_proof());
        assert_eq!(login.refused(of_proof, 0), Refused::Stop);
    }

    #[test]
    fn a_contact_that_is_refused_while_others_are_not_is_no_reason_to_log_in() {
        let mut login = working(10, LIFE);
        assert_eq!(login.refused(sent(2, 1, 5), 0), Refused::Again);
        assert_eq!(login.refused(sent(2, 1, 6), 1), Refused::Counted);
        assert!(!login.ask(seconds(11)));
        assert_eq!(login.refused(sent(3, 1, 11), 3), Refused::Counted);
        assert!(login.ask(seconds(12)));
    }

    #[test]
    fn a_login_is_renewed_ahead_of_its_end() {
        let lasting = |lifetime| Life {
            lifetime: Some(seconds(lifetime)),
            ..LIFE
        };
        for (lifetime, renewed_at) in [(3_600, 3_540), (300, 270), (10, 9), (1, 1)] {
            let mut login = working(100, lasting(lifetime));
            assert!(
                !login.ask(seconds(100 + renewed_at).saturating_sub(Duration::from_millis(101))),
                "{lifetime}"
            );
            assert!(login.ask(seconds(100 + renewed_at)), "{lifetime}");
        }
        let mut idle = working(
            0,
            Life {
                idle: Some(seconds(21_300)),
                ..LIFE
            },
        );
        idle.worked(sent(1, 1, 50_000));
        assert!(!idle.ask(seconds(71_299)));
        assert!(idle.ask(seconds(71_300)));
    }

    #[test]
    fn access_denied_renews_an_old_login_once() {
        let cases = [
            (601, false, LIFE, true),
            (600, false, LIFE, false),
            (601, true, LIFE, false),
            (
                601,
                false,
                Life {
                    is_renewable: false,
                    ..LIFE
                },
                false,
            ),
        ];
        for (at, was_denied, life, renewed) in cases {
            let mut login = working(0, life);
            assert_eq!(
                login.denied(sent(2, 1, at), seconds(at), was_denied),
                renewed,
                "{at} {was_denied}"
            );
            assert_eq!(login.ask(seconds(at)), renewed);
        }
        let mut good = working(0, LIFE);
        good.worked(sent(1, 1, 701));
        assert!(
            !good.denied(sent(2, 1, 700), seconds(702), false),
            "it let in a later request"
        );
        let mut other = working(0, LIFE);
        assert!(
            other.denied(sent(2, 0, 700), seconds(701), false) && !other.ask(seconds(702)),
            "it was sent under an older one"
        );
    }

    #[test]
    fn without_a_login_nothing_is_tried() {
        let mut login = had_at(0, Life::default());
        login.sent();
        assert!(login.is_ready());
    }
}
