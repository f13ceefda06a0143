//! Whole answers against the rules of `TABLES.md`.

mod fixtures;
mod oracle;
mod policy;
mod properties;
mod rules;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value, json};

use super::reading::MAX_ROW;
use super::*;
use crate::contact::{Ending, Reason};
use crate::schema::{ColumnType, MAX_ITEMS, TABLES, Table, data_tables};

/// The rows of each table, in the order of `TABLES`; a row is an object of its cells, nulls left
/// out.
type Tables = Vec<Vec<Value>>;

fn asked(number: i64) -> ContactId {
    ContactId::new(number).unwrap()
}

fn target(contact_id: ContactId) -> Target {
    let ending = Ending {
        outcome: Outcome::Exported,
        http_status: Some(200),
        attempts: 1,
        error: None,
        message: None,
        fetched_at: Some(0),
    };
    Target {
        contact_id: Some(contact_id),
        input_line: 2,
        input_value: contact_id.to_string(),
        ending,
    }
}

fn flattener() -> Flattener {
    Flattener::new(&View::all())
}

/// An answer to tonight's question, with so many items per list.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands where a target may have no answer"
)]
fn answer(json: &[u8], limit: u32) -> Option<AnswerBody<'_>> {
    Some(AnswerBody {
        json,
        limit,
        has_same_zone: true,
    })
}

/// The tables that one answer makes where contact 7 was asked for, three items per list, and what
/// did not fit.
fn flatten(body: impl AsRef<[u8]>) -> (Value, Drift) {
    let mut flattener = flattener();
    flattener.append(target(asked(7)), answer(body.as_ref(), 3));
    (by_name(&take(&mut flattener)), flattener.drift())
}

fn by_name(tables: &[Vec<Value>]) -> Value {
    TABLES
        .iter()
        .zip(tables)
        .map(|(table, rows)| (table.name.to_owned(), json!(rows)))
        .collect::<Map<_, _>>()
        .into()
}

fn take(flattener: &mut Flattener) -> Tables {
    let batches = flattener.take();
    assert_eq!(batches.len(), TABLES.len());
    TABLES
        .iter()
        .zip(&batches)
        .map(|(table, batch)| rows(table, batch))
        .collect()
}

fn rows(table: &Table, batch: &RecordBatch) -> Vec<Value> {
    let row = |index: usize| {
        let cells = table
            .columns
            .iter()
            .zip(batch.columns())
            .filter(|(_, cells)| cells.is_valid(index));
        cells
            .map(|(column, cells)| {
                (
                    column.name.to_owned(),
                    cell(column.column_type, cells, index),
                )
            })
            .collect::<Map<_, _>>()
            .into()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn cell(column_type: ColumnType, cells: &ArrayRef, index: usize) -> Value {
    match column_type {
        ColumnType::Integer => cells.as_primitive::<Int64Type>().value(index).into(),
        ColumnType::Float => cells.as_primitive::<Float64Type>().value(index).into(),
        ColumnType::Boolean => cells.as_boolean().value(index).into(),
        ColumnType::Text => cells.as_string::<i32>().value(index).into(),
        ColumnType::Instant => instant(
            cells
                .as_primitive::<TimestampMicrosecondType>()
                .value(index),
        ),
        ColumnType::Date => day(cells.as_primitive::<Date32Type>().value(index).into()),
    }
}

fn instant(microseconds: i64) -> Value {
    let clock = DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
        .checked_add(SignedDuration::from_micros(microseconds))
        .unwrap();
    format!("{clock}Z").into()
}

fn day(days: i64) -> Value {
    Date::constant(1970, 1, 1)
        .checked_add(SignedDuration::from_hours(days * 24))
        .unwrap()
        .to_string()
        .into()
}
