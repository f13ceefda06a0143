//! The archives as a client meets them, over raw sockets, and what they say beside the summaries.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::sandbox::client::{WireAnswer, WireClient};
use crate::sandbox::{Sandbox, ServerSettings, start};

/// Which archive a list is in: its table, its columns of key and contact, and the key in the list.
const LISTS: [(&str, &str, &str, &str); 5] = [
    ("Tickets", "ticket.id", "ticket.contact_id", "TicketId"),
    (
        "Followups",
        "appointment.appointment_id",
        "appointment.contact_id",
        "AppointmentId",
    ),
    (
        "Documents",
        "document.document_id",
        "document.appointment_id.contact_id",
        "DocumentId",
    ),
    ("Sales", "sale.sale_id", "sale.contact_id", "SaleId"),
    (
        "Chats",
        "chat_session.id",
        "chat_session.contact_id",
        "ChatSessionId",
    ),
];

fn sandbox(archives: ArchiveSettings) -> Sandbox {
    start(ServerSettings {
        contacts: Some(700),
        archives,
        ..ServerSettings::default()
    })
    .unwrap()
}

fn get(sandbox: &Sandbox, target: &str) -> WireAnswer {
    let target = format!("/SuperOffice/api/v1/Archive/{target}");
    let target = target.replace(' ', "%20").replace('\'', "%27");
    let mut client = WireClient::of(sandbox);
    client.send("GET", &target, "", "").unwrap()
}

fn rows(answer: &WireAnswer) -> Vec<Value> {
    assert_eq!(answer.status, 200);
    answer.json()["value"].as_array().unwrap().clone()
}

/// All rows of an archive, page by page.
fn walk(sandbox: &Sandbox, provider: &str, select: &str) -> Vec<Value> {
    let key = select.split(',').next().unwrap();
    let (mut last, mut all) = (0, Vec::new());
    loop {
        let question = format!("$select={select}&$filter={key} gt {last}&$orderBy={key}&$top=1000");
        let page = rows(&get(sandbox, &format!("{provider}?{question}")));
        let Some(row) = page.last() else { return all };
        last = row["PrimaryKey"].as_str().unwrap().parse().unwrap();
        all.extend(page);
    }
}

fn summary(sandbox: &Sandbox, contact_id: u64) -> Value {
    let target = "/SuperOffice/api/v1/Agents/Contact/GetContactSummary";
    let question = format!(r#"{{"ContactId":{contact_id},"Limit":1000}}"#);
    WireClient::of(sandbox).post(target, "", &question).json()
}

#[test]
fn a_page_is_slim_json_with_the_names_that_were_asked_for() {
    let sandbox = sandbox(ArchiveSettings::default());
    let select = "CONTACT.contact_id,contact.Updated";
    let question = "$filter=contact.contact_id gt 4 and contact.contact_id lt 8&$orderBy=contact.contact_id asc";
    let answer = get(
        &sandbox,
        &format!("Dynamic?$select={select}&{question}&$top=2"),
    );
    let page = answer.json();
    assert_eq!(page["odata.nextLink"], Value::Null);
    let row = &page["value"][0];
    assert_eq!(
        (&row["PrimaryKey"], &row["EntityName"]),
        (&"5".into(), &"contact".into())
    );
    assert_eq!(row["CONTACT.contact_id"], 5);
    let stamp = row["contact.Updated"].as_str().unwrap();
    assert_eq!((stamp.len(), stamp.get(10..11)), (19, Some("T")), "{stamp}");
    assert_eq!(row.as_object().unwrap().len(), 4);
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
}

#[test]
fn archives_and_summaries_show_the_same_rows() {
    let sandbox = sandbox(ArchiveSettings {
        page_maximum: 300,
        short_pages: 0.3,
        ..ArchiveSettings::default()
    });
    let contacts = walk(&sandbox, "dynamic", "contact.contact_id,contact.updated");
    let mut shown = BTreeMap::new();
    for (list, key, contact, _) in LISTS {
        let filter = if list == "Followups" {
            ",appointment.document_id"
        } else {
            ""
        };
        for row in walk(&sandbox, "dynamic", &format!("{key},{contact}{filter}")) {
            if filter.is_empty() || row["appointment.document_id"] == 0 {
                let owner = row[contact].as_u64().unwrap();
                let keys: &mut Vec<u64> = shown.entry((owner, list)).or_default();
                keys.insert(0, row[key].as_u64().unwrap());
            }
        }
    }
    let mut with_rows = 0;
    for contact_id in 1..=720 {
        let summary = summary(&sandbox, contact_id);
        let in_walk = contacts
            .iter()
            .any(|row| row["contact.contact_id"] == contact_id);
        assert_eq!(summary["Contact"].is_object(), in_walk, "{contact_id}");
        for (list, _, _, key) in LISTS {
            let items = summary[list].as_array().cloned().unwrap_or_default();
            let keys: Vec<u64> = items
                .iter()
                .map(|item| item[key].as_u64().unwrap())
                .collect();
            let archived = shown.get(&(contact_id, list)).cloned().unwrap_or_default();
            assert_eq!(keys, archived, "{list} of {contact_id}");
            with_rows += usize::from(!keys.is_empty());
        }
    }
    assert!(with_rows > 1_000, "{with_rows}");
    assert!(contacts.len() < 700, "no contact is missing");
}

#[test]
fn keys_rise_whatever_the_contacts() {
    let sandbox = sandbox(ArchiveSettings::default());
    for (_, key, contact, _) in LISTS {
        let rows = walk(&sandbox, "dynamic", &format!("{key},{contact}"));
        assert!(
            rows.is_sorted_by(|a, b| a[key].as_u64() < b[key].as_u64()),
            "{key}"
        );
        let contacts = |row: &Value| row[contact].as_u64();
        assert!(
            !rows.is_sorted_by_key(contacts),
            "{key} is in the order of the contacts"
        );
    }
}

#[test]
fn without_an_order_none_is_kept() {
    let sandbox = sandbox(ArchiveSettings::default());
    let page = rows(&get(
        &sandbox,
        "dynamic?$select=sale.sale_id&$filter=sale.sale_id gt 0",
    ));
    assert!(!page.is_sorted_by_key(|row| row["sale.sale_id"].as_u64()));
}

#[test]
fn a_page_holds_no_more_than_the_maximum_and_a_short_one_is_not_the_last() {
    let key = "ticket.id";
    let page = |sandbox: &Sandbox, top: &str| {
        let question = format!("$select={key}&$filter={key} gt 0&$orderBy={key}{top}");
        rows(&get(sandbox, &format!("dynamic?{question}"))).len()
    };
    let usual = sandbox(ArchiveSettings::default());
    assert_eq!(
        [
            page(&usual, ""),
            page(&usual, "&$top=50000"),
            page(&usual, "&$top=7")
        ],
        [1000, 1000, 7]
    );
    let short = sandbox(ArchiveSettings {
        short_pages: 1.0,
        ..ArchiveSettings::default()
    });
    assert!((1..1000).contains(&page(&short, "")));
    assert_eq!(walk(&usual, "dynamic", key), walk(&short, "dynamic", key));
}

#[test]
fn the_fallback_lists_the_same_contacts() {
    let sandbox = sandbox(ArchiveSettings::default());
    let ids = |provider, key| -> Vec<Value> {
        let rows = walk(&sandbox, provider, key);
        rows.iter().map(|row| row[key].clone()).collect()
    };
    assert_eq!(
        ids("SimpleContact", "contactId"),
        ids("dynamic", "contact.contact_id")
    );
}

#[test]
fn what_archives_throw_at_is_refused() {
    let sandbox = sandbox(ArchiveSettings::default());
    for question in [
        "dynamic?$select=sale.sale_id&$orderBy=sale.sale_id",
        "dynamic?$select=sale.sale_id&$filter=",
        "dynamic?$select=sale.sale_id&$filter=sale.sale_id ge 5",
        "dynamic?$select=sale.sale_id&$filter=sale.sale_id le 5",
        "dynamic?$select=sale.sale_id&$filter=ticket.id gt 5",
        "dynamic?$select=sale.sale_id,ticket.id&$filter=sale.sale_id gt 5",
        "dynamic?$select=sale.sale_id&$filter=sale.sale_id gt x",
        "dynamic?$select=sale.sale_id&$filter=sale.sale_id gt 5&$orderBy=sale.updated",
        "dynamic?$select=sale.sale_id&$filter=sale.sale_id gt 5&$top=many",
        "dynamic?$select=sale.nothing&$filter=sale.nothing gt 5",
        "nothing?$select=sale.sale_id&$filter=sale.sale_id gt 5",
        "dynamic",
    ] {
        let answer = get(&sandbox, question);
        assert_eq!(
            (answer.status, &answer.json()["Error"]),
            (500, &true.into()),
            "{question}"
        );
    }
    assert_eq!(
        get(
            &sandbox,
            "dynamic?$select=sale.sale_id&$filter=getAllRows=true"
        )
        .status,
        200
    );
}

#[test]
fn rights_hide_a_table_or_a_provider_as_was_set() {
    let statuses = [
        (ArchiveRefusal::BadRequest, 400),
        (ArchiveRefusal::Unauthorized, 401),
        (ArchiveRefusal::Forbidden, 403),
        (ArchiveRefusal::NotFound, 404),
        (ArchiveRefusal::ServerError, 500),
    ];
    for (refusal, status) in statuses {
        let sandbox = sandbox(ArchiveSettings {
            refused: BTreeMap::from([(ArchiveTable::Sale, refusal)]),
            refused_providers: BTreeMap::from([("simplecontact".to_owned(), refusal)]),
            ..ArchiveSettings::default()
        });
        let asked = |question| get(&sandbox, question).status;
        assert_eq!(
            asked("dynamic?$select=sale.sale_id&$filter=sale.sale_id gt 5"),
            status
        );
        assert_eq!(
            asked("SimpleContact?$select=contactId&$filter=contactId gt 5"),
            status
        );
        assert_eq!(
            asked("dynamic?$select=ticket.id&$filter=ticket.id gt 5"),
            200
        );
    }
}

#[test]
fn calls_of_archives_are_counted_apart_and_meet_faults_and_logins() {
    let sandbox = start(ServerSettings {
        faults: 1.0,
        fault_kinds: vec![crate::sandbox::FaultKind::BadGateway],
        tenant: Some(crate::sandbox::TenantSettings::default()),
        ..ServerSettings::default()
    })
    .unwrap();
    let question = "dynamic?$select=ticket.id&$filter=ticket.id%20gt%205";
    assert_eq!(get(&sandbox, question).status, 502);
    assert_eq!((sandbox.requests(), sandbox.archive_requests()), (0, 1));
    let target = format!("/Cust00000/api/v1/Archive/{question}");
    let mut client = WireClient::of(&sandbox);
    assert_eq!(client.send("GET", &target, "", "").unwrap().status, 401);
}

/// What all walks tell of each contact, and what its summary says.
fn told_and_shown(night: u32) -> Vec<(Vec<String>, Value)> {
    let sandbox = start(ServerSettings {
        contacts: Some(700),
        night,
        ..ServerSettings::default()
    })
    .unwrap();
    let mut all: Vec<(Vec<String>, Value)> = (0..=760)
        .map(|contact_id| (Vec::new(), summary(&sandbox, contact_id)))
        .collect();
    for (select, contact) in [
        ("contact.contact_id,contact.updated", "contact.contact_id"),
        (
            "appointment.appointment_id,appointment.contact_id,appointment.updated",
            "appointment.contact_id",
        ),
        (
            "document.document_id,document.appointment_id.contact_id,document.updated",
            "document.appointment_id.contact_id",
        ),
        (
            "sale.sale_id,sale.contact_id,sale.updated",
            "sale.contact_id",
        ),
        (
            "ticket.id,ticket.contact_id,ticket.last_changed",
            "ticket.contact_id",
        ),
        (
            "chat_session.id,chat_session.contact_id,chat_session.when_requested,\
             chat_session.when_ended,chat_session.idle",
            "chat_session.contact_id",
        ),
    ] {
        for row in walk(&sandbox, "dynamic", select) {
            let owner = row[contact].as_u64().unwrap_or(0);
            all[usize::try_from(owner).unwrap()].0.push(row.to_string());
        }
    }
    all
}

#[test]
fn a_changed_summary_is_told_by_the_walks_unless_it_was_edited_in_silence() {
    let (mut loud, mut silent) = (0, 0);
    let mut before = told_and_shown(0);
    // The rows of contacts that were deleted belong to number 0.
    for night in [1, 2, 3, 4, 30] {
        let after = told_and_shown(night);
        for (contact_id, (before, after)) in before.iter().zip(&after).enumerate().skip(1) {
            match (before.0 != after.0, before.1 != after.1) {
                (false, false) => {}
                (true, true) => loud += 1,
                (false, true) => silent += 1,
                (true, false) => panic!("only the walks tell {contact_id} in night {night}"),
            }
        }
        before = after;
    }
    assert!(
        loud > 200 && silent > 0 && silent * 10 < loud,
        "{silent} of {loud}"
    );
}
