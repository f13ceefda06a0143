//! Reads a table from Parquet, one row group after the other: pages are unpacked as they are
//! needed, and no batch reaches into the next group.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use crate::load::error::{Error, decode, storage};
use crate::load::reader::{BYTES_PER_BATCH, Projection, ROWS_PER_BATCH, TableReader};
use crate::schema::Table;

/// What this program said of the file when it wrote it.
pub(in crate::load) fn own_metadata(path: &Path) -> Result<Vec<(String, String)>, Error> {
    const OURS: &str = "superoffice.";
    let file = File::open(path).map_err(storage("open", path))?;
    let metadata =
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(decode(path))?;
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    let ours = pairs
        .into_iter()
        .flatten()
        .filter(|pair| pair.key.starts_with(OURS));
    Ok(ours
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
        .collect())
}

/// Reads one Parquet file.
pub(in crate::load) struct ParquetReader {
    file: File,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    columns: Projection,
    /// Row groups that were begun.
    begun: usize,
    /// What is left of the last of them.
    batches: Option<ParquetRecordBatchReader>,
}

impl ParquetReader {
    /// Opens the file and reads what it says of its columns and row groups.
    pub(in crate::load) fn open(
        path: &Path,
        table: &Table,
        columns: Projection,
    ) -> Result<Self, Error> {
        let file = File::open(path).map_err(storage("open", path))?;
        let metadata = ArrowReaderMetadata::load(
            &file,
            // Comments of columns are no part of what they are.
            ArrowReaderOptions::new().with_skip_arrow_metadata(true),
        )
        .map_err(decode(path))?;
        if metadata.schema().fields() != table.arrow_schema().fields() {
            return Err(Error::OtherColumns {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            metadata,
            columns,
            begun: 0,
            batches: None,
        })
    }

    /// Begins the next row group; none after the last.
    fn begin_group(&mut self) -> Result<Option<ParquetRecordBatchReader>, Error> {
        let groups = self.metadata.metadata().row_groups();
        let Some(group) = groups.get(self.begun) else {
            return Ok(None);
        };
        let file = self.file.try_clone().map_err(storage("read", &self.path))?;
        let mask = ProjectionMask::roots(
            self.metadata.parquet_schema(),
            self.columns.places.iter().copied(),
        );
        let batches =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_row_groups(vec![self.begun])
                .with_projection(mask)
                .with_batch_size(rows_per_batch(group, &self.columns.places))
                .build()
                .map_err(decode(&self.path))?;
        self.begun += 1;
        Ok(Some(batches))
    }
}

impl TableReader for ParquetReader {
    fn read(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            if let Some(batch) = self.batches.as_mut().and_then(Iterator::next) {
                let batch = batch.map_err(decode(&self.path))?;
                // Of the declared schema, which has not what else the file says of itself.
                return self
                    .columns
                    .batch(batch.columns().to_vec(), batch.num_rows())
                    .map(Some)
                    .map_err(decode(&self.path));
            }
            self.batches = self.begin_group()?;
            if self.batches.is_none() {
                return Ok(None);
            }
        }
    }
}

/// As many rows of this group as make a batch, judged by the average of the columns that are read.
fn rows_per_batch(group: &RowGroupMetaData, places: &[usize]) -> usize {
    let columns = places
        .iter()
        .filter_map(|place| group.columns().get(*place));
    let bytes: i64 = columns.map(unpacked).sum();
    let average = (bytes / group.num_rows().max(1)).max(1);
    usize::try_from(average).map_or(1, |average| {
        (BYTES_PER_BATCH / average).clamp(1, ROWS_PER_BATCH)
    })
}

/// Bytes of a column in memory. A dictionary holds a text once that the rows hold many times.
fn unpacked(column: &ColumnChunkMetaData) -> i64 {
    column
        .unencoded_byte_array_data_bytes()
        .unwrap_or_default()
        .max(column.uncompressed_size())
}
