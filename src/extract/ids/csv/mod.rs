//! Streams the CSV of contact ids, line by line, in constant memory. Owns the format of the input:
//! compression, encoding, delimiter, heading and what counts as an id. Leaves duplicates and
//! storage to the store.

mod cell;
mod cells;
mod column;
mod delimiter;
mod error;
mod gunzip;
mod heading;
mod input;
mod kind;
mod lines;
mod number;
mod pipe;
mod preamble;
mod raw;
mod reader;
mod records;
mod report;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod whole;

pub use column::IdColumn;
pub use error::{Error, Headings};
pub use reader::Reader;
pub use report::{LineCounts, SourceReport};
pub use source::{Place, Source};
pub use whole::read_whole;
