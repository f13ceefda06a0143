//! Whose failure was it, the contact's or the server's? Tells the circuit breaker (`outage.rs`) how
//! each request and each chore went, and settles what follows for attempts, address and pace. When
//! the breaker opens is its own matter.

use std::time::Duration;

use crate::contact::Reason;
use crate::extract::fetcher::access::ChoreDone;
use crate::extract::fetcher::attempt::Judged;
use crate::extract::fetcher::control::Control;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::outage::{Blame, Failure, LastContacts};
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
        if !self.access.done(done, now)? {
            let blame = self.outage.away(now, roll);
            self.follow_blame(blame);
        }
        Ok(())
    }

    /// Tells the circuit breaker how the server fares; true where the attempt counts against its
    /// contact.
    pub(super) fn note_health(&mut self, judged: &Judged) -> bool {
        let health = judged.verdict.health;
        if health == Health::Well {
            self.served += 1;
            if self.outage.answered() {
                self.pace.restart();
            }
            return true;
        }
        if self.may_be_wrong_address(judged) {
            return true;
        }
        let failure = Failure {
            contact_id: judged.contact_id(),
            at: judged.done,
            last_contacts: self.last_contacts(judged),
            roll: judged.roll,
        };
        let blame = match health {
            Health::TooMany => self.outage.refused(&failure),
            Health::PushBack | Health::Sick | Health::Away | Health::Well => {
                self.outage.failed(&failure)
            }
        };
        self.follow_blame(blame)
    }

    /// Web pages from the first answer on are what a wrong address looks like, not an outage: they
    /// are left to the check for a hopeless run. In an outage they are those of a server that is
    /// starting.
    fn may_be_wrong_address(&self, judged: &Judged) -> bool {
        let is_web_page = judged.verdict.fate
            == Fate::Again {
                reason: Reason::NotJson,
            };
        is_web_page && self.first_answers.undecided() && !self.outage.is_suspected()
    }

    /// How few contacts make an outage when no others are left. With a contact that is known to be
    /// good it can be found out whether it is one. A server that cannot be reached at all fails no
    /// contact in particular.
    fn last_contacts(&self, judged: &Judged) -> LastContacts {
        let failures = if judged.verdict.health == Health::Away {
            1
        } else if self.known_good.is_some() {
            FAILURES_OF_LAST_CONTACTS
                .min(self.settings.retry.max_attempts.get() - 1)
                .max(1)
        } else {
            u32::MAX
        };
        LastContacts {
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
                false
            }
        }
    }
}
