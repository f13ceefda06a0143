//! What is known of a contact between its attempts, and what becomes of it after one.

use std::time::Duration;

use crate::contact::{Ending, Outcome, Reason};
use crate::extract::fetcher::access::AccessHistory;
use crate::extract::fetcher::attempt::{Judged, RefusalKind};
use crate::extract::fetcher::retry::{Attempts, RetryPolicy};
use crate::extract::fetcher::verdict::{Fate, Health};

/// So many outages give attempts back. A server that comes and goes for ever is no outage: scenario
/// `a_server_that_comes_and_goes_for_ever_is_no_endless_outage` needs a bound. The figure is set by
/// hand, well above the outages of any one night.
const MOST_FORGIVEN: u32 = 20;

/// So many answers without a body in a row say that there is no such contact. One or two may be an
/// accident: of 2,000 contacts of a server that gives one in forty answers so, two in a row told a
/// wrong thing of one.
const EMPTY_IN_A_ROW: u32 = 3;

/// The attempts at one contact.
#[derive(Debug, Default, Clone)]
pub(super) struct Tries {
    /// Requests sent.
    pub(super) sends: u32,
    /// Attempts that count against the policy: not those that an outage or a login cost.
    pub(super) charged: u32,
    /// How often it was turned away for its login or address.
    pub(super) access: AccessHistory,
    /// Whether it failed on an earlier night.
    pub(super) failed_before: bool,
    /// How its last attempt ended, as far as that is known: what is told of it where the run ends
    /// before its next one.
    pub(super) last: Option<Ending>,
    /// The refusal that stands where it comes again: it is the contact's own.
    pub(super) stands: Option<RefusalKind>,
    /// Whether a connection was lost under it that may have served before: then it has its own from
    /// there on, so that the next loss counts.
    pub(super) was_dropped: bool,
    /// How many of its last answers had no body.
    empty_in_a_row: u32,
    /// How many requests had been served when the server first refused this one for being one too
    /// many, or was not there.
    served_at_first: Option<u64>,
    /// How often attempts were given back; one outage may do so more than once.
    forgiven: u32,
}

impl Tries {
    /// None yet.
    pub(super) fn new(failed_before: bool) -> Self {
        Self {
            failed_before,
            ..Self::default()
        }
    }

    /// Gives back attempts that an outage cost; false where that was done too often.
    pub(super) fn forgive(&mut self, attempts: u32) -> bool {
        let may_be = self.forgiven < MOST_FORGIVEN;
        if may_be {
            self.forgiven += 1;
            self.charged = self.charged.saturating_sub(attempts);
        }
        may_be
    }

    /// Forgets answers without a body that an outage brought, and gives their attempts back.
    pub(super) fn forgive_empty(&mut self) {
        let empty = std::mem::take(&mut self.empty_in_a_row);
        if empty > 0 {
            self.forgive(empty);
        }
    }

    /// How it stands where the run ends now, at that time.
    pub(super) fn unfinished(self, now: i64) -> Ending {
        let attempts = self.sends;
        let in_flight = Ending {
            outcome: Outcome::Pending,
            http_status: None,
            attempts,
            error: None,
            message: None,
            fetched_at: Some(now),
        };
        self.last
            .map_or(in_flight, |last| Ending { attempts, ..last })
    }

    /// Whether the attempt is not held against the contact, since the server serves nobody any more
    /// and it is no contact's fault that it refuses or is not there.
    fn is_spared(&mut self, health: Health, served: u64) -> bool {
        match health {
            // The first attempt always counts: where only one is allowed, a 429 fails its contact
            // all the same, and does not wait for ever.
            Health::TooMany => self.nobody_was_served(served) && self.sends > 1,
            Health::Away => self.nobody_was_served(served),
            Health::Well | Health::PushBack | Health::Sick => false,
        }
    }

    fn nobody_was_served(&mut self, served: u64) -> bool {
        *self.served_at_first.get_or_insert(served) == served
    }

    /// After which delay the contact is tried again, if it is, and how this attempt ended; `served`
    /// is how many requests have been served so far. Status, message and time come with the answer.
    pub(super) fn fate(
        &mut self,
        judged: &Judged,
        served: u64,
        retry: RetryPolicy,
    ) -> (Option<Duration>, Ending) {
        let verdict = &judged.verdict;
        let is_spared = self.is_spared(verdict.health, served);
        let attempts = Attempts {
            sent: self.sends,
            counted: if is_spared { 0 } else { self.charged },
        };
        let delay = || retry.delay(attempts, verdict.not_before, judged.roll);
        self.empty_in_a_row = match verdict.fate {
            Fate::EmptyAgain => self.empty_in_a_row + 1,
            Fate::Exported | Fate::Missing | Fate::Failed(_) | Fate::Again { .. } => 0,
        };
        let (again, outcome, error) = match verdict.fate {
            Fate::Exported => (None, Outcome::Exported, None),
            Fate::Missing => (None, Outcome::Missing, None),
            Fate::Failed(reason) => (None, Outcome::Failed, Some(reason)),
            Fate::Again { reason } if self.access.is_refused_alone() => {
                (None, Outcome::Failed, Some(reason))
            }
            Fate::Again { reason } => (delay(), Outcome::Failed, Some(reason)),
            Fate::EmptyAgain if self.empty_in_a_row >= EMPTY_IN_A_ROW => {
                (None, Outcome::Missing, None)
            }
            Fate::EmptyAgain => match delay() {
                // Attempts are used up. It never said anything else, or something else was wrong.
                None if self.empty_in_a_row == self.sends => (None, Outcome::Missing, None),
                again => (again, Outcome::Failed, Some(Reason::NotJson)),
            },
        };
        let ending = Ending {
            outcome,
            http_status: None,
            attempts: self.sends,
            error,
            message: None,
            fetched_at: None,
        };
        (again, ending)
    }
}
