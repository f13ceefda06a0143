//! Rows become files, and files become a published export.
//!
//! Owns the output folder: [`writer`] writes one file per table, [`manifest`] says what a run made,
//! [`publish`] makes it visible in one step and prunes old runs, [`verify`] checks a published run
//! against its manifest. Where rows come from, in which order they come, and whether a run deserves
//! to be published is the caller's matter.

mod csv;
mod error;
mod file;
#[cfg(test)]
mod generate;
mod parquet;
#[cfg(test)]
mod round_trip;

pub mod manifest;
pub mod publish;
pub mod verify;
pub mod writer;

pub use error::Error;
pub use file::FileReport;

use std::path::Path;

use self::file::HashedFile;
use self::writer::{Format, TableWriter};
use crate::schema::Table;

/// Creates the table's file in the folder. The metadata goes into formats that have a place for it,
/// and has to be the same for the same rows: no clock reading belongs in it.
pub fn create(
    format: Format,
    folder: &Path,
    table: &'static Table,
    metadata: &[(String, String)],
) -> Result<Box<dyn TableWriter + Send>, Error> {
    let path = folder.join(format.file_name(table));
    let file = HashedFile::create(path.clone())?;
    Ok(match format {
        Format::Parquet => Box::new(parquet::ParquetWriter::new(file, path, table, metadata)?),
        Format::Csv => Box::new(csv::CsvWriter::new(file, path, table)?),
    })
}
