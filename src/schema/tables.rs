//! Every table and column of the export. A new column is one line here, nothing else.
//!
//! Member names are those of the API's `ContactSummary` (vendor's OpenAPI file of the contact
//! agent).

use super::ColumnType::{Boolean, Date, Float, Instant, Integer, Text};
use super::{Column, ColumnType, Encoding, Rows, Source, Table, TargetField};

/// Members that are left out by design, at any depth, and why.
#[rustfmt::skip]
pub static LEFT_OUT: &[(&str, &str)] = &[
    ("TableRight", "what the caller may do with the row, not data"),
    ("FieldProperties", "what the caller may do with each field, not data"),
    ("LocalizedAddress", "how a form lays the address out; its parts have columns"),
    ("AtypeIdx", "the kind of address; the column's name says it"),
];

/// The table of how every target ended.
pub static OUTCOMES: &Table = match TABLES {
    [.., outcomes] => outcomes,
    [] => panic!("TABLES ends with outcomes"),
};

/// All tables, in the order in which they are shown.
#[rustfmt::skip]
pub static TABLES: &[Table] = &[
    Table {
        name: "contacts",
        rows: Rows::Object("Contact"),
        doc: "One row per contact (a company in SuperOffice) that was found.",
        columns: &[
            CONTACT_ID,
            member("name", Text, "Name", "Name of the company").repeating(),
            member("department", Text, "Department", "Department").repeating(),
            member("full_name", Text, "FullName", "Name and department in one").repeating(),
            member("org_nr", Text, "OrgNr", "Organisation number; text, leading zeros count"),
            member("number1", Text, "Number1", "Customer number or code; text, leading zeros count"),
            member("number2", Text, "Number2", "Second number; text, leading zeros count").repeating(),
            member("kananame", Text, "Kananame", "Name in kana, used in Japan").repeating(),
            member("category_name", Text, "CategoryName", "Category, in the job's language").repeating(),
            member("business_name", Text, "BusinessName", "Business, in the job's language").repeating(),
            member("associate_id", Integer, "AssociateId", "Our contact: id of the associate").repeating(),
            member("associate_full_name", Text, "AssociateFullName", "Our contact: name of the associate").repeating(),
            member("country_id", Integer, "CountryId", "Country: id, as ISO 3166 numbers it").repeating(),
            member("country_name", Text, "CountryName", "Country: name, in the language of the installation").repeating(),
            member("city", Text, "City", "City shown for the company").repeating(),
            member("direct_phone", Text, "DirectPhone", "Phone number, as formatted by the server"),
            member("email_address", Text, "EmailAddress", "E-mail address"),
            member("email_address_name", Text, "EmailAddressName", "Description of the e-mail address").repeating(),
            member("url", Text, "URL", "Web address"),
            member("url_name", Text, "URLName", "Description of the web address").repeating(),
            member("formatted_address", Text, "FormattedAddress", "Address in lines, as formatted by the server"),
            member("is_owner_contact", Boolean, "IsOwnerContact", "Whether this is the company that owns the CRM"),
            member("active_erp_links", Integer, "ActiveErpLinks", "Number of active links to ERP systems").repeating(),
            member("wgs84_latitude", Float, "Address/Wgs84Latitude", "Latitude; 0 where it is not set"),
            member("wgs84_longitude", Float, "Address/Wgs84Longitude", "Longitude; 0 where it is not set"),
            member("address_formatted", Text, "Address/Formatted", "Whole address in lines, as formatted by the server"),
            member("street_address1", Text, "Address/Street/Address1", "Street address: first line").repeating(),
            member("street_address2", Text, "Address/Street/Address2", "Street address: second line").repeating(),
            member("street_address3", Text, "Address/Street/Address3", "Street address: third line").repeating(),
            member("street_city", Text, "Address/Street/City", "Street address: city").repeating(),
            member("street_county", Text, "Address/Street/County", "Street address: county").repeating(),
            member("street_state", Text, "Address/Street/State", "Street address: state").repeating(),
            member("street_zipcode", Text, "Address/Street/Zipcode", "Street address: postal code").repeating(),
            member("street_formatted", Text, "Address/Street/Formatted", "Street address in lines"),
            member("postal_address1", Text, "Address/Postal/Address1", "Postal address: first line").repeating(),
            member("postal_address2", Text, "Address/Postal/Address2", "Postal address: second line").repeating(),
            member("postal_address3", Text, "Address/Postal/Address3", "Postal address: third line").repeating(),
            member("postal_city", Text, "Address/Postal/City", "Postal address: city").repeating(),
            member("postal_county", Text, "Address/Postal/County", "Postal address: county").repeating(),
            member("postal_state", Text, "Address/Postal/State", "Postal address: state").repeating(),
            member("postal_zipcode", Text, "Address/Postal/Zipcode", "Postal address: postal code").repeating(),
            member("postal_formatted", Text, "Address/Postal/Formatted", "Postal address in lines"),
            EXTRA,
        ],
    },
    Table {
        name: "tickets",
        rows: Rows::Items("Tickets"),
        doc: "One row per ticket (a request in the user interface) of a contact.",
        columns: &[
            CONTACT_ID,
            POSITION,
            member("ticket_id", Integer, "TicketId", "Key of the ticket"),
            member("ticket_status", Integer, "TicketStatus", "Id of the ticket's status in the customer's own list").repeating(),
            member("title", Text, "Title", "Title").repeating(),
            member("registered", Instant, "Registered", "When it was registered"),
            member("icon_hint", Text, "IconHint", "Icon that the user interface shows").repeating(),
            EXTRA,
        ],
    },
    Table {
        name: "followups",
        rows: Rows::Items("Followups"),
        doc: "One row per follow-up (an appointment) of a contact.",
        columns: ACTIVITY,
    },
    Table { name: "documents", rows: Rows::Items("Documents"), doc: "One row per document of a contact.", columns: ACTIVITY },
    Table {
        name: "sales",
        rows: Rows::Items("Sales"),
        doc: "One row per sale of a contact.",
        columns: &[
            CONTACT_ID,
            POSITION,
            member("sale_id", Integer, "SaleId", "Key of the sale"),
            member("sale_date", Instant, "SaleDate", "When it is or was expected to close").repeating(),
            member("sale_day", Date, "SaleDate", "Calendar day of that, as the server wrote it").repeating(),
            member("probability", Integer, "Probability", "Probability in percent").repeating(),
            member("heading", Text, "Heading", "Heading").repeating(),
            member("amount", Float, "Amount", "Amount in the sale's currency; a binary double, not an exact decimal"),
            member("currency", Text, "Currency", "Currency of the amount").repeating(),
            member("amount_in_base_currency", Float, "AmountInBaseCurrency", "Amount in the base currency of the installation"),
            member("status", Text, "Status", "Unknown, Open, Sold, Lost or Stalled; other names pass through").repeating(),
            member("completed", Text, "Completed", "Unknown, NotStarted, Started or Completed; other names pass through").repeating(),
            member("registered", Instant, "Registered", "When it was registered"),
            EXTRA,
        ],
    },
    Table {
        name: "chats",
        rows: Rows::Items("Chats"),
        doc: "One row per chat session of a contact.",
        columns: &[
            CONTACT_ID,
            POSITION,
            member("chat_session_id", Integer, "ChatSessionId", "Key of the chat session"),
            member("name", Text, "Name", "Name that the visitor gave").repeating(),
            member("company_name", Text, "CompanyName", "Company that the visitor gave").repeating(),
            member("first_message", Text, "FirstMessage", "First message").repeating(),
            member("last_message", Text, "LastMessage", "Last message").repeating(),
            member("when_requested", Instant, "WhenRequested", "When the visitor asked for the chat"),
            member("when_ended", Instant, "WhenEnded", "When the chat ended"),
            EXTRA,
        ],
    },
    Table {
        name: "outcomes",
        rows: Rows::Targets,
        doc: "One row per distinct target, and one per rejected input line: how each ended.",
        columns: &[
            CONTACT_ID,
            target("input_line", Integer, TargetField::InputLine, "Line of the input file where it stands first; the first line is 1"),
            target("input_value", Text, TargetField::InputValue, "The text that stands there"),
            target("outcome", Text, TargetField::Outcome, "exported, missing, failed, pending or rejected").repeating(),
            target("http_status", Integer, TargetField::HttpStatus, "Status of the last answer; null where none came").repeating(),
            target("attempts", Integer, TargetField::Attempts, "How often the request was sent").repeating(),
            target("error", Text, TargetField::Error, "Why the last attempt failed").repeating(),
            target("message", Text, TargetField::Message, "The API's own error message, at most 300 characters").repeating(),
            target("fetched_at", Instant, TargetField::FetchedAt, "When the stored answer was fetched"),
            target("truncated", Text, TargetField::Truncated, "Lists that reached the limit and may go on, separated by commas")
                .repeating(),
            EXTRA,
        ],
    },
];

const CONTACT_ID: Column = Column {
    name: "contact_id",
    column_type: Integer,
    source: Source::ContactId,
    encoding: Encoding::Plain,
    doc: "The contact that was asked for; joins all tables",
};

const POSITION: Column = Column {
    name: "position",
    column_type: Integer,
    source: Source::Position,
    encoding: Encoding::Dictionary,
    doc: "Place in the list that the API gave, from 1",
};

const EXTRA: Column = Column {
    name: "extra",
    column_type: Text,
    source: Source::Extra,
    encoding: Encoding::Dictionary,
    doc: "JSON object of what no column takes and of values that could not be converted",
};

/// Follow-ups and documents share one shape: a document is an appointment with a document id.
#[rustfmt::skip]
const ACTIVITY: &[Column] = &[
    CONTACT_ID,
    POSITION,
    member("appointment_id", Integer, "AppointmentId", "Key of the appointment"),
    member("document_id", Integer, "DocumentId", "Key of the document; 0 where it is none"),
    member("date", Instant, "Date", "When it takes or took place"),
    member("day", Date, "Date", "Calendar day of that, as the server wrote it").repeating(),
    member("description", Text, "Description", "Description").repeating(),
    member("completed", Text, "Completed", "Unknown, NotStarted, Started or Completed; other names pass through").repeating(),
    member("registered", Instant, "Registered", "When it was registered"),
    EXTRA,
];

const fn member(
    name: &'static str,
    column_type: ColumnType,
    path: &'static str,
    doc: &'static str,
) -> Column {
    Column {
        name,
        column_type,
        source: Source::Member(path),
        encoding: Encoding::Plain,
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
        source: Source::Target(field),
        encoding: Encoding::Plain,
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
