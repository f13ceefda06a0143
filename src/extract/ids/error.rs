//! What can be wrong with the input as a whole. A bad line is no error; it is rejected and the rest
//! is read.

use std::fmt;
use std::io;

use super::Place;

/// Why the input cannot be read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Missing, or not readable for this user.
    #[error("{place} cannot be opened; check `[source] path`")]
    Open {
        /// The input.
        place: Place,
        /// What the system says.
        source: io::Error,
    },
    /// A directory where a file was expected.
    #[error("{place} is a directory; `[source] path` must name a CSV file")]
    Directory {
        /// The input.
        place: Place,
    },
    /// The disk, the pipe or the compressed stream gave out.
    #[error("{place}, line {line}: cannot be read any further")]
    Read {
        /// The input.
        place: Place,
        /// The line up to which it could be read.
        line: u64,
        /// What the system or the decompressor says.
        source: io::Error,
    },
    /// Not text in an encoding that is read here.
    #[error("{place} is {found}; save it as CSV in UTF-8, or as .xlsx without a password")]
    Unsupported {
        /// The input.
        place: Place,
        /// What it is instead.
        found: &'static str,
    },
    /// A workbook that is damaged, encrypted, or of a kind that is not read.
    #[error(
        "{place} cannot be read as an Excel workbook: {fault}; save it anew as .xlsx, without a \
         password, or as CSV in UTF-8"
    )]
    Workbook {
        /// The input.
        place: Place,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The sheet asked for is not there.
    #[error("{place}: there is no sheet `{sheet}`; set `[source] sheet` to one of {sheets}")]
    UnknownSheet {
        /// The input.
        place: Place,
        /// What was asked for.
        sheet: String,
        /// Those that there are.
        sheets: Headings,
    },
    /// A sheet is asked for of a text.
    #[error("{place} is no Excel workbook (.xlsx) and has no sheets; remove `[source] sheet`")]
    SheetOfText {
        /// The input.
        place: Place,
    },
    /// A delimiter is set for a workbook.
    #[error("an Excel workbook has no delimiter; remove `[source] delimiter`")]
    DelimiterOfWorkbook,
    /// Nothing but blank lines.
    #[error("{place} is empty; it must hold a heading line or one contact id per line")]
    Empty {
        /// The input.
        place: Place,
    },
    /// A record larger than any that is meant.
    #[error(
        "{place}, line {line}: the record that starts here is longer than 1 MiB; look for a quote \
         that is never closed"
    )]
    RecordTooLong {
        /// The input.
        place: Place,
        /// Where it starts, or its open quote.
        line: u64,
    },
    /// The input ends inside quotes: what follows the quote would be lost silently.
    #[error("{place}, line {line}: a quote that opens here is never closed; close or remove it")]
    OpenQuote {
        /// The input.
        place: Place,
        /// Where it opens.
        line: u64,
    },
    /// Text follows a closing quote, and what it was to close is more than that line.
    #[error(
        "{place}, line {line}: text follows the end of a cell whose quote opens here, and nobody \
         can say which lines belong together; double the quotes inside a cell, or remove them"
    )]
    StrayQuote {
        /// The input.
        place: Place,
        /// Where the quote opens.
        line: u64,
    },
    /// Files were joined whose ids may stand in different columns.
    #[error(
        "{place}, line {line}: headings stand here again, but not as in the first line; join only \
         files of the same columns, each with a line end after its last line"
    )]
    ColumnMoved {
        /// The input.
        place: Place,
        /// The second heading line.
        line: u64,
    },
    /// Somebody wrote to the input, or put another in its place, while it was read.
    #[error(
        "{place} changed while it was read; write the list under another name and rename it once \
         it is whole"
    )]
    Changed {
        /// The input.
        place: Place,
    },
    /// A delimiter that CSV uses for something else.
    #[error("a quote or a line end cannot be the delimiter; change `[source] delimiter`")]
    Delimiter,
    /// Several columns, or a column asked for by name, but the first line is data.
    #[error(
        "{place}, line {line}: holds data where headings were expected; only a file of a single \
         column, with no `[source] column` set, can do without"
    )]
    NoHeading {
        /// The input.
        place: Place,
        /// Its first line that is not blank.
        line: u64,
    },
    /// None of the usual names.
    #[error(
        "{place}, line {line}: no heading is known to mean company ids (`Contact ID` labels a \
         person in SuperOffice); set `[source] column` to the right one of {headings}"
    )]
    NoIdColumn {
        /// The input.
        place: Place,
        /// The heading line.
        line: u64,
        /// What it holds.
        headings: Headings,
    },
    /// The column asked for is not there.
    #[error(
        "{place}, line {line}: there is no column `{column}`; set `[source] column` to one of \
         {headings}"
    )]
    UnknownColumn {
        /// The input.
        place: Place,
        /// The heading line.
        line: u64,
        /// What was asked for.
        column: String,
        /// What it holds.
        headings: Headings,
    },
    /// More than one column fits equally well.
    #[error(
        "{place}, line {line}: more than one column fits; set `[source] column` to the exact \
         spelling of the right one, renaming it if need be, of {headings}"
    )]
    AmbiguousColumn {
        /// The input.
        place: Place,
        /// The heading line.
        line: u64,
        /// What it holds.
        headings: Headings,
    },
}

/// As much of a heading as is shown.
pub(super) fn start_of(heading: &str) -> String {
    const SHOWN_CHARACTERS: usize = 60;
    heading.chars().take(SHOWN_CHARACTERS).collect()
}

/// The headings of the input, shown quoted, escaped and shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headings(pub(super) Vec<String>);

impl fmt::Display for Headings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        for (index, heading) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{:?}", start_of(heading))?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_shown_escaped_and_shortened() {
        let shown = |headings: Vec<String>| Headings(headings).to_string();
        assert_eq!(
            shown(vec!["Navn".into(), "\u{1b}[2J\"å\"".into()]),
            r#""Navn", "\u{1b}[2J\"å\"""#
        );
        assert_eq!(
            shown(vec!["ø".repeat(100)]),
            format!("{:?}", "ø".repeat(60))
        );
        assert!(shown(vec![String::new(); 25]).ends_with(r#""", "" and 5 more"#));
    }
}
