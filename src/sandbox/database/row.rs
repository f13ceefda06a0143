//! One row of the simulated database: a ticket, an activity, a sale or a chat. Its key says where it
//! was made, so that a page of an archive can begin at any key without a look at those before.

use fastrand::Rng;

use crate::sandbox::calendar::Moment;
use crate::sandbox::dice::{falls_into, generator};

/// The most rows that one change makes.
pub(super) const MOST_INSERTED: u8 = 3;
/// Keys that are set aside for the rows of one change.
const KEYS_OF_A_CHANGE: u32 = 4;
/// Rows of a kind that a contact may be made with; a list never begins longer than this.
const SLOTS: u32 = 1 << 8;
/// Contacts whose rows lie between one another: those of a block are made slot by slot, so that
/// the order of the keys is not that of the contacts.
pub(super) const BLOCK: u32 = 1 << 8;
/// Keys of a block.
const BLOCK_KEYS: u32 = BLOCK * SLOTS;
/// The most contacts whose rows have keys of their own. Beyond them keys repeat, which no archive
/// shows.
pub(super) const KEYED_CONTACTS: u32 = 1 << 21;

/// The lists of a summary, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum ListKind {
    Tickets,
    Followups,
    Documents,
    Sales,
    Chats,
}

impl ListKind {
    pub(in crate::sandbox) const ALL: [Self; 5] = [
        Self::Tickets,
        Self::Followups,
        Self::Documents,
        Self::Sales,
        Self::Chats,
    ];

    pub(super) fn any(rng: &mut Rng) -> Self {
        rng.choice(Self::ALL).expect("there are five")
    }

    /// Its place in the summary, which keeps the dice of one kind from moving those of another.
    pub(in crate::sandbox) fn number(self) -> u64 {
        match self {
            Self::Tickets => 0,
            Self::Followups => 1,
            Self::Documents => 2,
            Self::Sales => 3,
            Self::Chats => 4,
        }
    }
}

/// A row as it stands in some night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) struct ChildRow {
    pub(in crate::sandbox) kind: ListKind,
    /// Unique among the rows of its kind; a row keeps it for life.
    pub(in crate::sandbox) key: u32,
    /// The contact that it was made for.
    pub(in crate::sandbox) origin: i32,
    pub(in crate::sandbox) registered: Moment,
    /// How often it was edited, the edits that move no stamp included.
    pub(in crate::sandbox) edits: u32,
    /// When its stamp was moved last.
    pub(in crate::sandbox) edited: Option<Moment>,
}

impl ChildRow {
    /// Its stamp.
    pub(in crate::sandbox) fn updated(&self) -> Moment {
        self.edited.unwrap_or(self.registered)
    }

    /// Its key among the appointments, which follow-ups and documents share.
    pub(in crate::sandbox) fn appointment_id(&self) -> u32 {
        self.key * 2 + u32::from(self.kind == ListKind::Documents)
    }

    /// The document that it is, or belongs to; 0 for everything else.
    pub(in crate::sandbox) fn document_id(&self) -> u32 {
        if self.kind == ListKind::Documents {
            self.key
        } else {
            0
        }
    }

    /// When a chat ended; none while it is open.
    pub(in crate::sandbox) fn chat_ended(&self, seed: u64) -> Option<Moment> {
        let mut rng = generator(seed, u64::from(self.key), 40);
        let is_open = falls_into(&mut rng, 0.05);
        (!is_open).then(|| self.registered.after(&mut rng, 3_600))
    }
}

/// The key of the row that a contact was made with, by its place in the list, oldest first.
pub(super) fn first_key(contact_id: i32, slot: u32) -> u32 {
    let number = contact_id.unsigned_abs() % KEYED_CONTACTS;
    // Another order of the contacts in every slot.
    let place = (number % BLOCK * 167 + slot * 89) % BLOCK;
    1 + number / BLOCK * BLOCK_KEYS + slot * BLOCK + place
}

/// The key of a row that a change of some night made.
pub(super) fn later_key(serial: u32, number: u32) -> u32 {
    FIRST_LATER_KEY + serial * KEYS_OF_A_CHANGE + number
}

/// The change that made the row of a key, or would have; the first one where the key is lower.
pub(super) fn serial_of(key: u32) -> u32 {
    key.saturating_sub(FIRST_LATER_KEY) / KEYS_OF_A_CHANGE
}

/// The first key of the rows that were made in some night.
pub(super) const FIRST_LATER_KEY: u32 = 1 + KEYED_CONTACTS / BLOCK * BLOCK_KEYS;

/// The block that the key lies in.
pub(super) fn block_of(key: u32) -> u32 {
    key.saturating_sub(1) / BLOCK_KEYS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_a_key_of_its_own_that_tells_its_block() {
        let mut keys = BTreeSet::new();
        for contact_id in 1..2_000 {
            for slot in 0..SLOTS {
                let key = first_key(contact_id, slot);
                assert!(keys.insert(key));
                assert_eq!(block_of(key), contact_id.unsigned_abs() / BLOCK);
                assert!(slot == 0 || key > first_key(contact_id, slot - 1));
            }
        }
        assert!(first_key(i32::MAX, SLOTS - 1) < FIRST_LATER_KEY);
    }
}
