//! What separates the cells, going by the first line: it may say so, or it is guessed. Leaves
//! reading on to the records.

use std::cmp::Reverse;

use super::Place;
use super::heading::{self, Match};
use super::records::Records;

const CANDIDATES: [u8; 4] = *b",;\t|";

/// Stands for none in a file of one column: a comma in there is part of a bad id and must not cut a
/// good one from it.
const NONE: u8 = 0x1f;

/// The delimiter under which the first line holds a heading of ids; else the one that cuts it into
/// most cells.
pub(super) fn detect(sample: &[u8], column: Option<&str>) -> u8 {
    let judged = CANDIDATES.map(|delimiter| {
        let headings = first_cells(sample, delimiter);
        (
            heading::find(&headings, column) != Match::None,
            headings.len(),
            delimiter,
        )
    });
    // The first of the best, so that a tie goes by the order of the candidates.
    let best = judged
        .into_iter()
        .min_by_key(|(is_found, cells, _)| Reverse((*is_found, *cells)));
    best.filter(|(_, cells, _)| *cells > 1)
        .map_or(NONE, |(_, _, delimiter)| delimiter)
}

/// The delimiter that a first line of its own names, as in `sep=;`, which Excel reads and writes.
pub(super) fn declared(sample: &[u8]) -> Option<u8> {
    let line = sample.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let (delimiter, name) = line.split_last()?;
    let is_one = |byte: u8| byte == b'\t' || (byte.is_ascii_punctuation() && byte != b'"');
    (name.eq_ignore_ascii_case(b"sep=") && is_one(*delimiter)).then_some(*delimiter)
}

fn first_cells(sample: &[u8], delimiter: u8) -> Vec<String> {
    let mut records = Records::new(sample, delimiter, Place::StandardInput);
    // An error here is found again, and reported, when the record is read in earnest.
    if matches!(records.advance(), Ok(true)) {
        heading::headings(&records)
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_may_name_the_delimiter() {
        let cases: [(&str, Option<u8>); 11] = [
            ("sep=;\r\ncontactId;Name\r\n", Some(b';')),
            ("SEP=,\n1\n", Some(b',')),
            ("sep=\t\r1", Some(b'\t')),
            ("sep=|", Some(b'|')),
            ("sep=", None),
            ("sep=;;\n", None),
            ("sep=\"\n", None),
            ("sep=a\n", None),
            ("\nsep=;\n", None),
            ("sep;\n", None),
            ("", None),
        ];
        for (sample, expected) in cases {
            assert_eq!(declared(sample.as_bytes()), expected, "{sample:?}");
        }
    }

    #[test]
    fn the_delimiter_comes_from_the_first_line() {
        let cases = [
            ("contactId,Name\n1,A;B;C;D\n", b','),
            ("contactId;Name\n", b';'),
            ("contactId\tName", b'\t'),
            ("Name|contactId\r\n", b'|'),
            ("\n\n\r\n  \nName;contactId\n", b';'),
            ("Name, first, last, other;contactId\n", b';'),
            ("\"a;b;c;d\",contactId\n", b','),
            ("\"a\nb;c\";contactId\n", b';'),
            ("a,b;c;d\n", b';'),
            ("a,b;c\n", b','),
            ("contactId\n1,234\n", NONE),
            ("4711\n", NONE),
            ("\"1;2\"\n", NONE),
            ("\"never closed;x\n", NONE),
            ("", NONE),
        ];
        for (sample, expected) in cases {
            assert_eq!(detect(sample.as_bytes(), None), expected, "{sample:?}");
        }
    }
}
