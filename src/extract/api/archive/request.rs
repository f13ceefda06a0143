//! Which archive is asked for a kind, by which columns, and the query of one page. The columns are
//! those of SuperOffice's documentation of its database and archive providers.

use form_urlencoded::byte_serialize;

use crate::changes::Kind;

/// Rows of a page: the most that SuperOffice's documentation advises.
pub const PAGE_ROWS: u32 = 1000;

/// An archive and its columns, named as they are asked for; answers may spell them in other case.
#[derive(Debug, PartialEq, Eq)]
pub struct Archive {
    /// What its rows are.
    pub kind: Kind,
    /// The last part of its address.
    pub provider: &'static str,
    /// The primary key, by which it is sorted.
    pub key: &'static str,
    /// Whose row it is; none where the key says so.
    pub contact: Option<&'static str>,
    /// What moves when a row is changed.
    pub stamps: &'static [&'static str],
}

const DYNAMIC: &str = "dynamic";

/// The contacts by a provider of their own, for installations that refuse `dynamic`.
const SIMPLE_CONTACT: Archive = Archive {
    kind: Kind::Contact,
    provider: "SimpleContact",
    key: "contactId",
    contact: None,
    stamps: &["updatedDate"],
};

impl Archive {
    /// The archive of a kind.
    #[rustfmt::skip]
    pub fn of(kind: Kind) -> &'static Self {
        match kind {
            Kind::Contact => &Self { kind: Kind::Contact, provider: DYNAMIC,
                key: "contact.contact_id",
                contact: None, stamps: &["contact.updated"] },
            Kind::Appointment => &Self { kind: Kind::Appointment, provider: DYNAMIC,
                key: "appointment.appointment_id",
                contact: Some("appointment.contact_id"), stamps: &["appointment.updated"] },
            // A document has no contact of its own: its appointment has.
            Kind::Document => &Self { kind: Kind::Document, provider: DYNAMIC,
                key: "document.document_id",
                contact: Some("document.appointment_id.contact_id"), stamps: &["document.updated"] },
            Kind::Sale => &Self { kind: Kind::Sale, provider: DYNAMIC,
                key: "sale.sale_id",
                contact: Some("sale.contact_id"), stamps: &["sale.updated"] },
            Kind::Ticket => &Self { kind: Kind::Ticket, provider: DYNAMIC,
                key: "ticket.id",
                contact: Some("ticket.contact_id"), stamps: &["ticket.last_changed"] },
            // A chat has no stamp of a change: it begins, its last message moves, it ends.
            Kind::ChatSession => &Self { kind: Kind::ChatSession, provider: DYNAMIC,
                key: "chat_session.id",
                contact: Some("chat_session.contact_id"),
                stamps: &["chat_session.when_requested", "chat_session.when_ended",
                    "chat_session.idle"] },
        }
    }

    /// What is asked in its place where it is refused.
    pub fn fallback(&self) -> Option<&'static Self> {
        (*self == *Self::of(Kind::Contact)).then_some(&SIMPLE_CONTACT)
    }

    /// The query of the page beyond this key. Of the comparisons only `gt` and `lt` are known to
    /// work on keys.
    pub fn query(&self, after: i64) -> String {
        let columns = [self.key].into_iter().chain(self.contact);
        let columns: Vec<_> = columns.chain(self.stamps.iter().copied()).collect();
        let mut query = String::new();
        for (name, value) in [
            ("$select", columns.join(",")),
            ("$filter", format!("{} gt {after}", self.key)),
            ("$orderBy", self.key.to_owned()),
            ("$top", PAGE_ROWS.to_string()),
        ] {
            // Names stay as they are: a proxy may not know `%24select`.
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.extend(byte_serialize(value.as_bytes()).map(|part| match part {
                // `+` is a space in forms only; in the query of an address it is a plus.
                "+" => "%20",
                // As all examples of the documentation have it.
                "%2C" => ",",
                other => other,
            }));
        }
        query.remove(0);
        query
    }
}
