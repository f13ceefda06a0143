//! The columns of one table as they grow, row by row, until they are taken as a record batch.

use std::mem;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use super::cell::Cell;
use super::hash::HashKey;
use crate::schema::{ColumnType, Table, Treatment};

/// Most rows, and most bytes of text, that a column has room for from the start. Twice the batch of
/// a run (512 rows); one unusual answer leaves no larger room behind than that.
const MOST_ROWS: usize = 1 << 10;
const MOST_TEXT: usize = 1 << 16;

/// The columns of one table.
#[derive(Debug)]
pub(super) struct Columns {
    schema: SchemaRef,
    builders: Vec<ColumnBuilder>,
    /// What becomes of the cells of each.
    treatments: Vec<Treatment>,
    key: Option<Arc<HashKey>>,
}

#[derive(Debug)]
enum ColumnBuilder {
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Instant(TimestampMicrosecondBuilder),
    Date(Date32Builder),
}

impl Columns {
    pub(super) fn of(table: &Table) -> Self {
        let builders = table
            .columns
            .iter()
            .map(|column| ColumnBuilder::new(column.column_type, 0, 0))
            .collect();
        Self {
            schema: table.arrow_schema(),
            builders,
            treatments: table
                .columns
                .iter()
                .map(|column| column.treatment)
                .collect(),
            key: None,
        }
    }

    /// Sets the key of the hashes.
    pub(super) fn hash_with(&mut self, key: Option<Arc<HashKey>>) {
        self.key = key;
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> usize {
        self.builders.first().map_or(0, ColumnBuilder::len)
    }

    /// Cells in a row.
    pub(super) fn width(&self) -> usize {
        self.builders.len()
    }

    /// Appends one row, and says how many bytes its cells take, more or less.
    pub(super) fn append(&mut self, row: &[Cell<'_>]) -> usize {
        let mut bytes = row.len() * size_of::<i64>();
        let builders = self.builders.iter_mut().zip(&self.treatments);
        for ((column, treatment), cell) in builders.zip(row) {
            if let Cell::Text(text) = cell {
                bytes += text.len();
            }
            match (treatment, cell) {
                (Treatment::Kept, cell) => column.append(cell),
                (Treatment::Hashed, Cell::Text(text)) => {
                    let hash = self.key.as_ref().map(|key| key.hash(text));
                    column.append(&hash.map_or(Cell::Null, |hash| Cell::Text(hash.into())));
                }
                (Treatment::Hashed | Treatment::Redacted, _) => column.append(&Cell::Null),
            }
        }
        bytes
    }

    /// Takes all rows as a record batch and starts again.
    pub(super) fn take(&mut self) -> RecordBatch {
        let arrays = self.builders.iter_mut().map(ColumnBuilder::take).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .expect("builders and schema are made from one declaration")
    }
}

impl ColumnBuilder {
    /// A builder with room for so many rows, and for so many bytes of text.
    fn new(column_type: ColumnType, rows: usize, text: usize) -> Self {
        match column_type {
            ColumnType::Integer => Self::Integer(Int64Builder::with_capacity(rows)),
            ColumnType::Float => Self::Float(Float64Builder::with_capacity(rows)),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnType::Text => Self::Text(StringBuilder::with_capacity(rows, text)),
            ColumnType::Instant => Self::Instant(
                TimestampMicrosecondBuilder::with_capacity(rows)
                    .with_data_type(column_type.arrow_type()),
            ),
            ColumnType::Date => Self::Date(Date32Builder::with_capacity(rows)),
        }
    }

    fn column_type(&self) -> ColumnType {
        match self {
            Self::Integer(_) => ColumnType::Integer,
            Self::Float(_) => ColumnType::Float,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Text(_) => ColumnType::Text,
            Self::Instant(_) => ColumnType::Instant,
            Self::Date(_) => ColumnType::Date,
        }
    }

    fn append(&mut self, cell: &Cell<'_>) {
        let integer = if let Cell::Integer(integer) = cell {
            Some(*integer)
        } else {
            None
        };
        match self {
            Self::Integer(column) => column.append_option(integer),
            Self::Instant(column) => column.append_option(integer),
            Self::Date(column) => {
                column.append_option(integer.and_then(|days| i32::try_from(days).ok()));
            }
            Self::Float(column) => column.append_option(if let Cell::Float(float) = cell {
                Some(*float)
            } else {
                None
            }),
            Self::Boolean(column) => column.append_option(if let Cell::Boolean(boolean) = cell {
                Some(*boolean)
            } else {
                None
            }),
            Self::Text(column) => column.append_option(if let Cell::Text(text) = cell {
                Some(text)
            } else {
                None
            }),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integer(column) => column.len(),
            Self::Float(column) => column.len(),
            Self::Boolean(column) => column.len(),
            Self::Text(column) => column.len(),
            Self::Instant(column) => column.len(),
            Self::Date(column) => column.len(),
        }
    }

    /// Takes the column, and makes room for as much again.
    fn take(&mut self) -> ArrayRef {
        let text = if let Self::Text(column) = self {
            column.values_slice().len().min(MOST_TEXT)
        } else {
            0
        };
        match mem::replace(
            self,
            Self::new(self.column_type(), self.len().min(MOST_ROWS), text),
        ) {
            Self::Integer(mut column) => Arc::new(column.finish()),
            Self::Float(mut column) => Arc::new(column.finish()),
            Self::Boolean(mut column) => Arc::new(column.finish()),
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Instant(mut column) => Arc::new(column.finish()),
            Self::Date(mut column) => Arc::new(column.finish()),
        }
    }
}
