//! Writes a table as CSV.

use std::io::Write;
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use csv::{Terminator, Writer, WriterBuilder};

use super::calendar::{write_day, write_instant};
use super::guard;
use crate::load::error::{Error, encode, storage};
use crate::load::file::{FileReport, HashedFile};
use crate::load::writer::TableWriter;
use crate::schema::{ColumnType, Table};

/// Bytes that are read or written at once: eight times the default of the csv library, for fewer
/// calls of the system.
pub(super) const BUFFER: usize = 1 << 16;

/// Writes one CSV file.
pub(in crate::load) struct CsvWriter {
    writer: Writer<HashedFile>,
    path: PathBuf,
    table: &'static str,
    columns: Vec<ColumnType>,
    /// Whether text is kept from being run as a formula.
    safe: bool,
    rows: u64,
    /// Text of the cell at hand.
    cell: Vec<u8>,
}

impl CsvWriter {
    /// Begins the file with its header.
    pub(in crate::load) fn new(
        file: HashedFile,
        path: PathBuf,
        table: &Table,
        safe: bool,
    ) -> Result<Self, Error> {
        let writer = WriterBuilder::new()
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER)
            .from_writer(file);
        let mut writer = Self {
            writer,
            path,
            table: table.name,
            columns: table
                .columns
                .iter()
                .map(|column| column.column_type)
                .collect(),
            safe,
            rows: 0,
            cell: Vec::new(),
        };
        let header = writer
            .writer
            .write_record(table.columns.iter().map(|column| column.name));
        header.map_err(|error| writer.failed(error))?;
        Ok(writer)
    }

    fn write_row(&mut self, columns: &[TypedColumn<'_>], row: usize) -> Result<(), csv::Error> {
        for column in columns {
            self.cell.clear();
            column.write(row, self.safe, &mut self.cell)?;
            self.writer.write_field(&self.cell)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// The columns of a batch, where they are those of the table.
    fn typed<'a>(&self, batch: &'a RecordBatch) -> Option<Vec<TypedColumn<'a>>> {
        if batch.num_columns() != self.columns.len() {
            return None;
        }
        let columns = self.columns.iter().zip(batch.columns());
        columns
            .map(|(column_type, array)| TypedColumn::new(*column_type, array))
            .collect()
    }

    fn failed(&self, error: csv::Error) -> Error {
        match error.into_kind() {
            csv::ErrorKind::Io(source) => storage("write", &self.path)(source),
            kind => encode(self.table)(format!("{kind:?}")),
        }
    }
}

impl TableWriter for CsvWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let columns = self
            .typed(batch)
            .ok_or(Error::Columns { table: self.table })?;
        for row in 0..batch.num_rows() {
            self.write_row(&columns, row)
                .map_err(|error| self.failed(error))?;
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<FileReport, Error> {
        let file = self
            .writer
            .into_inner()
            .map_err(|error| storage("write", &self.path)(error.into_error()))?;
        file.finish(self.rows)
    }
}

/// One column of a batch.
enum TypedColumn<'a> {
    Integer(&'a Int64Array),
    Float(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Text(&'a StringArray),
    Instant(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
}

impl<'a> TypedColumn<'a> {
    /// The column, where it is of the type that was declared.
    fn new(column_type: ColumnType, array: &'a ArrayRef) -> Option<Self> {
        match column_type {
            ColumnType::Integer => array.as_primitive_opt::<Int64Type>().map(Self::Integer),
            ColumnType::Float => array.as_primitive_opt::<Float64Type>().map(Self::Float),
            ColumnType::Boolean => array.as_boolean_opt().map(Self::Boolean),
            ColumnType::Text => array.as_string_opt::<i32>().map(Self::Text),
            ColumnType::Instant => array
                .as_primitive_opt::<TimestampMicrosecondType>()
                .map(Self::Instant),
            ColumnType::Date => array.as_primitive_opt::<Date32Type>().map(Self::Date),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Integer(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Boolean(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Instant(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
        }
    }

    fn write(&self, row: usize, safe: bool, output: &mut Vec<u8>) -> std::io::Result<()> {
        if self.is_null(row) {
            return Ok(());
        }
        match self {
            Self::Integer(array) => write!(output, "{}", array.value(row)),
            // Debug is the shortest text that reads back as the same number, with an exponent where
            // it is long.
            Self::Float(array) => write!(output, "{:?}", array.value(row)),
            Self::Boolean(array) => write!(output, "{}", array.value(row)),
            Self::Text(array) => {
                let text = array.value(row).as_bytes();
                if safe {
                    output.write_all(guard::before(text))?;
                }
                output.write_all(text)
            }
            Self::Instant(array) => write_instant(array.value(row), output),
            Self::Date(array) => write_day(array.value(row), output),
        }
    }
}
