//! What holds for any input: no bytes make the reader panic, and what was written is read back,
//! however it was laid out.

use std::io::{self, Read};

use encoding_rs::WINDOWS_1252;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Reader, gzip, source, zstd};
use crate::contact::InputLine;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in any_input(),
        column in proptest::option::of("[a-zA-Z ]{0,10}"),
        delimiter: Option<u8>,
    ) {
        let source = source(column.as_deref(), delimiter);
        let Ok(mut reader) = Reader::over(&source, Box::new(io::Cursor::new(bytes))) else {
            return Ok(());
        };
        let mut last = 0;
        while let Some(Ok(line)) = reader.next() {
            let (InputLine::Target { input_line, .. } | InputLine::Rejected { input_line, .. }) =
                line;
            prop_assert!(input_line > last);
            last = input_line;
        }
        prop_assert!(reader.next().is_none());
    }

    #[test]
    fn ids_are_read_back_from_any_layout(
        rows in proptest::collection::vec(row(), 1..40),
        layout in layout(),
    ) {
        let (bytes, expected) = layout.write(&rows);
        let input = Dribble { bytes: io::Cursor::new(bytes), size: layout.read_size };
        let delimiter = layout.is_delimiter_set.then_some(layout.delimiter);
        let reader = Reader::over(&source(None, delimiter), Box::new(input))
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut found = Vec::new();
        for line in reader {
            match line {
                Ok(InputLine::Target { contact_id, input_line, .. }) => {
                    found.push((contact_id.get(), input_line));
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(found, expected);
    }
}

/// Noise, and fragments that mean something to the reader; plain, or behind a compressor.
pub(super) fn any_input() -> impl Strategy<Value = Vec<u8>> {
    const FRAGMENTS: [&[u8]; 17] = [
        b"\"",
        b",",
        b";",
        b"\t",
        b"\r",
        b"\n",
        b"\0",
        b" ",
        b"1",
        b"4711",
        b"contactId",
        b"sep=;\n",
        b"Contact ID",
        b"[I:5]",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x1f\x8b",
    ];
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let fragments = proptest::collection::vec(select(FRAGMENTS.to_vec()), 0..60)
        .prop_map(|parts| parts.concat());
    let plain = prop_oneof![noise, fragments];
    let compressed = (plain.clone(), any::<bool>(), any::<prop::sample::Index>()).prop_map(
        |(plain, is_gzip, end)| {
            let mut bytes = if is_gzip { gzip(&plain) } else { zstd(&plain) };
            bytes.drain(end.index(bytes.len())..);
            bytes
        },
    );
    prop_oneof![4 => plain, 1 => compressed]
}

#[derive(Debug, Clone)]
struct Row {
    id: i32,
    written: fn(i32) -> String,
    other: &'static str,
    blank_lines: usize,
}

fn row() -> impl Strategy<Value = Row> {
    let written: [fn(i32) -> String; 4] = [
        |id| id.to_string(),
        |id| format!(" {id}\u{a0}"),
        |id| format!("[I:{id}]"),
        |id| format!("00{id}"),
    ];
    let other = [
        "",
        "Acme AS",
        "a,b;c|d\te",
        "Sør-Øst \"1\"",
        "first\nsecond",
        "\n\n",
    ];
    (
        1..=i32::MAX,
        select(written.to_vec()),
        select(other.to_vec()),
        0_usize..3,
    )
        .prop_map(|(id, written, other, blank_lines)| Row {
            id,
            written,
            other,
            blank_lines,
        })
}

type Compress = fn(&[u8]) -> Vec<u8>;

#[derive(Debug, Clone)]
struct Layout {
    heading: Option<&'static str>,
    cells: Cells,
    delimiter: u8,
    is_delimiter_set: bool,
    line_end: &'static str,
    is_quoted: bool,
    encoding: Encoding,
    compress: Compress,
    read_size: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cells {
    Id,
    IdFirst,
    IdLast,
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Utf8,
    Utf8WithMark,
    Windows1252,
}

fn layout() -> impl Strategy<Value = Layout> {
    let headings = [
        None,
        Some("contactId"),
        Some("CONTACT_ID"),
        Some("Company ID"),
        Some("PrimaryKey"),
    ];
    let encodings = [
        Encoding::Utf8,
        Encoding::Utf8WithMark,
        Encoding::Windows1252,
    ];
    let compressors: [Compress; 3] = [<[u8]>::to_vec, gzip, zstd];
    (
        (
            select(headings.to_vec()),
            select(vec![Cells::Id, Cells::IdFirst, Cells::IdLast]),
        ),
        (
            select(b",;\t|".to_vec()),
            any::<bool>(),
            select(vec!["\n", "\r\n", "\r"]),
            any::<bool>(),
        ),
        (
            select(encodings.to_vec()),
            select(compressors.to_vec()),
            1_usize..200,
        ),
    )
        .prop_map(
            |(
                (heading, cells),
                (delimiter, is_delimiter_set, line_end, is_quoted),
                (encoding, compress, read_size),
            )| {
                // Without a heading there can be only the one column.
                let cells = if heading.is_some() { cells } else { Cells::Id };
                Layout {
                    heading,
                    cells,
                    delimiter,
                    is_delimiter_set,
                    line_end,
                    is_quoted,
                    encoding,
                    compress,
                    read_size,
                }
            },
        )
}

impl Layout {
    /// The file, and each id in it with the line on which it must be found.
    fn write(&self, rows: &[Row]) -> (Vec<u8>, Vec<(i64, u64)>) {
        let (mut text, mut line, mut expected) = (String::new(), 1, Vec::new());
        if let Some(heading) = self.heading {
            text += &self.record(heading, "Å, navn");
            line += 1;
        }
        for row in rows {
            text += &self.line_end.repeat(row.blank_lines);
            line += u64::try_from(row.blank_lines).unwrap();
            expected.push((i64::from(row.id), line));
            text += &self.record(&(row.written)(row.id), row.other);
            line += 1;
            if self.cells != Cells::Id {
                line += u64::try_from(row.other.matches('\n').count()).unwrap();
            }
        }
        let bytes = match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Utf8WithMark => format!("\u{feff}{text}").into_bytes(),
            Encoding::Windows1252 => WINDOWS_1252.encode(&text).0.into_owned(),
        };
        ((self.compress)(&bytes), expected)
    }

    fn record(&self, id: &str, other: &str) -> String {
        let other = self.cell(&other.replace('\n', self.line_end));
        let delimiter = char::from(self.delimiter);
        let cells = match self.cells {
            Cells::Id => self.cell(id),
            Cells::IdFirst => format!("{}{delimiter}{other}", self.cell(id)),
            Cells::IdLast => format!("{other}{delimiter}{}", self.cell(id)),
        };
        cells + self.line_end
    }

    fn cell(&self, text: &str) -> String {
        if self.is_quoted || text.contains([',', ';', '\t', '|', '"', '\r', '\n']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }
}

/// Gives out a few bytes at a time, as a pipe may.
struct Dribble {
    bytes: io::Cursor<Vec<u8>>,
    size: usize,
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = buffer.len().min(self.size);
        self.bytes.read(&mut buffer[..size])
    }
}
