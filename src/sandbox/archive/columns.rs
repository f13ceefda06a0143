//! The providers and columns of the archives, and what stands in a cell.

use super::table::ArchiveTable;
use crate::sandbox::calendar::Moment;
use crate::sandbox::database::{ContactRow, OwnedRow};

/// One table as one provider shows it.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) provider: &'static str,
    pub(super) table: ArchiveTable,
    /// Its name in the rows.
    pub(super) entity: &'static str,
    /// The first one is the key.
    pub(super) columns: &'static [(&'static str, Content)],
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Key,
    Contact,
    Appointment,
    Document,
    Registered,
    Updated,
    /// The end of a chat.
    Ended,
    /// The last message of a chat.
    Idle,
}

/// A value on its way into JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Number(u32),
    Utc(Moment),
    Service(Moment),
    Null,
}

/// A row of either sort.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stored {
    Contact(ContactRow),
    Child(OwnedRow),
}

#[rustfmt::skip]
pub(super) const ARCHIVES: [Archive; 7] = [
    Archive { provider: "dynamic", table: ArchiveTable::Contact, entity: "contact", columns: &[
        ("contact.contact_id", Content::Key),
        ("contact.registered", Content::Registered),
        ("contact.updated", Content::Updated),
    ] },
    Archive { provider: "SimpleContact", table: ArchiveTable::Contact, entity: "contact", columns: &[
        ("contactId", Content::Key),
        ("registeredDate", Content::Registered),
        ("updatedDate", Content::Updated),
    ] },
    Archive { provider: "dynamic", table: ArchiveTable::Appointment, entity: "appointment", columns: &[
        ("appointment.appointment_id", Content::Key),
        ("appointment.contact_id", Content::Contact),
        ("appointment.document_id", Content::Document),
        ("appointment.registered", Content::Registered),
        ("appointment.updated", Content::Updated),
    ] },
    Archive { provider: "dynamic", table: ArchiveTable::Document, entity: "document", columns: &[
        ("document.document_id", Content::Key),
        ("document.appointment_id", Content::Appointment),
        ("document.appointment_id.contact_id", Content::Contact),
        ("document.registered", Content::Registered),
        ("document.updated", Content::Updated),
    ] },
    Archive { provider: "dynamic", table: ArchiveTable::Sale, entity: "sale", columns: &[
        ("sale.sale_id", Content::Key),
        ("sale.contact_id", Content::Contact),
        ("sale.registered", Content::Registered),
        ("sale.updated", Content::Updated),
    ] },
    Archive { provider: "dynamic", table: ArchiveTable::Ticket, entity: "ticket", columns: &[
        ("ticket.id", Content::Key),
        ("ticket.contact_id", Content::Contact),
        ("ticket.created_at", Content::Registered),
        ("ticket.last_changed", Content::Updated),
    ] },
    Archive { provider: "dynamic", table: ArchiveTable::ChatSession, entity: "chat_session", columns: &[
        ("chat_session.id", Content::Key),
        ("chat_session.contact_id", Content::Contact),
        ("chat_session.when_requested", Content::Registered),
        ("chat_session.when_started", Content::Registered),
        ("chat_session.when_ended", Content::Ended),
        ("chat_session.idle", Content::Idle),
    ] },
];

impl Archive {
    pub(super) fn key_name(&self) -> &'static str {
        self.columns.first().map_or("", |(name, _)| name)
    }

    /// What a column of that name holds, in any case.
    pub(super) fn content(&self, name: &str) -> Option<Content> {
        let mut columns = self.columns.iter();
        columns
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, content)| *content)
    }
}

/// A moment in the time of its table.
fn moment(table: ArchiveTable, moment: Moment) -> Cell {
    if table.is_of_service() {
        Cell::Service(moment)
    } else {
        Cell::Utc(moment)
    }
}

impl Stored {
    pub(super) fn key(&self, archive: &Archive) -> i64 {
        match (self, archive.table.children()) {
            (Self::Contact(contact), _) => i64::from(contact.contact_id),
            (Self::Child(owned), table) => {
                let key = table.map_or(owned.row.key, |table| table.key(&owned.row));
                i64::from(key)
            }
        }
    }

    pub(super) fn cell(&self, content: Content, table: ArchiveTable, seed: u64) -> Cell {
        match self {
            Self::Contact(contact) => match content {
                Content::Registered => moment(table, contact.registered),
                Content::Updated => moment(table, contact.updated),
                Content::Key
                | Content::Contact
                | Content::Appointment
                | Content::Document
                | Content::Ended
                | Content::Idle => Cell::Number(contact.contact_id.unsigned_abs()),
            },
            Self::Child(owned) => child_cell(owned, content, table, seed),
        }
    }
}

fn child_cell(owned: &OwnedRow, content: Content, table: ArchiveTable, seed: u64) -> Cell {
    let row = &owned.row;
    match content {
        Content::Key => Cell::Number(table.children().map_or(0, |table| table.key(row))),
        Content::Contact => match owned.owner {
            Some(contact_id) => Cell::Number(contact_id.unsigned_abs()),
            None if table.is_of_service() => Cell::Null,
            None => Cell::Number(0),
        },
        Content::Appointment => Cell::Number(row.appointment_id()),
        Content::Document => Cell::Number(row.document_id()),
        Content::Registered => moment(table, row.registered),
        // A ticket that was never changed may have no stamp of a change.
        Content::Updated if table == ArchiveTable::Ticket && row.key.is_multiple_of(16) => {
            row.edited.map_or(Cell::Null, Cell::Service)
        }
        Content::Updated => moment(table, row.updated()),
        Content::Ended => row.chat_ended(seed).map_or(Cell::Null, Cell::Service),
        Content::Idle => {
            let ended = row.chat_ended(seed).unwrap_or(row.registered);
            Cell::Service(row.edited.map_or(ended, |edited| edited.max(ended)))
        }
    }
}
