//! The reader of ids, whatever they are written in: looks at the first bytes of the input and hands
//! it to the reader of that format.

use std::io::Read;
use std::iter::FusedIterator;

use super::raw::Raw;
use super::{Error, IdColumn, Source, SourceReport, csv, xlsx};
use crate::contact::InputLine;
use crate::extract::waiting::{self, Stop};

/// The lines of the input in their order, duplicates included. Ends after the first error.
pub struct Reader(ListFormat);

enum ListFormat {
    Text(Box<csv::TextReader>),
    Workbook(Box<xlsx::WorkbookReader>),
}

impl Reader {
    /// Opens the input and finds its id column.
    pub fn open(source: &Source) -> Result<Self, Error> {
        Self::open_unless(source, &waiting::never())
    }

    /// The same; what comes by a pipe is not waited for once somebody asks to stop.
    pub(crate) fn open_unless(source: &Source, stop: &Stop) -> Result<Self, Error> {
        let raw = Raw::open(&source.place, stop)?;
        Ok(Self(if raw.is_zip() {
            ListFormat::Workbook(Box::new(xlsx::WorkbookReader::begin(source, raw)?))
        } else {
            ListFormat::Text(Box::new(csv::TextReader::begin(source, raw)?))
        }))
    }

    /// Reads these bytes as if they came from the place that the source names. They are text.
    pub fn over(source: &Source, input: Box<dyn Read + Send>) -> Result<Self, Error> {
        let reader = csv::TextReader::over(source, input)?;
        Ok(Self(ListFormat::Text(Box::new(reader))))
    }

    /// The column of the ids.
    pub fn column(&self) -> &IdColumn {
        match &self.0 {
            ListFormat::Text(reader) => reader.column(),
            ListFormat::Workbook(reader) => reader.column(),
        }
    }

    /// What was read; none until all lines were given out.
    pub fn report(&self) -> Option<&SourceReport> {
        match &self.0 {
            ListFormat::Text(reader) => reader.report(),
            ListFormat::Workbook(reader) => reader.report(),
        }
    }

    /// Whether the input changed while it was read, so that reading it again may go well.
    pub(super) fn has_changed(&self) -> bool {
        match &self.0 {
            ListFormat::Text(reader) => reader.has_changed(),
            ListFormat::Workbook(reader) => reader.has_changed(),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<InputLine, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            ListFormat::Text(reader) => reader.next(),
            ListFormat::Workbook(reader) => reader.next(),
        }
    }
}

impl FusedIterator for Reader {}
