//! A table as Parquet: zstd, dictionaries where the declaration asks for them, statistics of row
//! groups, sorting columns.
//!
//! Whoever gets a file may open it with an old reader, so a file holds nothing but what all of them
//! read right; `tests/readers` tries that. Floats have the format's type-defined order: a file with
//! the newer IEEE 754 total order is broken to Polars up to 1.42 and `DataFusion` up to 50. Values
//! are PLAIN or in a dictionary: the delta encodings save a fortieth once zstd is done, but
//! fastparquet reads `DELTA_BINARY_PACKED` wrong without a word, and Polars 0.20 fails on large
//! steps. There is no page index, which `DataFusion` up to 44 cannot read; a row group is small
//! enough to be read as a whole.
//!
//! The bytes depend on the rows alone: rows reach the encoder in slices of a fixed length, and row
//! groups and pages end where those slices say. Memory is that of one slice and one encoded column,
//! for any number of rows.

mod reader;
mod slices;
mod staging;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use reader::{ParquetReader, own_metadata};
pub(super) use writer::ParquetWriter;
