//! What every format has in common when a table's file is read back: the rows come as typed batches
//! in the order of the file, whatever the format, with memory for one batch. How bytes become rows
//! is in `csv` and `parquet`; what is made of the rows is the caller's matter.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};

use super::error::Error;
use crate::schema::{Column, ColumnType, Table};

/// Most rows of a batch: enough that the work per batch costs nothing beside the work per row. It
/// is the batch of `DataFusion` too.
pub(super) const ROWS_PER_BATCH: usize = 8192;

/// A batch ends about where its text comes to this, so that long rows make short batches: as much
/// as a slice has when it is written.
pub(super) const BYTES_PER_BATCH: usize = 4 << 20;

/// Gives back the rows of one table's file.
pub trait TableReader {
    /// The next rows, in the order of the file, as the columns that were asked for when it was
    /// opened; none once all were read. The same file gives the same batches.
    ///
    /// # Errors
    /// [`Error::Decode`] where the file ends too early or holds what no table holds: nothing more
    /// can be read after that, but all rows before it were given back.
    fn read(&mut self) -> Result<Option<RecordBatch>, Error>;
}

/// The columns that are read, out of all those of a table.
#[derive(Debug)]
pub(super) struct Projection {
    /// Their places among the columns of the table.
    pub(super) places: Vec<usize>,
    types: Vec<ColumnType>,
    schema: SchemaRef,
}

impl Projection {
    /// Those columns of the table that are wanted.
    pub(super) fn of(table: &Table, wanted: impl Fn(&Column) -> bool) -> Self {
        let schema = table.arrow_schema();
        let (mut places, mut types, mut fields) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (column, field)) in table.columns.iter().zip(schema.fields()).enumerate() {
            if wanted(column) {
                places.push(place);
                types.push(column.column_type);
                fields.push(Arc::clone(field));
            }
        }
        Self {
            places,
            types,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// The type of each column and its field in the batch.
    pub(super) fn columns(&self) -> impl Iterator<Item = (ColumnType, &Field)> {
        let fields = self.schema.fields().iter();
        self.types.iter().copied().zip(fields.map(AsRef::as_ref))
    }

    /// A batch of these columns.
    pub(super) fn batch(
        &self,
        arrays: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch, ArrowError> {
        // The number is told, since no column at all can be wanted.
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}
