//! Reads what a root member holds into rows: an object into one, a list into one for each item.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::cell::{Cell, set_cell};
use super::layout::RowLayout;
use super::object::{ObjectRole, ObjectSeed, StatedId};
use super::reading::Reading;
use crate::schema::{MAX_ITEMS, Rows};

/// The rows that one answer makes in one table.
#[derive(Default)]
pub(super) struct TableRows<'a> {
    /// Their cells, row after row.
    pub(super) cells: Vec<Cell<'a>>,
    /// How many items the list holds, nulls included; 1 for an object.
    pub(super) length: usize,
    /// Which contact the object says it is.
    pub(super) identity: StatedId,
}

/// The value of a root member: an object or a list of objects, as declared, or null.
pub(super) struct TableSeed<'r, 'l> {
    pub(super) reading: &'r mut Reading<'l>,
    pub(super) layout: &'l RowLayout,
}

impl TableSeed<'_, '_> {
    /// Fills the cells that are no members.
    fn complete(&self, row: &mut [Cell<'_>], position: usize, extra: Option<String>) {
        set_cell(
            row,
            self.layout.contact_id_column,
            Cell::Integer(self.reading.contact_id.get()),
        );
        if let Some(column) = self.layout.position_column {
            let position = i64::try_from(position).map_or(Cell::Null, Cell::Integer);
            set_cell(row, column, position);
        }
        let extra = extra.map_or(Cell::Null, |json| Cell::Text(Cow::Owned(json)));
        set_cell(row, self.layout.extra_column, extra);
    }
}

impl<'de> DeserializeSeed<'de> for TableSeed<'_, '_> {
    type Value = Option<TableRows<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TableSeed<'_, '_> {
    type Value = Option<TableRows<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.layout.table.rows {
            Rows::Items(_) => "a list",
            Rows::Object(_) | Rows::Targets => "an object",
        })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let Rows::Object(_) = self.layout.table.rows else {
            return Err(A::Error::custom("an object in place of a list"));
        };
        self.reading.begin_row();
        let mut cells = vec![Cell::Null; self.reading.width(&self.layout.table)];
        let object = ObjectSeed {
            reading: &mut *self.reading,
            shape: &self.layout.shape,
            row: &mut cells,
            role: ObjectRole::Contact,
        };
        let read = object.read(map)?;
        self.reading.end_row(&self.layout.table)?;
        self.complete(&mut cells, 1, read.extra);
        Ok(Some(TableRows {
            cells,
            length: 1,
            identity: read.identity,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Rows::Items(_) = self.layout.table.rows else {
            return Err(A::Error::custom("a list in place of an object"));
        };
        let mut rows = TableRows::default();
        let width = self.reading.width(&self.layout.table);
        loop {
            self.reading.begin_row();
            let start = rows.cells.len();
            rows.cells.extend(std::iter::repeat_n(Cell::Null, width));
            let row = rows
                .cells
                .get_mut(start..)
                .expect("it was just made that long");
            let item = items.next_element_seed(ObjectSeed {
                reading: &mut *self.reading,
                shape: &self.layout.shape,
                row: &mut *row,
                role: ObjectRole::Part,
            })?;
            let Some(item) = item else {
                rows.cells.truncate(start);
                return Ok(Some(rows));
            };
            rows.length += 1;
            if rows.length > MAX_ITEMS {
                return Err(A::Error::custom("a list too long"));
            }
            match item {
                Some(read) => {
                    self.reading.end_row(&self.layout.table)?;
                    self.complete(row, rows.length, read.extra);
                }
                None => rows.cells.truncate(start),
            }
        }
    }
}
