//! The tables of the simulated database in the order of their keys, from any key on. Nothing is
//! held that grows with the number of contacts: the rows of a block of contacts are found, put in
//! order, and forgotten.

use super::nights::Happening;
use super::row::{BLOCK, ChildRow, FIRST_LATER_KEY, ListKind, block_of, serial_of};
use super::{ContactRow, Database, Presence};

/// A table of rows that belong to contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum ChildTable {
    /// Follow-ups, and one row beside every document.
    Appointments,
    Documents,
    Sales,
    Tickets,
    Chats,
}

/// A row with the contact that it belongs to; none where that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) struct OwnedRow {
    pub(in crate::sandbox) row: ChildRow,
    pub(in crate::sandbox) owner: Option<i32>,
}

impl ChildTable {
    pub(super) fn kinds(self) -> &'static [ListKind] {
        match self {
            Self::Appointments => &[ListKind::Followups, ListKind::Documents],
            Self::Documents => &[ListKind::Documents],
            Self::Sales => &[ListKind::Sales],
            Self::Tickets => &[ListKind::Tickets],
            Self::Chats => &[ListKind::Chats],
        }
    }

    /// The key of a row in this table.
    pub(in crate::sandbox) fn key(self, row: &ChildRow) -> u32 {
        match self {
            Self::Appointments => row.appointment_id(),
            Self::Documents | Self::Sales | Self::Tickets | Self::Chats => row.key,
        }
    }

    /// The lowest key of a row that may lie beyond a key of this table.
    fn lowest_beyond(self, after: i64) -> u32 {
        let after = u32::try_from(after.max(0)).unwrap_or(u32::MAX);
        match self {
            Self::Appointments => after / 2,
            Self::Documents | Self::Sales | Self::Tickets | Self::Chats => after,
        }
    }
}

impl Database {
    /// The first `most` contacts beyond an id. Those of which only the lists are shown are left
    /// out, as the summary shows no Contact of them.
    pub(in crate::sandbox) fn contacts_after(&self, after: i64, most: usize) -> Vec<ContactRow> {
        (after.max(0) + 1..=i64::from(self.last_shown()))
            .filter_map(|contact_id| i32::try_from(contact_id).ok())
            .map(|contact_id| self.contact(contact_id))
            .filter(|contact| contact.presence == Presence::Whole)
            .take(most)
            .collect()
    }

    /// The first `most` rows of a table beyond a key, in the order of the keys.
    pub(in crate::sandbox) fn rows_after(
        &self,
        table: ChildTable,
        after: i64,
        most: usize,
    ) -> Vec<OwnedRow> {
        let mut rows = Vec::new();
        let lowest = table.lowest_beyond(after);
        for block in block_of(lowest)..=self.last_shown() / BLOCK {
            if rows.len() >= most {
                break;
            }
            let mut found = self.rows_of_block(block, table);
            found.retain(|owned| i64::from(table.key(&owned.row)) > after);
            found.sort_unstable_by_key(|owned| table.key(&owned.row));
            rows.append(&mut found);
        }
        for serial in serial_of(lowest).. {
            let (night, number) = self.nights.of_serial(serial);
            if rows.len() >= most || night > self.nights.passed() {
                break;
            }
            let mut found = self.rows_of_change(night, number, table);
            found.retain(|owned| i64::from(table.key(&owned.row)) > after);
            rows.append(&mut found);
        }
        rows.truncate(most);
        rows
    }

    /// The rows that the contacts of a block were made with.
    fn rows_of_block(&self, block: u32, table: ChildTable) -> Vec<OwnedRow> {
        let contacts = block * BLOCK..(block + 1) * BLOCK;
        let shown = contacts.filter(|number| *number <= self.last_shown());
        let contact_ids = shown.filter_map(|number| i32::try_from(number).ok());
        let rows_of = |contact_id: i32| {
            let kinds = table.kinds().iter();
            kinds.flat_map(move |kind| self.rows_made_for(contact_id, *kind))
        };
        let first = |owned: &OwnedRow| owned.row.key < FIRST_LATER_KEY;
        contact_ids.flat_map(rows_of).filter(first).collect()
    }

    /// The rows that a change of some night made.
    fn rows_of_change(&self, night: u32, number: u32, table: ChildTable) -> Vec<OwnedRow> {
        let Some((contact_id, Happening::Insert { kind, .. })) = self.nights.change(night, number)
        else {
            return Vec::new();
        };
        if !table.kinds().contains(&kind) {
            return Vec::new();
        }
        let serial = self.nights.serial(night, number);
        let mut rows = self.rows_made_for(contact_id, kind);
        rows.retain(|owned| owned.row.key >= FIRST_LATER_KEY && serial_of(owned.row.key) == serial);
        rows
    }
}
