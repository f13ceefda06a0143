//! Questions about the summary of a contact: ids that are not there, limits, selections, zones.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT_LANGUAGE, HeaderName, HeaderValue};
use serde_json::Value;

use super::answer::{ProbeAnswer, member, word};
use super::fact::{Fact, Facts};
use super::known::Learned;
use super::moment::{Written, shapes};
use super::question::{ProbeQuestion, outline_only, post};
use crate::extract::api::inquiry::Inquiry;

const LISTS: [(&str, &str); 5] = [
    ("tickets", "Tickets"),
    ("followups", "Followups"),
    ("documents", "Documents"),
    ("sales", "Sales"),
    ("chats", "Chats"),
];

/// The dates of the lists: what they are called in the report, the list and the member.
const DATES: [(&str, &str, &str); 9] = [
    ("tickets_registered", "Tickets", "Registered"),
    ("followups_date", "Followups", "Date"),
    ("followups_registered", "Followups", "Registered"),
    ("documents_date", "Documents", "Date"),
    ("documents_registered", "Documents", "Registered"),
    ("sales_sale_date", "Sales", "SaleDate"),
    ("sales_registered", "Sales", "Registered"),
    ("chats_when_requested", "Chats", "WhenRequested"),
    ("chats_when_ended", "Chats", "WhenEnded"),
];

/// Three zones that lie apart, by the names that SuperOffice knows.
const ZONES: [&str; 3] = ["UTC", "US-NY", "NO"];

const SUMMARY: &str = "Contact/GetContactSummary";

pub(super) fn questions() -> Vec<ProbeQuestion> {
    let mut questions = vec![
        ProbeQuestion::new(
            "summary",
            "a contact as a run asks for it",
            |known| of(known, Some(100)),
            sizes,
        ),
        ProbeQuestion::new(
            "limit_0",
            "what a Limit of 0 means",
            |known| of(known, Some(0)),
            sizes,
        ),
        ProbeQuestion::new(
            "limit_1",
            "whether Limit is per list",
            |known| of(known, Some(1)),
            sizes,
        ),
        ProbeQuestion::new(
            "limit_minus_1",
            "what a negative Limit means",
            |known| of(known, Some(-1)),
            sizes,
        ),
        ProbeQuestion::new(
            "limit_10000",
            "whether Limit is capped",
            |known| of(known, Some(10_000)),
            sizes,
        ),
        ProbeQuestion::new(
            "no_limit",
            "what no Limit means",
            |known| of(known, None),
            sizes,
        ),
        ProbeQuestion::new(
            "select_member",
            "whether $select reaches into Contact",
            |known| selected(known, "Contact/Name"),
            selection,
        ),
        ProbeQuestion::new(
            "select_in_list",
            "whether $select reaches into lists",
            |known| selected(known, "Sales/SaleId"),
            selection,
        ),
        ProbeQuestion::new(
            "missing_id",
            "how a contact is answered that is not there",
            |_| Some(summary(i64::from(i32::MAX), Some(1))),
            outline_only,
        ),
        ProbeQuestion::new(
            "id_0",
            "how the id 0 is answered",
            |_| Some(summary(0, Some(1))),
            outline_only,
        ),
        ProbeQuestion::new(
            "deleted_id",
            "how a contact is answered that was deleted of late",
            |known| Some(summary(known.deleted_id?, Some(1))),
            outline_only,
        ),
        ProbeQuestion::new(
            "no_language",
            "whether texts of lists are there without a language",
            no_language,
            names,
        ),
    ];
    for zone in ZONES {
        questions.push(ProbeQuestion::new(
            "zone",
            "which dates move with the zone asked for, and how they are written",
            move |known| {
                in_zone(
                    known,
                    Some(HeaderValue::from_str(&format!("{zone},includeTZOffset")).ok()?),
                )
            },
            move |answer, known| zone_dates(answer, known, zone),
        ));
    }
    questions.push(ProbeQuestion::new(
        "no_zone",
        "how dates are written where no zone is asked for",
        |known| in_zone(known, None),
        |answer, _| shapes(dates(answer).values()),
    ));
    questions
}

fn summary(contact_id: i64, limit: Option<i32>) -> Inquiry {
    let limit = limit.map_or(String::new(), |limit| format!(r#","Limit":{limit}"#));
    post(SUMMARY, format!(r#"{{"ContactId":{contact_id}{limit}}}"#))
}

fn of(known: &Learned, limit: Option<i32>) -> Option<Inquiry> {
    Some(summary(known.contact_id?, limit))
}

fn selected(known: &Learned, select: &str) -> Option<Inquiry> {
    let mut inquiry = of(known, Some(3))?;
    inquiry.query = Some(format!("$select={select}"));
    Some(inquiry)
}

fn no_language(known: &Learned) -> Option<Inquiry> {
    let mut inquiry = of(known, Some(3))?;
    let names = [ACCEPT_LANGUAGE, HeaderName::from_static("so-language")];
    inquiry.headers = names.map(|name| (name, None)).to_vec();
    Some(inquiry)
}

fn in_zone(known: &Learned, zone: Option<HeaderValue>) -> Option<Inquiry> {
    let mut inquiry = of(known, Some(100))?;
    inquiry.headers = vec![(HeaderName::from_static("so-timezone"), zone)];
    Some(inquiry)
}

/// The items of each list.
fn sizes(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let size = |(name, list): (&'static str, &str)| {
        let fact = match answer.member(list)? {
            Value::Array(items) => Fact::count(items.len()),
            other => Fact::Word(word(other)),
        };
        Some((name, fact))
    };
    LISTS.into_iter().filter_map(size).collect()
}

/// What is left of an answer that was asked for in part.
fn selection(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let mut facts = Facts::new();
    if let Some(contact) = answer.member("Contact") {
        facts.push(("contact", Fact::Word(word(contact))));
        if let Value::Object(members) = contact {
            let filled = members.values().filter(|value| !value.is_null()).count();
            facts.push(("contact_members", Fact::count(members.len())));
            facts.push(("contact_members_not_null", Fact::count(filled)));
            let has_rights = member(members, "TableRight").is_some_and(|right| !right.is_null());
            facts.push(("has_table_right", Fact::Is(has_rights)));
        }
    }
    for (name, list) in LISTS {
        let items = answer.member(list);
        if let Some(Value::Object(first)) = items.and_then(|items| items.get(0)) {
            let filled = first.values().filter(|value| !value.is_null()).count();
            facts.push((name, Fact::count(filled)));
        }
    }
    facts
}

/// Whether the texts that come from lists are there.
fn names(answer: &ProbeAnswer, _: &mut Learned) -> Facts {
    let Some(Value::Object(contact)) = answer.member("Contact") else {
        return Facts::new();
    };
    let told = [
        ("category_name", "CategoryName"),
        ("business_name", "BusinessName"),
        ("country_name", "CountryName"),
    ];
    let fact =
        |(name, key): (&'static str, &str)| Some((name, Fact::Word(word(member(contact, key)?))));
    told.into_iter().filter_map(fact).collect()
}

/// The dates of an answer, by the place of their field among `DATES` and their place in the list.
fn dates(answer: &ProbeAnswer) -> BTreeMap<(usize, usize), Written> {
    let mut dates = BTreeMap::new();
    for (field, (_, list, key)) in DATES.into_iter().enumerate() {
        let Some(Value::Array(items)) = answer.member(list) else {
            continue;
        };
        for (place, item) in items.iter().enumerate() {
            let value = item.as_object().and_then(|members| member(members, key));
            if let Some(written) = value.and_then(Written::of) {
                dates.insert((field, place), written);
            }
        }
    }
    dates
}

/// How dates are written in a zone, and once all zones were asked for, which of them move.
fn zone_dates(answer: &ProbeAnswer, known: &mut Learned, zone: &'static str) -> Facts {
    let found = dates(answer);
    let mut facts = vec![("zone", Fact::Word(zone))];
    facts.extend(shapes(found.values()));
    known.dates.insert(zone, found);
    let all: Option<Vec<_>> = ZONES.iter().map(|zone| known.dates.get(zone)).collect();
    let Some([first, others @ ..]) = all.as_deref() else {
        return facts;
    };
    for (field, (name, ..)) in DATES.into_iter().enumerate() {
        let of_field = first.iter().filter(|((of, _), _)| *of == field);
        let readings = of_field.map(|(place, written)| {
            others.iter().any(|zone| {
                let other = zone.get(place);
                other.is_some_and(|other| other.reading != written.reading)
            })
        });
        let moves: Vec<bool> = readings.collect();
        let word = match (
            moves.iter().any(|moves| *moves),
            moves.iter().all(|moves| *moves),
        ) {
            _ if moves.is_empty() => "none seen",
            (true, true) => "moves with the zone",
            (true, false) => "moves in some rows",
            (false, _) => "stays",
        };
        facts.push((name, Fact::Word(word)));
    }
    facts
}
