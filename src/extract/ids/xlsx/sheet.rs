//! The rows of one sheet, as they stand in it. Which of them hold ids is left to the reader.

use super::styles::Formats;
use super::value::CellValue;
use super::xml::{Element, Token, WorkbookFault, Xml};

/// Excel's bounds of a sheet.
const MOST_ROWS: u64 = 1_048_576;
const MOST_COLUMNS: usize = 16_384;

/// A row that stands in the sheet.
#[derive(Debug, PartialEq)]
pub(super) struct SheetRow {
    /// From 1, as Excel shows it.
    pub(super) number: u64,
    /// No cell of it holds anything.
    pub(super) is_blank: bool,
    /// The cells that were asked for and hold something, by their column from 0.
    pub(super) cells: Vec<(usize, CellValue)>,
}

/// Reads the rows of a sheet.
pub(super) struct Sheet {
    xml: Xml,
    memory: Vec<u8>,
    row: u64,
}

/// The type and content of a cell, as written.
#[derive(Default)]
struct RawCell {
    kind: String,
    format: Option<usize>,
    text: String,
}

impl Sheet {
    pub(super) fn new(xml: Xml) -> Self {
        Self {
            xml,
            memory: Vec::new(),
            row: 0,
        }
    }

    /// The last row that was read.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// The next row, with the cells of one column, or of all; none at the end.
    pub(super) fn next_row(
        &mut self,
        column: Option<usize>,
        formats: &Formats,
    ) -> Result<Option<SheetRow>, WorkbookFault> {
        loop {
            let (number, is_empty) = match self.xml.next(&mut self.memory)? {
                Token::Open(element) if element.is("row") => {
                    (element.attribute("r"), element.is_empty)
                }
                Token::Close(name) if name == "sheetData" => return self.end(),
                Token::Open(element) if element.is("sheetData") && element.is_empty => {
                    return self.end();
                }
                Token::End => {
                    return Err(WorkbookFault::Damaged("its sheet ends too early"));
                }
                Token::Open(_) | Token::Close(_) | Token::Text(_) => continue,
            };
            let number = match number {
                None => self.row + 1,
                Some(text) => text.parse().unwrap_or(0),
            };
            if number <= self.row || number > MOST_ROWS {
                return Err(WorkbookFault::Damaged("its rows are not in order"));
            }
            self.row = number;
            let mut row = SheetRow {
                number,
                is_blank: true,
                cells: Vec::new(),
            };
            if !is_empty {
                self.read_cells(&mut row, column, formats)?;
            }
            return Ok(Some(row));
        }
    }

    /// There are no more rows, and all that was read is sound.
    fn end(&mut self) -> Result<Option<SheetRow>, WorkbookFault> {
        self.xml.pass_rest()?;
        Ok(None)
    }

    fn read_cells(
        &mut self,
        row: &mut SheetRow,
        wanted: Option<usize>,
        formats: &Formats,
    ) -> Result<(), WorkbookFault> {
        let mut next_column = 0;
        loop {
            let (mut cell, column, is_empty) = match self.xml.next(&mut self.memory)? {
                Token::Open(element) if element.is("c") => {
                    let column = match element.attribute("r") {
                        None => Some(next_column),
                        Some(reference) => column_of(&reference),
                    };
                    (RawCell::begin(&element), column, element.is_empty)
                }
                Token::Close(name) if name == "row" => return Ok(()),
                Token::End => return Err(WorkbookFault::Damaged("its sheet ends too early")),
                Token::Open(_) | Token::Close(_) | Token::Text(_) => continue,
            };
            let column = column.filter(|column| (next_column..MOST_COLUMNS).contains(column));
            let column = column.ok_or(WorkbookFault::Damaged("its cells are not in order"))?;
            next_column = column + 1;
            if !is_empty {
                self.read_content(&mut cell)?;
            }
            let Some(value) = cell.value(formats)? else {
                continue;
            };
            row.is_blank = false;
            if wanted.is_none_or(|wanted| wanted == column) {
                row.cells.push((column, value));
            }
        }
    }

    /// Reads on to the end of a cell. What a formula came to is its value; the formula itself is
    /// passed over.
    fn read_content(&mut self, cell: &mut RawCell) -> Result<(), WorkbookFault> {
        let (mut is_value, mut is_spoken) = (false, false);
        loop {
            match self.xml.next(&mut self.memory)? {
                Token::Open(element) if element.is("v") || element.is("t") => {
                    is_value = !element.is_empty;
                }
                Token::Open(element) if element.is("rPh") => is_spoken = !element.is_empty,
                Token::Text(more) if is_value && !is_spoken => {
                    if cell.text.len() < super::MOST_TEXT {
                        cell.text.push_str(&more);
                    }
                }
                Token::Close(name) => match name.as_ref() {
                    "v" | "t" => is_value = false,
                    "rPh" => is_spoken = false,
                    "c" => return Ok(()),
                    _ => {}
                },
                Token::End => return Err(WorkbookFault::Damaged("its sheet ends too early")),
                Token::Open(_) | Token::Text(_) => {}
            }
        }
    }
}

impl RawCell {
    fn begin(element: &Element<'_>) -> Self {
        Self {
            kind: element.attribute("t").unwrap_or_default(),
            format: element.attribute("s").and_then(|text| text.parse().ok()),
            text: String::new(),
        }
    }

    /// What the cell holds; none where that is nothing.
    fn value(self, formats: &Formats) -> Result<Option<CellValue>, WorkbookFault> {
        let text = self.text;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        Ok(Some(match self.kind.as_str() {
            "s" => {
                let place = text.trim().parse();
                CellValue::Shared(
                    place.map_err(|_| WorkbookFault::Damaged("a cell names no text"))?,
                )
            }
            "str" | "inlineStr" => CellValue::Text(text),
            "b" if text.trim() == "0" => CellValue::Other("FALSE".to_owned()),
            "b" => CellValue::Other("TRUE".to_owned()),
            "" | "n" if formats.is_date(self.format) => CellValue::Date(text),
            "" | "n" => CellValue::Number(text),
            _ => CellValue::Other(text),
        }))
    }
}

/// The column of a reference such as `AB12`, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.trim_end_matches(|c: char| c.is_ascii_digit());
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let number = letters.bytes().try_fold(0, |number, letter| {
        let letter = letter.to_ascii_uppercase().checked_sub(b'A')?;
        (letter < 26).then(|| number * 26 + usize::from(letter) + 1)
    })?;
    number.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_by_letters() {
        let cases = [
            ("A1", Some(0)),
            ("Z9", Some(25)),
            ("AA10", Some(26)),
            ("XFD1", Some(16_383)),
            ("1", None),
            ("AAAA1", None),
            ("A-1", None),
        ];
        for (reference, column) in cases {
            assert_eq!(column_of(reference), column, "{reference}");
        }
    }
}
