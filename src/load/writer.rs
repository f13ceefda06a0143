//! What every format has in common: a writer takes the rows of one table in order and makes one
//! file of them. Byte layouts are in `csv` and `parquet`.

use arrow_array::RecordBatch;

use super::error::Error;
use super::file::FileReport;

/// Makes one file of the rows of one table.
pub trait TableWriter {
    /// Appends the rows, which come in the table's order. However they are cut into batches, the
    /// file has the same bytes.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error>;

    /// Completes the file and waits until it is on the disk.
    fn finish(self: Box<Self>) -> Result<FileReport, Error>;
}
