//! What every table and column of the declaration has to keep.

pub(crate) mod generate;

use super::*;

#[test]
fn names_are_unique_lower_case_and_documented() {
    for table in TABLES {
        assert!(!table.doc.is_empty());
        for (index, column) in table.columns.iter().enumerate() {
            let place = format!("{}.{}", table.name, column.name);
            assert!(
                column
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{place}"
            );
            assert!(!column.doc.is_empty(), "{place} has no doc line");
            assert!(
                table.columns[..index]
                    .iter()
                    .all(|other| other.name != column.name),
                "{place} twice"
            );
        }
    }
}

#[test]
fn every_table_begins_with_its_key_and_ends_with_extra() {
    for table in TABLES {
        assert_eq!(
            table.columns.first().map(|column| column.source),
            Some(CellSource::ContactId),
            "{}",
            table.name
        );
        assert_eq!(
            table.columns.last().map(|column| column.source),
            Some(CellSource::Extra),
            "{}",
            table.name
        );
        let has_position = table
            .columns
            .iter()
            .any(|column| column.source == CellSource::Position);
        assert_eq!(
            has_position,
            matches!(table.rows, Rows::Items(_)),
            "{}",
            table.name
        );
    }
}
