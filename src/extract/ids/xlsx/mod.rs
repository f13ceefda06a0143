//! Streams the ids out of one sheet of an Excel workbook (`.xlsx`, ISO/IEC 29500), row by row. Owns
//! the format: the package, its sheets, texts and number formats. What a heading is, and what
//! counts as an id, is the same as in a text.
//!
//! Read on the foundations that `calamine` has too, `zip` and `quick-xml`, and not by it, since it
//! holds all texts of a workbook in memory: a list of a million contacts with their addresses would
//! take hundreds of megabytes, of which the ids need none.

mod bounded;
mod package;
mod reader;
mod sheet;
mod strings;
mod styles;
#[cfg(test)]
mod tests;
mod value;
mod workbook;
mod xml;

pub(super) use reader::WorkbookReader;

/// Bytes of a cell's text that are looked at; of what is longer, the start tells that it is no id.
const MOST_TEXT: usize = 1024;
