//! Every table and column of the export. A new column is one line here, and
//! `TABLES.md` printed anew. One of `outcomes` also needs its `TargetField`, since no member of an
//! answer holds it.
//!
//! Member names are those of the API's `ContactSummary` (vendor's OpenAPI file of the contact
//! agent).

use std::borrow::Cow;

use super::table::ColumnType::{Boolean, Date, Float, Instant, Integer, Text};
use super::table::{CellSource, Column, ColumnType, Encoding, Rows, Table, TargetField, Treatment};

/// Members that are left out by design, at any depth, and why.
#[rustfmt::skip]
pub(crate) static LEFT_OUT: &[(&str, &str)] = &[
    ("TableRight", "what the caller may do with the row, not data"),
    ("FieldProperties", "what the caller may do with each field, not data"),
    ("LocalizedAddress", "how a form lays the address out; its parts have columns"),
    ("AtypeIdx", "the kind of address; the column's name says it"),
];

/// Most items of one list that are asked for or taken; the bound keeps a hostile list from
/// exhausting the memory.
pub(crate) const MAX_ITEMS: usize = 100_000;

/// The table of how every target ended.
pub static OUTCOMES: &Table = match TABLES {
    [.., outcomes] => outcomes,
    [] => panic!("TABLES ends with outcomes"),
};

/// All tables, in the order in which they are shown.
pub static TABLES: &[Table] = &[
    Table {
        name: "contacts",
        rows: Rows::Object("Contact"),
        doc: "One row per contact (a company in SuperOffice) that is exported or stale.",
        columns: Cow::Borrowed(CONTACT),
        discarded: Vec::new(),
    },
    Table {
        name: "tickets",
        rows: Rows::Items("Tickets"),
        doc: "One row per ticket (a request in the user interface) of a contact.",
        columns: Cow::Borrowed(TICKET),
        discarded: Vec::new(),
    },
    Table {
        name: "followups",
        rows: Rows::Items("Followups"),
        doc: "One row per follow-up (an appointment) of a contact.",
        columns: Cow::Borrowed(ACTIVITY),
        discarded: Vec::new(),
    },
    Table {
        name: "documents",
        rows: Rows::Items("Documents"),
        doc: "One row per document of a contact.",
        columns: Cow::Borrowed(ACTIVITY),
        discarded: Vec::new(),
    },
    Table {
        name: "sales",
        rows: Rows::Items("Sales"),
        doc: "One row per sale of a contact.",
        columns: Cow::Borrowed(SALE),
        discarded: Vec::new(),
    },
    Table {
        name: "chats",
        rows: Rows::Items("Chats"),
        doc: "One row per chat session of a contact.",
        columns: Cow::Borrowed(CHAT),
        discarded: Vec::new(),
    },
    Table {
        name: "outcomes",
        rows: Rows::Targets,
        doc: "One row per distinct target, and one per rejected input line: how each ended.",
        columns: Cow::Borrowed(OUTCOME),
        discarded: Vec::new(),
    },
];

#[rustfmt::skip]
const CONTACT: &[Column] = &[
    CONTACT_ID,
    text("name", "Name", "Name of the company").repeating(),
    text("department", "Department", "Department").repeating(),
    text("full_name", "FullName", "Name and department in one").repeating(),
    text("org_nr", "OrgNr", "Organisation number; text, leading zeros count"),
    text("number1", "Number1", "Customer number or code; text, leading zeros count"),
    text("number2", "Number2", "Second number; text, leading zeros count").repeating(),
    text("kananame", "Kananame", "Name in kana, used in Japan").repeating(),
    text("category_name", "CategoryName", "Category, in the job's language").repeating(),
    text("business_name", "BusinessName", "Business, in the job's language").repeating(),
    integer("associate_id", "AssociateId", "Our contact: id of the associate").repeating(),
    text("associate_full_name", "AssociateFullName",
        "Our contact: name of the associate").repeating(),
    integer("country_id", "CountryId", "Country: id, as ISO 3166 numbers it").repeating(),
    text("country_name", "CountryName",
        "Country: name, in the language of the installation").repeating(),
    text("city", "City", "City shown for the company").repeating(),
    text("direct_phone", "DirectPhone", "Phone number, as formatted by the server"),
    text("email_address", "EmailAddress", "E-mail address"),
    text("email_address_name", "EmailAddressName", "Description of the e-mail address").repeating(),
    text("url", "URL", "Web address"),
    text("url_name", "URLName", "Description of the web address").repeating(),
    text("formatted_address", "FormattedAddress", "Address in lines, as formatted by the server"),
    boolean("is_owner_contact", "IsOwnerContact", "Whether this is the company that owns the CRM"),
    integer("active_erp_links", "ActiveErpLinks",
        "Number of active links to ERP systems").repeating(),
    float("wgs84_latitude", "Address/Wgs84Latitude", "Latitude; 0 where it is not set"),
    float("wgs84_longitude", "Address/Wgs84Longitude", "Longitude; 0 where it is not set"),
    text("address_formatted", "Address/Formatted",
        "Whole address in lines, as formatted by the server"),
    text("street_address1", "Address/Street/Address1", "Street address: first line").repeating(),
    text("street_address2", "Address/Street/Address2", "Street address: second line").repeating(),
    text("street_address3", "Address/Street/Address3", "Street address: third line").repeating(),
    text("street_city", "Address/Street/City", "Street address: city").repeating(),
    text("street_county", "Address/Street/County", "Street address: county").repeating(),
    text("street_state", "Address/Street/State", "Street address: state").repeating(),
    text("street_zipcode", "Address/Street/Zipcode", "Street address: postal code").repeating(),
    text("street_formatted", "Address/Street/Formatted", "Street address in lines"),
    text("postal_address1", "Address/Postal/Address1", "Postal address: first line").repeating(),
    text("postal_address2", "Address/Postal/Address2", "Postal address: second line").repeating(),
    text("postal_address3", "Address/Postal/Address3", "Postal address: third line").repeating(),
    text("postal_city", "Address/Postal/City", "Postal address: city").repeating(),
    text("postal_county", "Address/Postal/County", "Postal address: county").repeating(),
    text("postal_state", "Address/Postal/State", "Postal address: state").repeating(),
    text("postal_zipcode", "Address/Postal/Zipcode", "Postal address: postal code").repeating(),
    text("postal_formatted", "Address/Postal/Formatted", "Postal address in lines"),
    EXTRA,
];

#[rustfmt::skip]
const TICKET: &[Column] = &[
    CONTACT_ID,
    POSITION,
    integer("ticket_id", "TicketId", "Key of the ticket"),
    integer("ticket_status", "TicketStatus",
        "Id of the ticket's status in the customer's own list").repeating(),
    text("title", "Title", "Title").repeating(),
    instant("registered", "Registered", "When it was registered"),
    text("icon_hint", "IconHint", "Icon that the user interface shows").repeating(),
    EXTRA,
];

/// Follow-ups and documents share one shape: a document is an appointment with a document id.
#[rustfmt::skip]
const ACTIVITY: &[Column] = &[
    CONTACT_ID,
    POSITION,
    integer("appointment_id", "AppointmentId", "Key of the appointment"),
    integer("document_id", "DocumentId", "Key of the document; 0 where it is none"),
    instant("date", "Date", "When it takes or took place"),
    date("day", "Date", "Calendar day of that, as the server wrote it").repeating(),
    text("description", "Description", "Description").repeating(),
    text("completed", "Completed",
        "Unknown, NotStarted, Started or Completed; other names pass through").repeating(),
    instant("registered", "Registered", "When it was registered"),
    EXTRA,
];

#[rustfmt::skip]
const SALE: &[Column] = &[
    CONTACT_ID,
    POSITION,
    integer("sale_id", "SaleId", "Key of the sale"),
    instant("sale_date", "SaleDate", "When it is or was expected to close").repeating(),
    date("sale_day", "SaleDate", "Calendar day of that, as the server wrote it").repeating(),
    integer("probability", "Probability", "Probability in percent").repeating(),
    text("heading", "Heading", "Heading").repeating(),
    float("amount", "Amount",
        "Amount in the sale's currency; a binary double, not an exact decimal"),
    text("currency", "Currency", "Currency of the amount").repeating(),
    float("amount_in_base_currency", "AmountInBaseCurrency",
        "Amount in the base currency of the installation"),
    text("status", "Status",
        "Unknown, Open, Sold, Lost or Stalled; other names pass through").repeating(),
    text("completed", "Completed",
        "Unknown, NotStarted, Started or Completed; other names pass through").repeating(),
    instant("registered", "Registered", "When it was registered"),
    EXTRA,
];

#[rustfmt::skip]
const CHAT: &[Column] = &[
    CONTACT_ID,
    POSITION,
    integer("chat_session_id", "ChatSessionId", "Key of the chat session"),
    text("name", "Name", "Name that the visitor gave").repeating(),
    text("company_name", "CompanyName", "Company that the visitor gave").repeating(),
    text("first_message", "FirstMessage", "First message").repeating(),
    text("last_message", "LastMessage", "Last message").repeating(),
    instant("when_requested", "WhenRequested", "When the visitor asked for the chat"),
    instant("when_ended", "WhenEnded", "When the chat ended"),
    EXTRA,
];

#[rustfmt::skip]
const OUTCOME: &[Column] = &[
    CONTACT_ID,
    target("input_line", Integer, TargetField::InputLine,
        "Line of the input file where it stands first; the first line is 1"),
    target("input_value", Text, TargetField::InputValue, "The text that stands there"),
    target("outcome", Text, TargetField::Outcome,
        "exported, stale, missing, failed, pending or rejected").repeating(),
    target("http_status", Integer, TargetField::HttpStatus,
        "Status of the last answer; null where none came").repeating(),
    target("attempts", Integer, TargetField::Attempts,
        "How often the request was sent").repeating(),
    target("error", Text, TargetField::Error, "Why the last attempt failed").repeating(),
    target("message", Text, TargetField::Message,
        "The API's own error message, at most 300 characters").repeating(),
    target("fetched_at", Instant, TargetField::FetchedAt, "When the stored answer was fetched"),
    target("truncated", Text, TargetField::Truncated,
        "Lists that reached the limit and may go on, separated by commas").repeating(),
    EXTRA,
];

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// The tables that an answer fills: all but `outcomes`.
pub fn data_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.root_member().is_some())
}

const CONTACT_ID: Column = Column {
    name: "contact_id",
    column_type: Integer,
    source: CellSource::ContactId,
    encoding: Encoding::Plain,
    treatment: Treatment::Kept,
    doc: "The contact that was asked for; joins all tables",
};

const POSITION: Column = Column {
    name: "position",
    column_type: Integer,
    source: CellSource::Position,
    encoding: Encoding::Dictionary,
    treatment: Treatment::Kept,
    doc: "Place in the list that the API gave, from 1",
};

const EXTRA: Column = Column {
    name: "extra",
    column_type: Text,
    source: CellSource::Extra,
    encoding: Encoding::Dictionary,
    treatment: Treatment::Kept,
    doc: "JSON object of what no column takes and of values that could not be converted",
};

const fn text(name: &'static str, path: &'static str, doc: &'static str) -> Column {
    member(name, Text, path, doc)
}

const fn integer(name: &'static str, path: &'static str, doc: &'static str) -> Column {
    member(name, Integer, path, doc)
}

const fn float(name: &'static str, path: &'static str, doc: &'static str) -> Column {
    member(name, Float, path, doc)
}

const fn boolean(name: &'static str, path: &'static str, doc: &'static str) -> Column {
    member(name, Boolean, path, doc)
}

const fn instant(name: &'static str, path: &'static str, doc: &'static str) -> Column {
    member(name, Instant, path, doc)
}

const fn date(name: &'static str, path: &'static str, doc: &'static str) -> Column {
    member(name, Date, path, doc)
}

const fn member(
    name: &'static str,
    column_type: ColumnType,
    path: &'static str,
    doc: &'static str,
) -> Column {
    Column {
        name,
        column_type,
        source: CellSource::Member(path),
        encoding: Encoding::Plain,
        treatment: Treatment::Kept,
        doc,
    }
}

const fn target(
    name: &'static str,
    column_type: ColumnType,
    field: TargetField,
    doc: &'static str,
) -> Column {
    Column {
        name,
        column_type,
        source: CellSource::Target(field),
        encoding: Encoding::Plain,
        treatment: Treatment::Kept,
        doc,
    }
}

impl Column {
    /// A column whose values repeat across contacts.
    const fn repeating(mut self) -> Self {
        self.encoding = Encoding::Dictionary;
        self
    }
}
