//! Whose failure was it, the contact's or the server's? Tells the circuit breaker (`outage.rs`) how
//! each request and each chore went, and settles what follows for attempts, address and pace. When
//! the breaker opens is its own matter.

use std::time::Duration;

use crate::contact::{Ending, Outcome, Reason};
use crate::extract::fetcher::access::ChoreDone;
use crate::extract::fetcher::attempt::{Judged, RefusalKind, Send};
use crate::extract::fetcher::control::Control;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::outage::{Blame, Closed, Failure, LastContacts, Sign, Trigger};
use crate::extract::fetcher::refusals::{Held, LAST_LOOKS};
use crate::extract::fetcher::verdict::{Fate, Health};

/// How often each of the last contacts of a run has to fail before an outage is suspected. It is
/// less where fewer attempts are allowed, so that it comes before the last of them. Scenario
/// `the_last_contacts_wait_out_an_outage_like_all` needs it to come before six attempts are used
/// up; `the_last_contact_may_fail_like_any_other` bounds what it costs to be wrong.
const FAILURES_OF_LAST_CONTACTS: u32 = 3;

impl Control {
    /// Applies what a chore came to.
    pub(super) fn chore_done(
        &mut self,
        done: &ChoreDone,
        now: Duration,
        roll: f64,
    ) -> Result<(), End> {
        if done.is_untrusted() && self.served == 0 {
            self.trouble = done.trouble().unwrap_or_default();
            return Err(End::Untrusted);
        }
        let can_prove = self.known_good().is_some();
        if !self.access.done(done, now, can_prove)? {
            self.trouble = done.trouble().unwrap_or_default();
            let blame = self.outage.away(now, roll);
            self.follow_blame(blame);
        }
        Ok(())
    }

    /// Tells the circuit breaker how the server fares; true where the attempt counts against its
    /// contact.
    pub(super) fn note_health(&mut self, judged: &Judged) -> bool {
        let refusal = judged.refusal();
        match (judged.verdict.health, refusal) {
            (Health::Well, None) => {
                self.note_served(judged);
                true
            }
            (Health::Well, Some(refusal)) => self.note_refusal(judged, refusal),
            (Health::TooMany | Health::PushBack | Health::Sick | Health::Away, _) => {
                self.note_failure(judged, refusal)
            }
        }
    }

    /// An answer as it should be, or at least one that no server gives to everybody.
    fn note_served(&mut self, judged: &Judged) {
        self.progress.served += u64::from(judged.verdict.fate == Fate::Exported);
        self.note_answered(judged);
        if !self.outage.is_suspected() {
            for held in self.refusals.answered(judged.sent.at) {
                self.finish(held.answer);
            }
        }
    }

    /// An answer that closes the circuit breaker, where it was open; then the refusals in doubt are
    /// settled with it.
    fn note_answered(&mut self, judged: &Judged) {
        self.served += 1;
        let is_in_doubt =
            self.outage.trigger() == Some(Trigger::Refusals) || self.refusals.are_failures();
        let Some(closed) = self.outage.answered(judged.sent.at) else {
            return;
        };
        self.pace.restart();
        match closed {
            Closed::Suspicion if self.refusals.is_suspicious() => self.clear_refusals(),
            Closed::Outage if is_in_doubt => self.ask_all_again(judged.done),
            Closed::Suspicion | Closed::Outage => {}
        }
    }

    /// An answer that may be the contact's own, or a server's that gives it to everybody.
    fn note_refusal(&mut self, judged: &Judged, refusal: RefusalKind) -> bool {
        let failure = self.failure(judged, Some(refusal));
        // Where others are refused too, it is one more of those. And whoever was had before should
        // not be refused at all.
        let is_known_good = !matches!(judged.sent.send, Send::Contact(_));
        if self.outage.trigger() == Some(Trigger::Refusals)
            || (is_known_good && self.outage.is_suspected())
        {
            self.trouble = judged.trouble();
            let blame = self.outage.refused_alike(&failure);
            return self.follow_blame(blame);
        }
        self.note_answered(judged);
        if !self.is_in_row(judged, refusal) {
            return true;
        }
        self.note_row(judged, refusal);
        if self.refusals.is_suspicious() {
            self.trouble = judged.trouble();
            let blame = self.outage.refused_alike(&failure);
            return self.follow_blame(blame);
        }
        true
    }

    fn note_failure(&mut self, judged: &Judged, refusal: Option<RefusalKind>) -> bool {
        if self.may_be_wrong_address(judged) {
            return true;
        }
        self.trouble = judged.trouble();
        if let Some(refusal) = refusal.filter(|refusal| self.is_in_row(judged, *refusal))
            && !self.outage.is_suspected()
        {
            self.note_row(judged, refusal);
        }
        let failure = self.failure(judged, refusal);
        let blame = if judged.verdict.health == Health::TooMany {
            self.outage.refused(&failure)
        } else {
            self.outage.failed(&failure)
        };
        self.follow_blame(blame)
    }

    fn failure(&self, judged: &Judged, refusal: Option<RefusalKind>) -> Failure {
        let is_timeout = judged.reply.is_err()
            && judged.verdict.fate.reason() == Some(Reason::Timeout)
            && judged.verdict.health != Health::Away;
        let sign = match refusal {
            Some(refusal) if self.has_worked() => Sign::Refusal {
                enough: self.refusals.enough(refusal),
            },
            None if is_timeout => Sign::Timeout {
                in_flight: judged.in_flight,
            },
            Some(_) | None => Sign::Other,
        };
        Failure {
            send: judged.sent.send,
            sign,
            at: judged.done,
            last_contacts: self.last_contacts(judged),
            roll: judged.roll,
        }
    }

    /// Whether a refusal is one of a row that may turn out to be an outage: not before the API
    /// worked at all, nor where it stands already.
    pub(super) fn is_in_row(&mut self, judged: &Judged, refusal: RefusalKind) -> bool {
        let stands = match judged.sent.send {
            Send::Contact(contact_id) => self
                .backlog
                .tries(contact_id)
                .is_some_and(|tries| tries.stands == Some(refusal)),
            Send::Probe(_) | Send::Proof(_) => true,
        };
        self.has_worked() && !stands
    }

    /// Whether the API is known to have worked as it is asked now.
    fn has_worked(&self) -> bool {
        self.known_good().is_some() || self.settings.worked_before
    }

    fn note_row(&mut self, judged: &Judged, refusal: RefusalKind) {
        let ended = self.refusals.note(refusal, judged.contact_id());
        for held in ended {
            self.finish(held.answer);
        }
    }

    /// The refusals of the row are the contacts' own: see [`crate::extract::fetcher::refusals`].
    fn clear_refusals(&mut self) {
        for held in self.refusals.cleared() {
            if self.backlog.waiting_for_the_end() < LAST_LOOKS {
                let Held {
                    refusal,
                    answer,
                    mut tries,
                    ..
                } = held;
                tries.stands = Some(refusal);
                tries.last = Some(answer.ending);
                self.backlog.put_last(answer.contact_id, tries);
            } else {
                self.finish(held.answer);
            }
        }
    }

    /// The refusals that were held back were an outage's: those contacts are asked for again, at no
    /// cost; but not for ever, since a server that comes and goes is no outage.
    fn ask_all_again(&mut self, now: Duration) {
        for mut held in self.refusals.take() {
            if held.tries.forgive(1) {
                self.put_back(held, now);
            } else {
                self.finish(held.answer);
            }
        }
    }

    /// Lets a contact wait whose refusal was held back.
    pub(super) fn put_back(&mut self, held: Held, due: Duration) {
        let Held {
            answer, mut tries, ..
        } = held;
        tries.last = Some(Ending {
            outcome: Outcome::Pending,
            ..answer.ending
        });
        self.backlog.put_back(answer.contact_id, due, tries);
    }

    /// Web pages from the first answer on, or that there is no such page, are what a wrong address
    /// looks like, not an outage: they are left to the check for a hopeless run. In an outage they
    /// are those of a server that is starting.
    fn may_be_wrong_address(&self, judged: &Judged) -> bool {
        judged.refusal().is_some() && self.first_answers.undecided() && !self.outage.is_suspected()
    }

    /// How few contacts make an outage when no others are left. With a contact that is known to be
    /// good it can be found out whether it is one. A server that cannot be reached at all fails no
    /// contact in particular.
    fn last_contacts(&self, judged: &Judged) -> LastContacts {
        let failures = if judged.verdict.health == Health::Away {
            1
        } else if self.known_good().is_some() {
            FAILURES_OF_LAST_CONTACTS
                .min(self.settings.retry.max_attempts.get() - 1)
                .max(1)
        } else {
            u32::MAX
        };
        let last_but_one = self.settings.retry.max_attempts.get() - 1;
        LastContacts {
            of_one: match self.known_good() {
                Some(_) if last_but_one > 1 => last_but_one,
                Some(_) | None => u32::MAX,
            },
            unanswered: self.backlog.unanswered(judged.in_flight),
            failures,
        }
    }

    /// Applies whose failure it was; true where it counts against its contact.
    fn follow_blame(&mut self, blame: Blame) -> bool {
        if blame != Blame::Contact {
            // Each probe asks first where the API is now.
            self.access.doubt_address();
        }
        match blame {
            Blame::Contact | Blame::Suspicion => true,
            Blame::Outage => false,
            Blame::ConfirmedOutage => {
                self.progress.outages += 1;
                for (contact_id, failures) in self.outage.streak() {
                    if let Some(tries) = self.backlog.tries(contact_id) {
                        tries.forgive(failures);
                    }
                }
                for contact_id in self.refusals.contacts() {
                    if let Some(tries) = self.backlog.tries(contact_id) {
                        tries.forgive_empty();
                    }
                }
                false
            }
        }
    }
}
