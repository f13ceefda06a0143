//! The reader as a whole: bytes and settings in, lines or an error message out.

mod accounting;
mod hostile;
mod properties;
mod report;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use crate::contact::{InputLine, Reason};
use crate::extract::ids::{Error, Place, Reader, Source};

fn source(column: Option<&str>, delimiter: Option<u8>) -> Source {
    Source {
        place: Place::Path(PathBuf::from("ids.csv")),
        column: column.map(str::to_owned),
        delimiter,
        sheet: None,
    }
}

fn read(source: &Source, bytes: impl Into<Vec<u8>>) -> Result<Vec<InputLine>, Error> {
    Reader::over(source, Box::new(io::Cursor::new(bytes.into())))?.collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// `line:id` for a target, `line!text` for a line without an id and `line?text` for a ragged one.
fn shown(lines: &[InputLine]) -> String {
    let words: Vec<_> = lines
        .iter()
        .map(|line| match line {
            InputLine::Target {
                contact_id,
                input_line,
                ..
            } => format!("{input_line}:{contact_id}"),
            InputLine::Rejected {
                input_line,
                input_value,
                reason,
            } => {
                let mark = if *reason == Reason::RaggedRow {
                    '?'
                } else {
                    '!'
                };
                format!("{input_line}{mark}{input_value}")
            }
        })
        .collect();
    words.join(" ")
}

/// Each case is named; it has its settings, its bytes and the lines in them.
type Lines<'bytes> = (&'static str, Source, &'bytes [u8], &'static str);

#[track_caller]
fn check_lines(cases: &[Lines<'_>]) {
    for (name, source, bytes, expected) in cases {
        assert_eq!(shown(&read(source, *bytes).unwrap()), *expected, "{name}");
    }
}

fn usual() -> Source {
    source(None, None)
}

#[test]
fn the_id_column_is_found() {
    check_lines(&[
        (
            "the id elsewhere",
            usual(),
            b"Name;Company ID\nAcme;7\n",
            "2:7",
        ),
        ("no heading", usual(), b"11\n12\n", "1:11 2:12"),
        (
            "no heading, first line bad",
            usual(),
            b"0\n12\n",
            "1!0 2:12",
        ),
        (
            "no heading, encoded",
            usual(),
            b"[I:11]\n[I:12]\n",
            "1:11 2:12",
        ),
        ("heading only", usual(), b"contactId,Name\n", ""),
        (
            "Windows-1252 heading",
            source(Some("Kundenr Ø"), None),
            b"Navn;Kundenr \xd8\n\xc5s;3\n",
            "2:3",
        ),
        (
            "a column asked for",
            source(Some("Contact ID"), None),
            b"contactId,Contact ID\n1,2\n",
            "2:2",
        ),
    ]);
}

#[test]
fn lines_end_in_any_way() {
    check_lines(&[
        ("no line end at the end", usual(), b"contactId\n1", "2:1"),
        (
            "carriage returns and line feeds",
            usual(),
            b"contactId\r\n1\r\n2\r\n",
            "2:1 3:2",
        ),
        (
            "carriage returns alone",
            usual(),
            b"contactId\r1\r2\r",
            "2:1 3:2",
        ),
        (
            "mixed line ends",
            usual(),
            b"contactId\r\n1\r\r\n\n2\n\r3",
            "2:1 5:2 7:3",
        ),
        (
            "blank lines",
            usual(),
            b"\n \t\n\r\ncontactId\n\n5\n   \n\n6\n\n",
            "6:5 9:6",
        ),
        (
            "quoted line ends",
            usual(),
            b"\"a\r\nb\",contactId\n\"x\ny\rz\",5\nq,6\n",
            "3:5 6:6",
        ),
        ("heading only, no line end", usual(), b"contactId", ""),
        (
            "empty quotes are no blank line",
            usual(),
            b"contactId\n\"\"\n",
            "2!",
        ),
    ]);
}

#[test]
fn cells_are_separated_in_any_way() {
    check_lines(&[
        (
            "a heading and a delimiter",
            usual(),
            b"contactId,Name\n1,Acme\n2,Bolt\n",
            "2:1 3:2",
        ),
        (
            "nothing but delimiters",
            usual(),
            b"contactId;Name\n;\n",
            "2!",
        ),
        (
            "a delimiter set",
            source(None, Some(b':')),
            b"contactId:Name\n1:a\n",
            "2:1",
        ),
        (
            "a delimiter set, one column",
            source(None, Some(b',')),
            b"4\n5\n",
            "1:4 2:5",
        ),
        (
            "a delimiter named",
            usual(),
            b"sep=;\r\nNavn, sted;contactId\r\nx;1\r\n",
            "3:1",
        ),
        (
            "a delimiter named that is not guessed",
            usual(),
            b"\xef\xbb\xbfsep=~\n\ncontactId~a,b\n1~x\n",
            "4:1",
        ),
        (
            "a delimiter named, no heading",
            usual(),
            b"sep=,\n7\n",
            "2:7",
        ),
        (
            "a delimiter named and another set",
            source(None, Some(b':')),
            b"sep=;\ncontactId:Name\n1:a;b\n",
            "3:1",
        ),
    ]);
}

#[test]
fn ids_are_read_in_any_cell() {
    check_lines(&[
        (
            "quoted",
            usual(),
            b"\"contactId\",\"Name\"\n\"5\",\"a \"\"b\"\", c\"\n",
            "2:5",
        ),
        (
            "duplicates are kept",
            usual(),
            b"contactId\n5\n5\n",
            "2:5 3:5",
        ),
        (
            "bad ids",
            usual(),
            b"contactId;x\nabc;1\n;2\n-1;3\n12.0;4\n",
            "2!abc 3! 4!-1 5:12",
        ),
        (
            "too few cells",
            usual(),
            b"Name;contactId\nAcme\nBolt;3\n",
            "2! 3:3",
        ),
        (
            "too many cells",
            usual(),
            b"contactId;Name\n1;2;3;4\n",
            "2?1",
        ),
        (
            "thousands separator in a single column",
            usual(),
            b"contactId\n1,234\n1;2\n",
            "2!1,234 3!1;2",
        ),
        (
            "Windows-1252 value",
            usual(),
            b"contactId\n\xe6\xf8\xe5\n9\xa0\n",
            "2!æøå 3:9",
        ),
        (
            "a zero byte",
            usual(),
            b"contactId\n1\x002\n3\n",
            "2!1\u{0}2 3:3",
        ),
        (
            "a quote inside a cell",
            usual(),
            b"Name,contactId\n5\" pipe,3\n",
            "2:3",
        ),
        (
            "floats",
            usual(),
            b"contactId;Name\n5.0;a\n6,0;b\n1.0E+2;c\n1\xa0234;d\n1.234;e\n",
            "2:5 3:6 4:100 5:1234 6!1.234",
        ),
        (
            "thousands between commas",
            usual(),
            b"contactId,Name\n1,234,\n\"1,234,567\",b\n3,c\n",
            "2?1 3:1234567 4:3",
        ),
        (
            "a unit separator",
            usual(),
            b"contactId\n1\x1f2\n",
            "2!1\u{1f}2",
        ),
    ]);
}

#[test]
fn marks_of_other_programs_are_passed_over() {
    let mark = "\u{feff}";
    let with_mark = |text: &str| text.replace('^', mark).into_bytes();
    let heading = with_mark("^contactId\n5\n");
    let bare = with_mark("^5\n");
    let typed = with_mark("^#TYPE A\nsep=;\nName, x;contactId\na;1\n");
    let joined = with_mark("^contactId;Name\n1;a\n^contactId;Name\n2;b\n");
    let joined_quoted = with_mark("^\"contactId\"\r\n\"1\"\r\n^\"contactId\"\r\n\"2\"\r\n");
    let joined_bare = with_mark("^1\n^2\n");
    let powershell = b"#TYPE A.B\r\n\"contactId\",\"Name\"\r\n\"1\",\"A\"\r\n";
    check_lines(&[
        ("byte order mark", usual(), &heading, "2:5"),
        ("byte order mark, no heading", usual(), &bare, "1:5"),
        ("the type that PowerShell names", usual(), powershell, "3:1"),
        ("the type, then a delimiter", usual(), &typed, "4:1"),
        ("joined files", usual(), &joined, "2:1 4:2"),
        ("joined files, quoted", usual(), &joined_quoted, "2:1 4:2"),
        (
            "joined files, no headings",
            usual(),
            &joined_bare,
            "1:1 2:2",
        ),
    ]);
}

#[test]
fn compressed_input_is_unpacked() {
    let gzip_twice = [gzip(b"contactId\n1\n"), gzip(b"2\n")].concat();
    check_lines(&[
        (
            "gzip and zeros",
            usual(),
            &[gzip(b"contactId\n1\n"), vec![0; 1000]].concat(),
            "2:1",
        ),
        ("gzip", usual(), &gzip(b"contactId\n1\n"), "2:1"),
        ("gzip in parts", usual(), &gzip_twice, "2:1 3:2"),
        ("zstd", usual(), &zstd(b"\xef\xbb\xbf8\n9\n"), "1:8 2:9"),
    ]);
}

#[track_caller]
fn check_errors(cases: Vec<(&str, Source, Vec<u8>, &str)>) {
    for (name, source, bytes, expected) in cases {
        let message = read(&source, bytes).unwrap_err().to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn an_empty_input_is_no_list() {
    check_errors(vec![
        (
            "no bytes",
            usual(),
            vec![],
            "ids.csv is empty; it must hold",
        ),
        (
            "byte order mark only",
            usual(),
            b"\xef\xbb\xbf".into(),
            "ids.csv is empty",
        ),
        (
            "blank lines only",
            usual(),
            b"\r\n  \n\n".into(),
            "ids.csv is empty",
        ),
        (
            "a delimiter named and no more",
            usual(),
            b"sep=;\r\n".into(),
            "ids.csv is empty",
        ),
        ("gzip of nothing", usual(), gzip(b""), "ids.csv is empty"),
    ]);
}

#[test]
fn an_input_without_one_clear_column_says_what_to_do() {
    check_errors(vec![
        (
            "persons",
            usual(),
            b"Name,Contact ID\nx,1\n".into(),
            "line 1: no heading is known to mean company ids (`Contact ID` labels",
        ),
        (
            "one unknown column",
            usual(),
            b"\nContact ID\n1\n".into(),
            "line 2: no heading is known",
        ),
        (
            "headings listed",
            usual(),
            b"Navn;Sted\nx;1\n".into(),
            r#"set `[source] column` to the right one of "Navn", "Sted""#,
        ),
        (
            "unknown column",
            source(Some("id"), None),
            b"Navn;Sted\n".into(),
            r#"no column `id`; set `[source] column` to one of "Navn", "#,
        ),
        (
            "twice",
            usual(),
            b"contactId,a,contactId\n".into(),
            "line 1: more than one column fits; set `[source] column`",
        ),
        (
            "several columns, no heading",
            usual(),
            b"1,Acme\n2,Bolt\n".into(),
            "ids.csv, line 1: holds data where headings",
        ),
        (
            "column asked for, no heading",
            source(Some("id"), None),
            b"1\n2\n".into(),
            "ids.csv, line 1: holds data where headings",
        ),
        (
            "joined files of other columns",
            usual(),
            b"contactId;Zip\n1;2\nZip;contactId\n3;4\n".into(),
            "ids.csv, line 3: headings stand here again, but not as in the first line; join only",
        ),
        (
            "joined without a line end",
            usual(),
            b"Name;contactId\na;1\xef\xbb\xbfName;contactId\nb;2\n".into(),
            "ids.csv, line 2: headings stand here again, but not as in",
        ),
        (
            "joined files with another heading of ids",
            usual(),
            b"contactId;Zip\n1;2\nZip;Company ID\n3;4\n".into(),
            "ids.csv, line 3: headings stand here again",
        ),
    ]);
}

#[test]
fn what_is_no_csv_is_named() {
    check_errors(vec![
        (
            "UTF-16 without a mark",
            usual(),
            b"1\x001\0\n\0".into(),
            "ids.csv is UTF-16 text without a byte order mark; save it as CSV in UTF-8",
        ),
        (
            "a login page",
            usual(),
            b"\n<!DOCTYPE html><html><body>Sign in</body></html>\n".into(),
            "ids.csv is a web page (perhaps a login page) or XML; save it as CSV",
        ),
        (
            "a login page in gzip",
            usual(),
            gzip(b"<html></html>"),
            "ids.csv is a web page",
        ),
        (
            "lines of JSON",
            usual(),
            b"{\"contactId\":1}\n{\"contactId\":2}\n".into(),
            "ids.csv is JSON; save it as CSV",
        ),
        (
            "a workbook",
            usual(),
            b"PK\x03\x04rest".into(),
            "ids.csv is a ZIP archive or an Excel workbook that is no plain file",
        ),
    ]);
}

#[test]
fn quotes_that_cannot_be_trusted_end_the_reading() {
    check_errors(vec![
        (
            "open quote",
            usual(),
            b"contactId\n1\n\"2\n3\n".into(),
            "ids.csv, line 3: a quote that opens here is never closed",
        ),
        (
            "impossible delimiter",
            source(None, Some(b'"')),
            b"contactId\n".into(),
            "a quote or a line end cannot be the delimiter",
        ),
        (
            "open quote in the heading",
            usual(),
            b"\"contactId\n1\n".into(),
            "ids.csv, line 1: a quote that opens here is never closed",
        ),
    ]);
}

#[test]
fn damaged_input_ends_the_reading() {
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 6].to_vec();
    check_errors(vec![
        (
            "cut gzip",
            usual(),
            cut(&gzip(b"contactId\n1\n2\n")),
            "cannot be read any further",
        ),
        (
            "cut zstd",
            usual(),
            cut(&zstd(b"contactId\n1\n2\n")),
            "cannot be read any further",
        ),
        (
            "not gzip after all",
            usual(),
            b"\x1f\x8bnonsense".into(),
            "ids.csv, line 1: cannot be read any further",
        ),
    ]);
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: PathBuf| {
        Reader::open(&Source {
            place: Place::Path(path),
            ..source(None, None)
        })
    };
    let missing = open(folder.path().join("none.csv")).err().unwrap();
    assert!(
        missing
            .to_string()
            .ends_with("none.csv cannot be opened; check `[source] path`"),
        "{missing}"
    );
    let directory = open(folder.path().to_owned()).err().unwrap();
    assert!(
        directory
            .to_string()
            .ends_with("is a directory; `[source] path` must name a CSV file"),
        "{directory}"
    );

    let path = folder.path().join("ids.csv");
    std::fs::write(&path, "Company ID\n4\n").unwrap();
    let reader = open(path).ok().unwrap();
    assert_eq!(reader.column().to_string(), "the column `Company ID`");
    assert_eq!(
        shown(&reader.collect::<Result<Vec<_>, _>>().unwrap()),
        "2:4"
    );
}

#[test]
fn the_column_is_named_as_it_stands_but_harmless() {
    let named = |source: &Source, text: &'static str| {
        let reader = Reader::over(source, Box::new(io::Cursor::new(text)))
            .ok()
            .unwrap();
        reader.column().to_string()
    };
    assert_eq!(
        named(&source(None, None), "PrimaryKey;CONTACTID\n"),
        "the column `CONTACTID`"
    );
    assert_eq!(
        named(&source(None, None), "7\n"),
        "the only column, which has no heading"
    );
    assert_eq!(
        named(&source(Some("id \u{1b}[2J"), None), "id \u{1b}[2J;x\n"),
        "the column `id \\u{1b}[2J`"
    );
}

#[test]
fn the_value_is_kept_as_it_stands() {
    let lines = read(&source(None, None), "contactId\n 007 \n\"[I:8]\"\n").unwrap();
    let values: Vec<_> = lines
        .iter()
        .map(|line| match line {
            InputLine::Target { input_value, .. } | InputLine::Rejected { input_value, .. } => {
                input_value.as_str()
            }
        })
        .collect();
    assert_eq!(values, [" 007 ", "[I:8]"]);
}

/// A hundred megabytes after a heading and one good line; memory is bounded since reading stops at
/// the limit.
#[test]
fn an_endless_record_is_an_error_with_its_line() {
    for filler in [
        b"1".as_slice(),
        b",",
        b"\"",
        b"\"\"\n",
        b"\0",
        b"\xff",
        b"a\",",
    ] {
        let start = io::Cursor::new(b"contactId,Name\n1,Acme\n\"");
        let endless = start.chain(
            Endless {
                filler,
                position: 0,
            }
            .take(100_000_000),
        );
        let mut reader = Reader::over(&source(None, None), Box::new(endless))
            .ok()
            .unwrap();
        assert_eq!(shown(&[reader.next().unwrap().unwrap()]), "2:1");
        let message = reader.next().unwrap().unwrap_err().to_string();
        assert!(
            message
                .starts_with("ids.csv, line 3: the record that starts here is longer than 1 MiB"),
            "{message}"
        );
        assert!(reader.next().is_none());
    }
}

#[test]
fn a_large_record_below_the_limit_is_read() {
    let text = format!(
        "contactId,{}\n5,\"{}\"\n6\n",
        "x,".repeat(100_000),
        "y".repeat(600_000)
    );
    assert_eq!(shown(&read(&source(None, None), text).unwrap()), "2:5 3:6");
}

/// The same bytes over and over.
struct Endless {
    filler: &'static [u8],
    position: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.filler[self.position % self.filler.len()];
            self.position += 1;
        }
        Ok(buffer.len())
    }
}
