//! What is known of a contact between its attempts, and what becomes of it after one.

use std::time::Duration;

use crate::contact::{Ending, Outcome};
use crate::extract::fetcher::access::TurnedAway;
use crate::extract::fetcher::retry::RetryPolicy;
use crate::extract::fetcher::verdict::{Fate, Health, Verdict};

/// So many outages give attempts back. A server that comes and goes for ever is no outage.
const MOST_FORGIVEN: u32 = 20;

/// The attempts at one contact.
#[derive(Debug, Default, Clone)]
pub(super) struct Tries {
    /// Requests sent.
    pub(super) sends: u32,
    /// Attempts that count against the policy: not those that an outage or a login cost.
    pub(super) charged: u32,
    pub(super) turned_away: TurnedAway,
    /// Whether it failed on an earlier night.
    pub(super) failed_before: bool,
    /// How its last attempt ended.
    pub(super) last: Option<Ending>,
    /// Whether its last answer had no body.
    was_empty: bool,
    /// How many requests had been served when the server first refused this one for being one too
    /// many, or was not there.
    served_at_first: Option<u64>,
    /// Outages that gave attempts back.
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

    /// Gives back attempts that an outage cost.
    pub(super) fn forgive(&mut self, attempts: u32) {
        if self.forgiven < MOST_FORGIVEN {
            self.forgiven += 1;
            self.charged = self.charged.saturating_sub(attempts);
        }
    }

    fn nobody_was_served(&mut self, served: u64) -> bool {
        *self.served_at_first.get_or_insert(served) == served
    }

    /// After which delay the contact is tried again, if it is, and how this attempt ended; `served`
    /// is how many requests have been served so far. The server's own wish for a delay counts up to
    /// `patience`.
    pub(super) fn fate(
        &mut self,
        verdict: &Verdict,
        served: u64,
        retry: RetryPolicy,
        patience: Duration,
        roll: f64,
    ) -> (Option<Duration>, Ending) {
        // Where the server serves nobody any more, it is no contact's fault that it refuses or is
        // not there.
        let is_spared = match verdict.health {
            Health::TooMany => self.nobody_was_served(served) && self.sends > 1,
            Health::Away => self.nobody_was_served(served),
            _ => false,
        };
        let charged = if is_spared { 0 } else { self.charged };
        let (again, outcome, error) = match verdict.fate {
            Fate::Exported => (None, Outcome::Exported, None),
            Fate::Missing => (None, Outcome::Missing, None),
            Fate::Failed(reason) => (None, Outcome::Failed, Some(reason)),
            Fate::Again { reason, not_before } => (
                retry.delay(
                    self.sends,
                    charged,
                    not_before.map(|wait| wait.min(patience)),
                    roll,
                ),
                Outcome::Failed,
                Some(reason),
            ),
            Fate::EmptyAgain => {
                let again = if self.was_empty {
                    None
                } else {
                    retry.delay(self.sends, charged, None, roll)
                };
                self.was_empty = true;
                (again, Outcome::Missing, None)
            }
        };
        (
            again,
            Ending {
                outcome,
                http_status: None,
                attempts: self.sends,
                error,
                message: None,
                fetched_at: None,
            },
        )
    }
}
