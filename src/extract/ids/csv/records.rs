//! From bytes to CSV records: cells, the physical line on which a record starts, and its largest
//! size. Knows nothing of ids.
//!
//! Built on `csv_core`, since the line numbers of `csv::Reader` do not see blank lines and lone
//! carriage returns, and its records grow without bound.

use std::io::BufRead;

use csv_core::ReadRecordResult;

use super::Place;
use super::error::Error;

/// Most bytes of one record: a quote that is never closed must not draw the whole input into
/// memory.
pub(super) const RECORD_LIMIT: usize = 1024 * 1024;

/// Reads one record after the other into the same memory.
pub(super) struct Records<R> {
    input: R,
    place: Place,
    parser: csv_core::Reader,
    lines: LineCounter,
    start: u64,
    content: Vec<u8>,
    content_size: usize,
    ends: Vec<usize>,
    ends_count: usize,
}

impl<R: BufRead> Records<R> {
    /// Reads records from the input; the place is for messages.
    pub(super) fn new(input: R, delimiter: u8, place: Place) -> Self {
        Self {
            input,
            place,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            lines: LineCounter::new(),
            start: 1,
            content: vec![0; 1024],
            content_size: 0,
            ends: vec![0; 64],
            ends_count: 0,
        }
    }

    /// Goes to the next record that is not blank; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        while self.skip_line_ends()? {
            self.read_record()?;
            if !self.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The input.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The physical line on which the current record starts.
    pub(super) fn line(&self) -> u64 {
        self.start
    }

    /// The cell at this index of the current record.
    pub(super) fn cell(&self, index: usize) -> Option<&[u8]> {
        let ends = self.ends.get(..self.ends_count)?;
        let start = match index.checked_sub(1) {
            Some(previous) => *ends.get(previous)?,
            None => 0,
        };
        self.content.get(start..*ends.get(index)?)
    }

    /// The cells of the current record.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends_count).filter_map(|index| self.cell(index))
    }

    /// Whitespace and nothing else; an empty pair of quotes is a cell.
    fn is_blank(&self) -> bool {
        self.ends_count == 1
            && self
                .cell(0)
                .is_some_and(|cell| !cell.is_empty() && cell.trim_ascii().is_empty())
    }

    /// Goes to the start of the next record; false at the end of the input.
    fn skip_line_ends(&mut self) -> Result<bool, Error> {
        loop {
            let buffer = fill(&mut self.input, &self.place, self.lines.current)?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let next = buffer
                .iter()
                .position(|byte| !matches!(byte, b'\r' | b'\n'));
            let (line_ends, _) = buffer.split_at(next.unwrap_or(buffer.len()));
            self.lines.pass(line_ends);
            let size = line_ends.len();
            self.input.consume(size);
            if next.is_some() {
                return Ok(true);
            }
        }
    }

    fn read_record(&mut self) -> Result<(), Error> {
        self.start = self.lines.current;
        (self.content_size, self.ends_count) = (0, 0);
        let mut size = 0;
        loop {
            let buffer = fill(&mut self.input, &self.place, self.lines.current)?;
            // A line end of our own closes the last record, unless it falls inside quotes.
            let is_end = buffer.is_empty();
            let bytes = if is_end { b"\n" } else { buffer };
            let content = self
                .content
                .get_mut(self.content_size..)
                .unwrap_or_default();
            let ends = self.ends.get_mut(self.ends_count..).unwrap_or_default();
            let (result, consumed, written, ended) = self.parser.read_record(bytes, content, ends);
            self.content_size += written;
            self.ends_count += ended;
            size += consumed;
            if !is_end {
                self.lines.pass(bytes.get(..consumed).unwrap_or_default());
                self.input.consume(consumed);
            }
            if size > RECORD_LIMIT {
                return Err(Error::RecordTooLong {
                    place: self.place.clone(),
                    line: self.start,
                });
            }
            match result {
                ReadRecordResult::Record => return Ok(()),
                ReadRecordResult::OutputFull => self.content.resize(self.content.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End if is_end => {
                    return Err(Error::OpenQuote {
                        place: self.place.clone(),
                        line: self.start,
                    });
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
    }
}

/// The bytes at hand; none at the end of the input.
fn fill<'input, R: BufRead>(
    input: &'input mut R,
    place: &Place,
    line: u64,
) -> Result<&'input [u8], Error> {
    input.fill_buf().map_err(|source| Error::Read {
        place: place.clone(),
        line,
        source,
    })
}

/// The line on which these bytes end.
pub(super) fn lines_in(bytes: &[u8]) -> u64 {
    let mut lines = LineCounter::new();
    lines.pass(bytes);
    lines.current
}

/// Counts physical lines: `\r\n`, `\n` and a lone `\r` each end one.
struct LineCounter {
    current: u64,
    previous: u8,
}

impl LineCounter {
    fn new() -> Self {
        Self {
            current: 1,
            previous: 0,
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\r' || (*byte == b'\n' && self.previous != b'\r') {
                self.current += 1;
            }
            self.previous = *byte;
        }
    }
}
