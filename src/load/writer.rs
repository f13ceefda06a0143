//! What every format has in common: a writer takes the rows of one table in order and makes one
//! file of them. Byte layouts are in `csv` and `parquet`.

use arrow_array::RecordBatch;

use super::error::Error;
use super::file::FileReport;
use crate::schema::Table;

/// The format of the tables' files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated text.
    Csv,
}

impl Format {
    /// Every one, in the order in which they are shown.
    pub const ALL: &[Self] = &[Self::Parquet, Self::Csv];

    /// How it is spelled in a job, which is also the extension of its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }

    /// The one of that spelling.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.as_str() == word)
    }

    /// The name of a table's file.
    pub fn file_name(self, table: &Table) -> String {
        format!("{}.{}", table.name, self.as_str())
    }
}

/// Makes one file of the rows of one table.
pub trait TableWriter {
    /// Appends the rows, which come in the table's order. However they are cut into batches, the
    /// file has the same bytes.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error>;

    /// Completes the file and waits until it is on the disk.
    fn finish(self: Box<Self>) -> Result<FileReport, Error>;
}
