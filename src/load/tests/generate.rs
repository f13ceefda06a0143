//! Rows for tests, made from the declaration: any cell that a column can hold.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use proptest::prelude::*;
use proptest::strategy::{Union, ValueTree};
use proptest::test_runner::TestRunner;

use crate::schema::{CellSource, ColumnType, Table};

/// One value, or null.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::load) enum AnyCell {
    Null,
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Text(String),
    Instant(i64),
    Date(i32),
}

/// One row: a cell for each column.
pub(in crate::load) type Row = Vec<AnyCell>;

/// From the first instant of year 1 to the last of year 9999.
const INSTANTS: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// Any row of the table; keys are null only where they may be.
pub(in crate::load) fn row(table: &'static Table) -> impl Strategy<Value = Row> {
    let cells = |column| {
        let value = cell(column);
        if table.is_nullable(column) {
            prop_oneof![1 => Just(AnyCell::Null), 3 => value].boxed()
        } else {
            value
        }
    };
    table.columns.iter().map(cells).collect::<Vec<_>>()
}

/// Some rows of the table, the same ones every time.
pub(in crate::load) fn some_rows(table: &'static Table, number: usize) -> Vec<Row> {
    let mut runner = TestRunner::deterministic();
    let rows = proptest::collection::vec(row(table), number);
    rows.new_tree(&mut runner)
        .expect("no row is refused")
        .current()
}

/// Rows of one contact each, with the keys that the table's order demands.
pub(in crate::load) fn sorted_rows(table: &'static Table, contact_ids: &[i64]) -> Vec<Row> {
    let mut rows = some_rows(table, contact_ids.len());
    for (row, contact_id) in rows.iter_mut().zip(contact_ids) {
        for (cell, column) in row.iter_mut().zip(table.columns.iter()) {
            match column.source {
                CellSource::ContactId => *cell = AnyCell::Integer(*contact_id),
                CellSource::Position => *cell = AnyCell::Integer(1),
                _ => {}
            }
        }
    }
    rows
}

/// The rows as a batch.
pub(in crate::load) fn batch(table: &Table, rows: &[Row]) -> RecordBatch {
    let columns = (0..table.columns.len()).map(|index| {
        array(
            table.columns[index].column_type,
            rows.iter().map(|row| &row[index]),
        )
    });
    RecordBatch::try_new(table.arrow_schema(), columns.collect())
        .expect("cells are of their columns' types")
}

fn cell(column: &crate::schema::Column) -> BoxedStrategy<AnyCell> {
    match column.column_type {
        ColumnType::Integer => {
            prop_oneof![any::<i64>(), 1..100_i64, Just(i64::MIN), Just(i64::MAX)]
                .prop_map(AnyCell::Integer)
                .boxed()
        }
        ColumnType::Float => {
            let floats = proptest::num::f64::NORMAL
                | proptest::num::f64::SUBNORMAL
                | proptest::num::f64::ZERO;
            prop_oneof![
                floats,
                Just(f64::MAX),
                Just(f64::MIN_POSITIVE),
                Just(2_676.435_999_999_999_7)
            ]
            .prop_map(AnyCell::Float)
            .boxed()
        }
        ColumnType::Boolean => any::<bool>().prop_map(AnyCell::Boolean).boxed(),
        ColumnType::Text => text().prop_map(AnyCell::Text).boxed(),
        ColumnType::Instant => prop_oneof![INSTANTS, Just(*INSTANTS.end()), Just(0)]
            .prop_map(AnyCell::Instant)
            .boxed(),
        ColumnType::Date => prop_oneof![DAYS, Just(*DAYS.end())]
            .prop_map(AnyCell::Date)
            .boxed(),
    }
}

fn text() -> impl Strategy<Value = String> {
    let awkward = [
        "",
        " ",
        "\0",
        "\"",
        "\"\"",
        ",",
        "\n",
        "\r\n",
        "\r",
        "a,\"b\"\nc",
        "null",
        "\\N",
        "=1+1",
        "Bjørn Åkesson 株式会社 😀",
    ];
    let awkward = Union::new(awkward.map(|text| Just(text.to_owned())));
    prop_oneof![awkward, any::<String>(), "[A-Z][a-zæøå]{2,12} AS"]
}

fn array<'a>(column_type: ColumnType, cells: impl Iterator<Item = &'a AnyCell>) -> ArrayRef {
    macro_rules! collect {
        ($array:ty, $variant:ident) => {
            cells
                .map(|cell| {
                    if let AnyCell::$variant(value) = cell {
                        Some(value.clone())
                    } else {
                        None
                    }
                })
                .collect::<$array>()
        };
    }
    match column_type {
        ColumnType::Integer => Arc::new(collect!(Int64Array, Integer)),
        ColumnType::Float => Arc::new(collect!(Float64Array, Float)),
        ColumnType::Boolean => Arc::new(collect!(BooleanArray, Boolean)),
        ColumnType::Text => Arc::new(collect!(StringArray, Text)),
        ColumnType::Instant => {
            Arc::new(collect!(TimestampMicrosecondArray, Instant).with_timezone("UTC"))
        }
        ColumnType::Date => Arc::new(collect!(Date32Array, Date)),
    }
}

/// The cells of a batch.
pub(in crate::load) fn rows_of(table: &Table, batch: &RecordBatch) -> Vec<Row> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
    let value = |index: usize, row: usize| {
        let array = batch.column(index);
        match table.columns[index].column_type {
            _ if array.is_null(row) => AnyCell::Null,
            ColumnType::Integer => AnyCell::Integer(array.as_primitive::<Int64Type>().value(row)),
            ColumnType::Float => AnyCell::Float(array.as_primitive::<Float64Type>().value(row)),
            ColumnType::Boolean => AnyCell::Boolean(array.as_boolean().value(row)),
            ColumnType::Text => AnyCell::Text(array.as_string::<i32>().value(row).to_owned()),
            ColumnType::Instant => {
                AnyCell::Instant(array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            ColumnType::Date => AnyCell::Date(array.as_primitive::<Date32Type>().value(row)),
        }
    };
    (0..batch.num_rows())
        .map(|row| {
            (0..table.columns.len())
                .map(|index| value(index, row))
                .collect()
        })
        .collect()
}
