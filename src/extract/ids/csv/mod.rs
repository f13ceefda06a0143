//! Streams the CSV of contact ids, line by line, in constant memory. Owns the format of the input:
//! compression, encoding, delimiter, heading and what counts as an id. Leaves duplicates and
//! storage to the store.

mod cell;
mod cells;
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
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

pub use error::{Error, Headings};
pub use reader::Reader;
pub use report::{LineCounts, SourceReport, read_whole};

/// Where the ids are and how they are laid out: the `[source]` of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, or standard input.
    pub place: Place,
    /// Heading of the id column; none: found by the usual names.
    pub column: Option<String>,
    /// What separates the cells; none: detected among `,`, `;`, tab and `|`.
    pub delimiter: Option<u8>,
}

/// Where the input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    StandardInput,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(formatter),
            Self::StandardInput => formatter.write_str("standard input"),
        }
    }
}

/// Which cell holds the id. Shown as a person would name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    index: usize,
    heading: Option<String>,
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.heading {
            Some(heading) => write!(
                formatter,
                "the column `{}`",
                error::start_of(heading).escape_debug()
            ),
            None => formatter.write_str("the only column, which has no heading"),
        }
    }
}
