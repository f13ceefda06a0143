//! A table as the parser sees it: the tree of its members, and the columns that are no members.

use super::cell::{Cell, set_cell};
use super::shape::Shape;
use crate::contact::ContactId;
use crate::schema::{CellSource, ColumnType, Table};

/// Where the cells of a table's row are to be put.
#[derive(Debug)]
pub(super) struct RowLayout {
    pub(super) table: Table,
    pub(super) shape: Shape,
    pub(super) contact_id_column: usize,
    pub(super) position_column: Option<usize>,
    pub(super) extra_column: usize,
    /// The columns of calendar days, which mean something in one zone only.
    pub(super) day_columns: Vec<usize>,
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
            day_columns: (0..)
                .zip(table.columns.iter())
                .filter(|(_, column)| column.column_type == ColumnType::Date)
                .map(|(index, _)| index)
                .collect(),
            table: table.clone(),
        }
    }

    /// The row of a contact of which nothing but its id is known.
    pub(super) fn row_of_nulls<'a>(&self, contact_id: ContactId) -> Vec<Cell<'a>> {
        let mut row = vec![Cell::Null; self.table.columns.len()];
        set_cell(
            &mut row,
            self.contact_id_column,
            Cell::Integer(contact_id.get()),
        );
        row
    }
}
