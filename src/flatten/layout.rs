//! A table as the parser sees it: the tree of its members, and the columns that are no members.

use super::shape::Shape;
use crate::schema::{CellSource, Table};

/// Where the cells of a table's row are to be put.
#[derive(Debug)]
pub(super) struct RowLayout {
    pub(super) table: Table,
    pub(super) shape: Shape,
    pub(super) contact_id_column: usize,
    pub(super) position_column: Option<usize>,
    pub(super) extra_column: usize,
}

impl RowLayout {
    pub(super) fn of(table: &Table) -> Self {
        let column = |source: CellSource| {
            table
                .columns
                .iter()
                .position(|column| column.source == source)
        };
        Self {
            shape: Shape::of(table),
            contact_id_column: column(CellSource::ContactId)
                .expect("every table begins with its key"),
            position_column: column(CellSource::Position),
            extra_column: column(CellSource::Extra).expect("every table ends with extra"),
            table: table.clone(),
        }
    }
}
