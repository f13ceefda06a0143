//! Questions about the archives: which there are, what a page holds, and what filters mean.

use serde_json::Value;

use super::answer::{ProbeAnswer, integer, member, word};
use super::fact::{Fact, Facts};
use super::known::Learned;
use super::moment::{Written, shapes};
use super::question::{ProbeQuestion, get, outline_only};
use crate::extract::api::inquiry::Inquiry;

/// A table that a walk goes over: what it is called in the report, its key, the contact and the
/// stamps.
struct Walked {
    name: &'static str,
    key: &'static str,
    contact: &'static str,
    stamps: &'static [&'static str],
}

#[rustfmt::skip]
static WALKED: [Walked; 8] = [
    Walked { name: "contact", key: "contact.contact_id", contact: "contact.contact_id", stamps: &["contact.updated"] },
    Walked { name: "appointment", key: "appointment.appointment_id", contact: "appointment.contact_id", stamps: &["appointment.updated"] },
    Walked { name: "document", key: "document.document_id", contact: "document.appointment_id.contact_id", stamps: &["document.updated"] },
    Walked { name: "sale", key: "sale.sale_id", contact: "sale.contact_id", stamps: &["sale.updated"] },
    Walked { name: "ticket", key: "ticket.id", contact: "ticket.contact_id", stamps: &["ticket.last_changed"] },
    Walked { name: "chat_session", key: "chat_session.id", contact: "chat_session.contact_id", stamps: &["chat_session.when_requested", "chat_session.when_ended", "chat_session.idle"] },
    Walked { name: "mergemovelog", key: "mergemovelog.MergeMoveLog_id", contact: "mergemovelog.destinationRecord", stamps: &["mergemovelog.registered"] },
    Walked { name: "traveltransactionlog", key: "traveltransactionlog.traveltransactionlog_id", contact: "traveltransactionlog.record_id", stamps: &["traveltransactionlog.ttime"] },
];

/// Providers that the documentation names.
const PROVIDERS: [&str; 6] = [
    "dynamic",
    "simplecontact",
    "findcontact",
    "recyclecontact",
    "simpleticket",
    "chatsession",
];

pub(super) fn questions() -> Vec<ProbeQuestion> {
    let mut questions = vec![
        ProbeQuestion::new(
            "providers",
            "which archives there are",
            |_| Some(get("v1/Archive", None)),
            providers,
        ),
        ProbeQuestion::new(
            "metadata",
            "whether an archive describes its columns",
            |_| Some(get("v1/Archive/SimpleContact/$metadata", None)),
            outline_only,
        ),
        ProbeQuestion::new(
            "metadata_other_spelling",
            "the same, as other pages spell it",
            |_| Some(get("v1/Archive/SimpleContact$metadata", None)),
            outline_only,
        ),
    ];
    for walked in &WALKED {
        questions.push(ProbeQuestion::new(
            walked.name,
            "whether the table can be walked by key, and what a row holds",
            move |_| Some(page_of(walked)),
            move |answer, known| page(answer, known, walked),
        ));
    }
    questions.extend(of_contacts());
    questions
}

/// Questions about what a filter of contacts means: name, purpose, filter, and the rows asked for.
#[rustfmt::skip]
const FILTERS: [(&str, &str, &str, u32); 4] = [
    ("deleted_by_table", "whether the table of contacts tells deleted ones", "contact.DeletedDate afterTime '2000-01-01T00:00:00'", 10),
    ("page_of_5000", "the most rows of a page", "contact.contact_id gt 0", 5000),
    ("operator_ge", "whether `ge` works on keys", "contact.contact_id ge 1", 10),
    ("all_rows", "whether `getAllRows` stands for a condition", "getAllRows=true", 10),
];

/// Questions about a stamp that is known: name, purpose, operator, and what follows the literal.
#[rustfmt::skip]
const STAMPS: [(&str, &str, &str, &str); 4] = [
    ("stamp_itself", "whether `afterTime` finds a stamp by itself, so that the literal is in its zone", "afterTime", ""),
    ("stamp_in_utc", "the same, with a `Z`", "afterTime", "Z"),
    ("stamp_earlier", "whether `beforeTime` finds it, which it should not", "beforeTime", ""),
    ("stamp_after", "whether `after` includes the day itself", "after", ""),
];

/// What filters and bounds mean, asked of contacts.
fn of_contacts() -> Vec<ProbeQuestion> {
    let mut questions = vec![
        ProbeQuestion::new(
            "SimpleContact",
            "whether the fallback lists contacts",
            |_| {
                let (select, filter) = ("contactId,updatedDate", "contactId gt 0");
                Some(archive(
                    "SimpleContact",
                    select,
                    filter,
                    Some("contactId"),
                    1000,
                ))
            },
            rows,
        ),
        ProbeQuestion::new(
            "RecycleContact",
            "whether deleted contacts are told",
            |_| {
                let filter = "deletedDate afterTime '2000-01-01T00:00:00'";
                Some(archive(
                    "RecycleContact",
                    "contactId,deletedDate",
                    filter,
                    None,
                    10,
                ))
            },
            deleted,
        ),
        ProbeQuestion::new(
            "no_top",
            "the rows of a page where no number is asked for",
            |_| Some(of_keys("&$filter=contact.contact_id gt 0")),
            rows,
        ),
        ProbeQuestion::new(
            "no_filter",
            "whether a page needs a condition",
            |_| Some(of_keys("&$top=10")),
            rows,
        ),
    ];
    questions.extend(FILTERS.map(|(name, asks, filter, top)| {
        ProbeQuestion::new(name, asks, move |_| Some(of_contact(filter, top)), rows)
    }));
    questions.extend(STAMPS.map(|(name, asks, operator, suffix)| {
        let request = move |known: &Learned| {
            let (contact_id, stamp) = known.stamp.as_ref()?;
            let condition = format!("contact.updated {operator} '{stamp}{suffix}'");
            let filter = format!("contact.contact_id eq {contact_id} and {condition}");
            Some(of_contact(&filter, 1))
        };
        ProbeQuestion::new(name, asks, request, rows)
    }));
    questions
}

/// Contacts with their stamps.
fn of_contact(filter: &str, top: u32) -> Inquiry {
    let select = "contact.contact_id,contact.updated";
    archive("dynamic", select, filter, Some("contact.contact_id"), top)
}

/// Keys of contacts, in their order, with whatever else is asked.
fn of_keys(rest: &str) -> Inquiry {
    let query = format!("$select=contact.contact_id&$orderBy=contact.contact_id{rest}");
    get("v1/Archive/dynamic", Some(query))
}

fn archive(provider: &str, select: &str, filter: &str, order: Option<&str>, top: u32) -> Inquiry {
    let order = order.map_or(String::new(), |order| format!("&$orderBy={order}"));
    let query = format!("$select={select}&$filter={filter}{order}&$top={top}");
    get(&format!("v1/Archive/{provider}"), Some(query))
}

fn page_of(walked: &Walked) -> Inquiry {
    let mut columns = vec![walked.key];
    if walked.contact != walked.key {
        columns.push(walked.contact);
    }
    columns.extend(walked.stamps);
    let filter = format!("{} gt 0", walked.key);
    archive(
        "dynamic",
        &columns.join(","),
        &filter,
        Some(walked.key),
        1000,
    )
}

fn providers(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let (super::answer::Body::Json(list), true) = (&answer.body, answer.is_success()) else {
        return Facts::new();
    };
    let text = list.to_string().to_ascii_lowercase();
    let named = |name: &'static str| ("names", Fact::Word(name));
    let found = PROVIDERS
        .into_iter()
        .filter(|name| text.contains(&format!("{name}\"")));
    found.map(named).collect()
}

/// What every page tells.
fn rows(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let Some(rows) = answer.rows() else {
        return Facts::new();
    };
    let next = answer.member("odata.nextLink").map_or("absent", word);
    vec![
        ("rows", Fact::count(rows.len())),
        ("next_link", Fact::Word(next)),
    ]
}

fn deleted(answer: &ProbeAnswer, known: &mut Learned) -> Facts {
    let first = answer
        .rows()
        .and_then(|rows| rows.first())
        .and_then(Value::as_object);
    known.deleted_id = first
        .and_then(|row| member(row, "contactId").or(member(row, "PrimaryKey")))
        .and_then(integer);
    rows(answer, known)
}

/// What a page of a walk holds.
fn page(answer: &ProbeAnswer, known: &mut Learned, walked: &Walked) -> Facts {
    let mut facts = rows(answer, known);
    let Some(found) = answer.rows() else {
        return facts;
    };
    let cells = |name: &'static str| {
        let objects = found.iter().filter_map(Value::as_object);
        objects.filter_map(move |row| member(row, name))
    };
    let keys: Vec<i64> = cells(walked.key).filter_map(integer).collect();
    facts.push(("whole_keys", Fact::count(keys.len())));
    facts.push(("keys_rise", Fact::Is(keys.is_sorted_by(|a, b| a < b))));
    if let Some(first) = cells(walked.key).next() {
        facts.push(("key_is", Fact::Word(word(first))));
    }
    let contacts = cells(walked.contact)
        .filter_map(integer)
        .filter(|id| *id > 0);
    let contacts: Vec<i64> = contacts.collect();
    facts.push(("rows_with_contact", Fact::count(contacts.len())));
    for stamp in walked.stamps {
        let nulls = cells(stamp).filter(|value| value.is_null()).count();
        let dates: Vec<Written> = cells(stamp).filter_map(Written::of).collect();
        facts.push(("stamp", Fact::Word(stamp)));
        facts.push(("null_stamps", Fact::count(nulls)));
        facts.extend(shapes(dates.iter()));
    }
    if walked.name == "contact" {
        known.contact_id = known.contact_id.or(contacts.first().copied());
        let stamps = walked.stamps.first().map(|stamp| cells(stamp).next());
        let stamp = stamps.flatten().and_then(Written::of);
        known.stamp = contacts
            .first()
            .copied()
            .zip(stamp.map(|stamp| stamp.reading));
    }
    facts
}
