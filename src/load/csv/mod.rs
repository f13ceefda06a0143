//! A table as CSV: RFC 4180 with LF, UTF-8, a header, and an empty field for null and for empty
//! text alike.

mod calendar;
mod reader;
mod writer;

pub(super) use reader::CsvReader;
pub(super) use writer::CsvWriter;

/// Bytes that are read or written at once: eight times the default of the csv library, for fewer
/// calls of the system.
const BUFFER: usize = 1 << 16;
