//! From lines to CSV records: the cells, the physical lines that a record covers, and its largest
//! size. Knows nothing of ids.
//!
//! A parser of our own, since those at hand say neither where a quote was opened nor that text
//! follows one that was closed, and both have to be known before a line is believed.

use std::io::BufRead;

use super::super::Place;
use super::super::error::Error;
use super::cells::Cells;
use super::lines::{LineRead, Lines};

/// Most bytes of one record: a quote that is never closed must not draw the whole input into
/// memory.
pub(super) const RECORD_LIMIT: usize = 1024 * 1024;

/// Most lines of one cell that are believed: an address has five or six, and what goes on for
/// longer is rather a stray quote.
pub(super) const CELL_LINES: u64 = 10;

/// Reads one record after the other into the same memory.
pub(super) struct Records<R> {
    lines: Lines<R>,
    cells: Cells,
    /// The record as it stands in the file.
    text: Vec<u8>,
    /// Where in the text its lines start.
    starts: Vec<usize>,
    start: u64,
    has_long_cell: bool,
    blank: u64,
}

impl<R: BufRead> Records<R> {
    /// Reads records from the input; the place is for messages. Without a delimiter a line is one
    /// cell.
    pub(super) fn new(input: R, delimiter: Option<u8>, place: Place) -> Self {
        Self {
            lines: Lines::new(input, place),
            cells: Cells::new(delimiter),
            text: Vec::new(),
            starts: Vec::new(),
            start: 0,
            has_long_cell: false,
            blank: 0,
        }
    }

    /// Passes over so many lines, whatever they hold.
    pub(super) fn skip(&mut self, lines: u64) -> Result<(), Error> {
        for _ in 0..lines {
            self.text.clear();
            self.append_line(1)?;
            self.blank += 1;
        }
        Ok(())
    }

    /// Goes to the next record that is not blank; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        loop {
            self.text.clear();
            self.starts.clear();
            self.starts.push(0);
            self.cells.clear();
            self.has_long_cell = false;
            self.start = self.lines.count() + 1;
            if !self.append_line(self.start)? {
                return Ok(false);
            }
            self.cells.push_line(&self.text);
            if self.cells.is_open() {
                self.close_quotes()?;
            }
            if !self.is_blank() {
                return Ok(true);
            }
            self.blank += 1;
        }
    }

    /// Reads on to the line on which the record's last open quote is closed.
    fn close_quotes(&mut self) -> Result<(), Error> {
        let mut opened = self.start;
        while self.cells.is_open() {
            if self.cells.opens_quote() {
                opened = self.lines.count();
            }
            if self.cells.is_misquoted() {
                return Err(self.stray_quote(opened));
            }
            let start = self.text.len();
            if !self.append_line(opened)? {
                let place = self.place().clone();
                return Err(Error::OpenQuote {
                    place,
                    line: opened,
                });
            }
            self.starts.push(start);
            self.cells
                .push_line(self.text.get(start..).unwrap_or_default());
            self.has_long_cell |= self.lines.count() - opened >= CELL_LINES;
        }
        if self.cells.is_misquoted() {
            return Err(self.stray_quote(opened));
        }
        Ok(())
    }

    /// Adds the next line to the text; false at the end of the input. `suspect` is the line to look
    /// at where the record grows too long.
    fn append_line(&mut self, suspect: u64) -> Result<bool, Error> {
        match self.lines.append_to(&mut self.text, RECORD_LIMIT)? {
            LineRead::Line => Ok(true),
            LineRead::End => Ok(false),
            LineRead::TooLong => Err(Error::RecordTooLong {
                place: self.place().clone(),
                line: suspect,
            }),
        }
    }

    /// The error where nobody can say which quotes of the record were meant to open and close.
    pub(super) fn stray_quote(&self, line: u64) -> Error {
        let place = self.place().clone();
        Error::StrayQuote { place, line }
    }

    /// Whitespace and nothing else; an empty pair of quotes is a cell.
    fn is_blank(&self) -> bool {
        self.cells.len() == 1 && self.text.trim_ascii().is_empty()
    }

    /// The input.
    pub(super) fn place(&self) -> &Place {
        self.lines.place()
    }

    /// What the records are read from.
    pub(super) fn input(&self) -> &R {
        self.lines.input()
    }

    /// What the records are read from.
    pub(super) fn input_mut(&mut self) -> &mut R {
        self.lines.input_mut()
    }

    /// The physical line on which the current record starts.
    pub(super) fn line(&self) -> u64 {
        self.start
    }

    /// How many physical lines the current record covers.
    pub(super) fn size(&self) -> u64 {
        self.lines.count() + 1 - self.start
    }

    /// How many physical lines were read.
    pub(super) fn lines_read(&self) -> u64 {
        self.lines.count()
    }

    /// How many of them were skipped or blank.
    pub(super) fn blank_lines(&self) -> u64 {
        self.blank
    }

    /// The cells of the current record.
    pub(super) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Whether a cell of the current record runs over more lines than is believed.
    pub(super) fn has_long_cell(&self) -> bool {
        self.has_long_cell
    }

    /// The lines of the current record as they stand in the file.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.starts.iter().skip(1).copied();
        let ranges = self.starts.iter().zip(ends.chain([self.text.len()]));
        ranges.filter_map(|(start, end)| self.text.get(*start..end))
    }
}
