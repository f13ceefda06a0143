//! A run-length detector for the circuit breaker: one and the same refusal to many different
//! contacts in a row. Each by itself is an answer ("there is no such contact", "you may not see
//! it"), and a block of deleted contacts looks no different from a server that answers so to
//! everybody. So refusals are held back while a row of them lasts, and enough of them raise the
//! suspicion of an outage, which a contact that was had before clears up. What follows from it is
//! settled in `accounting.rs`. Pure.
//!
//! # What is held, and for how long
//!
//! A held refusal has no body. It goes out as it stands when another answer comes to a request that
//! was sent after it; all of a row are asked for again where the probe of the outage fails too.
//! Where the probe is answered well, the refusals are the contacts' own: the same kind raises
//! suspicion only after ten times as many from then on, and those that are held are asked for once
//! more at the end of the plan, since a server of several machines may have had one that was ill.
//! That is done for [`LAST_LOOKS`] contacts at a time; the others of a larger block stand at once.
//! So a million deleted contacts in a row cost some two thousand calls more, and never is more kept
//! of them than [`LEVELS`] and [`LAST_LOOKS`] say. A crash loses what is held, with the calls that
//! it cost.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;

use crate::contact::{Answer, ContactId};
use crate::extract::fetcher::attempt::RefusalKind;
use crate::extract::fetcher::outage::CONTACTS;
use crate::extract::fetcher::tries::Tries;
use crate::extract::fetcher::verdict::Fate;

/// Different contacts in a row that have to be refused alike: at first as many as fail in a row
/// when an outage is suspected; after each time that it was none, ten times as many, since bounded
/// memory holds them. Scenario `a_block_of_deleted_contacts_is_no_outage` counts the probes.
const LEVELS: [usize; 3] = [CONTACTS, 100, 1_000];
/// Contacts that wait at the same time to be asked for once more at the end of the plan. Set by
/// hand: all of a block that is large enough to be seen at the second level, and little memory.
pub(super) const LAST_LOOKS: usize = 1_000;

/// A final answer that is held back, with the attempts that led to it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) refusal: RefusalKind,
    /// When its request was sent.
    pub(super) sent: Duration,
    pub(super) answer: Answer<Bytes>,
    pub(super) tries: Tries,
}

/// The refusals that came in a row.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    row: Option<Row>,
    /// How often a kind turned out to be no outage.
    cleared: HashMap<RefusalKind, usize>,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Row {
    refusal: RefusalKind,
    contacts: HashSet<ContactId>,
}

impl Refusals {
    /// Counts a refusal. Gives what was held back of another kind, whose row ends.
    pub(super) fn note(&mut self, refusal: RefusalKind, contact_id: ContactId) -> Vec<Held> {
        let same = self.row.take_if(|row| row.refusal == refusal);
        let ended = if same.is_none() {
            self.take()
        } else {
            Vec::new()
        };
        let row = self.row.insert(same.unwrap_or_else(|| Row {
            refusal,
            contacts: HashSet::new(),
        }));
        row.contacts.insert(contact_id);
        ended
    }

    /// How many different contacts have to be refused in this way.
    pub(super) fn enough(&self, refusal: RefusalKind) -> usize {
        let level = self.cleared.get(&refusal).copied().unwrap_or_default();
        let [.., last] = LEVELS;
        LEVELS.get(level).copied().unwrap_or(last)
    }

    /// Whether the row is long enough to suspect an outage.
    pub(super) fn is_suspicious(&self) -> bool {
        self.row
            .as_ref()
            .is_some_and(|row| row.contacts.len() >= self.enough(row.refusal))
    }

    /// Whether those of the row count as failures of the server, too.
    pub(super) fn are_failures(&self) -> bool {
        self.row
            .as_ref()
            .is_some_and(|row| matches!(row.refusal.fate, Fate::Again { .. }))
    }

    /// The contacts of the row.
    pub(super) fn contacts(&self) -> impl Iterator<Item = ContactId> {
        self.row.iter().flat_map(|row| &row.contacts).copied()
    }

    /// Holds a final answer back.
    pub(super) fn hold(&mut self, held: Held) {
        self.held.push(held);
    }

    /// Whether any answer is held back.
    pub(super) fn holds_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// One that is held back, for want of other contacts.
    pub(super) fn take_one(&mut self) -> Option<Held> {
        self.held.pop()
    }

    /// Notes an answer as it should be, to a request that was sent then: the row begins anew. Gives
    /// what was held back, apart from those that were sent later: an answer to an earlier request is no
    /// proof that they were wrong.
    pub(super) fn answered(&mut self, sent: Duration) -> Vec<Held> {
        if let Some(row) = &mut self.row {
            row.contacts.clear();
        }
        self.held.extract_if(.., |held| held.sent <= sent).collect()
    }

    /// Notes that the row is the contacts' own fault. Gives what was held back.
    pub(super) fn cleared(&mut self) -> Vec<Held> {
        if let Some(row) = &self.row {
            *self.cleared.entry(row.refusal).or_default() += 1;
        }
        self.take()
    }

    /// Ends the row. Gives what was held back.
    pub(super) fn take(&mut self) -> Vec<Held> {
        self.row = None;
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::{Ending, Outcome, Reason};

    const MISSING: RefusalKind = RefusalKind {
        status: 204,
        fate: Fate::Missing,
    };
    const REDIRECT: RefusalKind = RefusalKind {
        status: 302,
        fate: Fate::Failed(Reason::Redirect),
    };

    fn contact(number: usize) -> ContactId {
        ContactId::new(i64::try_from(number).unwrap() + 1).unwrap()
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn held(number: usize) -> Held {
        let ending = Ending {
            outcome: Outcome::Missing,
            http_status: Some(204),
            attempts: 1,
            error: None,
            message: None,
            fetched_at: None,
        };
        Held {
            refusal: MISSING,
            sent: seconds(5),
            answer: Answer {
                contact_id: contact(number),
                ending,
                body: None,
            },
            tries: Tries::default(),
        }
    }

    /// Refuses contacts until that is suspicious; gives how many that took.
    fn suspicious_after(refusals: &mut Refusals, refusal: RefusalKind) -> usize {
        let is_last = |number: &usize| {
            let ended = refusals.note(refusal, contact(*number));
            assert!(ended.is_empty());
            refusals.hold(held(*number));
            refusals.is_suspicious()
        };
        (0..10_000).find(is_last).map_or(0, |number| number + 1)
    }

    #[test]
    fn each_time_that_it_was_no_outage_more_refusals_are_needed() {
        let mut refusals = Refusals::default();
        for enough in [10, 100, 1_000, 1_000] {
            assert_eq!(suspicious_after(&mut refusals, MISSING), enough);
            assert_eq!(refusals.cleared().len(), enough);
            assert!(!refusals.is_suspicious() && !refusals.holds_any());
        }
        assert_eq!(suspicious_after(&mut refusals, REDIRECT), 10);
    }

    #[test]
    fn one_contact_alone_is_never_suspicious() {
        let mut refusals = Refusals::default();
        for _ in 0..100 {
            refusals.note(MISSING, contact(1));
        }
        assert!(!refusals.is_suspicious());
    }

    #[test]
    fn another_kind_and_an_answer_since_end_the_row() {
        let mut refusals = Refusals::default();
        for number in 0..9 {
            refusals.note(MISSING, contact(number));
            refusals.hold(held(number));
        }
        assert!(
            refusals.answered(seconds(4)).is_empty(),
            "it was sent before them"
        );
        refusals.note(MISSING, contact(9));
        refusals.hold(held(9));
        assert!(!refusals.is_suspicious(), "the row began anew");
        assert_eq!(refusals.note(REDIRECT, contact(10)).len(), 10);
        refusals.hold(held(10));
        assert_eq!(refusals.answered(seconds(5)).len(), 1);
        assert_eq!(refusals.contacts().count(), 0);
    }
}
