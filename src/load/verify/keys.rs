//! The keys of a table's file, read as a stream: what `verify` needs to know of the rows.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use csv::{ByteRecord, ReaderBuilder};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::contact::Outcome;
use crate::load::error::{Error, storage};
use crate::load::writer::Format;
use crate::schema::Table;

const ROWS_PER_BATCH: usize = 8192;

/// What tells a row from the others of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// The contact; none for a rejected line.
    pub(super) contact_id: Option<i64>,
    /// Its place among the rows of the same contact, or the line that was rejected.
    pub(super) place: i64,
    /// How the contact ended, in `outcomes`.
    pub(super) outcome: Option<Outcome>,
}

/// The keys of one file, in its order.
pub(super) type Keys = Box<dyn Iterator<Item = Result<Key, Error>>>;

impl Key {
    /// Rows are sorted by this, and no two are equal in it.
    pub(super) fn order(&self) -> (bool, i64, i64) {
        (
            self.contact_id.is_none(),
            self.contact_id.unwrap_or(0),
            self.place,
        )
    }

    fn new(
        contact_id: Option<i64>,
        position: Option<i64>,
        input_line: Option<i64>,
        outcome: Option<Outcome>,
    ) -> Self {
        let line = if contact_id.is_none() {
            input_line
        } else {
            None
        };
        Self {
            contact_id,
            place: position.or(line).unwrap_or(0),
            outcome,
        }
    }
}

/// Opens a table's file; none where its columns are not the declared ones.
pub(super) fn open(
    path: &Path,
    table: &'static Table,
    format: Format,
) -> Result<Option<Keys>, Error> {
    match format {
        Format::Parquet => open_parquet(path, table),
        Format::Csv => open_csv(path, table),
    }
}

fn open_parquet(path: &Path, table: &'static Table) -> Result<Option<Keys>, Error> {
    let file = File::open(path).map_err(storage("open", path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(decode(path))?;
    if reader.schema().fields() != table.arrow_schema().fields() {
        return Ok(None);
    }
    let columns = ProjectionMask::columns(reader.parquet_schema(), KEY_COLUMNS);
    let batches = reader
        .with_projection(columns)
        .with_batch_size(ROWS_PER_BATCH)
        .build()
        .map_err(decode(path))?;
    let path = path.to_owned();
    let keys = batches.flat_map(move |batch| match batch {
        Ok(batch) => keys_of(&batch).into_iter().map(Ok).collect(),
        Err(error) => vec![Err(decode(&path)(error))],
    });
    Ok(Some(Box::new(keys)))
}

const KEY_COLUMNS: [&str; 4] = ["contact_id", "position", "input_line", "outcome"];

fn keys_of(batch: &RecordBatch) -> Vec<Key> {
    let integer = |name, row| {
        let column = batch
            .column_by_name(name)?
            .as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let outcome = |row| {
        let column = batch.column_by_name("outcome")?.as_string_opt::<i32>()?;
        if column.is_valid(row) {
            Outcome::from_word(column.value(row))
        } else {
            None
        }
    };
    let rows = 0..batch.num_rows();
    rows.map(|row| {
        Key::new(
            integer("contact_id", row),
            integer("position", row),
            integer("input_line", row),
            outcome(row),
        )
    })
    .collect()
}

fn open_csv(path: &Path, table: &'static Table) -> Result<Option<Keys>, Error> {
    let file = File::open(path).map_err(storage("open", path))?;
    let mut reader = ReaderBuilder::new()
        .buffer_capacity(1 << 16)
        .from_reader(file);
    let header = reader.byte_headers().map_err(decode(path))?;
    if !header
        .iter()
        .eq(table.columns.iter().map(|column| column.name.as_bytes()))
    {
        return Ok(None);
    }
    let places =
        KEY_COLUMNS.map(|name| table.columns.iter().position(|column| column.name == name));
    let path = path.to_owned();
    let keys = reader.into_byte_records().map(move |record| {
        let record = record.map_err(decode(&path))?;
        key_of(&record, places).map_err(decode(&path))
    });
    Ok(Some(Box::new(keys)))
}

fn key_of(
    record: &ByteRecord,
    places: [Option<usize>; 4],
) -> Result<Key, Box<dyn std::error::Error + Send + Sync>> {
    let [contact_id, position, input_line, outcome] = places.map(|place| {
        place
            .and_then(|place| record.get(place))
            .filter(|field| !field.is_empty())
    });
    let integer = |field: Option<&[u8]>| -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        field
            .map(|field| Ok(std::str::from_utf8(field)?.parse()?))
            .transpose()
    };
    let outcome = outcome
        .and_then(|field| std::str::from_utf8(field).ok())
        .and_then(Outcome::from_word);
    Ok(Key::new(
        integer(contact_id)?,
        integer(position)?,
        integer(input_line)?,
        outcome,
    ))
}

fn decode<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    path: &Path,
) -> impl FnOnce(E) -> Error {
    |source| Error::Decode {
        path: path.to_owned(),
        source: source.into(),
    }
}
