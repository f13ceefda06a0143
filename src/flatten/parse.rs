//! Reads one answer in a single pass, guided by the declaration, into rows set aside: all of them
//! or none.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::Fault;
use super::cell::{Cell, Converted, convert};
use super::extra::{self, Extra};
use super::key::Key;
use super::shape::{Shape, Slot};
use crate::contact::ContactId;
use crate::contact::Drift;
use crate::contact::Found;
use crate::schema::{ColumnType, MAX_ITEMS, Rows, Source, Table, data_tables};

/// A table as the parser sees it.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) table: &'static Table,
    shape: Shape,
    contact_id_column: usize,
    position_column: Option<usize>,
    extra_column: usize,
}

impl Layout {
    pub(super) fn of(table: &'static Table) -> Self {
        let column = |source: Source| {
            table
                .columns
                .iter()
                .position(|column| column.source == source)
        };
        Self {
            table,
            shape: Shape::of(table),
            contact_id_column: column(Source::ContactId).expect("every table begins with its key"),
            position_column: column(Source::Position),
            extra_column: column(Source::Extra).expect("every table ends with extra"),
        }
    }
}

/// What an answer is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its rows.
    Rows,
    /// Whether it makes rows: none are made, and no value is converted.
    Check,
}

/// What one answer holds.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) found: Found,
    /// For each layout the cells of its rows, row after row; none where that is not the purpose.
    pub(super) rows: Vec<Vec<Cell<'a>>>,
    /// For each layout how many items the list holds, nulls included.
    pub(super) lengths: Vec<usize>,
    pub(super) extra: Option<String>,
    pub(super) drift: Drift,
}

/// Reads the answer for this contact.
///
/// # Errors
/// Where the body is no JSON, not shaped as a summary, or for another contact.
pub(super) fn parse<'a>(
    layouts: &[Layout],
    contact_id: ContactId,
    body: &'a [u8],
    purpose: Purpose,
) -> Result<Parsed<'a>, Fault> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = simdutf8::basic::from_utf8(body).map_err(|_| Fault::NotJson)?;
    let mut reading = Reading {
        layouts,
        contact_id,
        purpose,
        drift: Drift::default(),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let root = RootSeed(&mut reading)
        .deserialize(&mut deserializer)
        .and_then(|root| deserializer.end().map(|()| root));
    match root {
        Ok(root) => root.into_parsed(layouts, reading.drift),
        // Reading stops at the first thing that does not fit; the rest says whether this is JSON at
        // all.
        Err(_) if is_json(text) => Err(Fault::WrongStructure),
        Err(_) => Err(Fault::NotJson),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What is known while one answer is read.
struct Reading<'l> {
    layouts: &'l [Layout],
    contact_id: ContactId,
    purpose: Purpose,
    drift: Drift,
}

impl Reading<'_> {
    /// How many cells a row of this table has here.
    fn width(&self, table: &Table) -> usize {
        if self.purpose == Purpose::Rows {
            table.columns.len()
        } else {
            0
        }
    }

    /// What is kept of a value that makes no cell. To check it is to see that it is not nested too
    /// deeply.
    fn keep<E: serde::de::Error>(&self, raw: &RawValue) -> Result<Option<String>, E> {
        if self.purpose == Purpose::Check && !raw.get().starts_with(['{', '[']) {
            return Ok(None);
        }
        extra::prune(raw).map_err(E::custom)
    }

    /// Keeps a member that no column takes.
    fn keep_unknown<'a, E: serde::de::Error>(
        &mut self,
        extra: &mut Extra<'a>,
        key: Key<'a>,
        raw: &RawValue,
    ) -> Result<(), E> {
        let json = self.keep(raw)?;
        self.drift.unknown_members += u64::from(json.is_some());
        extra.set_unknown(key, json).map_err(E::custom)
    }
}

/// The root object as far as it was read.
struct Root<'a> {
    is_null: bool,
    is_empty: bool,
    /// For each layout: none where the member was absent, null, or not asked for.
    tables: Vec<Option<TableRows<'a>>>,
    /// Whether a member of the summary was there at all, null or not.
    any_member: bool,
    extra: Extra<'a>,
}

#[derive(Default)]
struct TableRows<'a> {
    cells: Vec<Cell<'a>>,
    length: usize,
    /// Whether the object names another contact than the one asked for.
    is_other_contact: bool,
}

impl<'a> Root<'a> {
    fn new(layouts: &[Layout]) -> Self {
        Self {
            is_null: false,
            is_empty: true,
            tables: layouts.iter().map(|_| None).collect(),
            any_member: false,
            extra: Extra::default(),
        }
    }

    fn into_parsed(self, layouts: &[Layout], drift: Drift) -> Result<Parsed<'a>, Fault> {
        if !self.is_null && !self.any_member && !self.is_empty {
            return Err(Fault::WrongStructure);
        }
        if self
            .tables
            .iter()
            .flatten()
            .any(|rows| rows.is_other_contact)
        {
            return Err(Fault::OtherContact);
        }
        let contact_asked_for = layouts
            .iter()
            .any(|layout| matches!(layout.table.rows, Rows::Object(_)));
        let any_rows = self.tables.iter().flatten().any(|rows| rows.length > 0);
        let nothing = self.is_null || (contact_asked_for && !any_rows);
        let lengths = self
            .tables
            .iter()
            .map(|rows| rows.as_ref().map_or(0, |rows| rows.length))
            .collect();
        let rows = self
            .tables
            .into_iter()
            .map(|rows| rows.unwrap_or_default().cells)
            .collect();
        let found = if nothing {
            Found::Nothing
        } else {
            Found::Summary
        };
        Ok(Parsed {
            found,
            rows,
            lengths,
            extra: self.extra.into_json(),
            drift,
        })
    }
}

struct RootSeed<'r, 'l>(&'r mut Reading<'l>);

impl<'de> DeserializeSeed<'de> for RootSeed<'_, '_> {
    type Value = Root<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RootSeed<'_, '_> {
    type Value = Root<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a summary")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Root {
            is_null: true,
            ..Root::new(self.0.layouts)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let reading = self.0;
        let mut root = Root::new(reading.layouts);
        while let Some(key) = map.next_key::<Key<'_>>()? {
            root.is_empty = false;
            let is_member_of = |table: &Table| table.root_member().is_some_and(|name| key.is(name));
            let known = reading
                .layouts
                .iter()
                .position(|layout| is_member_of(layout.table));
            if let Some((layout, rows)) = known
                .and_then(|place| Some((reading.layouts.get(place)?, root.tables.get_mut(place)?)))
            {
                root.any_member = true;
                *rows = map.next_value_seed(TableSeed {
                    reading: &mut *reading,
                    layout,
                })?;
            } else if data_tables().any(is_member_of) {
                // Not asked for: whatever a server sends all the same is not wanted.
                root.any_member = true;
                map.next_value::<IgnoredAny>()?;
            } else if extra::is_left_out(key) {
                map.next_value::<IgnoredAny>()?;
            } else {
                let raw: &RawValue = map.next_value()?;
                if key.is("Error") && raw.get() == "true" {
                    return Err(A::Error::custom("an error object"));
                }
                reading.keep_unknown(&mut root.extra, key, raw)?;
            }
        }
        Ok(root)
    }
}

/// The value of a root member: an object or a list of objects, as declared.
struct TableSeed<'r, 'l> {
    reading: &'r mut Reading<'l>,
    layout: &'l Layout,
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
            set_cell(
                row,
                column,
                i64::try_from(position).map_or(Cell::Null, Cell::Integer),
            );
        }
        set_cell(
            row,
            self.layout.extra_column,
            extra.map_or(Cell::Null, |json| Cell::Text(Cow::Owned(json))),
        );
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
            _ => "an object",
        })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let Rows::Object(_) = self.layout.table.rows else {
            return Err(A::Error::custom("an object in place of a list"));
        };
        let mut cells = vec![Cell::Null; self.reading.width(self.layout.table)];
        let mut is_other_contact = false;
        let extra = read_object(
            self.reading,
            &self.layout.shape,
            map,
            &mut cells,
            Some(&mut is_other_contact),
        )?;
        self.complete(&mut cells, 1, extra);
        Ok(Some(TableRows {
            cells,
            length: 1,
            is_other_contact,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Rows::Items(_) = self.layout.table.rows else {
            return Err(A::Error::custom("a list in place of an object"));
        };
        let mut rows = TableRows::default();
        let width = self.reading.width(self.layout.table);
        loop {
            let start = rows.cells.len();
            rows.cells.extend(std::iter::repeat_n(Cell::Null, width));
            let row = rows
                .cells
                .get_mut(start..)
                .expect("it was just made that long");
            let item = ItemSeed {
                reading: &mut *self.reading,
                shape: &self.layout.shape,
                row,
            };
            let Some(item) = items.next_element_seed(item)? else {
                rows.cells.drain(start..);
                return Ok(Some(rows));
            };
            rows.length += 1;
            if rows.length > MAX_ITEMS {
                return Err(A::Error::custom("a list too long"));
            }
            match item {
                None => drop(rows.cells.drain(start..)),
                Some(extra) => self.complete(
                    rows.cells.get_mut(start..).unwrap_or_default(),
                    rows.length,
                    extra,
                ),
            }
        }
    }
}

/// One item of a list: an object, or null, which makes no row.
struct ItemSeed<'r, 'l, 'de> {
    reading: &'r mut Reading<'l>,
    shape: &'r Shape,
    row: &'r mut [Cell<'de>],
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_, '_, 'de> {
    type Value = Option<Option<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed<'_, '_, 'de> {
    type Value = Option<Option<String>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        read_object(self.reading, self.shape, map, self.row, None).map(Some)
    }
}

/// Reads the members of one object into the cells of its row; what no column takes comes back as
/// JSON. Where it is asked for, says whether the object names another contact, which it does not
/// where its id is absent or null.
fn read_object<'de, A: MapAccess<'de>>(
    reading: &mut Reading<'_>,
    shape: &Shape,
    mut map: A,
    row: &mut [Cell<'de>],
    mut is_other_contact: Option<&mut bool>,
) -> Result<Option<String>, A::Error> {
    let mut extra = Extra::default();
    let mut hint = 0;
    while let Some(key) = map.next_key::<Key<'_>>()? {
        match shape.slot(key, &mut hint) {
            Some(Slot::Cells(columns)) => {
                let raw: &RawValue = map.next_value()?;
                let converted = reading.purpose == Purpose::Rows
                    && fill(row, columns, raw.get(), &mut reading.drift);
                let json = if converted { None } else { reading.keep(raw)? };
                extra.set(key, json);
            }
            Some(Slot::Object(shape)) => {
                // Of doubled members the last one counts: what an earlier one filled is emptied.
                shape.each_column(&mut |column| set_cell(row, column, Cell::Null));
                let json = map
                    .next_value_seed(ItemSeed {
                        reading: &mut *reading,
                        shape,
                        row: &mut *row,
                    })?
                    .flatten();
                extra.set(key, json);
            }
            None if extra::is_left_out(key) => drop(map.next_value::<IgnoredAny>()?),
            None => {
                let raw: &RawValue = map.next_value()?;
                match &mut is_other_contact {
                    Some(is_other) if key.is("ContactId") => {
                        **is_other = match convert(raw.get(), ColumnType::Integer) {
                            Converted::Cell(Cell::Integer(id)) => id != reading.contact_id.get(),
                            converted => converted != Converted::Cell(Cell::Null),
                        }
                    }
                    _ => reading.keep_unknown(&mut extra, key, raw)?,
                }
            }
        }
    }
    Ok(extra.into_json())
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

fn set_cell<'de>(row: &mut [Cell<'de>], column: usize, cell: Cell<'de>) {
    if let Some(place) = row.get_mut(column) {
        *place = cell;
    }
}
