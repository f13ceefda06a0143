//! Lines that programs write above the headings: Excel's `sep=;`, which names the delimiter, and
//! the `#TYPE …` of PowerShell. Leaves what follows them to the records.

use super::super::Place;
use super::lines::{LineRead, Lines, split_end};

/// What stands above the headings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preamble<'sample> {
    /// How many lines are to be passed over.
    pub(super) lines: u64,
    /// The delimiter that one of them names.
    pub(super) delimiter: Option<u8>,
    /// The sample after them.
    pub(super) rest: &'sample [u8],
}

/// The lines above the headings, each kind once at most.
pub(super) fn read(sample: &[u8]) -> Preamble<'_> {
    let mut preamble = Preamble {
        lines: 0,
        delimiter: None,
        rest: sample,
    };
    let mut has_type = false;
    let mut lines = Lines::new(sample, Place::StandardInput);
    let mut line = Vec::new();
    while matches!(lines.append_to(&mut line, sample.len()), Ok(LineRead::Line)) {
        let (text, _) = split_end(&line);
        let named = declared(text).filter(|_| preamble.delimiter.is_none());
        if named.is_some() {
            preamble.delimiter = named;
        } else if is_type(text) && !has_type {
            has_type = true;
        } else {
            break;
        }
        preamble.lines += 1;
        preamble.rest = lines.input();
        line.clear();
    }
    preamble
}

/// The delimiter that a line of its own names, as in `sep=;`, which Excel reads and writes.
fn declared(line: &[u8]) -> Option<u8> {
    let (delimiter, name) = line.split_last()?;
    let is_one = |byte: u8| byte == b'\t' || (byte.is_ascii_punctuation() && byte != b'"');
    (name.eq_ignore_ascii_case(b"sep=") && is_one(*delimiter)).then_some(*delimiter)
}

/// What `Export-Csv` of Windows PowerShell writes first, unless it is told not to.
fn is_type(line: &[u8]) -> bool {
    line.starts_with(b"#TYPE ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_above_the_headings_are_known() {
        let cases: [(&str, u64, Option<u8>, &str); 19] = [
            (
                "sep=;\r\ncontactId;Name\r\n",
                1,
                Some(b';'),
                "contactId;Name\r\n",
            ),
            ("SEP=,\n1\n", 1, Some(b','), "1\n"),
            ("sep=\t\r1", 1, Some(b'\t'), "1"),
            ("sep=|", 1, Some(b'|'), ""),
            ("\u{feff}sep=;\nx", 1, Some(b';'), "x"),
            ("sep=", 0, None, "sep="),
            ("sep=;;\n", 0, None, "sep=;;\n"),
            ("sep=\"\n", 0, None, "sep=\"\n"),
            ("sep=a\n", 0, None, "sep=a\n"),
            ("\nsep=;\n", 0, None, "\nsep=;\n"),
            ("sep;\n", 0, None, "sep;\n"),
            ("", 0, None, ""),
            (
                "#TYPE System.Object\r\n\"contactId\"\r\n",
                1,
                None,
                "\"contactId\"\r\n",
            ),
            ("\u{feff}#TYPE A.B\n1\n", 1, None, "1\n"),
            ("#TYPE A\nsep=;\nx", 2, Some(b';'), "x"),
            ("sep=;\n#TYPE A\nx", 2, Some(b';'), "x"),
            ("#TYPE A\n#TYPE B\nx", 1, None, "#TYPE B\nx"),
            ("sep=;\nsep=,\nx", 1, Some(b';'), "sep=,\nx"),
            ("#TYPES\nx", 0, None, "#TYPES\nx"),
        ];
        for (sample, lines, delimiter, rest) in cases {
            let expected = Preamble {
                lines,
                delimiter,
                rest: rest.as_bytes(),
            };
            assert_eq!(read(sample.as_bytes()), expected, "{sample:?}");
        }
    }
}
