//! Reads a table from CSV as this program writes it, into columns of the declared types. An empty
//! field is null.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::Field;
use csv::{ByteRecord, Reader, ReaderBuilder};

use super::calendar::{read_day, read_instant};
use super::guard;
use super::writer::BUFFER;
use crate::load::error::{Error, decode, storage};
use crate::load::reader::{BYTES_PER_BATCH, Projection, ROWS_PER_BATCH, TableReader};
use crate::schema::{ColumnType, Table};

/// Reads one CSV file.
pub(in crate::load) struct CsvReader {
    reader: Reader<File>,
    path: PathBuf,
    projection: Projection,
    columns: Vec<FieldReader>,
    /// Whether text was kept from being run as a formula.
    safe: bool,
    /// The row at hand.
    record: ByteRecord,
    /// Why no row can be read after those of the last batch.
    failure: Option<Error>,
}

impl CsvReader {
    /// Opens the file and reads its header.
    pub(in crate::load) fn open(
        path: &Path,
        table: &Table,
        projection: Projection,
        safe: bool,
    ) -> Result<Self, Error> {
        let file = File::open(path).map_err(storage("open", path))?;
        let mut reader = ReaderBuilder::new()
            .buffer_capacity(BUFFER)
            .from_reader(file);
        let header = reader.byte_headers().map_err(decode(path))?;
        let declared = table.columns.iter().map(|column| column.name.as_bytes());
        if !header.iter().eq(declared) {
            return Err(Error::OtherColumns {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            reader,
            path: path.to_owned(),
            columns: projection.columns().map(FieldReader::new).collect(),
            projection,
            safe,
            record: ByteRecord::new(),
            failure: None,
        })
    }

    /// Reads one row; the bytes of it that are wanted, none at the end.
    fn read_row(&mut self) -> Result<Option<usize>, Error> {
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(decode(&self.path))?;
        if !more {
            return Ok(None);
        }
        let mut bytes = 0;
        for (column, place) in self.columns.iter_mut().zip(&self.projection.places) {
            let field = self.record.get(*place).unwrap_or_default();
            bytes += field.len();
            let field = if self.safe && column.is_text() {
                guard::taken_away(field)
            } else {
                field
            };
            if !column.push(field) {
                let line = self.record.position().map_or(0, csv::Position::line);
                let problem = format!("line {line}: `{}` holds something else", column.name);
                return Err(decode(&self.path)(problem));
            }
        }
        Ok(Some(bytes))
    }

    /// The first rows that were collected; the columns are empty afterwards.
    fn take(&mut self, rows: usize) -> Result<RecordBatch, Error> {
        // Where a row ends in a fault, the columns before that have one value more.
        let columns = self.columns.iter_mut();
        let arrays = columns.map(|column| column.cells.finish().slice(0, rows));
        let arrays = arrays.collect();
        self.projection
            .batch(arrays, rows)
            .map_err(decode(&self.path))
    }
}

impl TableReader for CsvReader {
    fn read(&mut self) -> Result<Option<RecordBatch>, Error> {
        let (mut rows, mut bytes) = (0, 0);
        while self.failure.is_none() && rows < ROWS_PER_BATCH && bytes < BYTES_PER_BATCH {
            match self.read_row() {
                Ok(Some(wanted)) => {
                    rows += 1;
                    bytes += wanted;
                }
                Ok(None) => break,
                Err(failure) => self.failure = Some(failure),
            }
        }
        let batch = self.take(rows)?;
        match self.failure.take() {
            Some(failure) if rows == 0 => Err(failure),
            failure => {
                self.failure = failure;
                Ok((rows > 0).then_some(batch))
            }
        }
    }
}

/// Reads the fields of one column.
struct FieldReader {
    name: String,
    nullable: bool,
    cells: CellBuilder,
}

impl FieldReader {
    fn new((column_type, field): (ColumnType, &Field)) -> Self {
        Self {
            name: field.name().clone(),
            nullable: field.is_nullable(),
            cells: CellBuilder::new(column_type),
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.cells, CellBuilder::Text(_))
    }

    /// Appends the cell that the field holds; false where it holds none of this column.
    fn push(&mut self, field: &[u8]) -> bool {
        if field.is_empty() {
            self.cells.append_null();
            self.nullable
        } else {
            self.cells.append(field).is_some()
        }
    }
}

/// The cells of one column that were read.
enum CellBuilder {
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Instant(TimestampMicrosecondBuilder),
    Date(Date32Builder),
}

impl CellBuilder {
    fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Integer => Self::Integer(Int64Builder::new()),
            ColumnType::Float => Self::Float(Float64Builder::new()),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Instant => Self::Instant(
                TimestampMicrosecondBuilder::new().with_data_type(column_type.arrow_type()),
            ),
            ColumnType::Date => Self::Date(Date32Builder::new()),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Integer(cells) => cells.append_null(),
            Self::Float(cells) => cells.append_null(),
            Self::Boolean(cells) => cells.append_null(),
            Self::Text(cells) => cells.append_null(),
            Self::Instant(cells) => cells.append_null(),
            Self::Date(cells) => cells.append_null(),
        }
    }

    /// Appends the value that the text stands for; none where it stands for no such value.
    fn append(&mut self, field: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(field).ok()?;
        match self {
            Self::Integer(cells) => cells.append_value(text.parse().ok()?),
            Self::Float(cells) => cells.append_value(text.parse().ok()?),
            Self::Boolean(cells) => cells.append_value(text.parse().ok()?),
            Self::Text(cells) => cells.append_value(text),
            Self::Instant(cells) => cells.append_value(read_instant(text)?),
            Self::Date(cells) => cells.append_value(read_day(text)?),
        }
        Some(())
    }

    /// Takes the column, and starts again.
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Integer(cells) => Arc::new(cells.finish()),
            Self::Float(cells) => Arc::new(cells.finish()),
            Self::Boolean(cells) => Arc::new(cells.finish()),
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Instant(cells) => Arc::new(cells.finish()),
            Self::Date(cells) => Arc::new(cells.finish()),
        }
    }
}
