//! The lists of a summary: tickets, follow-ups, documents, sales and chats, newest first.

use fastrand::Rng;

use super::calendar::{Moment, forever, unknown};
use super::company::Company;
use super::phrases::{
    ACTIVITY_STATUSES, DOCUMENTS, FIRST_MESSAGES, FOLLOWUPS, ICON_HINTS, LAST_MESSAGES,
    SALE_HEADINGS, SALE_STATUSES, TICKET_TITLES,
};
use crate::sandbox::dice::{falls_into, pick};
use crate::sandbox::json::JsonText;
use crate::sandbox::zone::Wall;

/// How long a list may be.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// It has at least so many items, if the limit lets them pass.
    pub(super) least: u32,
    /// It is cut after so many.
    pub(super) limit: u32,
}

/// Which list is wanted of whom.
pub(super) struct Wanted<'a> {
    /// Its name in the summary.
    pub(super) member: &'static str,
    pub(super) size: Size,
    pub(super) company: &'a Company,
    pub(super) wall: Wall,
}

/// Writes a list. The limit only cuts it; the items before stay the same.
pub(super) fn write(json: &mut JsonText, rng: &mut Rng, wanted: &Wanted<'_>) {
    let length = length(rng).max(wanted.size.least);
    if length == 0 && falls_into(rng, 0.05) {
        json.raw("null");
        return;
    }
    let key = rng.u32(50_000..2_000_000_000);
    let registered = Moment::recent(rng);
    let mut list = UnfinishedList {
        json,
        rng,
        company: wanted.company,
        wall: wanted.wall,
        key,
        registered,
    };
    list.json.open('[');
    for _ in 0..length.min(wanted.size.limit) {
        list.json.open('{');
        match wanted.member {
            "Tickets" => list.ticket(),
            "Followups" => list.activity(FOLLOWUPS, false),
            "Documents" => list.activity(DOCUMENTS, true),
            "Sales" => list.sale(),
            _ => list.chat(),
        }
        list.json.close('}');
        list.key -= list.rng.u32(1..200);
        list.registered = list.registered.before(list.rng, 120);
    }
    list.json.close(']');
}

/// Most lists are short, many are empty, and a few are longer than any usual limit.
fn length(rng: &mut Rng) -> u32 {
    match rng.u32(0..1000) {
        0..3 => rng.u32(100..160),
        3..430 => 0,
        _ => rng.u32(1..=8).min(rng.u32(1..=8)),
    }
}

/// A list in the making.
struct UnfinishedList<'a> {
    json: &'a mut JsonText,
    rng: &'a mut Rng,
    company: &'a Company,
    wall: Wall,
    /// Key of the current item.
    key: u32,
    registered: Moment,
}

impl UnfinishedList<'_> {
    fn ticket(&mut self) {
        self.json
            .plain_member("TicketId", self.key)
            .plain_member("TicketStatus", self.rng.u8(1..=7));
        self.json
            .text_member("Title", pick(self.rng, TICKET_TITLES));
        self.json.plain_member(
            "Registered",
            self.registered.base_field(self.rng, self.wall),
        );
        self.json
            .text_member("IconHint", pick(self.rng, ICON_HINTS));
    }

    fn activity(&mut self, descriptions: &'static [&'static str], is_document: bool) {
        let document_id = if is_document { self.key / 2 } else { 0 };
        self.json
            .plain_member("AppointmentId", self.key)
            .plain_member("DocumentId", document_id);
        self.json.member("Date");
        if falls_into(self.rng, 0.02) {
            self.json.raw(&unknown(self.wall));
        } else {
            let date = self.registered.after(self.rng, 30 * 86_400);
            self.json.plain(date.base_field(self.rng, self.wall));
        }
        if falls_into(self.rng, 0.02) {
            self.json.raw_member("Description", "null");
        } else {
            self.json
                .text_member("Description", pick(self.rng, descriptions));
        }
        self.json
            .raw_member("Completed", pick(self.rng, ACTIVITY_STATUSES));
        self.json
            .plain_member("Registered", self.registered.utc_field(self.rng, self.wall));
    }

    fn sale(&mut self) {
        let country = self.company.country;
        let amount = f64::from(self.rng.u32(10_000..90_000_000)) / 100.0;
        self.json
            .plain_member("SaleId", self.key)
            .member("SaleDate");
        if falls_into(self.rng, 0.02) {
            self.json.raw(&forever(self.wall));
        } else {
            let date = self.registered.after(self.rng, 180 * 86_400);
            self.json.plain(date.day_field(self.wall));
        }
        self.json
            .plain_member("Probability", self.rng.u8(0..=20) * 5);
        self.json
            .text_member("Heading", pick(self.rng, SALE_HEADINGS));
        self.json
            .plain_member("Amount", amount)
            .text_member("Currency", country.currency);
        self.json
            .plain_member("AmountInBaseCurrency", amount * country.rate);
        self.json
            .raw_member("Status", pick(self.rng, SALE_STATUSES));
        self.json
            .raw_member("Completed", pick(self.rng, ACTIVITY_STATUSES));
        self.json
            .plain_member("Registered", self.registered.utc_field(self.rng, self.wall));
    }

    fn chat(&mut self) {
        self.json.plain_member("ChatSessionId", self.key);
        self.json
            .text_member("Name", &self.company.person(self.rng));
        if falls_into(self.rng, 0.2) {
            self.json.raw_member("CompanyName", "null");
        } else {
            self.json.text_member("CompanyName", &self.company.name);
        }
        self.json
            .text_member("FirstMessage", pick(self.rng, FIRST_MESSAGES));
        self.json
            .text_member("LastMessage", pick(self.rng, LAST_MESSAGES));
        self.json
            .plain_member(
                "WhenRequested",
                self.registered.base_field(self.rng, self.wall),
            )
            .member("WhenEnded");
        // A chat without an end is still open.
        if falls_into(self.rng, 0.05) {
            self.json.raw(&unknown(self.wall));
        } else {
            let ended = self.registered.after(self.rng, 3_600);
            self.json.plain(ended.base_field(self.rng, self.wall));
        }
    }
}
