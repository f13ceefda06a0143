//! The keys of a table's file, read as a stream: what `verify` needs to know of the rows.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch};

use crate::contact::Outcome;
use crate::load::error::Error;
use crate::load::format::{self, Format};
use crate::load::reader::TableReader;
use crate::schema::Table;

/// What tells a row from the others of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::load) struct RowKey {
    /// The contact; none for a rejected line.
    pub(in crate::load) contact_id: Option<i64>,
    /// Its place among the rows of the same contact, or the line that was rejected.
    pub(in crate::load) place: i64,
    /// How the contact ended, in `outcomes`.
    pub(in crate::load) outcome: Option<Outcome>,
}

impl RowKey {
    /// Rows are sorted by this, and no two are equal in it.
    pub(in crate::load) fn order(&self) -> (bool, i64, i64) {
        (
            self.contact_id.is_none(),
            self.contact_id.unwrap_or(0),
            self.place,
        )
    }
}

/// The keys of one file, in its order.
pub(in crate::load) struct Keys {
    reader: Box<dyn TableReader + Send>,
    /// What is left of the last batch.
    batch: std::vec::IntoIter<RowKey>,
}

impl Keys {
    /// Opens a table's file.
    pub(in crate::load) fn open(format: Format, path: &Path, table: &Table) -> Result<Self, Error> {
        let reader = format::open(format, path, table, |column| {
            KEY_COLUMNS.contains(&column.name)
        })?;
        Ok(Self {
            reader,
            batch: Vec::new().into_iter(),
        })
    }
}

impl Iterator for Keys {
    type Item = Result<RowKey, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(key) = self.batch.next() {
                return Some(Ok(key));
            }
            match self.reader.read().transpose()? {
                Ok(batch) => self.batch = keys_of(&batch).into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

const KEY_COLUMNS: [&str; 4] = ["contact_id", "position", "input_line", "outcome"];

fn keys_of(batch: &RecordBatch) -> Vec<RowKey> {
    let integers = |name| {
        batch
            .column_by_name(name)
            .and_then(|column| column.as_primitive_opt::<Int64Type>())
    };
    let (contact_ids, positions) = (integers("contact_id"), integers("position"));
    let input_lines = integers("input_line");
    let outcomes = batch
        .column_by_name("outcome")
        .and_then(|column| column.as_string_opt::<i32>());
    let key = |row| {
        let integer = |column: Option<&Int64Array>| {
            column
                .filter(|column| column.is_valid(row))
                .map(|column| column.value(row))
        };
        let contact_id = integer(contact_ids);
        let line = integer(input_lines).filter(|_| contact_id.is_none());
        RowKey {
            contact_id,
            place: integer(positions).or(line).unwrap_or(0),
            outcome: outcomes
                .filter(|column| column.is_valid(row))
                .and_then(|column| Outcome::from_word(column.value(row))),
        }
    };
    (0..batch.num_rows()).map(key).collect()
}
