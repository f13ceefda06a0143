//! Cuts lines into cells, as RFC 4180 has them: a state machine over the bytes of a record. Leaves
//! finding the lines, and judging what is odd about a record, to others.

use super::super::cell;
use super::lines::split_end;

/// The cells of one record, cut line by line into the same memory.
pub(super) struct Cells {
    /// None: a line is one cell.
    delimiter: Option<u8>,
    position: Position,
    content: Vec<u8>,
    ends: Vec<usize>,
    opens_quote: bool,
    is_misquoted: bool,
}

/// Where in a cell the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    Unquoted,
    Quoted,
    AfterQuote,
}

impl Cells {
    /// No cells yet.
    pub(super) fn new(delimiter: Option<u8>) -> Self {
        Self {
            delimiter,
            position: Position::Start,
            content: Vec::new(),
            ends: Vec::new(),
            opens_quote: false,
            is_misquoted: false,
        }
    }

    /// Makes room for the next record.
    pub(super) fn clear(&mut self) {
        self.position = Position::Start;
        self.content.clear();
        self.ends.clear();
        self.opens_quote = false;
        self.is_misquoted = false;
    }

    /// Cuts the next line of the record, given with its end.
    pub(super) fn push_line(&mut self, line: &[u8]) {
        self.opens_quote = false;
        let (text, end) = split_end(line);
        self.push_all(text);
        if self.is_open() {
            self.content.extend_from_slice(end);
        } else {
            self.end_cell();
        }
    }

    /// Cuts a line as a record of its own, whose quotes end with it: one that is not closed is
    /// text.
    pub(super) fn cut_alone(&mut self, line: &[u8]) {
        self.clear();
        let (text, _) = split_end(line);
        let mut opened = 0;
        for (index, byte) in text.iter().enumerate() {
            self.opens_quote = false;
            self.push(*byte);
            if self.opens_quote {
                opened = index;
            }
        }
        if self.is_open() {
            let (before, rest) = text.split_at(opened);
            self.clear();
            self.push_all(before);
            self.position = Position::Unquoted;
            self.push_all(rest);
        }
        self.end_cell();
    }

    fn push_all(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    fn push(&mut self, byte: u8) {
        let is_delimiter = Some(byte) == self.delimiter;
        match self.position {
            Position::Quoted if byte == b'"' => self.position = Position::AfterQuote,
            Position::Quoted => self.content.push(byte),
            Position::Start | Position::Unquoted | Position::AfterQuote if is_delimiter => {
                self.end_cell();
            }
            Position::Start if byte == b'"' => {
                self.position = Position::Quoted;
                self.opens_quote = true;
            }
            Position::Start | Position::Unquoted => {
                self.position = Position::Unquoted;
                self.content.push(byte);
            }
            Position::AfterQuote if byte == b'"' => {
                self.position = Position::Quoted;
                self.content.push(byte);
            }
            Position::AfterQuote if matches!(byte, b' ' | b'\t') => {}
            Position::AfterQuote => {
                self.is_misquoted = true;
                self.position = Position::Unquoted;
                self.content.push(byte);
            }
        }
    }

    fn end_cell(&mut self) {
        self.ends.push(self.content.len());
        self.position = Position::Start;
    }

    /// Whether the record goes on, since its last line ends inside quotes.
    pub(super) fn is_open(&self) -> bool {
        self.position == Position::Quoted
    }

    /// Whether a quote was opened on the last line.
    pub(super) fn opens_quote(&self) -> bool {
        self.opens_quote
    }

    /// Whether text follows a closing quote, so that nobody knows which quotes were meant to open
    /// and close.
    pub(super) fn is_misquoted(&self) -> bool {
        self.is_misquoted
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The one at this index.
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)?,
            None => 0,
        };
        self.content.get(start..*self.ends.get(index)?)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// The cells of a record as headings.
pub(super) fn texts(cells: &Cells) -> Vec<String> {
    cells
        .iter()
        .map(|bytes| cell::decode(bytes).trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(delimiter: Option<u8>, lines: &[&str]) -> Cells {
        let mut cells = Cells::new(delimiter);
        for line in lines {
            cells.push_line(line.as_bytes());
        }
        cells
    }

    fn shown(cells: &Cells) -> Vec<&str> {
        cells
            .iter()
            .map(|cell| str::from_utf8(cell).unwrap())
            .collect()
    }

    #[test]
    fn lines_are_cut_at_delimiters_outside_quotes() {
        let cases: [(&[&str], &[&str]); 14] = [
            (&["\n"], &[""]),
            (&["a;b\r\n"], &["a", "b"]),
            (&["a;;\r"], &["a", "", ""]),
            (&[";"], &["", ""]),
            (&["\"a;b\";c"], &["a;b", "c"]),
            (&["\"\""], &[""]),
            (&["\"a \"\"b\"\"\";\"\"\"\"\n"], &["a \"b\"", "\""]),
            (&["5\" pipe;\n"], &["5\" pipe", ""]),
            (&["a \"b\";c\n"], &["a \"b\"", "c"]),
            (&[" \"a\";b\n"], &[" \"a\"", "b"]),
            (&["\"a\" \t;b\n"], &["a", "b"]),
            (&["\"a\r\n", "b\r", "\n", "c\";d\n"], &["a\r\nb\r\nc", "d"]),
            (&["\"a\"\"\n", "\";d\n"], &["a\"\n", "d"]),
            (&["a;\"b\n", ";\"\n"], &["a", "b\n;"]),
        ];
        for (lines, expected) in cases {
            let cells = cut(Some(b';'), lines);
            assert_eq!(shown(&cells), expected, "{lines:?}");
            assert!(!cells.is_open() && !cells.is_misquoted(), "{lines:?}");
        }
        assert_eq!(shown(&cut(None, &["a;b,c\u{1f}d\n"])), ["a;b,c\u{1f}d"]);
    }

    #[test]
    fn a_line_alone_ends_its_quotes() {
        let cases: [(&str, &[&str]); 7] = [
            ("a;b\n", &["a", "b"]),
            ("\"a;b\";c", &["a;b", "c"]),
            ("a;\"b;c\n", &["a", "\"b", "c"]),
            ("\"a;b\";\"c;d\r\n", &["a;b", "\"c", "d"]),
            ("a\";b\n", &["a\"", "b"]),
            ("\"a;\"\";b\n", &["\"a", "", "b"]),
            ("\n", &[""]),
        ];
        let mut cells = Cells::new(Some(b';'));
        for (line, expected) in cases {
            cells.cut_alone(line.as_bytes());
            assert_eq!(shown(&cells), expected, "{line:?}");
        }
    }

    #[test]
    fn text_after_a_closing_quote_is_noticed() {
        let cases: [(&[&str], bool); 7] = [
            (&["\"a\"b;c\n"], true),
            (&["\"Ole \"Bull\" AS\";c\n"], true),
            (&["\"a\" b\n"], true),
            (&["\"a\n", "b\"c\n"], true),
            (&["\"a\"\t \n"], false),
            (&["\"a\"\"b\"\n"], false),
            (&["a\"b\"c\n"], false),
        ];
        for (lines, expected) in cases {
            assert_eq!(cut(Some(b';'), lines).is_misquoted(), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_record_is_open_while_a_quote_is() {
        let mut cells = cut(Some(b';'), &["a;\"b\n"]);
        assert!(cells.is_open() && cells.opens_quote());
        cells.push_line(b"c\n");
        assert!(cells.is_open() && !cells.opens_quote());
        cells.push_line(b"d\";\"e\n");
        assert!(cells.is_open() && cells.opens_quote());
        cells.push_line(b"\"\n");
        assert!(!cells.is_open());
        assert_eq!(shown(&cells), ["a", "b\nc\nd", "e\n"]);
        cells.clear();
        cells.push_line(b"f");
        assert_eq!(shown(&cells), ["f"]);
    }
}
