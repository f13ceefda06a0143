//! What is on record of the list itself, and lists that change while they are read.

use std::fs;
use std::io;
use std::path::Path;

use super::{gzip, source};
use crate::contact::InputLine;
use crate::extract::ids::{Error, LineCounts, Place, Reader, Source, read_whole};

fn file(path: &Path) -> Source {
    Source {
        place: Place::Path(path.to_owned()),
        ..source(None, None)
    }
}

fn all(reader: &mut Reader) -> Result<Vec<InputLine>, Error> {
    reader.collect()
}

#[test]
fn every_physical_line_is_counted() {
    let cases: [(&str, u64, u64, usize); 9] = [
        ("contactId\n", 1, 1, 0),
        ("contactId\n1\n1\nx\n", 4, 1, 3),
        ("1\n2", 2, 0, 2),
        ("\n\ncontactId\n\n1\n \n", 6, 5, 1),
        ("sep=;\n#TYPE x\ncontactId\n1\n", 4, 3, 1),
        ("contactId;\"a\nb\"\r\n1;\"c\rd\"\r\n2;e\r\n", 5, 3, 2),
        ("contactId;Note\n1;\"a\n2;b\"\n3;c\n", 4, 1, 3),
        ("contactId\n1\ncontactId\n2\n", 4, 2, 2),
        ("contactId\n1\n\u{feff}", 3, 2, 1),
    ];
    for (text, lines, blank, found) in cases {
        let input = io::Cursor::new(text.as_bytes().to_vec());
        let mut reader = Reader::over(&source(None, None), Box::new(input)).unwrap();
        assert_eq!(reader.report(), None);
        assert_eq!(all(&mut reader).unwrap().len(), found, "{text:?}");
        let counts = reader.report().unwrap().lines;
        assert_eq!(counts, LineCounts { lines, blank }, "{text:?}");
    }
}

#[test]
fn the_report_is_of_the_bytes_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.csv.gz");
    let packed = gzip(b"contactId\n1\n2\n");
    fs::write(&path, &packed).unwrap();
    let source = file(&path);
    let reader = Reader::open(&source).unwrap();
    let (lines, report) = read_whole(&source, reader, all).unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(report.place, source.place);
    assert_eq!(report.bytes, u64::try_from(packed.len()).unwrap());
    assert_eq!(report.lines, LineCounts { lines: 3, blank: 1 });
    let modified_at = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(report.modified_at, Some(modified_at.try_into().unwrap()));

    // The same, though nobody looked at the lines, and another for other bytes.
    let reader = Reader::open(&source).unwrap();
    let again = read_whole(&source, reader, |_| Ok::<_, Error>(()))
        .unwrap()
        .1;
    assert_eq!(again, report);
    fs::write(&path, gzip(b"contactId\n1\n3\n")).unwrap();
    let reader = Reader::open(&source).unwrap();
    let other = read_whole(&source, reader, all).unwrap().1;
    assert_ne!(other.sha256, report.sha256);
}

#[test]
fn a_list_that_changes_is_read_again_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.csv");
    for (changes, expected) in [(0, Some(1)), (1, Some(2)), (3, Some(4)), (4, None)] {
        fs::write(&path, "contactId\n1\n").unwrap();
        let source = file(&path);
        let mut reads = 0;
        let found = read_whole(&source, Reader::open(&source).unwrap(), |reader| {
            reads += 1;
            if reads <= changes {
                // As a program does that writes it line by line.
                let text = format!("contactId\n{}", "1\n".repeat(reads + 1));
                fs::write(&path, text).unwrap();
            }
            all(reader)
        });
        let found = found.map(|(lines, report)| {
            assert_eq!(report.lines.lines, u64::try_from(lines.len()).unwrap() + 1);
            lines.len()
        });
        match (found, expected) {
            (Ok(found), Some(lines)) => assert_eq!(found, lines),
            (Err(error), None) => assert_eq!(
                error.to_string(),
                format!(
                    "{} changed while it was read; write the list under another name and rename \
                     it once it is whole",
                    path.display()
                )
            ),
            (found, expected) => panic!("{found:?} in place of {expected:?}"),
        }
        assert_eq!(reads, changes.min(3) + 1);
    }
}

#[test]
fn half_a_file_is_a_change_rather_than_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.csv");
    // More than is read ahead, then a quote whose end is not written yet.
    let ids = "1\n".repeat(100_000);
    let half = format!("contactId\n{ids}\"2");
    fs::write(&path, &half).unwrap();
    let source = file(&path);
    let mut reads = 0;
    let (lines, _) = read_whole(&source, Reader::open(&source).unwrap(), |reader| {
        reads += 1;
        if reads == 1 {
            assert!(reader.next().unwrap().is_ok());
            let whole = format!("{half}\"\n");
            fs::rename(&path, folder.path().join("old.csv")).unwrap();
            fs::write(&path, whole).unwrap();
        }
        all(reader)
    })
    .unwrap();
    assert_eq!((lines.len(), reads), (100_001, 2));

    // Without a change the damage is told as it is.
    fs::write(&path, &half).unwrap();
    let found = read_whole(&source, Reader::open(&source).unwrap(), all);
    assert!(matches!(found, Err(Error::OpenQuote { line: 100_002, .. })));
}
