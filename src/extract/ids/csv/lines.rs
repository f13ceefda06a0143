//! From bytes to physical lines, each of bounded length and without a byte order mark. Knows
//! nothing of cells and quotes.

use std::io::BufRead;

use memchr::memchr2;

use super::super::Place;
use super::super::error::Error;

/// Stands at the start of a file in UTF-8, and further down where such files were joined.
pub(super) const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Reads one line after the other: `\r\n`, `\n` and a lone `\r` each end one.
pub(super) struct Lines<R> {
    input: R,
    place: Place,
    count: u64,
}

/// What came of reading a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineRead {
    /// There is one more line.
    Line,
    /// The input has ended.
    End,
    /// The text has grown past its bound.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from the input; the place is for messages.
    pub(super) fn new(input: R, place: Place) -> Self {
        Self {
            input,
            place,
            count: 0,
        }
    }

    /// How many lines were read, which is the number of the last one.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The input.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What the lines are read from.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// What the lines are read from.
    pub(super) fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// Adds the next line, with its end, to a text that may grow to the bound.
    pub(super) fn append_to(
        &mut self,
        text: &mut Vec<u8>,
        bound: usize,
    ) -> Result<LineRead, Error> {
        let start = text.len();
        loop {
            let buffer = self.fill()?;
            let end = memchr2(b'\r', b'\n', buffer);
            let size = end.map_or(buffer.len(), |index| index + 1);
            text.extend_from_slice(buffer.get(..size).unwrap_or_default());
            self.input.consume(size);
            if text.len() > bound {
                return Ok(LineRead::TooLong);
            }
            if end.is_some() || size == 0 {
                break;
            }
        }
        if text.len() == start {
            return Ok(LineRead::End);
        }
        if text.ends_with(b"\r") && self.fill()?.starts_with(b"\n") {
            text.push(b'\n');
            self.input.consume(1);
        }
        self.count += 1;
        while text
            .get(start..)
            .is_some_and(|line| line.starts_with(BYTE_ORDER_MARK))
        {
            text.drain(start..start + BYTE_ORDER_MARK.len());
        }
        Ok(LineRead::Line)
    }

    /// The bytes at hand; none at the end of the input.
    fn fill(&mut self) -> Result<&[u8], Error> {
        self.input.fill_buf().map_err(|source| Error::Read {
            place: self.place.clone(),
            line: self.count + 1,
            source,
        })
    }
}

/// The line as it is without its end, and its end.
pub(super) fn split_end(line: &[u8]) -> (&[u8], &[u8]) {
    let size = match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    line.split_at(line.len() - size)
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    fn lines_of(text: &str, buffer: usize) -> Vec<String> {
        let input = BufReader::with_capacity(buffer, Cursor::new(text.as_bytes().to_vec()));
        let mut lines = Lines::new(input, Place::StandardInput);
        let mut found = Vec::new();
        loop {
            let mut line = Vec::new();
            match lines.append_to(&mut line, 100).unwrap() {
                LineRead::Line => found.push(String::from_utf8(line).unwrap()),
                LineRead::End => return found,
                LineRead::TooLong => panic!("no line of this test is long"),
            }
        }
    }

    #[test]
    fn every_kind_of_line_end_ends_one_line() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            ("a", &["a"]),
            ("a\nb\r\nc\rd", &["a\n", "b\r\n", "c\r", "d"]),
            ("\n\r\r\n\n", &["\n", "\r", "\r\n", "\n"]),
            ("a\r", &["a\r"]),
            (
                "\u{feff}a\n\u{feff}\u{feff}b\u{feff}\n",
                &["a\n", "b\u{feff}\n"],
            ),
            ("\u{feff}", &[""]),
        ];
        for (text, expected) in cases {
            for buffer in 1..5 {
                assert_eq!(lines_of(text, buffer), expected, "{text:?} by {buffer}");
            }
        }
    }

    #[test]
    fn a_line_past_the_bound_is_not_read_to_its_end() {
        let mut lines = Lines::new(&b"12345678\n"[..], Place::StandardInput);
        let mut text = b"ab".to_vec();
        assert_eq!(lines.append_to(&mut text, 10).unwrap(), LineRead::TooLong);
        let mut lines = Lines::new(&b"1234567\n"[..], Place::StandardInput);
        let mut text = b"ab".to_vec();
        assert_eq!(lines.append_to(&mut text, 10).unwrap(), LineRead::Line);
        assert_eq!(text, b"ab1234567\n");
    }

    #[test]
    fn the_end_of_a_line_is_split_off() {
        let cases: [(&[u8], usize); 5] =
            [(b"", 0), (b"a", 0), (b"a\n", 1), (b"\r\n", 2), (b"a\r", 1)];
        for (line, size) in cases {
            assert_eq!(split_end(line).1.len(), size);
        }
    }
}
