//! A policy, as a property: under any policy the tables are those of none, with columns left out,
//! emptied or hashed, and nothing else; and nothing of what it does not keep is left in the body.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::contact::KeptMembers;
use crate::schema::tests::generate;
use crate::schema::{Column, ExtraMembers, Measure, Policy};

/// Any policy that a job may have.
fn policy() -> impl Strategy<Value = Policy> {
    let columns: Vec<(String, bool)> = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .map(|(table, column)| {
            let is_text = column.column_type == ColumnType::Text;
            (format!("{}.{}", table.name, column.name), is_text)
        })
        .collect();
    let number = columns.len();
    let some = prop::collection::vec((select(columns), select(Measure::ALL)), 0..number);
    let extra = select(&[None, Some(ExtraMembers::Keep), Some(ExtraMembers::Drop)][..]);
    (some, extra).prop_map(|(some, extra)| {
        let mut policy = Policy::default();
        for ((name, is_text), measure) in some {
            let measure = match measure {
                Measure::Hash if !is_text => Measure::Redact,
                measure => measure,
            };
            // Keys and names that stand there twice are refused, and not asked for here.
            drop(policy.add(&name, measure));
        }
        if let Some(extra) = extra {
            policy.set_extra(extra);
        }
        policy
    })
}

fn key() -> Arc<HashKey> {
    Arc::new(HashKey::new(b"0123456789abcdef").unwrap())
}

/// The rows of each table of a view.
fn tables_of(view: &View, body: &[u8], contact_id: ContactId) -> Vec<Vec<Value>> {
    let mut flattener = Flattener::new(view).hashing(Some(&key()));
    flattener.append(target(contact_id), answer(body, 3));
    let batches = flattener.take();
    view.tables()
        .zip(&batches)
        .map(|(table, batch)| rows(table, batch))
        .collect()
}

/// What a policy makes of a cell, told without asking the view.
fn under(policy: &Policy, table: &Table, column: &Column, cell: &Value) -> Option<Value> {
    let name = format!("{}.{}", table.name, column.name);
    let report = policy.report(None);
    if report.drop.contains(&name) || report.redact.contains(&name) {
        None
    } else if report.hash.contains(&name) {
        Some(key().hash(cell.as_str().unwrap()).into())
    } else if column.name == "extra" && report.extra == ExtraMembers::Drop {
        None
    } else {
        Some(cell.clone())
    }
}

proptest! {
    #[test]
    fn tables_under_a_policy_are_those_of_none_with_its_columns_treated(
        policy in policy(), summary in generate::summary(),
    ) {
        let view = View::all().under(&policy);
        let body = summary.json.as_bytes();
        let stripped = Stripper::of(&view.members())
            .map(|stripper| stripper.strip(summary.contact_id, body).unwrap());
        let stored = stripped.as_deref().map_or(body, str::as_bytes);
        let full = tables_of(&View::all(), body, summary.contact_id);
        // The same whether the members are still there or not.
        for body in [stored, body] {
            let found = tables_of(&view, body, summary.contact_id);
            for ((table, expected), found) in TABLES.iter().zip(&full).zip(found) {
                let is_compared = |name: &str| {
                    // What is kept of other columns' values is told in the rules.
                    name != "extra" || policy.extra() == ExtraMembers::Drop || policy.is_empty()
                };
                let treated = |row: &Value| -> Value {
                    let cells = row.as_object().unwrap().iter().filter_map(|(name, cell)| {
                        let column = table.columns.iter().find(|column| column.name == name)?;
                        let cell = under(&policy, table, column, cell)?;
                        is_compared(name).then(|| (name.clone(), cell))
                    });
                    cells.collect::<Map<_, _>>().into()
                };
                let compared = |row: &Value| -> Value {
                    let cells = row.as_object().unwrap().iter();
                    let cells = cells.filter(|(name, _)| is_compared(name));
                    cells
                        .map(|(name, cell)| (name.clone(), cell.clone()))
                        .collect::<Map<_, _>>()
                        .into()
                };
                let expected: Vec<_> = expected.iter().map(treated).collect();
                let found: Vec<_> = found.iter().map(compared).collect();
                prop_assert_eq!(&found, &expected, "{} of {}", table.name, summary.json);
            }
        }
    }

    #[test]
    fn what_was_taken_out_once_is_not_taken_out_again(
        policy in policy(), summary in generate::summary(),
    ) {
        let members = View::all().under(&policy).members();
        if let Some(stripper) = Stripper::of(&members) {
            let once = stripper.strip(summary.contact_id, summary.json.as_bytes()).unwrap();
            let twice = stripper.strip(summary.contact_id, once.as_bytes()).unwrap();
            prop_assert_eq!(once, twice);
        }
    }
}

#[test]
fn what_is_kept_stands_as_it_was_written() {
    let only =
        |paths: &[&str]| KeptMembers::Only(paths.iter().map(|path| (*path).to_owned()).collect());
    let all_but =
        |paths: &[&str]| KeptMembers::AllBut(paths.iter().map(|path| (*path).to_owned()).collect());
    let body = r#"{"Contact": {"ContactId": 7, "Name": "A\u00e9",
        "Addr\u0065ss": {"City": 1.10, "x": 2}}, "Chats": [null, {"Name":"a", "FirstMessage":"b"}],
        "New": {"a": [1]}}"#;
    let cases = [
        (
            all_but(&["Chats/FirstMessage", "Contact/Address/City"]),
            r#"{"Contact":{"ContactId":7,"Name":"A\u00e9","Addr\u0065ss":{"x":2}},"Chats":[null,{"Name":"a"}],"New":{"a": [1]}}"#,
        ),
        (
            all_but(&["Contact", "New"]),
            r#"{"Chats":[null, {"Name":"a", "FirstMessage":"b"}]}"#,
        ),
        (
            only(&["Contact", "Contact/ContactId", "Chats", "Chats/Name"]),
            r#"{"Contact":{"ContactId":7},"Chats":[null,{"Name":"a"}]}"#,
        ),
        // All that told of the contact goes, and it does not say which one it is.
        (
            only(&["Contact", "Contact/Fax"]),
            r#"{"Contact":{"ContactId":7}}"#,
        ),
        (only(&["Tickets"]), "{}"),
        // A value that no column can take is not kept under its name.
        (only(&["New", "New/a"]), r#"{"New":{"a":[]}}"#),
    ];
    for (kept, expected) in cases {
        let stripper = Stripper::of(&kept).unwrap();
        let left = stripper.strip(asked(7), body.as_bytes()).unwrap();
        assert_eq!(left, expected, "{kept:?}");
    }
    assert!(Stripper::of(&KeptMembers::all()).is_none());
}

#[test]
fn hashed_values_of_another_type_reach_extra_neither() {
    let mut policy = Policy::default();
    policy.add("chats.name", Measure::Hash).unwrap();
    policy.set_extra(ExtraMembers::Keep);
    let view = View::all().under(&policy);
    let body = br#"{"Contact": null, "Chats": [{"Name": {"secret": 1}, "New": 2}]}"#;
    let tables = tables_of(&view, body, asked(7));
    let chats = &tables[5];
    assert_eq!(chats[0]["extra"], r#"{"New":2}"#);
    assert!(chats[0].get("name").is_none());
}
