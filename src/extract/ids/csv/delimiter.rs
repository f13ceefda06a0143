//! What separates the cells, going by the first line: a guess where nobody said so. Leaves reading
//! on to the records.

use std::cmp::Reverse;

use super::super::Place;
use super::super::heading::{self, Match};
use super::cells::texts;
use super::records::Records;

const CANDIDATES: [u8; 4] = *b",;\t|";

/// The delimiter under which the first line holds a heading of ids; else the one that cuts it into
/// most cells. None for a file of one column: a comma in there is part of a bad id and must not cut
/// a good one from it.
pub(super) fn detect(sample: &[u8], column: Option<&str>) -> Option<u8> {
    let judged = CANDIDATES.map(|delimiter| {
        let headings = first_cells(sample, delimiter);
        let is_found = heading::find(&headings, column) != Match::None;
        (is_found, headings.len(), delimiter)
    });
    // The first of the best, so that a tie goes by the order of the candidates.
    let best = judged
        .into_iter()
        .min_by_key(|(is_found, cells, _)| Reverse((*is_found, *cells)));
    best.filter(|(_, cells, _)| *cells > 1)
        .map(|(_, _, delimiter)| delimiter)
}

fn first_cells(sample: &[u8], delimiter: u8) -> Vec<String> {
    let mut records = Records::new(sample, Some(delimiter), Place::StandardInput);
    // An error here is found again, and reported, when the record is read in earnest.
    if matches!(records.advance(), Ok(true)) {
        texts(records.cells())
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_comes_from_the_first_line() {
        let cases = [
            ("contactId,Name\n1,A;B;C;D\n", Some(b',')),
            ("contactId;Name\n", Some(b';')),
            ("contactId\tName", Some(b'\t')),
            ("Name|contactId\r\n", Some(b'|')),
            ("\n\n\r\n  \nName;contactId\n", Some(b';')),
            ("Name, first, last, other;contactId\n", Some(b';')),
            ("\"a;b;c;d\",contactId\n", Some(b',')),
            ("\"a\nb;c\";contactId\n", Some(b';')),
            ("a,b;c;d\n", Some(b';')),
            ("a,b;c\n", Some(b',')),
            ("contactId\n1,234\n", None),
            ("4711\n", None),
            ("\"1;2\"\n", None),
            ("\"never closed;x\n", None),
            ("", None),
        ];
        for (sample, expected) in cases {
            assert_eq!(detect(sample.as_bytes(), None), expected, "{sample:?}");
        }
    }
}
