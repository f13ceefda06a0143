//! What every answer must hold, over many contacts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::sandbox::zone::SimulatedZone;

fn database() -> Database {
    Database::new(1, 0.02, None, 0)
}

fn ask(database: &Database, contact_id: i32, limit: i32, selection: Selection) -> Vec<u8> {
    let question = SummaryRequest {
        contact_id,
        limit,
        selection,
        wall: Wall::asked(SimulatedZone::Norway, Some("NO,includeTZOffset")).unwrap(),
    };
    answer(database, question)
}

fn parsed(contact_id: i32, limit: i32, selection: Selection) -> Value {
    serde_json::from_slice(&ask(&database(), contact_id, limit, selection)).unwrap()
}

/// The whole answers of the first so many contacts that exist.
fn objects(contacts: i32) -> Vec<Value> {
    (1..=contacts)
        .map(|contact_id| parsed(contact_id, 100, Selection::ALL))
        .filter(Value::is_object)
        .collect()
}

#[test]
fn an_answer_depends_on_seed_and_question_only() {
    let (database, other) = (database(), Database::new(2, 0.02, None, 0));
    for contact_id in [1, 7, 4711, i32::MAX] {
        let answer = ask(&database, contact_id, 100, Selection::ALL);
        assert_eq!(answer, ask(&database, contact_id, 100, Selection::ALL));
        assert_ne!(answer, ask(&other, contact_id, 100, Selection::ALL));
        assert_ne!(answer, ask(&database, contact_id - 1, 100, Selection::ALL));
    }
}

#[test]
fn every_answer_has_the_documented_members() {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for summary in objects(2_000) {
        assert!(summary.as_object().unwrap().keys().eq(MEMBERS.iter()));
        for member in MEMBERS {
            let objects = match &summary[member] {
                Value::Array(items) => items.clone(),
                other => vec![other.clone()],
            };
            for object in objects.iter().filter_map(Value::as_object) {
                seen.entry(member)
                    .or_default()
                    .extend(object.keys().cloned());
            }
        }
    }
    let activity = "AppointmentId Completed Date Description DocumentId Registered";
    let expected = [
        (
            "Contact",
            "ActiveErpLinks Address AssociateFullName AssociateId BusinessName CategoryName City \
             ContactId CountryId CountryName Department DirectPhone EmailAddress EmailAddressName \
             FieldProperties FormattedAddress FullName IsOwnerContact Kananame Name Number1 \
             Number2 OrgNr TableRight URL URLName",
        ),
        ("Tickets", "IconHint Registered TicketId TicketStatus Title"),
        ("Followups", activity),
        ("Documents", activity),
        (
            "Sales",
            "Amount AmountInBaseCurrency Completed Currency Heading Probability Registered \
             SaleDate SaleId Status",
        ),
        (
            "Chats",
            "ChatSessionId CompanyName FirstMessage LastMessage Name WhenEnded WhenRequested",
        ),
    ];
    for (member, names) in expected {
        let expected: BTreeSet<String> = names.split_whitespace().map(str::to_owned).collect();
        assert_eq!(seen[member], expected, "{member}");
    }
}

#[test]
fn what_is_not_selected_is_null() {
    let whole = parsed(1, 100, Selection::ALL);
    for (select, selected) in [
        ("sales,CONTACT", vec!["Contact", "Sales"]),
        (" Chats , Contact/Name,nothing", vec!["Contact", "Chats"]),
        ("", vec![]),
        (
            "Contact,Tickets,Followups,Documents,Sales,Chats",
            MEMBERS.to_vec(),
        ),
    ] {
        let answer = parsed(1, 100, Selection::parse(select));
        for member in MEMBERS {
            let expected = if selected.contains(&member) {
                &whole[member]
            } else {
                &Value::Null
            };
            assert_eq!(&answer[member], expected, "{member} of {select:?}");
        }
    }
}

#[test]
fn the_limit_cuts_lists_and_changes_nothing_else() {
    for contact_id in 1..=300 {
        let whole = parsed(contact_id, 1_000, Selection::ALL);
        for limit in [-1, 0, 2] {
            let cut = parsed(contact_id, limit, Selection::ALL);
            assert_eq!(cut["Contact"], whole["Contact"]);
            for member in MEMBERS {
                if let (Some(cut), Some(whole)) = (cut[member].as_array(), whole[member].as_array())
                {
                    assert!(
                        cut.iter()
                            .eq(whole.iter().take(usize::try_from(limit).unwrap_or(0))),
                        "{member} of {contact_id}"
                    );
                }
            }
        }
    }
}

#[test]
fn contact_ids_are_missing_at_the_share_that_was_set() {
    let missing = |share: f64| {
        let contacts = Database::new(1, share, None, 0);
        let answers = (1..=5_000).map(|contact_id| ask(&contacts, contact_id, 100, Selection::ALL));
        let hollow =
            br#"{"Contact":null,"Tickets":[],"Followups":[],"Documents":[],"Sales":[],"Chats":[]}"#;
        let (mut nulls, mut objects) = (0, 0);
        for answer in answers {
            nulls += u32::from(answer == b"null");
            objects += u32::from(answer == hollow);
        }
        (nulls, objects)
    };
    assert_eq!(missing(0.0), (0, 0));
    let (nulls, objects) = missing(0.02);
    assert!(
        (60..=140).contains(&(nulls + objects)),
        "{nulls} + {objects}"
    );
    assert!(nulls > objects && objects > 0, "{nulls} + {objects}");
    let (nulls, objects) = missing(1.0);
    assert_eq!(nulls + objects, 5_000);
    assert_eq!(ask(&database(), 0, 100, Selection::ALL), b"null");
    assert_eq!(ask(&database(), -5, 100, Selection::ALL), b"null");
}

#[test]
fn answers_are_as_large_as_real_ones() {
    let sizes: usize = (1..=1_000)
        .map(|contact_id| ask(&database(), contact_id, 100, Selection::ALL).len())
        .sum();
    assert!(
        (3_000_000..=7_000_000).contains(&sizes),
        "mean of {} bytes",
        sizes / 1_000
    );
}

#[test]
fn awkward_values_occur() {
    let bodies: Vec<String> = (1..=2_000)
        .map(|id| String::from_utf8(ask(&database(), id, 100, Selection::ALL)).unwrap())
        .collect();
    for text in [
        "\"0001-01-01T01:00:00+01:00\"",
        "\"9999-12-31T23:59:59+01:00\"",
        "+02:00\"",
        "+01:00\"",
        "\"Contact\":null,\"Tickets\":[{",
        "\"Sales\":null",
        "\"Postal\":null",
        "\"Kananame\":\"キ",
        "\\\"",
        "\\n",
        "ß",
        "å",
        "🎉",
        "\"OrgNr\":\"00",
        "\"Title\":\"\"",
        "\"Wgs84Latitude\":0,",
    ] {
        assert!(bodies.iter().any(|body| body.contains(text)), "{text}");
    }
    let with_seven_digits = |body: &String| {
        body.split('.').any(|rest| {
            rest.chars().take_while(char::is_ascii_digit).count() == 7 && rest.contains('Z')
        })
    };
    assert!(bodies.iter().any(with_seven_digits));
    assert!(
        bodies
            .iter()
            .any(|body| body.starts_with("{\"Contact\":{") && !body.contains("\"Number1\""))
    );
    let longest = objects(2_000)
        .iter()
        .filter_map(|summary| summary["Tickets"].as_array().map(Vec::len))
        .max();
    assert_eq!(longest, Some(100));
}
