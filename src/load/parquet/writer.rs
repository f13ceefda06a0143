//! Writes a table as Parquet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::slices::Slices;
use super::staging::Staging;
use crate::load::error::{Error, encode, storage};
use crate::load::file::{FileReport, HashedFile};
use crate::load::writer::TableWriter;
use crate::schema::{Encoding, Table};

/// The level that zstd itself takes where none is named.
const ZSTD_LEVEL: i32 = 3;

/// As many rows as DuckDB takes in one piece, and a whole number of slices.
const ROWS_PER_GROUP: usize = 122_880;

/// A row group ends where one of its columns is as long as this, since a column is in memory while
/// it is encoded.
const BYTES_PER_COLUMN: usize = 16 << 20;

/// Pages of a third of a row group: large enough to compress well, and all that a reader has to
/// unpack at a time.
const ROWS_PER_PAGE: usize = ROWS_PER_GROUP / 3;

/// Writes one Parquet file.
pub(in crate::load) struct ParquetWriter {
    writer: SerializedFileWriter<HashedFile>,
    encoders: ArrowRowGroupWriterFactory,
    slices: Slices,
    staging: Staging,
    schema: SchemaRef,
    path: PathBuf,
    table: &'static str,
    rows: u64,
}

impl ParquetWriter {
    /// Begins the file.
    pub(in crate::load) fn new(
        file: HashedFile,
        path: PathBuf,
        table: &Table,
        metadata: &[(String, String)],
    ) -> Result<Self, Error> {
        let schema = table.arrow_schema();
        // Readers derive the same Arrow schema from the Parquet one; what it cannot say is which
        // columns the job treats.
        let options = ArrowWriterOptions::new()
            .with_properties(properties(table, metadata))
            .with_skip_arrow_metadata(!table.has_treated_columns());
        let (writer, encoders) =
            ArrowWriter::try_new_with_options(file, table.arrow_schema_with_comments(), options)
                .and_then(ArrowWriter::into_serialized_writer)
                .map_err(|error| failed(table.name, &path, error))?;
        let slices = Slices::new(Arc::clone(&schema));
        let staging = Staging::create(path.with_extension("staging"), table)?;
        Ok(Self {
            writer,
            encoders,
            slices,
            staging,
            schema,
            path,
            table: table.name,
            rows: 0,
        })
    }

    fn write_slice(&mut self, slice: &RecordBatch) -> Result<(), Error> {
        self.staging.push(slice)?;
        if self.staging.rows() >= ROWS_PER_GROUP
            || self.staging.longest_column() >= BYTES_PER_COLUMN
        {
            self.write_row_group()
        } else {
            Ok(())
        }
    }

    fn write_row_group(&mut self) -> Result<(), Error> {
        let failed = |error| failed(self.table, &self.path, error);
        let index = self.writer.flushed_row_groups().len();
        let encoders = self.encoders.create_column_writers(index).map_err(failed)?;
        let mut row_group = self.writer.next_row_group().map_err(failed)?;
        for ((mut encoder, slices), field) in encoders
            .into_iter()
            .zip(self.staging.columns())
            .zip(self.schema.fields())
        {
            for slice in slices {
                for leaf in compute_leaves(field, &slice?).map_err(failed)? {
                    encoder.write(&leaf).map_err(failed)?;
                }
            }
            encoder
                .close()
                .and_then(|column| column.append_to_row_group(&mut row_group))
                .map_err(failed)?;
        }
        row_group.close().map_err(failed)?;
        self.staging.clear();
        Ok(())
    }
}

impl TableWriter for ParquetWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        if batch.schema_ref() != &self.schema {
            return Err(Error::Columns { table: self.table });
        }
        self.rows += u64::try_from(batch.num_rows()).expect("usize fits in u64");
        for slice in self.slices.push(batch).map_err(encode(self.table))? {
            self.write_slice(&slice)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<FileReport, Error> {
        if let Some(slice) = self.slices.finish().map_err(encode(self.table))? {
            self.write_slice(&slice)?;
        }
        if self.staging.rows() > 0 {
            self.write_row_group()?;
        }
        let file = self
            .writer
            .into_inner()
            .map_err(|error| failed(self.table, &self.path, error))?;
        file.finish(self.rows)
    }
}

fn properties(table: &Table, metadata: &[(String, String)]) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("a level that zstd has");
    let key_values = metadata
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_data_page_row_count_limit(ROWS_PER_PAGE)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_sorting_columns(Some(sorting_columns(table)))
        .set_key_value_metadata(Some(key_values));
    for column in table.columns.iter() {
        properties = properties.set_column_dictionary_enabled(
            ColumnPath::from(column.name),
            column.encoding == Encoding::Dictionary,
        );
    }
    properties.build()
}

/// Null keys, which only rejected lines have, come last.
fn sorting_columns(table: &Table) -> Vec<SortingColumn> {
    let place = |name| {
        table
            .columns
            .iter()
            .position(|column| column.name == name)
            .and_then(|index| i32::try_from(index).ok())
    };
    table
        .sorted_by()
        .filter_map(place)
        .map(|column_idx| SortingColumn {
            column_idx,
            descending: false,
            nulls_first: false,
        })
        .collect()
}

/// The Parquet library hands on the errors of the file that it writes to.
fn failed(table: &'static str, path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => storage("write", path)(*source),
            Err(source) => encode(table)(source),
        },
        other => encode(table)(other),
    }
}
