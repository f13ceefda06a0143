//! The lists of a summary: what the tickets, follow-ups, documents, sales and chats of the database
//! say.

use fastrand::Rng;

use super::company::Company;
use super::phrases::{
    ACTIVITY_STATUSES, DOCUMENTS, FIRST_MESSAGES, FOLLOWUPS, ICON_HINTS, LAST_MESSAGES,
    SALE_HEADINGS, SALE_STATUSES, TICKET_TITLES,
};
use crate::sandbox::calendar::{forever, unknown};
use crate::sandbox::database::{ChildRow, Database, ListKind};
use crate::sandbox::dice::{falls_into, generator, pick};
use crate::sandbox::json::JsonText;
use crate::sandbox::zone::Wall;

/// Its name in the summary.
pub(super) fn member(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Tickets => "Tickets",
        ListKind::Followups => "Followups",
        ListKind::Documents => "Documents",
        ListKind::Sales => "Sales",
        ListKind::Chats => "Chats",
    }
}

/// Writes the lists of a contact.
pub(super) struct ListWriter<'a> {
    pub(super) database: &'a Database,
    pub(super) contact_id: i32,
    pub(super) company: &'a Company,
    pub(super) wall: Wall,
}

impl ListWriter<'_> {
    /// Writes a list of these rows.
    pub(super) fn write(&self, json: &mut JsonText, rows: &[ChildRow]) {
        json.open('[');
        for row in rows {
            let purpose = 20 + row.kind.number();
            // What came from another contact still says what it said there.
            let of_origin = (row.origin != self.contact_id)
                .then(|| Company::of(self.database.seed(), u64::from(row.origin.unsigned_abs())));
            let mut item = UnfinishedItem {
                json,
                rng: generator(self.database.seed(), u64::from(row.key), purpose),
                seed: self.database.seed(),
                company: of_origin.as_ref().unwrap_or(self.company),
                wall: self.wall,
                row,
            };
            item.json.open('{');
            match row.kind {
                ListKind::Tickets => item.ticket(),
                ListKind::Followups => item.activity(FOLLOWUPS),
                ListKind::Documents => item.activity(DOCUMENTS),
                ListKind::Sales => item.sale(),
                ListKind::Chats => item.chat(),
            }
            item.json.close('}');
        }
        json.close(']');
    }
}

/// An item in the making.
struct UnfinishedItem<'a> {
    json: &'a mut JsonText,
    rng: Rng,
    seed: u64,
    company: &'a Company,
    wall: Wall,
    row: &'a ChildRow,
}

impl UnfinishedItem<'_> {
    fn ticket(&mut self) {
        self.json
            .plain_member("TicketId", self.row.key)
            .plain_member("TicketStatus", self.rng.u8(1..=7));
        let title = pick(&mut self.rng, TICKET_TITLES);
        self.edited_text("Title", title);
        self.json.plain_member(
            "Registered",
            self.row.registered.base_field(&mut self.rng, self.wall),
        );
        self.json
            .text_member("IconHint", pick(&mut self.rng, ICON_HINTS));
    }

    fn activity(&mut self, descriptions: &'static [&'static str]) {
        self.json
            .plain_member("AppointmentId", self.row.appointment_id())
            .plain_member("DocumentId", self.row.document_id());
        self.json.member("Date");
        if falls_into(&mut self.rng, 0.02) {
            self.json.raw(&unknown(self.wall));
        } else {
            let date = self.row.registered.after(&mut self.rng, 30 * 86_400);
            self.json.plain(date.base_field(&mut self.rng, self.wall));
        }
        if falls_into(&mut self.rng, 0.02) && self.row.edits == 0 {
            self.json.raw_member("Description", "null");
        } else {
            let description = pick(&mut self.rng, descriptions);
            self.edited_text("Description", description);
        }
        self.json
            .raw_member("Completed", pick(&mut self.rng, ACTIVITY_STATUSES));
        self.json.plain_member(
            "Registered",
            self.row.registered.utc_field(&mut self.rng, self.wall),
        );
    }

    fn sale(&mut self) {
        let country = self.company.country;
        let amount = f64::from(self.rng.u32(10_000..90_000_000)) / 100.0;
        self.json
            .plain_member("SaleId", self.row.key)
            .member("SaleDate");
        if falls_into(&mut self.rng, 0.02) {
            self.json.raw(&forever(self.wall));
        } else {
            let date = self.row.registered.after(&mut self.rng, 180 * 86_400);
            self.json.plain(date.day_field(self.wall));
        }
        self.json
            .plain_member("Probability", self.rng.u8(0..=20) * 5);
        let heading = pick(&mut self.rng, SALE_HEADINGS);
        self.edited_text("Heading", heading);
        self.json
            .plain_member("Amount", amount)
            .text_member("Currency", country.currency);
        self.json
            .plain_member("AmountInBaseCurrency", amount * country.rate);
        self.json
            .raw_member("Status", pick(&mut self.rng, SALE_STATUSES));
        self.json
            .raw_member("Completed", pick(&mut self.rng, ACTIVITY_STATUSES));
        self.json.plain_member(
            "Registered",
            self.row.registered.utc_field(&mut self.rng, self.wall),
        );
    }

    fn chat(&mut self) {
        self.json.plain_member("ChatSessionId", self.row.key);
        self.json
            .text_member("Name", &self.company.person(&mut self.rng));
        if falls_into(&mut self.rng, 0.2) {
            self.json.raw_member("CompanyName", "null");
        } else {
            self.json.text_member("CompanyName", &self.company.name);
        }
        self.json
            .text_member("FirstMessage", pick(&mut self.rng, FIRST_MESSAGES));
        let last_message = pick(&mut self.rng, LAST_MESSAGES);
        self.edited_text("LastMessage", last_message);
        self.json
            .plain_member(
                "WhenRequested",
                self.row.registered.base_field(&mut self.rng, self.wall),
            )
            .member("WhenEnded");
        // A chat without an end is still open.
        match self.row.chat_ended(self.seed) {
            None => self.json.raw(&unknown(self.wall)),
            Some(ended) => self.json.plain(ended.base_field(&mut self.rng, self.wall)),
        };
    }

    /// A text that shows how often the row was edited.
    fn edited_text(&mut self, name: &str, text: &str) {
        match self.row.edits {
            0 => self.json.text_member(name, text),
            edits => self.json.text_member(name, &format!("{text} ({edits})")),
        };
    }
}
