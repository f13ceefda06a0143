//! The providers and columns of the archives, and what stands in a cell.

use super::table::ArchiveTable;
use crate::sandbox::calendar::Moment;
use crate::sandbox::database::{ContactRow, OwnedRow};

/// One table as one provider shows it.
#[derive(Debug)]
pub(super) struct SimulatedArchive {
    pub(super) provider: &'static str,
    pub(super) table: ArchiveTable,
    /// Its name in the rows.
    pub(super) entity: &'static str,
    /// The first one is the key.
    pub(super) columns: &'static [(&'static str, ColumnContent)],
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnContent {
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
pub(super) enum ColumnValue {
    Number(u32),
    Utc(Moment),
    Service(Moment),
    Null,
}

/// A row of either sort.
#[derive(Debug, Clone, Copy)]
pub(super) enum StoredRow {
    Contact(ContactRow),
    Child(OwnedRow),
}

#[rustfmt::skip]
pub(super) const ARCHIVES: [SimulatedArchive; 7] = [
    SimulatedArchive { provider: "dynamic", table: ArchiveTable::Contact, entity: "contact", columns: &[
        ("contact.contact_id", ColumnContent::Key),
        ("contact.registered", ColumnContent::Registered),
        ("contact.updated", ColumnContent::Updated),
    ] },
    SimulatedArchive { provider: "SimpleContact", table: ArchiveTable::Contact, entity: "contact", columns: &[
        ("contactId", ColumnContent::Key),
        ("registeredDate", ColumnContent::Registered),
        ("updatedDate", ColumnContent::Updated),
    ] },
    SimulatedArchive { provider: "dynamic", table: ArchiveTable::Appointment, entity: "appointment", columns: &[
        ("appointment.appointment_id", ColumnContent::Key),
        ("appointment.contact_id", ColumnContent::Contact),
        ("appointment.document_id", ColumnContent::Document),
        ("appointment.registered", ColumnContent::Registered),
        ("appointment.updated", ColumnContent::Updated),
    ] },
    SimulatedArchive { provider: "dynamic", table: ArchiveTable::Document, entity: "document", columns: &[
        ("document.document_id", ColumnContent::Key),
        ("document.appointment_id", ColumnContent::Appointment),
        ("document.appointment_id.contact_id", ColumnContent::Contact),
        ("document.registered", ColumnContent::Registered),
        ("document.updated", ColumnContent::Updated),
    ] },
    SimulatedArchive { provider: "dynamic", table: ArchiveTable::Sale, entity: "sale", columns: &[
        ("sale.sale_id", ColumnContent::Key),
        ("sale.contact_id", ColumnContent::Contact),
        ("sale.registered", ColumnContent::Registered),
        ("sale.updated", ColumnContent::Updated),
    ] },
    SimulatedArchive { provider: "dynamic", table: ArchiveTable::Ticket, entity: "ticket", columns: &[
        ("ticket.id", ColumnContent::Key),
        ("ticket.contact_id", ColumnContent::Contact),
        ("ticket.created_at", ColumnContent::Registered),
        ("ticket.last_changed", ColumnContent::Updated),
    ] },
    SimulatedArchive { provider: "dynamic", table: ArchiveTable::ChatSession, entity: "chat_session", columns: &[
        ("chat_session.id", ColumnContent::Key),
        ("chat_session.contact_id", ColumnContent::Contact),
        ("chat_session.when_requested", ColumnContent::Registered),
        ("chat_session.when_started", ColumnContent::Registered),
        ("chat_session.when_ended", ColumnContent::Ended),
        ("chat_session.idle", ColumnContent::Idle),
    ] },
];

impl SimulatedArchive {
    pub(super) fn key_name(&self) -> &'static str {
        self.columns.first().map_or("", |(name, _)| name)
    }

    /// What a column of that name holds, in any case.
    pub(super) fn content(&self, name: &str) -> Option<ColumnContent> {
        let mut columns = self.columns.iter();
        columns
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, content)| *content)
    }
}

/// A moment in the time of its table.
fn moment(table: ArchiveTable, moment: Moment) -> ColumnValue {
    if table.is_of_service() {
        ColumnValue::Service(moment)
    } else {
        ColumnValue::Utc(moment)
    }
}

impl StoredRow {
    pub(super) fn key(&self, archive: &SimulatedArchive) -> i64 {
        match (self, archive.table.children()) {
            (Self::Contact(contact), _) => i64::from(contact.contact_id),
            (Self::Child(owned), table) => {
                let key = table.map_or(owned.row.key, |table| table.key(&owned.row));
                i64::from(key)
            }
        }
    }

    pub(super) fn cell(
        &self,
        content: ColumnContent,
        table: ArchiveTable,
        seed: u64,
    ) -> ColumnValue {
        match self {
            Self::Contact(contact) => match content {
                ColumnContent::Registered => moment(table, contact.registered),
                ColumnContent::Updated => moment(table, contact.updated),
                ColumnContent::Key
                | ColumnContent::Contact
                | ColumnContent::Appointment
                | ColumnContent::Document
                | ColumnContent::Ended
                | ColumnContent::Idle => ColumnValue::Number(contact.contact_id.unsigned_abs()),
            },
            Self::Child(owned) => child_cell(owned, content, table, seed),
        }
    }
}

fn child_cell(
    owned: &OwnedRow,
    content: ColumnContent,
    table: ArchiveTable,
    seed: u64,
) -> ColumnValue {
    let row = &owned.row;
    match content {
        ColumnContent::Key => {
            ColumnValue::Number(table.children().map_or(0, |table| table.key(row)))
        }
        ColumnContent::Contact => match owned.owner {
            Some(contact_id) => ColumnValue::Number(contact_id.unsigned_abs()),
            None if table.is_of_service() => ColumnValue::Null,
            None => ColumnValue::Number(0),
        },
        ColumnContent::Appointment => ColumnValue::Number(row.appointment_id()),
        ColumnContent::Document => ColumnValue::Number(row.document_id()),
        ColumnContent::Registered => moment(table, row.registered),
        // A ticket that was never changed may have no stamp of a change.
        ColumnContent::Updated if table == ArchiveTable::Ticket && row.key.is_multiple_of(16) => {
            row.edited.map_or(ColumnValue::Null, ColumnValue::Service)
        }
        ColumnContent::Updated => moment(table, row.updated()),
        ColumnContent::Ended => row
            .chat_ended(seed)
            .map_or(ColumnValue::Null, ColumnValue::Service),
        ColumnContent::Idle => {
            let ended = row.chat_ended(seed).unwrap_or(row.registered);
            ColumnValue::Service(row.edited.unwrap_or(ended))
        }
    }
}
