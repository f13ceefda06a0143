//! The reader of ids: what each record of the input is, a target, a rejected line or neither.
//! Leaves cutting the records, and what an id looks like, to its neighbours.

use std::io::Read;
use std::iter::FusedIterator;
use std::ops::RangeInclusive;

use super::super::error::Error;
use super::super::heading::Match;
use super::super::raw::Raw;
use super::super::report::{LineCounts, SourceReport};
use super::super::{IdColumn, Source, cell, heading, number};
use super::cells::{Cells, texts};
use super::input::Text;
use super::records::Records;
use super::shape::ExpectedCells;
use super::{delimiter, preamble};
use crate::contact::{InputLine, Reason};

/// The lines of the input in their order, duplicates included. Ends after the first error.
///
/// Gzip and zstd are recognised by their first bytes, whatever the file is called. Each cell is
/// read as UTF-8 and, where it is not valid UTF-8, as Windows-1252: ids are ASCII, so this concerns
/// headings and rejected text only. A line with nothing but ASCII whitespace in a single cell is
/// blank and skipped.
///
/// A first line such as `sep=;` names the delimiter, unless one is set, and is skipped, as is
/// PowerShell's `#TYPE …`. Then a file whose first line is a single cell has one column: it has no
/// delimiter unless one is set, and no heading where that cell does not begin with a letter. Where
/// files were joined, their headings stand again further down and are skipped.
///
/// A line whose cells may have been shifted, or whose quotes may be meant otherwise, is rejected.
/// Where a quote may take in other lines, these are rejected with it; where nobody can say how many
/// they are, the input is not read any further.
pub(crate) struct TextReader {
    records: Records<Text>,
    column: IdColumn,
    /// The heading that was asked for.
    asked: Option<String>,
    shape: ExpectedCells,
    /// Cuts a line on its own, to see what it would be.
    alone: Cells,
    state: State,
    /// Lines that were taken in by a record that is not believed.
    rejected: Option<RangeInclusive<u64>>,
    /// Headings and further lines of records, which ask for nothing of their own.
    idle_lines: u64,
}

/// How far the reader is.
enum State {
    /// The first record is data and was not given out yet.
    FirstPending,
    Reading,
    /// All was read.
    Whole(SourceReport),
    Failed(EarlyEnd),
}

/// Why reading ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EarlyEnd {
    /// It may go well when it is tried again.
    Changed,
    /// It will not.
    Unreadable,
}

impl TextReader {
    /// Reads these bytes as if they came from the place that the source names.
    pub(crate) fn over(source: &Source, input: Box<dyn Read + Send>) -> Result<Self, Error> {
        Self::begin(source, Raw::over(input))
    }

    /// Finds the id column of an input that was opened.
    pub(crate) fn begin(source: &Source, raw: Raw) -> Result<Self, Error> {
        let place = || source.place.clone();
        let asked = source.column.as_deref();
        if source.sheet.is_some() {
            return Err(Error::SheetOfText { place: place() });
        }
        let text = Text::open(&source.place, raw)?;
        let preamble = preamble::read(text.sample());
        let delimiter = match source.delimiter.or(preamble.delimiter) {
            Some(b'"' | b'\r' | b'\n') => return Err(Error::Delimiter),
            Some(delimiter) => Some(delimiter),
            None => delimiter::detect(preamble.rest, asked),
        };
        let skipped = preamble.lines;
        let sample = preamble.rest.to_vec();
        let mut records = Records::new(text, delimiter, place());
        records.skip(skipped)?;
        if !records.advance()? {
            return Err(Error::Empty { place: place() });
        }
        if records.cells().is_misquoted() || records.has_long_cell() {
            return Err(records.stray_quote(records.line()));
        }
        let headings = texts(records.cells());
        let column = heading::locate(headings, asked, place(), records.line())?;
        let rows = Records::new(sample.as_slice(), delimiter, place());
        let mut reader = Self {
            shape: ExpectedCells::new(records.cells(), rows),
            alone: Cells::new(delimiter),
            asked: source.column.clone(),
            state: State::FirstPending,
            rejected: None,
            idle_lines: 0,
            records,
            column,
        };
        if reader.column.heading.is_some() {
            reader.pass_headings()?;
        }
        Ok(reader)
    }

    /// Goes on to the lines after the headings.
    fn pass_headings(&mut self) -> Result<(), Error> {
        if self.takes_in_others() {
            return Err(self.records.stray_quote(self.records.line()));
        }
        self.idle_lines = self.records.size();
        self.state = State::Reading;
        Ok(())
    }

    /// The column of the ids.
    pub(crate) fn column(&self) -> &IdColumn {
        &self.column
    }

    /// What was read; none until all lines were given out.
    pub(crate) fn report(&self) -> Option<&SourceReport> {
        match &self.state {
            State::Whole(report) => Some(report),
            State::FirstPending | State::Reading | State::Failed(_) => None,
        }
    }

    /// Whether the input changed while it was read, so that reading it again may go well.
    pub(crate) fn has_changed(&self) -> bool {
        match self.state {
            State::Failed(failure) => failure == EarlyEnd::Changed,
            State::FirstPending | State::Reading | State::Whole(_) => false,
        }
    }

    /// The next line; none where all were read.
    fn read(&mut self) -> Result<Option<InputLine>, Error> {
        if let Some(input_line) = self.rejected.as_mut().and_then(Iterator::next) {
            return Ok(Some(ragged(input_line, String::new())));
        }
        loop {
            let is_first = matches!(self.state, State::FirstPending);
            self.state = State::Reading;
            if !is_first && !self.records.advance()? {
                return Ok(None);
            }
            if let Some(line) = self.judge()? {
                return Ok(Some(line));
            }
            self.idle_lines += self.records.size();
        }
    }

    /// What the current record is; none where it is the headings again.
    fn judge(&mut self) -> Result<Option<InputLine>, Error> {
        let input_line = self.records.line();
        let cell = self.records.cells().get(self.column.index);
        let text = cell::decode(cell.unwrap_or_default());
        let input_value = cell::kept(&text);
        let contact_id = number::contact_id(&text);
        // Headings first: where they tell of other columns, no line after them can be believed.
        let is_heading = contact_id.is_none() && self.is_heading()?;
        if self.is_doubtful()? {
            self.rejected = Some(input_line + 1..=self.records.lines_read());
            return Ok(Some(ragged(input_line, input_value)));
        }
        if is_heading {
            return Ok(None);
        }
        self.idle_lines += self.records.size() - 1;
        Ok(Some(match contact_id {
            Some(contact_id) => InputLine::Target {
                contact_id,
                input_line,
                input_value,
            },
            None => InputLine::Rejected {
                input_line,
                input_value,
                reason: Reason::InvalidId,
            },
        }))
    }

    /// Whether these are the headings again, as where files were joined.
    fn is_heading(&self) -> Result<bool, Error> {
        let headings = texts(self.records.cells());
        match heading::find(&headings, self.asked.as_deref()) {
            Match::None => Ok(false),
            Match::One(index) if index == self.column.index => Ok(true),
            Match::One(_) | Match::Several => Err(Error::ColumnMoved {
                place: self.records.place().clone(),
                line: self.records.line(),
            }),
        }
    }

    /// Whether the current record's cells may be shifted, or its quotes meant otherwise. Then no
    /// line of it is believed.
    fn is_doubtful(&mut self) -> Result<bool, Error> {
        let cells = self.records.cells();
        // Quotes went wrong, but this line ends as all others do: the next one is on its own.
        if cells.is_misquoted() && !self.shape.is_full(cells) {
            return Err(self.records.stray_quote(self.records.line()));
        }
        let cell = cells.get(self.column.index).unwrap_or_default();
        let is_id_broken = cell.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        let is_odd = cells.is_misquoted() || self.records.has_long_cell();
        let is_ragged = self.shape.is_ragged(cells);
        Ok(is_odd || is_ragged || is_id_broken || self.takes_in_others())
    }

    /// Whether the record runs over several lines and one of them would name another contact if it
    /// stood alone: then the quote that holds them together is rather a stray one.
    fn takes_in_others(&mut self) -> bool {
        let column = self.column.index;
        let id = |cells: &Cells| number::contact_id(&cell::decode(cells.get(column)?));
        let own = id(self.records.cells());
        self.records.size() > 1
            && self.records.lines().any(|line| {
                self.alone.cut_alone(line);
                self.shape.is_record(&self.alone)
                    && id(&self.alone).is_some_and(|other| own != Some(other))
            })
    }

    /// Says what was read, unless it changed meanwhile.
    fn finish(&mut self) -> Result<SourceReport, Error> {
        let lines = LineCounts {
            lines: self.records.lines_read(),
            blank: self.records.blank_lines() + self.idle_lines,
        };
        let place = self.records.place().clone();
        let raw = self.records.input_mut().raw_mut();
        let figures = raw.finish().map_err(|source| Error::Read {
            place: place.clone(),
            line: lines.lines,
            source,
        })?;
        if raw.has_changed() {
            return Err(Error::Changed { place });
        }
        Ok(SourceReport {
            place,
            bytes: figures.bytes,
            sha256: figures.sha256,
            modified_at: figures.modified_at,
            lines,
        })
    }

    /// The error to tell, where reading failed: half a file explains any other.
    fn fail(&mut self, error: Error) -> Error {
        let has_changed = self.records.input().raw().has_changed();
        self.rejected = None;
        self.state = State::Failed(if has_changed {
            EarlyEnd::Changed
        } else {
            EarlyEnd::Unreadable
        });
        if has_changed {
            let place = self.records.place().clone();
            Error::Changed { place }
        } else {
            error
        }
    }
}

fn ragged(input_line: u64, input_value: String) -> InputLine {
    InputLine::Rejected {
        input_line,
        input_value,
        reason: Reason::RaggedRow,
    }
}

impl Iterator for TextReader {
    type Item = Result<InputLine, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.state {
            State::FirstPending | State::Reading => {}
            State::Whole(_) | State::Failed(_) => return None,
        }
        let ended = match self.read() {
            Ok(Some(line)) => return Some(Ok(line)),
            Ok(None) => self.finish(),
            Err(error) => Err(error),
        };
        match ended {
            Ok(report) => {
                self.state = State::Whole(report);
                None
            }
            Err(error) => Some(Err(self.fail(error))),
        }
    }
}

impl FusedIterator for TextReader {}
