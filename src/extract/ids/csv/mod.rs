//! Streams the CSV of contact ids, line by line, in constant memory. Owns the format of the input:
//! compression, encoding, delimiter, heading and what counts as an id. Leaves duplicates and
//! storage to the store.

mod cell;
mod delimiter;
mod error;
mod heading;
mod input;
mod records;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufRead, Read};
use std::iter::FusedIterator;
use std::mem;
use std::path::PathBuf;

use crate::contact::InputLine;
pub use error::{Error, Headings};
use records::Records;

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

/// The lines of the input in their order, duplicates included. Ends after the first error.
///
/// Gzip and zstd are recognised by their first bytes, whatever the file is called. Each cell is
/// read as UTF-8 and, where it is not valid UTF-8, as Windows-1252: ids are ASCII, so this concerns
/// headings and rejected text only. A line with nothing but ASCII whitespace in a single cell is
/// blank and skipped. Cells beyond the id column are neither looked at nor counted.
///
/// A first line such as `sep=;` names the delimiter, unless one is set, and is skipped. Then a file
/// whose first line is a single cell has one column: it has no delimiter unless one is set, and no
/// heading where that cell does not begin with a letter.
pub struct Reader {
    records: Records<Box<dyn BufRead + Send>>,
    column: Column,
    is_first_pending: bool,
    has_ended: bool,
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

impl Reader {
    /// Opens the input and finds its id column.
    pub fn open(source: &Source) -> Result<Self, Error> {
        let input: Box<dyn Read + Send> = match &source.place {
            Place::Path(path) => input::open(path)?,
            Place::StandardInput => Box::new(io::stdin()),
        };
        Self::over(source, input)
    }

    /// Reads these bytes as if they came from the place that the source names.
    pub fn over(source: &Source, input: Box<dyn Read + Send>) -> Result<Self, Error> {
        let (sample, rest) = input::text(&source.place, input)?;
        let declared = delimiter::declared(&sample);
        let delimiter = match source.delimiter.or(declared) {
            Some(b'"' | b'\r' | b'\n') => return Err(Error::Delimiter),
            Some(delimiter) => delimiter,
            None => delimiter::detect(&sample, source.column.as_deref()),
        };
        let input: Box<dyn BufRead + Send> = Box::new(io::Cursor::new(sample).chain(rest));
        let mut records = Records::new(input, delimiter, source.place.clone());
        if (declared.is_some() && !records.advance()?) || !records.advance()? {
            return Err(Error::Empty {
                place: source.place.clone(),
            });
        }
        let column = heading::locate(&records, source.column.as_deref())?;
        let is_first_pending = column.heading.is_none();
        Ok(Self {
            records,
            column,
            is_first_pending,
            has_ended: false,
        })
    }

    /// The column of the ids.
    pub fn column(&self) -> &Column {
        &self.column
    }
}

impl Iterator for Reader {
    type Item = Result<InputLine, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let found = if mem::take(&mut self.is_first_pending) {
            Ok(true)
        } else {
            self.records.advance()
        };
        self.has_ended = !matches!(found, Ok(true));
        match found {
            Ok(true) => Some(Ok(cell::line(
                self.records.line(),
                self.records.cell(self.column.index),
            ))),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl FusedIterator for Reader {}
