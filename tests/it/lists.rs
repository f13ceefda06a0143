//! Lists of ids as other programs and hurried people leave them: what is read, what is rejected with
//! its line, and what is refused before anything is called.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::mock::Mock;
use crate::support::{Finished, Job};

/// The contacts that were asked for, each with its line.
fn targets(job: &Job) -> Value {
    let rows = job.export().rows("outcomes");
    let targets = rows.iter().filter(|row| row["outcome"] != "rejected");
    targets
        .map(|row| json!([row["contact_id"], row["input_line"]]))
        .collect()
}

/// The lines that were rejected.
fn rejected(job: &Job) -> Value {
    let rows = job.export().rows("outcomes");
    let rejected = rows.iter().filter(|row| row["outcome"] == "rejected");
    rejected.map(|row| row["input_line"].clone()).collect()
}

#[test]
fn ids_that_went_through_other_programs_are_read() {
    let lists: [(&str, &[u8]); 5] = [
        ("a column with a gap, as floats", b"contactId\n1.0\n2.0\n"),
        (
            "a spreadsheet's thousands",
            b"contactId;Name\n1,0;a\n2,00;b\n",
        ),
        (
            "PowerShell",
            b"#TYPE A.B\r\n\"contactId\"\r\n\"1\"\r\n\"2\"\r\n",
        ),
        (
            "joined files",
            b"contactId\n1\n\xef\xbb\xbf\"contactId\"\n2\n",
        ),
        ("exponents", b"contactId\n1.0E+0\n2.0E0\n"),
    ];
    for (name, list) in lists {
        let mock = Mock::healthy();
        let job = Job::against(&mock).csv(list);
        job.run().expect(0);
        let ids: Vec<_> = job
            .export()
            .rows("outcomes")
            .iter()
            .map(|row| row["contact_id"].clone())
            .collect();
        assert_eq!(ids, [json!(1), json!(2)], "{name}");
        assert_eq!(mock.calls(), 2, "{name}");
    }
}

#[test]
fn a_name_with_a_delimiter_fetches_no_other_contact() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).csv(
        "Name;Zip;contactId\nVidda AS;3580;21\nHav; Land og Sky;6002;22\n\"Li; Bakke\";1450;23\n\
         Strand \"Nord;9990;24\n\"Myr \"og\" Mo\";2600;25\n",
    );
    job.run().expect(0);
    assert_eq!(targets(&job), json!([[21, 2], [23, 4], [24, 5]]));
    assert_eq!(rejected(&job), json!([3, 6]));
    assert_eq!(mock.calls(), 3);
}

/// The program's answer to a list that it does not take; nothing is called and nothing written.
#[track_caller]
fn refused(list: &[u8]) -> Finished {
    let mock = Mock::healthy();
    let job = Job::against(&mock).csv(list);
    let ended = job.run().expect(2);
    assert_eq!(mock.calls(), 0);
    ended
}

#[test]
fn what_is_no_list_is_refused_before_anything_is_called() {
    let lists: [(&[u8], &str); 4] = [
        (
            b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
            "contacts.csv is a web page (perhaps a login page) or XML; save it as CSV in UTF-8",
        ),
        (
            b"{\"contactId\":1}\n",
            "contacts.csv is JSON; save it as CSV",
        ),
        (
            b"1\x001\x00\n\x00",
            "contacts.csv is UTF-16 text without a byte order mark; save it as CSV",
        ),
        (
            b"contactId;Zip\n1;2\nZip;contactId\n3;4\n",
            "line 3: headings stand here again, but not as in the first line",
        ),
    ];
    for (list, expected) in lists {
        let told = refused(list).stderr;
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_quote_that_may_swallow_lines_is_told_with_its_line() {
    let mut list = String::from("contactId;Name\n");
    for id in 1..=500 {
        let name = if id == 200 { "\"Fjell" } else { "Fjell" };
        writeln!(list, "{id};{name}").unwrap();
    }
    let told = refused(list.as_bytes()).stderr;
    assert!(
        told.contains("contacts.csv, line 201: a quote that opens here is never closed"),
        "{told}"
    );
    // Another line closes it: then each line in between is on record.
    let mock = Mock::healthy();
    let job = Job::against(&mock).csv(list.replace("203;Fjell", "203;Fjell\""));
    job.run().expect(0);
    assert_eq!(rejected(&job), json!([201, 202, 203, 204]));
    assert_eq!(mock.calls(), 496);
}

#[test]
fn a_workbook_is_a_list_like_any_other() {
    let mock = Mock::healthy();
    // As XlsxWriter writes it: ids as numbers, as text and by a formula, and cells that are no ids.
    let workbook = include_bytes!("companies.xlsx");
    let job = Job::against(&mock).csv(workbook);
    let ended = job.run_with(&["--max-rejected", "60%"]).expect(0);
    assert_eq!(
        targets(&job),
        json!([[11, 2], [12, 3], [13, 4], [14, 5]]),
        "{}",
        ended.stderr
    );
    assert_eq!(rejected(&job), json!([6, 7, 8, 10, 11]));
    assert_eq!(mock.calls(), 4);
    let source = &job.export().manifest()["source"];
    assert_eq!(source["bytes"], workbook.len());
    assert_eq!(
        (&source["lines"], &source["blank"]),
        (&11.into(), &1.into())
    );
    job.run_with(&["--sheet", "Notes"]).expect(2);
    // The first guard looks at it as at any list.
    let told = job.run().expect(2).stderr;
    assert!(told.contains("max_rejected"), "{told}");
}

#[test]
fn a_list_in_utf_16_is_read_in_both_orders() {
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let text = "\u{feff}contactId;Navn\r\n21;Bølge\r\n22;🎉\r\n";
        let bytes: Vec<u8> = text.encode_utf16().flat_map(to_bytes).collect();
        let mock = Mock::healthy();
        let job = Job::against(&mock).csv(bytes);
        job.run().expect(0);
        assert_eq!(targets(&job), json!([[21, 2], [22, 3]]));
    }
}
