//! The formats of the tables' files, and the one place that knows which writer and which reader
//! belongs to which.

use std::path::Path;

use super::csv::{CsvReader, CsvWriter};
use super::error::Error;
use super::file::HashedFile;
use super::parquet::{ParquetReader, ParquetWriter};
use super::reader::{Projection, TableReader};
use super::writer::TableWriter;
use crate::schema::sql::TableFiles;
use crate::schema::{Column, Table};

/// The format of the tables' files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated text.
    Csv {
        /// Whether text that a spreadsheet would run as a formula is kept from it.
        safe: bool,
    },
}

impl Format {
    /// Every one, in the order in which they are shown.
    pub const ALL: &[Self] = &[Self::Parquet, Self::SAFE_CSV];

    /// CSV as it is written where the job says nothing else.
    pub const SAFE_CSV: Self = Self::Csv { safe: true };

    /// How it is spelled in a job, which is also the extension of its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv { .. } => "csv",
        }
    }

    /// What its files are, for a script that reads them.
    pub const fn files(self) -> TableFiles {
        TableFiles {
            extension: self.as_str(),
            are_guarded: match self {
                Self::Parquet => false,
                Self::Csv { safe } => safe,
            },
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

/// Creates the table's file in the folder. The metadata goes into formats that have a place for it,
/// and has to be the same for the same rows: no clock reading belongs in it.
pub fn create(
    format: Format,
    folder: &Path,
    table: &Table,
    metadata: &[(String, String)],
) -> Result<Box<dyn TableWriter + Send>, Error> {
    let path = folder.join(format.file_name(table));
    let file = HashedFile::create(path.clone())?;
    Ok(match format {
        Format::Parquet => Box::new(ParquetWriter::new(file, path, table, metadata)?),
        Format::Csv { safe } => Box::new(CsvWriter::new(file, path, table, safe)?),
    })
}

/// Opens the table's file, to read those of its columns that are wanted.
///
/// # Errors
/// [`Error::OtherColumns`] where the file has not the columns of the table, all of them: what is
/// not wanted is checked too.
pub fn open(
    format: Format,
    path: &Path,
    table: &Table,
    wanted: impl Fn(&Column) -> bool,
) -> Result<Box<dyn TableReader + Send>, Error> {
    let columns = Projection::of(table, wanted);
    Ok(match format {
        Format::Parquet => Box::new(ParquetReader::open(path, table, columns)?),
        Format::Csv { safe } => Box::new(CsvReader::open(path, table, columns, safe)?),
    })
}
