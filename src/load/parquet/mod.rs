//! A table as Parquet: zstd, an encoding per column from its declaration, statistics and page
//! index, sorting columns.
//!
//! The bytes depend on the rows alone: rows reach the encoder in slices of a fixed length, and row
//! groups and pages end where those slices say. Memory is that of one slice and one encoded column,
//! for any number of rows.

mod reader;
mod slices;
mod staging;
mod writer;

pub(super) use reader::ParquetReader;
pub(super) use writer::ParquetWriter;
