//! The questions as a table, and what their readings make of odd answers.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::fact::{Fact, Facts};
use super::*;
use crate::extract::api::client::Reply;
use crate::extract::api::inquiry::Inquired;

fn answer(status: u16, body: &str) -> ProbeAnswer {
    let inquired = Inquired {
        reply: Reply {
            status,
            retry_after: None,
            is_gzip: false,
            body: Bytes::from(body.to_owned()),
        },
        headers: HeaderMap::new(),
    };
    ProbeAnswer::of(&inquired, Duration::ZERO)
}

/// What a question reads out of an answer, the outline aside.
fn read(name: &str, body: &str, known: &mut Learned) -> Facts {
    let questions = questions();
    let mut of_name = questions.iter().filter(|question| question.name == name);
    (of_name.next().unwrap().reading)(&answer(200, body), known)
}

#[test]
fn every_question_only_reads() {
    let known = Learned {
        contact_id: Some(7),
        deleted_id: Some(8),
        stamp: Some((7, "2026-01-01T00:00:00".to_owned())),
        ..Learned::default()
    };
    let questions = questions();
    assert!((38..=50).contains(&questions.len()), "{}", questions.len());
    let mut names = BTreeSet::new();
    for ProbeQuestion {
        name,
        asks,
        request,
        ..
    } in &questions
    {
        assert!(names.insert(*name) || *name == "zone", "{name} twice");
        assert!(!asks.is_empty());
        let inquiry = request(&known).expect("all is known");
        if inquiry.body.is_some() {
            let method = inquiry.path.rsplit('/').next().unwrap();
            assert!(method.starts_with("Get"), "{name} calls {method}");
        }
    }
    let without = questions
        .iter()
        .filter(|question| (question.request)(&Learned::default()).is_none());
    assert!(without.count() > 10, "some need a contact");
}

#[test]
fn every_reading_bears_every_answer() {
    let odd = [
        "",
        "null",
        "true",
        "7",
        "\"x\"",
        "[]",
        "{}",
        "[null]",
        "{\"value\":null}",
        "<html>",
        "{",
        "{\"value\":[null,7,{},{\"contact.contact_id\":null}]}",
        "{\"Contact\":7,\"Tickets\":{},\"Sales\":[7,null,[]]}",
        "{\"Error\":true,\"Message\":\"x\"}",
    ];
    let mut known = Learned::default();
    for question in questions() {
        for body in odd {
            for status in [200, 204, 400, 500] {
                (question.reading)(&answer(status, body), &mut known);
            }
        }
    }
    assert_eq!(known.contact_id, None);
}

#[test]
fn a_page_is_told_by_counts() {
    let mut known = Learned::default();
    let page = r#"{"odata.nextLink":"http://x","value":[
        {"PrimaryKey":"3","contact.contact_id":3,"contact.updated":"2026-01-02T03:04:05"},
        {"PrimaryKey":"4","contact.contact_id":"4","contact.updated":null},
        {"PrimaryKey":"2","contact.contact_id":"[I:2]","contact.updated":"2026-01-02T03:04:05.12Z"}]}"#;
    let facts = read("contact", page, &mut known);
    assert_eq!(
        facts,
        [
            ("rows", Fact::Count(3)),
            ("next_link", Fact::Word("a text")),
            ("whole_keys", Fact::Count(3)),
            ("keys_rise", Fact::Is(false)),
            ("key_is", Fact::Word("a number")),
            ("rows_with_contact", Fact::Count(3)),
            ("stamp", Fact::Word("contact.updated")),
            ("null_stamps", Fact::Count(1)),
            ("dates", Fact::Count(2)),
            ("most_fraction_digits", Fact::Count(2)),
            ("offset", Fact::Word("no offset")),
            ("offset", Fact::Word("Z")),
        ]
    );
    assert_eq!(known.contact_id, Some(3));
    assert_eq!(known.stamp, Some((3, "2026-01-02T03:04:05".to_owned())));
}

#[test]
fn zones_are_compared_once_all_were_asked_for() {
    let mut known = Learned::default();
    let summary = |hour: u8, offset: &str| {
        format!(
            r#"{{"Tickets":[{{"Registered":"2026-01-02T{hour:02}:00:00{offset}"}}],
                "Sales":[{{"Registered":"2026-01-02T03:00:00Z","SaleDate":"9999-12-31T00:00:00"}}]}}"#
        )
    };
    let all = questions();
    let zones = all.iter().filter(|question| question.name == "zone");
    let bodies = [
        summary(12, "Z"),
        summary(7, "-05:00"),
        summary(13, "+01:00"),
    ];
    let mut facts = Facts::new();
    for (question, body) in zones.zip(&bodies) {
        facts = (question.reading)(&answer(200, body), &mut known);
    }
    let fact = |name: &str| {
        facts
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, fact)| *fact)
    };
    assert_eq!(
        fact("tickets_registered"),
        Some(Fact::Word("moves with the zone"))
    );
    assert_eq!(fact("sales_registered"), Some(Fact::Word("stays")));
    assert_eq!(fact("sales_sale_date"), Some(Fact::Word("none seen")));
}
