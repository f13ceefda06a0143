//! Pages as servers give them, odd ones included, and any bytes.

use proptest::prelude::*;

use super::*;
use crate::changes::{Kind, RowSum};
use crate::contact::ContactId;

fn sales(after: i64, rows: &str) -> Result<Page, PageFault> {
    let body = format!(r#"{{"odata.nextLink":null,"value":[{rows}]}}"#);
    read_page(Archive::of(Kind::Sale), after, body.as_bytes())
}

fn sale(key: i64, contact: Option<i64>, stamp: Option<&str>) -> PageRow {
    PageRow {
        key,
        contact_id: contact.map(|id| ContactId::new(id).unwrap()),
        sum: RowSum::of_row(Kind::Sale, key, [stamp]),
    }
}

#[test]
fn a_page_is_asked_for_beyond_a_key_in_its_order() {
    assert_eq!(
        Archive::of(Kind::Document).query(41),
        "$select=document.document_id,document.appointment_id.contact_id,document.updated\
         &$filter=document.document_id%20gt%2041&$orderBy=document.document_id&$top=1000"
    );
    assert_eq!(
        Archive::of(Kind::Contact).query(0),
        "$select=contact.contact_id,contact.updated\
         &$filter=contact.contact_id%20gt%200&$orderBy=contact.contact_id&$top=1000"
    );
    let fallback = Archive::of(Kind::Contact).fallback().unwrap();
    assert_eq!(
        (fallback.provider, fallback.key),
        ("SimpleContact", "contactId")
    );
    for kind in Kind::ALL {
        let archive = Archive::of(*kind);
        assert_eq!(archive.fallback().is_some(), *kind == Kind::Contact);
        assert_eq!(archive.kind, *kind);
    }
}

#[test]
fn numbers_are_read_however_they_are_written() {
    let expected = Ok(Page {
        rows: vec![sale(7, Some(3), Some("t"))],
    });
    for row in [
        r#"{"PrimaryKey":"7","EntityName":"sale","sale.sale_id":7,"sale.contact_id":3,"sale.updated":"t"}"#,
        r#"{"sale.sale_id":"7","sale.contact_id":"3","sale.updated":"t"}"#,
        r#"{"sale.sale_id":"[I:7]","sale.contact_id":"[I:3]","sale.updated":"t"}"#,
        r#"{"Sale.Sale_Id":7,"SALE.CONTACT_ID":3,"sale.updated":"\u0074","more":{"a":[1]}}"#,
    ] {
        assert_eq!(sales(6, row), expected, "{row}");
    }
}

#[test]
fn a_row_may_have_no_contact_and_no_stamp() {
    for (row, expected) in [
        (
            r#"{"sale.sale_id":1,"sale.contact_id":null,"sale.updated":null}"#,
            sale(1, None, None),
        ),
        (
            r#"{"sale.sale_id":1,"sale.contact_id":0,"sale.updated":""}"#,
            sale(1, None, None),
        ),
        (
            r#"{"sale.sale_id":1,"sale.contact_id":2}"#,
            sale(1, Some(2), None),
        ),
        (
            r#"{"sale.sale_id":1,"sale.contact_id":2,"sale.updated":17}"#,
            sale(1, Some(2), Some("17")),
        ),
    ] {
        assert_eq!(
            sales(0, row),
            Ok(Page {
                rows: vec![expected]
            }),
            "{row}"
        );
    }
}

#[test]
fn a_page_with_one_bad_row_gives_none() {
    let good = r#"{"sale.sale_id":1,"sale.contact_id":2},"#;
    for (row, fault) in [
        (r#"{"PrimaryKey":"2","sale.contact_id":2}"#, PageFault::Key),
        (
            r#"{"sale.sale_id":null,"sale.contact_id":2}"#,
            PageFault::Key,
        ),
        (
            r#"{"sale.sale_id":2.5,"sale.contact_id":2}"#,
            PageFault::Key,
        ),
        (
            r#"{"sale.sale_id":"x","sale.contact_id":2}"#,
            PageFault::Key,
        ),
        (r#"{"sale.sale_id":-1,"sale.contact_id":2}"#, PageFault::Key),
        (
            r#"{"sale.sale_id":99999999999999999999,"sale.contact_id":2}"#,
            PageFault::Key,
        ),
        (r#"{"sale.sale_id":2}"#, PageFault::Contact),
        (
            r#"{"sale.sale_id":2,"sale.contact_id":"x"}"#,
            PageFault::Contact,
        ),
        (
            r#"{"sale.sale_id":2,"sale.contact_id":-5}"#,
            PageFault::Contact,
        ),
        (
            r#"{"sale.sale_id":2,"sale.contact_id":2147483648}"#,
            PageFault::Contact,
        ),
        (
            r#"{"sale.sale_id":1,"sale.contact_id":2}"#,
            PageFault::Order,
        ),
        (
            r#"{"sale.sale_id":3,"sale.contact_id":2},{"sale.sale_id":2,"sale.contact_id":2}"#,
            PageFault::Order,
        ),
        ("17", PageFault::NoRows),
        ("null", PageFault::NoRows),
    ] {
        assert_eq!(sales(0, &format!("{good}{row}")), Err(fault), "{row}");
    }
    // Sorted as text, and a page that is given again.
    let text = r#"{"sale.sale_id":10,"sale.contact_id":2},{"sale.sale_id":9,"sale.contact_id":2}"#;
    assert_eq!(sales(0, text), Err(PageFault::Order));
    assert_eq!(sales(1, good.trim_end_matches(',')), Err(PageFault::Order));
}

#[test]
fn what_is_no_page_is_told_from_an_empty_one() {
    let read = |body: &str| read_page(Archive::of(Kind::Sale), 0, body.as_bytes());
    assert_eq!(read(r#"{"value":[]}"#), Ok(Page::default()));
    assert_eq!(read("\u{feff}{\"value\":[]} \n"), Ok(Page::default()));
    for body in [
        "{}",
        "[]",
        "null",
        r#"{"value":null}"#,
        r#"{"value":{}}"#,
        r#"{"Error":true}"#,
    ] {
        assert_eq!(read(body), Err(PageFault::NoRows), "{body}");
    }
    for body in [
        "",
        "<html>",
        r#"{"value":["#,
        r#"{"value":[]}}"#,
        r#"{"value":[{"a":"#,
    ] {
        assert_eq!(read(body), Err(PageFault::NotJson), "{body}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_page_or_a_fault(body in any::<Vec<u8>>(), after in 0..9_i64) {
        drop(read_page(Archive::of(Kind::Sale), after, &body));
    }

    #[test]
    fn keys_ascend_in_every_page_that_is_believed(keys in proptest::collection::vec(-2..9_i64, 0..6), after in 0..4_i64) {
        let rows: Vec<_> = keys.iter().map(|key| format!(r#"{{"sale.sale_id":{key},"sale.contact_id":1}}"#)).collect();
        let is_good = keys.iter().all(|key| *key > after) && keys.is_sorted_by(|one, next| one < next);
        let page = sales(after, &rows.join(","));
        prop_assert_eq!(page.is_ok(), is_good);
        if let Ok(page) = page {
            prop_assert_eq!(page.rows.iter().map(|row| row.key).collect::<Vec<_>>(), keys);
        }
    }

    #[test]
    fn a_page_that_is_cut_anywhere_is_none(cut in 0..119_usize) {
        let body = br#"{"value":[{"sale.sale_id":1,"sale.contact_id":2,"sale.updated":"t"},{"sale.sale_id":2,"sale.contact_id":2}],"more":1}  "#;
        let whole = body.trim_ascii_end();
        if cut < whole.len() {
            prop_assert_eq!(read_page(Archive::of(Kind::Sale), 0, &whole[..cut]), Err(PageFault::NotJson));
        }
    }
}
