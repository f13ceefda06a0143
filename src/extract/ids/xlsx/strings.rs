//! The texts that the cells of a workbook share. Only those that are wanted are held.

use super::super::cell;
use super::value::CellValue;
use super::xml::{Token, WorkbookFault, Xml};

/// The most bytes of texts that are held: ids have a few digits each.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The most places that are told apart; a sheet has a million rows.
const MOST_PLACES: usize = 1 << 24;

/// The places of texts that are wanted.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    bits: Vec<u64>,
}

impl Wanted {
    pub(super) fn insert(&mut self, place: usize) -> Result<(), WorkbookFault> {
        if place >= MOST_PLACES {
            return Err(WorkbookFault::Damaged("it has too many texts"));
        }
        let word = place / 64;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << (place % 64);
        }
        Ok(())
    }

    fn has(&self, place: usize) -> bool {
        let bits = self.bits.get(place / 64).copied().unwrap_or(0);
        bits >> (place % 64) & 1 == 1
    }

    fn last(&self) -> Option<usize> {
        let word = self.bits.iter().rposition(|bits| *bits != 0)?;
        let bits = self.bits.get(word)?;
        Some(word * 64 + 63 - usize::try_from(bits.leading_zeros()).unwrap_or(0))
    }
}

/// The texts that were wanted, by their places.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    /// Where each text ends, the unwanted ones being empty.
    ends: Vec<u32>,
}

impl Strings {
    /// Reads the wanted texts, each cut to what is kept of a cell.
    pub(super) fn read(xml: Option<Xml>, wanted: &Wanted) -> Result<Self, WorkbookFault> {
        let mut strings = Self::default();
        let (Some(mut xml), Some(last)) = (xml, wanted.last()) else {
            return Ok(strings);
        };
        let (mut text, mut memory) = (String::new(), Vec::new());
        // Text counts inside `t`, except for what says how another text is spoken.
        let (mut is_text, mut is_spoken) = (false, false);
        while strings.ends.len() <= last {
            match xml.next(&mut memory)? {
                Token::Open(element) if element.is("si") => {
                    text.clear();
                    if element.is_empty {
                        strings.push("")?;
                    }
                }
                Token::Open(element) if element.is("t") => is_text = !element.is_empty,
                Token::Open(element) if element.is("rPh") => is_spoken = !element.is_empty,
                Token::Text(more) if is_text && !is_spoken => {
                    if wanted.has(strings.ends.len()) && text.len() < super::MOST_TEXT {
                        text.push_str(&more);
                    }
                }
                Token::Close(name) if name == "t" => is_text = false,
                Token::Close(name) if name == "rPh" => is_spoken = false,
                Token::Close(name) if name == "si" => strings.push(&cell::kept(&text))?,
                Token::End => break,
                Token::Open(_) | Token::Close(_) | Token::Text(_) => {}
            }
        }
        xml.pass_rest()?;
        Ok(strings)
    }

    fn push(&mut self, text: &str) -> Result<(), WorkbookFault> {
        self.text.push_str(text);
        if self.text.len() > MOST_BYTES {
            return Err(WorkbookFault::Damaged(
                "the texts in its column of ids are too long",
            ));
        }
        let end = u32::try_from(self.text.len());
        self.ends
            .push(end.map_err(|_| WorkbookFault::Damaged("it has too many texts"))?);
        Ok(())
    }

    fn get(&self, place: usize) -> Option<&str> {
        let index = |end: &u32| usize::try_from(*end).ok();
        let start = match place.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).and_then(index)?,
        };
        self.text.get(start..self.ends.get(place).and_then(index)?)
    }

    /// The value with its text, where that is one of the workbook's.
    pub(super) fn resolve(&self, value: CellValue) -> Result<CellValue, WorkbookFault> {
        match value {
            CellValue::Shared(place) => self
                .get(place)
                .map(|text| CellValue::Text(text.to_owned()))
                .ok_or(WorkbookFault::Damaged(
                    "a cell names a text that is not there",
                )),
            CellValue::Number(_)
            | CellValue::Date(_)
            | CellValue::Text(_)
            | CellValue::Other(_) => Ok(value),
        }
    }
}
