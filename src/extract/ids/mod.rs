//! Where ids come from: a text of lines (`csv/`) or a workbook (`xlsx/`). Owns what both have in
//! common: the file as it is on disk, the heading of the id column, what counts as an id, and what
//! is on record of the list. Leaves duplicates and storage to the store.

mod cell;
mod column;
mod csv;
mod error;
mod heading;
mod number;
mod pipe;
mod raw;
mod reader;
mod report;
mod source;
mod whole;
mod xlsx;

pub use column::IdColumn;
pub use error::{Error, Headings};
pub use reader::Reader;
pub use report::{LineCounts, SourceReport};
pub use source::{Place, Source};
pub use whole::read_whole;
