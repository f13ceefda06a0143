//! No line is lost: whatever the file, each physical line is given out, blank, or part of a record
//! that was; and each id stands where it is said to stand.

use std::fmt::Write as _;
use std::io::{self, Read as _};

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::properties::any_input;
use super::{Reader, gzip, shown, source, zstd};
use crate::contact::{InputLine, Reason};
use crate::extract::ids::{Error, LineCounts};

type Read = (Vec<InputLine>, LineCounts);
type Compress = fn(&[u8]) -> Vec<u8>;

const COMPRESS: [Compress; 3] = [<[u8]>::to_vec, gzip, zstd];

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap()
}

fn read(bytes: &[u8]) -> Result<Read, Error> {
    let input = io::Cursor::new(bytes.to_vec());
    let mut reader = Reader::over(&source(None, None), Box::new(input))?;
    let lines = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    let counts = reader.report().unwrap().lines;
    Ok((lines, counts))
}

/// The physical lines, found the slow way.
fn physical_lines(bytes: &[u8]) -> Vec<String> {
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes)
            .read_to_end(&mut text)
            .unwrap();
        text
    } else if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        zstd::decode_all(bytes).unwrap()
    } else {
        bytes.to_vec()
    };
    let utf_16 = |to_unit: fn([u8; 2]) -> u16| {
        let units = text.chunks(2).skip(1).map(|pair| match pair {
            [first, second] => to_unit([*first, *second]),
            // Half a unit is no character.
            _ => 0xdc00,
        });
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    let text: String = match text.as_slice() {
        [0xff, 0xfe, ..] => utf_16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf_16(u16::from_be_bytes),
        // Latin-1 keeps every byte apart, which is all that is asked for here.
        bytes => bytes.iter().copied().map(char::from).collect(),
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split_inclusive('\n')
        .map(|line| line.trim_end_matches('\n').to_owned())
        .collect()
}

fn line_of(line: &InputLine) -> u64 {
    match line {
        InputLine::Target { input_line, .. } | InputLine::Rejected { input_line, .. } => {
            *input_line
        }
    }
}

proptest! {
    #[test]
    fn any_file_adds_up(bytes in prop_oneof![any_input(), lines_of_fragments()]) {
        let Ok((lines, counts)) = read(&bytes) else { return Ok(()) };
        let physical = physical_lines(&bytes);
        prop_assert_eq!(counts.lines, number(physical.len()));
        prop_assert_eq!(number(lines.len()) + counts.blank, counts.lines);
        prop_assert!(lines.windows(2).all(|pair| line_of(&pair[0]) < line_of(&pair[1])));
        prop_assert!(lines.last().is_none_or(|last| line_of(last) <= counts.lines));
        // The digits of an id stand on its line, or on one of the same record.
        let ends = lines.iter().skip(1).map(line_of).chain([counts.lines + 1]);
        for (line, end) in lines.iter().zip(ends) {
            if let InputLine::Target { input_line, input_value, .. } = line {
                let index = |line: u64| usize::try_from(line - 1).unwrap();
                let [start, end] = [*input_line, end].map(index);
                let digits: String = input_value.chars().filter(char::is_ascii_digit).collect();
                let stands = physical[start..end].iter().any(|line| {
                    let found: String = line.chars().filter(char::is_ascii_digit).collect();
                    found.contains(&digits)
                });
                prop_assert!(stands, "{line:?}");
            }
        }
    }

    #[test]
    fn a_file_of_known_pieces_is_read_as_they_are(
        pieces in proptest::collection::vec(piece(), 0..30),
        line_end in select(vec!["\n", "\r\n", "\r"]),
        compress in select(COMPRESS.to_vec()),
    ) {
        let mut text = String::from("Name;Zip;contactId\na;1;999999\na;1;999999\na;1;999999\n");
        let mut expected = String::from("2:999999 3:999999 4:999999");
        let (mut line, mut given_out) = (5, 3);
        for (index, piece) in pieces.iter().enumerate() {
            let (written, ends) = piece(index + 1);
            for end in ends {
                if let Some(end) = end {
                    write!(expected, " {line}{end}").unwrap();
                    given_out += 1;
                }
                line += 1;
            }
            text += &written;
        }
        let bytes = compress(text.replace('\n', line_end).as_bytes());
        let (lines, counts) = read(&bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(shown(&lines).replace(line_end, "\n"), expected);
        prop_assert_eq!(counts, LineCounts { lines: line - 1, blank: line - 1 - given_out });
    }

    /// Ids are all different, so that each line can be told by its own.
    #[test]
    fn stray_quotes_and_delimiters_let_no_line_vanish(
        (text, heading) in sound_file(),
        mark in select(vec!['"', ';']),
        places in proptest::collection::vec(any::<Index>(), 1..5),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for place in places {
            // The headings stay as they are: without them there is no telling what is meant. Nor
            // is there a line after the last.
            let index = heading + place.index(chars.len() - heading);
            // Beside another a quote is no stray one: the two stand for one in the text.
            if chars[index - 1] != '"' && chars[index] != '"' {
                chars.insert(index, mark);
            }
        }
        let marked: String = chars.into_iter().collect();
        let Ok((lines, _)) = read(marked.as_bytes()) else { return Ok(()) };
        let given_out: Vec<_> = lines.iter().map(line_of).collect();
        let all: Vec<_> = (2..=number(marked.lines().count())).collect();
        prop_assert_eq!(given_out, all, "{}", marked);
        for (line, written) in lines.iter().zip(marked.lines().skip(1)) {
            // Two more quotes on one line may quote two cells as one, and nobody can tell.
            let more_quotes = written.replace("\"Berg; Dal\"", "").matches('"').count();
            if let InputLine::Target { contact_id, input_line, .. } = line && more_quotes < 2 {
                // The sound file gives line 2 the id 1002, and so on.
                prop_assert_eq!(contact_id.get().unsigned_abs(), 1000 + input_line, "{}", marked);
            }
        }
    }
}

/// Lines that are cut, quoted and joined at random.
fn lines_of_fragments() -> impl Strategy<Value = Vec<u8>> {
    const FRAGMENTS: [&str; 14] = [
        "\"",
        "\"",
        ";",
        ";",
        "\n",
        "\n",
        "\r\n",
        "12",
        "4020",
        "Berg",
        "\"\"",
        "\u{feff}",
        " ",
        "contactId;Name",
    ];
    let rest = proptest::collection::vec(select(FRAGMENTS.to_vec()), 0..60);
    let heading = select(vec![
        "contactId;Name\n",
        "Name;contactId\n",
        "contactId\n",
        "1\n",
    ]);
    (heading, rest).prop_map(|(heading, rest)| (heading.to_owned() + &rest.concat()).into_bytes())
}

/// The text of a piece, and how each of its lines ends; none for one that asks for nothing.
type Piece = fn(usize) -> (String, Vec<Option<String>>);

fn piece() -> impl Strategy<Value = Piece> {
    let pieces: [Piece; 17] = [
        |id| (format!("Fjord;5003;{id}\n"), vec![Some(format!(":{id}"))]),
        |id| (format!("Fjord;5003;{id}.0\n"), vec![Some(format!(":{id}"))]),
        |id| {
            (
                format!("\"Berg; Dal\";\"\";\"{id}\"\n"),
                vec![Some(format!(":{id}"))],
            )
        },
        |id| {
            (
                format!("\"a\n\nb\";5003;{id}\n"),
                vec![Some(format!(":{id}")), None, None],
            )
        },
        |id| {
            (
                format!("a;\"1, 2\n3\";[I:{id}]\n"),
                vec![Some(format!(":{id}")), None],
            )
        },
        |_| ("\n".to_owned(), vec![None]),
        |_| (" \t\n\n".to_owned(), vec![None, None]),
        |_| ("Name;Zip;contactId\n".to_owned(), vec![None]),
        |_| ("\u{feff}Name;Zip;contactId\n".to_owned(), vec![None]),
        |_| ("Fjord;5003\n".to_owned(), vec![Some("!".to_owned())]),
        |id| (format!("Fjord;5003;{id}x\n"), vec![Some(format!("!{id}x"))]),
        |id| {
            (
                format!("Berg; Dal;4020;{id}\n"),
                vec![Some("?4020".to_owned())],
            )
        },
        |_| {
            (
                "Berg; Dal;4020;\n".to_owned(),
                vec![Some("?4020".to_owned())],
            )
        },
        |id| {
            (
                format!("\"Ole \"Bull\" AS\";4020;{id}\n"),
                vec![Some(format!("?{id}"))],
            )
        },
        |id| {
            let rest = ["?"; 10].map(|end| Some(end.to_owned()));
            let first = Some(format!("?{id}"));
            let text = format!("\"{}\";4020;{id}\n", ["x"; 11].join("\n"));
            (text, [vec![first], rest.to_vec()].concat())
        },
        |id| {
            let text = format!("\"Berg;4020;{id}00\nDal;1;{id}01\nVik\";2;{id}02\n");
            let first = Some(format!("?{id}02"));
            (
                text,
                vec![first, Some("?".to_owned()), Some("?".to_owned())],
            )
        },
        |id| {
            let first = Some(format!("?{id}\n{id}"));
            (
                format!("a;1;\"{id}\n{id}\"\n"),
                vec![first, Some("?".to_owned())],
            )
        },
    ];
    select(pieces.to_vec())
}

/// A file with an id on each line but the first, and the length of its heading.
fn sound_file() -> impl Strategy<Value = (String, usize)> {
    let layouts = [
        "Name;Zip;contactId\n",
        "contactId;Name;Zip\n",
        "Name;contactId;Zip\n",
    ];
    (select(layouts.to_vec()), 3_usize..9, any::<bool>()).prop_map(|(heading, count, is_quoted)| {
        let mut text = heading.to_owned();
        for id in 1002..1002 + count {
            let name = if is_quoted { "\"Berg; Dal\"" } else { "Berg" };
            let line = heading
                .trim_end()
                .replace("contactId", &id.to_string())
                .replace("Name", name)
                .replace("Zip", "5003");
            text += &(line + "\n");
        }
        (text, heading.len())
    })
}

#[test]
fn the_reasons_are_told_apart() {
    let (lines, _) = read(b"contactId;Name\nx;a\n1;a;b\n").unwrap();
    let reasons: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            InputLine::Rejected { reason, .. } => Some(*reason),
            InputLine::Target { .. } => None,
        })
        .collect();
    assert_eq!(reasons, [Reason::InvalidId, Reason::RaggedRow]);
}
