//! Workbooks as programs write them, and as nobody should.

use std::io::Write as _;
use std::path::Path;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::contact::InputLine;
use crate::extract::ids::{Error, LineCounts, Place, Reader, Source};

const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="r"><Relationship Id="rId1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<workbook xmlns:r="x"><sheets><sheet name="Old &amp; new" sheetId="3" state="hidden" r:id="rId1"/><sheet name="Companies" sheetId="1" r:id="rId1"/><sheet name="More" sheetId="2" r:id="rId2"/></sheets></workbook>"#;
const WORKBOOK_RELATIONS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/><Relationship Id="rId8" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId9" Type="http://x/styles" Target="styles.xml"/></Relationships>"#;
const STRINGS: &str = r"<sst><si><t>Name</t></si><si><t>Company ID</t></si><si><r><t>4</t></r><r><t>2</t></r><rPh><t>7</t></rPh></si><si><t>B&#248;lge &amp; S&#xf8;n</t></si><si/><si><t>#N/A</t></si></sst>";
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd.mm.yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

/// A ZIP archive of these parts, as APPNOTE.TXT has it.
fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(content);
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let mut head = Vec::new();
        head.extend([20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0x5a]);
        head.extend(crc.sum().to_le_bytes());
        head.extend(number(packed.len()));
        head.extend(number(content.len()));
        head.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        head.extend([0, 0]);
        directory.extend(*b"PK\x01\x02\x14\x00");
        directory.extend(&head);
        directory.extend([0; 10]);
        directory.extend(number(archive.len()));
        directory.extend(name.as_bytes());
        archive.extend(*b"PK\x03\x04");
        archive.extend(head);
        archive.extend(name.as_bytes());
        archive.extend(packed);
    }
    let entries = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let (start, size) = (archive.len(), directory.len());
    archive.extend(directory);
    archive.extend(*b"PK\x05\x06\0\0\0\0");
    archive.extend([entries, entries].concat());
    archive.extend(u32::try_from(size).unwrap().to_le_bytes());
    archive.extend(u32::try_from(start).unwrap().to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// A workbook with these rows in its first sheet that is shown.
fn workbook(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let more = "<worksheet><sheetData><row><c><v>77</v></c></row></sheetData></worksheet>";
    zip(&[
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("xl/workbook.xml", WORKBOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS.as_bytes()),
        ("xl/sharedStrings.xml", STRINGS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/worksheets/Sheet2.xml", more.as_bytes()),
    ])
}

fn source(path: &Path) -> Source {
    Source {
        place: Place::Path(path.to_owned()),
        column: None,
        delimiter: None,
        sheet: None,
    }
}

/// What the reader makes of a workbook: its lines, shown shortly, and the counts.
fn read_as(
    bytes: &[u8],
    change: impl FnOnce(&mut Source),
) -> Result<(Vec<String>, LineCounts), Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.xlsx");
    std::fs::write(&path, bytes).unwrap();
    let mut source = source(&path);
    change(&mut source);
    let mut reader = Reader::open(&source)?;
    let mut lines = Vec::new();
    for line in &mut reader {
        lines.push(match line? {
            InputLine::Target {
                contact_id,
                input_line,
                ..
            } => format!("{input_line}: {contact_id}"),
            InputLine::Rejected {
                input_line,
                input_value,
                ..
            } => format!("{input_line}: rejected {input_value:?}"),
        });
    }
    let report = reader.report().expect("read to the end");
    assert_eq!(report.bytes, u64::try_from(bytes.len()).unwrap());
    assert_eq!(report.sha256.len(), 64);
    assert!(report.modified_at.is_some());
    Ok((lines, report.lines))
}

fn read(bytes: &[u8]) -> Result<(Vec<String>, LineCounts), Error> {
    read_as(bytes, |_| {})
}

#[track_caller]
fn lines(rows: &str) -> Vec<String> {
    read(&workbook(rows)).unwrap().0
}

#[track_caller]
fn told(result: Result<(Vec<String>, LineCounts), Error>) -> String {
    let error = result.expect_err("an error").to_string();
    let (_, fault) = error.split_once("ids.xlsx").unwrap_or(("", &error));
    fault.to_owned()
}

const HEADINGS: &str =
    r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>"#;

#[test]
fn every_kind_of_cell_is_an_id_or_a_rejected_line() {
    let cells = [
        (r#"<c r="C2"><v>42</v></c>"#, "2: 42"),
        (r#"<c r="C2"><v>4.2E1</v></c>"#, "2: 42"),
        (r#"<c r="C2"><v>42.0</v></c>"#, "2: 42"),
        (r#"<c r="C2" s="0" t="n"><f>6*7</f><v>42</v></c>"#, "2: 42"),
        (
            r#"<c r="C2" t="str"><f>A1&amp;"2"</f><v>42</v></c>"#,
            "2: 42",
        ),
        (r#"<c r="C2" t="s"><v>2</v></c>"#, "2: 42"),
        (
            r#"<c r="C2" t="inlineStr"><is><t>[I:42]</t></is></c>"#,
            "2: 42",
        ),
        (r#"<c r="C2"><v>42.5</v></c>"#, "2: rejected \"42.5\""),
        (r#"<c r="C2"><v>-42</v></c>"#, "2: rejected \"-42\""),
        (r#"<c r="C2"><v>1E300</v></c>"#, "2: rejected \"1E300\""),
        (r#"<c r="C2" t="b"><v>1</v></c>"#, "2: rejected \"TRUE\""),
        (
            r#"<c r="C2" t="e"><v>#REF!</v></c>"#,
            "2: rejected \"#REF!\"",
        ),
        (
            r#"<c r="C2" s="1"><v>45000</v></c>"#,
            "2: rejected \"2023-03-15\"",
        ),
        (
            r#"<c r="C2" s="2"><v>45000</v></c>"#,
            "2: rejected \"2023-03-15\"",
        ),
        (r#"<c r="C2" t="d"><v>2023</v></c>"#, "2: rejected \"2023\""),
        (
            r#"<c r="C2" t="s"><v>3</v></c>"#,
            "2: rejected \"Bølge & Søn\"",
        ),
        (r#"<c r="A2" t="s"><v>3</v></c>"#, "2: rejected \"\""),
        (
            r#"<c r="A2"><v>1</v></c><c r="C2" t="s"><v>4</v></c>"#,
            "2: rejected \"\"",
        ),
    ];
    for (cell, expected) in cells {
        let found = lines(&format!(r#"{HEADINGS}<row r="2">{cell}</row>"#));
        assert_eq!(found, [expected], "{cell}");
    }
}

#[test]
fn every_row_is_accounted_for() {
    let rows = format!(
        r#"<row r="3"/>{}<row r="6"><c r="C6"><v>7</v></c></row><row r="7"><c r="C7" s="1"/></row>
        <row r="9"><c r="C9" t="s"><v>1</v></c></row><row><c r="C10" t="b"><v>0</v></c></row><row r="12"/>"#,
        HEADINGS
            .replace("\"1\"", "\"5\"")
            .replace("A1", "A5")
            .replace("C1", "C5")
    );
    let (found, counts) = read(&workbook(&rows)).unwrap();
    assert_eq!(found, ["6: 7", "10: rejected \"FALSE\""]);
    assert_eq!(
        counts,
        LineCounts {
            lines: 12,
            blank: 10
        }
    );
}

#[test]
fn one_column_of_ids_needs_no_heading() {
    assert_eq!(
        lines("<row><c><v>5</v></c></row><row><c><v>6</v></c></row>"),
        ["1: 5", "2: 6"]
    );
    let two = "<row><c><v>5</v></c><c><v>6</v></c></row>";
    assert!(told(read(&workbook(two))).contains("holds data where headings were expected"));
}

#[test]
fn the_sheet_is_the_first_one_shown_or_the_one_asked_for() {
    let rows = format!(r#"{HEADINGS}<row r="2"><c r="C2"><v>42</v></c></row>"#);
    let sheet = |name: &str| {
        let name = name.to_owned();
        read_as(&workbook(&rows), |source| source.sheet = Some(name))
    };
    assert_eq!(sheet("Companies").unwrap().0, ["2: 42"]);
    assert_eq!(sheet(" More ").unwrap().0, ["1: 77"]);
    assert_eq!(sheet("Old & new").unwrap().0, ["2: 42"]);
    assert_eq!(
        told(sheet("Persons")),
        ": there is no sheet `Persons`; set `[source] sheet` to one of \"Old & new\", \"Companies\", \"More\""
    );
}

#[test]
fn settings_of_the_other_format_are_refused() {
    let rows = "<row><c><v>5</v></c></row>";
    let delimiter = read_as(&workbook(rows), |source| source.delimiter = Some(b';'));
    assert!(told(delimiter).contains("an Excel workbook has no delimiter"));
    let text = read_as(b"contactId\n1\n", |source| {
        source.sheet = Some("A".to_owned());
    });
    assert!(told(text).contains("is no Excel workbook (.xlsx) and has no sheets"));
}

#[test]
fn the_column_is_found_as_in_a_text() {
    let rows =
        format!(r#"{HEADINGS}<row r="2"><c r="A2"><v>1</v></c><c r="C2"><v>42</v></c></row>"#);
    let column = |name: &str| {
        let name = name.to_owned();
        read_as(&workbook(&rows), |source| source.column = Some(name))
    };
    assert_eq!(column("name").unwrap().0, ["2: 1"]);
    let unknown = told(column("Firma-ID"));
    assert!(
        unknown.contains("line 1: there is no column `Firma-ID`"),
        "{unknown}"
    );
    assert!(
        unknown.ends_with(r#"one of "Name", "", "Company ID""#),
        "{unknown}"
    );
}

#[test]
fn what_is_no_sound_workbook_is_refused_in_words() {
    let whole = workbook(&format!(
        r#"{HEADINGS}<row r="2"><c r="C2"><v>1</v></c></row>"#
    ));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"PK\x03\x04rest".to_vec(), "it is no ZIP archive"),
        (whole[..whole.len() - 30].to_vec(), "it is no ZIP archive"),
        (zip(&[("readme.txt", b"hello")]), "holds no Excel workbook"),
        (
            zip(&[("mimetype", b"x"), ("content.xml", b"<x/>")]),
            "an OpenDocument file (.ods)",
        ),
        (
            zip(&[("xl/workbook.bin", b"x")]),
            "a binary workbook (.xlsb)",
        ),
        (
            workbook(r#"<row r="2"/><row r="1"/>"#),
            "its rows are not in order",
        ),
        (workbook(r#"<row r="0"/>"#), "its rows are not in order"),
        (
            workbook(r#"<row r="1048577"/>"#),
            "its rows are not in order",
        ),
        (
            workbook(r#"<row><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>"#),
            "its cells are not in order",
        ),
        (
            workbook(r#"<row><c r="XFE1"><v>1</v></c></row>"#),
            "its cells are not in order",
        ),
        (
            workbook(r#"<row><c t="s"><v>99</v></c></row>"#),
            "a cell names a text that is not there",
        ),
        (
            workbook(r#"<row><c t="s"><v>99999999999</v></c></row>"#),
            "it has too many texts",
        ),
        (workbook("<row><c><v>1</row>"), "its sheet ends too early"),
        (
            workbook("<row><c><v>&#xFFFFFFFF;</v></c></row>"),
            "a part of it is no XML",
        ),
    ];
    for (bytes, expected) in cases {
        let found = told(read(&bytes));
        assert!(found.contains(expected), "{found} instead of {expected}");
        assert!(
            found.contains("cannot be read as an Excel workbook"),
            "{found}"
        );
        assert!(
            found.ends_with("without a password, or as CSV in UTF-8"),
            "{found}"
        );
    }
    assert!(told(read(&workbook(""))).contains("is empty"));
    assert!(told(read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")).contains("or one that has a password"));
}

#[test]
fn a_byte_that_is_wrong_alters_no_id() {
    let rows = format!(
        r#"{HEADINGS}<row r="2"><c r="C2" t="s"><v>2</v></c></row><row r="3"><c r="C3" s="1"><v>45000</v></c></row>"#
    );
    let whole = workbook(&rows);
    let expected = read(&whole).unwrap().0;
    let mut refused = 0;
    // Every third byte: all of them take seconds.
    for place in (0..whole.len()).step_by(3) {
        for change in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[place] ^= change;
            match read(&bytes) {
                Ok((lines, _)) => assert_eq!(lines, expected, "byte {place}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused * 3 > whole.len(), "{refused} of {}", whole.len());
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let long = "9".repeat(2 * 1024 * 1024);
    let cases = [
        format!("<row><c><v>{long}</v></c></row>"),
        format!("<row><c><!--{long}--></c></row>"),
        format!("<row><c r=\"{long}\"/></row>"),
    ];
    for rows in cases {
        let bytes = workbook(&rows);
        assert!(bytes.len() < 50_000);
        let error = read(&bytes).expect_err("too long");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(
            cause.as_deref(),
            Some("a text in it is longer than 1 MiB"),
            "{error}"
        );
    }
    // Nesting without end takes no memory, and is none of a sheet.
    let nested = format!("<row><c>{}</c></row>", "<v>".repeat(500_000));
    assert!(told(read(&workbook(&nested))).contains("is empty"));
}
