//! Answers for property tests, made from the declaration: a new column needs no edit here. Every
//! member can be absent, null, of its type, of another type or there twice. Owns the text of a body
//! and how many rows it must make; what their cells must hold is for the flattener's tests to say.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use crate::contact::ContactId;
use crate::schema::table::{ColumnType, Rows, Table};
use crate::schema::tables::{LEFT_OUT, data_tables};

/// An answer that must flatten.
#[derive(Debug, Clone)]
pub(crate) struct AnySummary {
    /// The contact that was asked for.
    pub(crate) contact_id: ContactId,
    /// The body.
    pub(crate) json: String,
    /// For each data table how many objects its member holds.
    pub(crate) objects: Vec<usize>,
}

/// Any answer that must flatten.
pub(crate) fn summary() -> impl Strategy<Value = AnySummary> {
    (1..=i32::MAX)
        .prop_filter_map("no contact id", |number| ContactId::new(number.into()))
        .prop_flat_map(|contact_id| {
            let usual: Vec<_> = data_tables()
                .enumerate()
                .map(|(index, table)| root_member(index, table, contact_id))
                .collect();
            let sparse: Vec<_> = data_tables().enumerate().map(sparse_member).collect();
            let tables = prop_oneof![4 => usual, 1 => sparse];
            let unknown = some(0..=2, unknown_name(), value())
                .prop_map(|members| members.into_iter().map(AnyRootMember::unknown).collect());
            let members = (tables, unknown).prop_map(|(tables, unknown): (Vec<Vec<_>>, Vec<_>)| {
                [tables.concat(), unknown].concat()
            });
            members
                .prop_shuffle()
                .prop_map(move |members| AnySummary::of(contact_id, members))
        })
}

/// The text of any JSON value, unusual ones among them.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let scalar = || Union::new(TYPES.map(of_type));
    let unusual: &[_] = &[
        "null",
        "{}",
        "[]",
        "[null]",
        "-0",
        "12.0",
        "1.10",
        "1E3",
        "1e400",
        "-1e400",
        "9223372036854775808",
        "0.1e-400",
    ];
    prop_oneof![
        8 => scalar(),
        2 => select(unusual).prop_map(str::to_owned),
        1 => "[1-9][0-9]{0,40}(\\.[0-9]{1,40})?(e[-+]?[0-9]{1,3})?",
        1 => vec(scalar(), 0..3).prop_map(|items| list(&items)),
        1 => some(0..=3, unknown_name(), scalar().boxed()).prop_map(object),
    ]
}

const TYPES: [ColumnType; 6] = [
    ColumnType::Integer,
    ColumnType::Float,
    ColumnType::Boolean,
    ColumnType::Text,
    ColumnType::Instant,
    ColumnType::Date,
];

impl AnySummary {
    fn of(contact_id: ContactId, mut members: Vec<AnyRootMember>) -> Self {
        // No summary is without any of its members.
        if members.iter().all(|member| member.table.is_none()) {
            let contact = ("\"Contact\"".to_owned(), "null".to_owned());
            members.push(AnyRootMember::unknown(contact));
        }
        let mut objects = vec![0; data_tables().count()];
        for member in &members {
            if let Some(place) = member.table.and_then(|table| objects.get_mut(table)) {
                // Of doubled members the last one counts.
                *place = member.objects;
            }
        }
        let json = object(members.into_iter().map(|member| member.text).collect());
        Self {
            contact_id,
            json,
            objects,
        }
    }
}

/// A member: its name and its value as JSON text.
type Member = (String, String);

#[derive(Debug, Clone)]
struct AnyRootMember {
    /// The index of the table that it fills.
    table: Option<usize>,
    objects: usize,
    text: Member,
}

impl AnyRootMember {
    fn unknown(text: Member) -> Self {
        Self {
            table: None,
            objects: 0,
            text,
        }
    }
}

fn root_member(
    index: usize,
    table: &'static Table,
    contact_id: ContactId,
) -> BoxedStrategy<Vec<AnyRootMember>> {
    let row = object_of(
        members_of(table),
        matches!(table.rows, Rows::Object(_)).then_some(contact_id),
    );
    let rows = match table.rows {
        Rows::Object(_) => row.prop_map(|row| (row, 1)).boxed(),
        Rows::Items(_) | Rows::Targets => {
            vec(prop_oneof![1 => Just(None), 6 => row.prop_map(Some)], 0..5)
                .prop_map(rows)
                .boxed()
        }
    };
    let name = table.root_member().expect("data tables have one");
    let member = prop_oneof![1 => Just(("null".to_owned(), 0)), 8 => rows];
    let member = member.prop_map(move |(json, objects)| AnyRootMember {
        table: Some(index),
        objects,
        text: (quote(name), json),
    });
    prop_oneof![1 => vec(member.clone(), 0), 8 => vec(member.clone(), 1), 1 => vec(member, 2)]
        .boxed()
}

/// A root member in which little or nothing stands: an object of defaults with now and then a
/// value among them, a list of at most one item.
fn sparse_member((index, table): (usize, &'static Table)) -> BoxedStrategy<Vec<AnyRootMember>> {
    let json = match table.rows {
        Rows::Object(_) => prop_oneof![
            1 => Just("null".to_owned()),
            6 => defaults(members_of(table), 40).prop_map(object),
        ]
        .boxed(),
        Rows::Items(_) | Rows::Targets => prop_oneof![
            1 => Just("null"),
            30 => Just("[]"),
            1 => Just("[null]"),
            1 => Just("[{}]"),
        ]
        .prop_map(str::to_owned)
        .boxed(),
    };
    let name = table.root_member().expect("data tables have one");
    let member = json.prop_map(move |json| AnyRootMember {
        table: Some(index),
        objects: usize::from(json.contains('{')),
        text: (quote(name), json),
    });
    vec(member, 0..=1).boxed()
}

/// Members that hold what a server puts where nothing is known, now and then a value among them.
fn defaults(members: Vec<(&'static str, Known)>, weight: u32) -> BoxedStrategy<Vec<Member>> {
    let empty = [
        "null", "0", "0.0", "-0", "\"\"", "false", "{}", "[]", "[null]",
    ];
    let member = move |(name, known): (&'static str, Known)| {
        let json = match known {
            Known::Value(_) => prop_oneof![
                weight => select(empty.to_vec()).prop_map(str::to_owned),
                1 => value(),
            ]
            .boxed(),
            Known::Object(below) => defaults(below, weight).prop_map(object).boxed(),
        };
        some(0..=1, Just(quote(name)), json)
    };
    let right = some(
        0..=1,
        Just(quote("TableRight")),
        Just(r#"{"Mask": "FULL"}"#.to_owned()).boxed(),
    );
    let identity = some(
        0..=1,
        Just(quote("ContactId")),
        Just("null".to_owned()).boxed(),
    );
    let members: Vec<_> = members
        .into_iter()
        .map(member)
        .chain([right, identity])
        .collect();
    members
        .prop_map(|members| members.concat())
        .prop_shuffle()
        .boxed()
}

fn rows(items: Vec<Option<String>>) -> (String, usize) {
    let rows = items.iter().flatten().count();
    let items: Vec<_> = items
        .into_iter()
        .map(|item| item.unwrap_or_else(|| "null".to_owned()))
        .collect();
    (list(&items), rows)
}

/// What the declaration knows of a member.
#[derive(Debug, Clone)]
enum Known {
    Value(ColumnType),
    Object(Vec<(&'static str, Known)>),
}

fn members_of(table: &Table) -> Vec<(&'static str, Known)> {
    let mut members = Vec::new();
    for column in table.columns.iter() {
        if let Some(path) = column.member() {
            add_member(&mut members, path, column.column_type);
        }
    }
    members
}

fn add_member(
    members: &mut Vec<(&'static str, Known)>,
    path: &'static str,
    column_type: ColumnType,
) {
    let (name, rest) = path
        .split_once('/')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let place = members.iter().position(|(other, _)| *other == name);
    match (place.and_then(|place| members.get_mut(place)), rest) {
        (Some((_, Known::Object(below))), Some(rest)) => add_member(below, rest, column_type),
        (Some(_), _) => {}
        (None, None) => members.push((name, Known::Value(column_type))),
        (None, Some(rest)) => {
            let mut below = Vec::new();
            add_member(&mut below, rest, column_type);
            members.push((name, Known::Object(below)));
        }
    }
}

/// An object of these members, absent, null, usual, odd or doubled, and of some that no column
/// takes.
fn object_of(
    members: Vec<(&'static str, Known)>,
    contact_id: Option<ContactId>,
) -> BoxedStrategy<String> {
    let mut members: Vec<_> = members
        .into_iter()
        .map(|(name, known)| known_member(name, known))
        .collect();
    members.push(some(0..=2, unknown_name(), value().boxed()));
    members.push(some(
        0..=1,
        select(LEFT_OUT).prop_map(|(name, _)| quote(name)),
        value().boxed(),
    ));
    if let Some(id) = contact_id {
        let ids = [
            id.to_string(),
            format!("\"{id}\""),
            format!("{id}.0"),
            "null".to_owned(),
        ];
        members.push(some(
            0..=1,
            Just(quote("ContactId")),
            select(ids.to_vec()).boxed(),
        ));
    }
    members
        .prop_map(|members| members.concat())
        .prop_shuffle()
        .prop_map(object)
        .boxed()
}

fn known_member(name: &'static str, known: Known) -> BoxedStrategy<Vec<Member>> {
    let json = match known {
        Known::Value(column_type) => {
            prop_oneof![1 => Just("null".to_owned()), 6 => of_type(column_type), 1 => value()]
                .boxed()
        }
        Known::Object(members) => {
            prop_oneof![1 => Just("null".to_owned()), 6 => object_of(members, None)].boxed()
        }
    };
    let once = some(1..=1, Just(quote(name)), json.clone());
    prop_oneof![2 => Just(Vec::new()), 8 => once, 1 => some(2..=2, Just(quote(name)), json)].boxed()
}

/// So many members of that name and value.
fn some(
    times: std::ops::RangeInclusive<usize>,
    name: impl Strategy<Value = String> + 'static,
    json: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<Vec<Member>> {
    vec((name, json), times).boxed()
}

/// The text of a value of that type, as a server would write it.
fn of_type(column_type: ColumnType) -> BoxedStrategy<String> {
    match column_type {
        ColumnType::Integer => {
            prop_oneof![3 => any::<i32>().prop_map(i64::from), 1 => any::<i64>()]
                .prop_map(|number| number.to_string())
                .boxed()
        }
        ColumnType::Float => any::<f64>()
            .prop_map(|float| serde_json::Value::from(float).to_string())
            .boxed(),
        ColumnType::Boolean => any::<bool>()
            .prop_map(|boolean| boolean.to_string())
            .boxed(),
        ColumnType::Text => text().boxed(),
        ColumnType::Instant | ColumnType::Date => {
            instant().prop_map(|instant| quote(&instant)).boxed()
        }
    }
}

/// The text of a JSON string, some with escapes, some cut inside a surrogate pair.
fn text() -> impl Strategy<Value = String> {
    let words: &[_] = &[
        "",
        "0042",
        "12",
        "true",
        "Ærø Bådeværft",
        "東京 \"本社\"",
        "a,b;c\r\nd\te",
        "nul \0",
        "🦭",
        "2020-09-20",
    ];
    let escaped: &[_] = &[
        "\"\\u00e6\\/\\b\\f\"",
        "\"\\ud83e\\uddad\"",
        "\"cut \\ud83e\"",
        "\"\\uDDAD first\"",
        "\"\\ud83e\\u0041\\\\\"",
    ];
    prop_oneof![
        2 => select(words).prop_map(quote),
        2 => any::<String>().prop_map(|text| quote(&text)),
        1 => select(escaped).prop_map(str::to_owned),
    ]
}

fn instant() -> impl Strategy<Value = String> {
    let sentinels: &[_] = &[
        "0001-01-01T00:00:00",
        "0001-01-01T01:00:00+01:00",
        "1760-01-01T00:00:00Z",
        "9999-12-31T23:59:59",
        "9999-12-31T23:59:59-01:00",
    ];
    let clock = (1..=9_999, 1..=12, 1..=28, 0..24, 0..60, 0..60);
    let offset = select(&["", "Z", "+02:00", "-0500", "+05:45", "+14:00", "-12:00"][..]);
    let usual = (clock, "(\\.[0-9]{1,9})?", offset).prop_map(
        |((year, month, day, hour, minute, second), fraction, offset)| {
            format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}"
            )
        },
    );
    prop_oneof![6 => usual, 1 => select(sentinels).prop_map(str::to_owned)]
}

/// The name of a member that no table knows, as a JSON string.
fn unknown_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "X[a-z]{0,2}".prop_map(|name| quote(&name)),
        1 => any::<String>().prop_map(|name| quote(&format!("X{name}"))),
        1 => Just("\"X\\ud83e\"".to_owned()),
    ]
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

fn object(members: Vec<Member>) -> String {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, json)| format!("{name}: {json}"))
        .collect();
    format!("{{{}}}", members.join(", "))
}
