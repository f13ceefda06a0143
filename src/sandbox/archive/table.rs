//! The tables that archives show.

use crate::sandbox::database::ChildTable;

/// A table that archives show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub enum ArchiveTable {
    Contact,
    Appointment,
    Document,
    Sale,
    Ticket,
    ChatSession,
}

impl ArchiveTable {
    /// The rows that it shows; none where they are the contacts themselves.
    pub(super) fn children(self) -> Option<ChildTable> {
        match self {
            Self::Contact => None,
            Self::Appointment => Some(ChildTable::Appointments),
            Self::Document => Some(ChildTable::Documents),
            Self::Sale => Some(ChildTable::Sales),
            Self::Ticket => Some(ChildTable::Tickets),
            Self::ChatSession => Some(ChildTable::Chats),
        }
    }

    /// The tables of Service, which came from another house: their times are readings of its clock,
    /// and what is not known in them is null.
    pub(super) fn is_of_service(self) -> bool {
        match self {
            Self::Ticket | Self::ChatSession => true,
            Self::Contact | Self::Appointment | Self::Document | Self::Sale => false,
        }
    }
}
