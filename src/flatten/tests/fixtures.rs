//! Two answers as a server writes them, and every cell that they make.

use super::*;

fn check(contact_id: i64, body: &str, tables: &str) {
    let mut flattener = flattener();
    assert_eq!(
        flattener.append(target(asked(contact_id)), answer(body.as_bytes(), 100)),
        Outcome::Exported
    );
    let expected: Value = serde_json::from_str(tables).unwrap();
    assert_eq!(by_name(&take(&mut flattener)), expected);
    assert_eq!(flattener.drift(), Drift::default());
}

#[test]
fn lists_without_a_contact() {
    check(
        21,
        include_str!("../../../tests/data/summary.json"),
        include_str!("../../../tests/data/summary_tables.json"),
    );
}

#[test]
fn a_contact_with_everything() {
    check(
        7,
        include_str!("../../../tests/data/contact.json"),
        include_str!("../../../tests/data/contact_tables.json"),
    );
}
