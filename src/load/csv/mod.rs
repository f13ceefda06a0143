//! A table as CSV: RFC 4180 with LF, UTF-8, a header, and an empty field for null and for empty
//! text alike.

mod calendar;
mod guard;
mod reader;
mod writer;

pub(super) use reader::CsvReader;
pub(super) use writer::CsvWriter;
