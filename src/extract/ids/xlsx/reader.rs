//! The reader of ids in a workbook: what each row of the sheet is, a target, a rejected line or
//! neither. A row counts as a physical line, by the number that Excel shows.

use super::super::error::{Error, Headings};
use super::super::raw::Raw;
use super::super::{IdColumn, LineCounts, Place, Source, SourceReport, cell, heading, number};
use super::package::Package;
use super::sheet::{Sheet, SheetRow};
use super::strings::{Strings, Wanted};
use super::styles::Formats;
use super::value::{self, CellValue};
use super::workbook::{self, NoSheet, Parts};
use super::xml::{WorkbookFault, Xml};
use crate::contact::{InputLine, Reason};

/// The rows of the sheet in their order, duplicates included. Ends after the first error.
///
/// Texts of the workbook are looked up for the headings, and for the column of the ids where ids
/// are written as text: for that the sheet is read twice.
pub(crate) struct WorkbookReader {
    raw: Raw,
    place: Place,
    sheet: Sheet,
    formats: Formats,
    strings: Strings,
    is_from_1904: bool,
    column: IdColumn,
    /// The first row that is not blank, where it holds data.
    first: Option<SheetRow>,
    /// Targets and rejected lines so far.
    told: u64,
    state: WorkbookState,
}

/// How far the reader is.
enum WorkbookState {
    Reading,
    Whole(SourceReport),
    Failed { has_changed: bool },
}

impl WorkbookReader {
    /// Finds the id column of a workbook that was opened.
    pub(crate) fn begin(source: &Source, raw: Raw) -> Result<Self, Error> {
        let fault = |fault| told(&source.place, 1, fault);
        if source.delimiter.is_some() {
            return Err(Error::DelimiterOfWorkbook);
        }
        let file = raw.file().ok_or(WorkbookFault::Damaged("it is no file"));
        let package = file.and_then(Package::open).map_err(fault)?;
        let parts = workbook::parts(&package, source.sheet.as_deref());
        let parts = parts.map_err(|no_sheet| match no_sheet {
            NoSheet::Fault(no_workbook) => fault(no_workbook),
            NoSheet::Unknown(names) => Error::UnknownSheet {
                place: source.place.clone(),
                sheet: source.sheet.clone().unwrap_or_default(),
                sheets: Headings(names),
            },
        })?;
        let opened = Opened { package, parts };
        let formats = opened.formats().map_err(fault)?;
        let (first, headings) = opened.first_row(&formats).map_err(fault)?;
        let place = source.place.clone();
        let Some(first) = first else {
            return Err(Error::Empty { place });
        };
        let column = heading::locate(headings, source.column.as_deref(), place, first)?;
        let strings = opened.strings(column.index, &formats).map_err(fault)?;
        let mut reader = Self {
            raw,
            place: source.place.clone(),
            sheet: opened.sheet().map_err(fault)?,
            formats,
            strings,
            is_from_1904: opened.parts.is_from_1904,
            column,
            first: None,
            told: 0,
            state: WorkbookState::Reading,
        };
        let first = reader.next_row()?;
        // Without a heading the first row holds an id already.
        reader.first = first.filter(|_| reader.column.heading.is_none());
        Ok(reader)
    }

    /// The column of the ids.
    pub(crate) fn column(&self) -> &IdColumn {
        &self.column
    }

    /// What was read; none until all rows were given out.
    pub(crate) fn report(&self) -> Option<&SourceReport> {
        match &self.state {
            WorkbookState::Whole(report) => Some(report),
            WorkbookState::Reading | WorkbookState::Failed { .. } => None,
        }
    }

    /// Whether the file changed while it was read, so that reading it again may go well.
    pub(crate) fn has_changed(&self) -> bool {
        match self.state {
            WorkbookState::Failed { has_changed } => has_changed,
            WorkbookState::Reading | WorkbookState::Whole(_) => false,
        }
    }

    /// The next row that is not blank.
    fn next_row(&mut self) -> Result<Option<SheetRow>, Error> {
        loop {
            let row = self.sheet.next_row(Some(self.column.index), &self.formats);
            match row.map_err(|fault| told(&self.place, self.sheet.row(), fault))? {
                Some(row) if row.is_blank => {}
                row => return Ok(row),
            }
        }
    }

    /// The next target or rejected line; none where all were read.
    fn read(&mut self) -> Result<Option<InputLine>, Error> {
        loop {
            let row = match self.first.take() {
                Some(row) => Some(row),
                None => self.next_row()?,
            };
            let Some(row) = row else {
                return Ok(None);
            };
            if let Some(line) = self.judge(row)? {
                self.told += 1;
                return Ok(Some(line));
            }
        }
    }

    /// What a row is; none where it is the headings again.
    fn judge(&self, row: SheetRow) -> Result<Option<InputLine>, Error> {
        let input_line = row.number;
        let value = match row.cells.into_iter().next() {
            Some((_, value)) => {
                let resolved = self.strings.resolve(value);
                Some(resolved.map_err(|fault| told(&self.place, input_line, fault))?)
            }
            None => None,
        };
        let (text, may_be_id) = self.text(value);
        let contact_id = number::contact_id(&text).filter(|_| may_be_id);
        let is_heading = self.column.heading.as_deref() == Some(text.trim());
        let input_value = cell::kept(&text);
        Ok(match contact_id {
            Some(contact_id) => Some(InputLine::Target {
                contact_id,
                input_line,
                input_value,
            }),
            None if is_heading => None,
            None => Some(InputLine::Rejected {
                input_line,
                input_value,
                reason: Reason::InvalidId,
            }),
        })
    }

    /// How a value reads, and whether it may be an id: dates, Booleans and errors never are, even
    /// where their texts look so.
    fn text(&self, value: Option<CellValue>) -> (String, bool) {
        match value {
            // Shared texts are resolved before.
            None | Some(CellValue::Shared(_)) => (String::new(), false),
            Some(CellValue::Number(text)) => value::number(&text),
            Some(CellValue::Text(text)) => (text, true),
            Some(CellValue::Date(days)) => (value::date_text(&days, self.is_from_1904), false),
            Some(CellValue::Other(text)) => (text, false),
        }
    }

    /// Says what was read, unless it changed meanwhile.
    fn finish(&mut self) -> Result<SourceReport, Error> {
        let place = self.place.clone();
        let rows = self.sheet.row();
        let figures = self.raw.finish().map_err(|source| Error::Read {
            place: place.clone(),
            line: rows,
            source,
        })?;
        if self.raw.has_changed() {
            return Err(Error::Changed { place });
        }
        Ok(SourceReport {
            place,
            bytes: figures.bytes,
            sha256: figures.sha256,
            modified_at: figures.modified_at,
            lines: LineCounts {
                lines: rows,
                blank: rows - self.told,
            },
        })
    }

    /// The error to tell, where reading failed: half a file explains any other.
    fn fail(&mut self, error: Error) -> Error {
        let has_changed = self.raw.has_changed();
        self.state = WorkbookState::Failed { has_changed };
        if has_changed {
            let place = self.place.clone();
            Error::Changed { place }
        } else {
            error
        }
    }
}

impl Iterator for WorkbookReader {
    type Item = Result<InputLine, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.state {
            WorkbookState::Reading => {}
            WorkbookState::Whole(_) | WorkbookState::Failed { .. } => return None,
        }
        let ended = match self.read() {
            Ok(Some(line)) => return Some(Ok(line)),
            Ok(None) => self.finish(),
            Err(error) => Err(error),
        };
        match ended {
            Ok(report) => {
                self.state = WorkbookState::Whole(report);
                None
            }
            Err(error) => Some(Err(self.fail(error))),
        }
    }
}

/// A workbook whose sheet is known.
struct Opened {
    package: Package,
    parts: Parts,
}

impl Opened {
    fn sheet(&self) -> Result<Sheet, WorkbookFault> {
        Ok(Sheet::new(self.package.part(&self.parts.sheet)?))
    }

    /// A part that not every workbook has.
    fn part(&self, name: Option<&String>) -> Result<Option<Xml>, WorkbookFault> {
        name.map(|name| self.package.part(name)).transpose()
    }

    fn formats(&self) -> Result<Formats, WorkbookFault> {
        Formats::read(self.part(self.parts.styles.as_ref())?)
    }

    /// The number of the first row that is not blank, and its cells as headings.
    fn first_row(&self, formats: &Formats) -> Result<(Option<u64>, Vec<String>), WorkbookFault> {
        let mut sheet = self.sheet()?;
        while let Some(row) = sheet.next_row(None, formats)? {
            if row.is_blank {
                continue;
            }
            let mut wanted = Wanted::default();
            for (_, value) in &row.cells {
                if let CellValue::Shared(place) = value {
                    wanted.insert(*place)?;
                }
            }
            let strings = Strings::read(self.part(self.parts.strings.as_ref())?, &wanted)?;
            let mut headings = Vec::new();
            for (column, value) in row.cells {
                headings.resize(column, String::new());
                headings.push(match strings.resolve(value)? {
                    CellValue::Number(text) => value::number(&text).0,
                    CellValue::Text(text) | CellValue::Other(text) => text.trim().to_owned(),
                    CellValue::Date(_) | CellValue::Shared(_) => String::new(),
                });
            }
            return Ok((Some(row.number), headings));
        }
        Ok((None, Vec::new()))
    }

    /// The texts that stand in the column of the ids.
    fn strings(&self, column: usize, formats: &Formats) -> Result<Strings, WorkbookFault> {
        let mut sheet = self.sheet()?;
        let mut wanted = Wanted::default();
        while let Some(row) = sheet.next_row(Some(column), formats)? {
            for (_, value) in row.cells {
                if let CellValue::Shared(place) = value {
                    wanted.insert(place)?;
                }
            }
        }
        Strings::read(self.part(self.parts.strings.as_ref())?, &wanted)
    }
}

/// The fault as an error of the list.
fn told(place: &Place, line: u64, fault: WorkbookFault) -> Error {
    let place = place.clone();
    match fault {
        WorkbookFault::Read(source) => Error::Read {
            place,
            line,
            source,
        },
        WorkbookFault::Damaged(fault) => Error::Workbook { place, fault },
    }
}
