//! Reads one object of an answer into the cells of its row. Which rows there are is `rows`'.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::{Cell, Converted, convert, set_cell};
use super::extra::{self, Extra};
use super::member_name::MemberName;
use super::reading::{Purpose, Reading};
use super::shape::{MemberCells, Shape, Slot};
use crate::contact::Drift;
use crate::schema::ColumnType;

/// An object, or null, which makes no row.
pub(super) struct ObjectSeed<'r, 'l, 'de> {
    pub(super) reading: &'r mut Reading<'l>,
    pub(super) shape: &'r Shape,
    pub(super) row: &'r mut [Cell<'de>],
    pub(super) role: ObjectRole,
}

/// What an object stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectRole {
    /// The contact itself, which may say which one it is.
    Contact,
    /// An item of a list, or a part of an object.
    Part,
}

/// What was left of an object once its cells were filled.
#[derive(Debug, Default)]
pub(super) struct ReadObject {
    /// What no column takes, as JSON.
    pub(super) extra: Option<String>,
    /// Which contact it says it is.
    pub(super) identity: StatedId,
}

/// Which contact an object says it is, by the id that it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum StatedId {
    /// It does not say: the id is absent or null.
    #[default]
    Unsaid,
    /// None: the id is 0.
    Zero,
    /// The one that was asked for.
    AskedFor,
    /// Another one.
    Other,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = Option<ReadObject>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = Option<ReadObject>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.read(map).map(Some)
    }
}

impl<'l, 'de> ObjectSeed<'_, 'l, 'de> {
    /// Reads the members one after the other, in whatever order they come.
    pub(super) fn read<A: MapAccess<'de>>(mut self, mut map: A) -> Result<ReadObject, A::Error> {
        let mut extra = Extra::default();
        let mut identity = StatedId::default();
        let mut hint = 0;
        let shape = self.shape;
        while let Some(name) = map.next_key::<MemberName<'_>>()? {
            match shape.slot(name, &mut hint) {
                Some(Slot::Cells(cells)) => {
                    let raw: &RawValue = map.next_value()?;
                    self.reading.count_in_row(raw)?;
                    let json = self.fill(cells, raw)?;
                    extra.set(name, json);
                }
                Some(Slot::Object(below)) => {
                    let read = map.next_value_seed(self.below(below))?;
                    extra.set(name, read.and_then(|read| read.extra));
                }
                None if extra::is_left_out(name) => drop(map.next_value::<IgnoredAny>()?),
                None if self.role == ObjectRole::Contact && name.is("ContactId") => {
                    identity = self.identity(map.next_value()?);
                }
                None => {
                    let raw: &RawValue = map.next_value()?;
                    self.reading.count_in_row(raw)?;
                    self.reading.keep_unknown(&mut extra, name, raw)?;
                }
            }
        }
        Ok(ReadObject {
            extra: extra.into_json(),
            identity,
        })
    }

    /// Fills the columns that one value belongs to; gives back what is to be kept of it as it was
    /// written, which is all of it where it fits one of them not and may be shown.
    fn fill<E: serde::de::Error>(
        &mut self,
        cells: &MemberCells,
        raw: &'de RawValue,
    ) -> Result<Option<String>, E> {
        let converted = self.reading.purpose == Purpose::Rows
            && fill(self.row, &cells.columns, raw.get(), &mut self.reading.drift);
        let is_hidden = self.reading.purpose == Purpose::Rows && cells.is_private;
        if converted || is_hidden {
            Ok(None)
        } else {
            self.reading.keep(raw)
        }
    }

    /// The seed of an object that is a member of this one and fills cells of the same row.
    fn below<'s>(&'s mut self, shape: &'s Shape) -> ObjectSeed<'s, 'l, 'de> {
        // Of doubled members the last one counts: what an earlier one filled is emptied.
        shape.each_column(&mut |column| set_cell(self.row, column, Cell::Null));
        ObjectSeed {
            reading: &mut *self.reading,
            shape,
            row: &mut *self.row,
            role: ObjectRole::Part,
        }
    }

    /// Which contact has this id.
    fn identity(&self, id: &RawValue) -> StatedId {
        match convert(id.get(), ColumnType::Integer) {
            Converted::Cell(Cell::Null) => StatedId::Unsaid,
            Converted::Cell(Cell::Integer(0)) => StatedId::Zero,
            Converted::Cell(Cell::Integer(id)) if id == self.reading.contact_id.get() => {
                StatedId::AskedFor
            }
            Converted::Cell(_) | Converted::WithoutOffset(_) | Converted::Unconvertible => {
                StatedId::Other
            }
        }
    }
}

/// Fills the columns that one value belongs to; false where it fits none of them.
fn fill<'de>(
    row: &mut [Cell<'de>],
    columns: &[(usize, ColumnType)],
    raw: &'de str,
    drift: &mut Drift,
) -> bool {
    let mut all_converted = true;
    let mut without_offset = false;
    for (column, column_type) in columns {
        let cell = match convert(raw, *column_type) {
            Converted::Cell(cell) => cell,
            Converted::WithoutOffset(cell) => {
                without_offset = true;
                cell
            }
            Converted::Unconvertible => {
                drift.cells += 1;
                all_converted = false;
                Cell::Null
            }
        };
        set_cell(row, *column, cell);
    }
    drift.naive_instants += u64::from(without_offset);
    all_converted
}
