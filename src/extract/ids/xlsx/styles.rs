//! Which formats of cells show a number as a date or a time.

use std::collections::BTreeSet;

use super::xml::{Token, WorkbookFault, Xml};

/// Far more formats than Excel allows in one workbook (65,490).
const MOST_FORMATS: usize = 100_000;

/// The formats of the cells, by their number.
#[derive(Debug, Default)]
pub(super) struct Formats {
    is_date: Vec<bool>,
}

impl Formats {
    pub(super) fn read(xml: Option<Xml>) -> Result<Self, WorkbookFault> {
        let Some(mut xml) = xml else {
            return Ok(Self::default());
        };
        let (mut dates, mut is_date) = (BTreeSet::new(), Vec::new());
        let (mut is_in_cells, mut memory) = (false, Vec::new());
        loop {
            match xml.next(&mut memory)? {
                Token::Open(element) if element.is("numFmt") => {
                    let id = number(element.attribute("numFmtId"));
                    if element
                        .attribute("formatCode")
                        .is_some_and(|code| shows_date(&code))
                    {
                        dates.insert(id);
                    }
                }
                Token::Open(element) if element.is("cellXfs") => is_in_cells = !element.is_empty,
                Token::Open(element) if element.is("xf") && is_in_cells => {
                    let id = number(element.attribute("numFmtId"));
                    is_date.push(is_built_in_date(id) || dates.contains(&id));
                }
                Token::Close(name) if name == "cellXfs" => is_in_cells = false,
                Token::End => return Ok(Self { is_date }),
                Token::Open(_) | Token::Close(_) | Token::Text(_) => {}
            }
            if is_date.len() > MOST_FORMATS || dates.len() > MOST_FORMATS {
                return Err(WorkbookFault::Damaged("it has too many formats of cells"));
            }
        }
    }

    /// Whether a cell of that format shows a date or a time.
    pub(super) fn is_date(&self, format: Option<usize>) -> bool {
        let format = format.and_then(|format| self.is_date.get(format));
        format.copied().unwrap_or(false)
    }
}

fn number(attribute: Option<String>) -> u32 {
    attribute.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// ISO/IEC 29500-1, 18.8.30: the formats that every workbook has, those of East Asia included.
fn is_built_in_date(id: u32) -> bool {
    matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a code such as `dd.mm.yyyy` shows a date or a time: it holds such a letter outside
/// quotes, brackets and escapes. `[h]` is a time as well.
fn shows_date(code: &str) -> bool {
    let mut characters = code.chars();
    let mut is_general = code.to_ascii_lowercase();
    is_general.retain(|c| c.is_ascii_alphabetic());
    if is_general == "general" {
        return false;
    }
    while let Some(character) = characters.next() {
        match character {
            '\\' | '_' | '*' => drop(characters.next()),
            '"' => drop(characters.by_ref().find(|c| *c == '"')),
            '[' => {
                let inside: String = characters.by_ref().take_while(|c| *c != ']').collect();
                if matches!(
                    inside.to_ascii_lowercase().as_str(),
                    "h" | "hh" | "m" | "mm" | "s" | "ss"
                ) {
                    return true;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_dates_and_times_are_known() {
        for code in [
            "dd.mm.yyyy",
            "m/d/yy h:mm",
            "[h]:mm:ss",
            "yyyy\"-\"MM",
            "[$-414]d. mmmm",
        ] {
            assert!(shows_date(code), "{code}");
        }
        for code in [
            "0",
            "General",
            "#,##0.00",
            "0\"days\"",
            "\\d0",
            "[Red]0",
            "\"Id: \"0",
            "0_d",
            "@",
        ] {
            assert!(!shows_date(code), "{code}");
        }
    }
}
