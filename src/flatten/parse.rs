//! Reads one answer in a single pass, guided by the declaration, into rows set aside: all of them
//! or none. Owns the root object; what its members hold is read in `rows` and `object`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::Cell;
use super::extra::{self, Extra};
use super::fault::Fault;
use super::layout::RowLayout;
use super::member_name::MemberName;
use super::reading::{Purpose, Reading};
use super::rows::{TableRows, TableSeed};
use crate::contact::{ContactId, Drift, Found};
use crate::schema::{Rows, Table, data_tables};

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
pub(super) fn parse<'a>(
    layouts: &[RowLayout],
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

impl<'a> Root<'a> {
    fn new(layouts: &[RowLayout]) -> Self {
        Self {
            is_null: false,
            is_empty: true,
            tables: layouts.iter().map(|_| None).collect(),
            any_member: false,
            extra: Extra::default(),
        }
    }

    fn into_parsed(self, layouts: &[RowLayout], drift: Drift) -> Result<Parsed<'a>, Fault> {
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
        let found = self.found(layouts);
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
        Ok(Parsed {
            found,
            rows,
            lengths,
            extra: self.extra.into_json(),
            drift,
        })
    }

    /// Nothing is what a null says, and an answer without any row where a contact was asked for.
    fn found(&self, layouts: &[RowLayout]) -> Found {
        let contact_asked_for = layouts
            .iter()
            .any(|layout| matches!(layout.table.rows, Rows::Object(_)));
        let any_rows = self.tables.iter().flatten().any(|rows| rows.length > 0);
        if self.is_null || (contact_asked_for && !any_rows) {
            Found::Nothing
        } else {
            Found::Summary
        }
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
        while let Some(name) = map.next_key::<MemberName<'_>>()? {
            root.is_empty = false;
            match what_is(name, reading.layouts) {
                RootMember::Wanted(place, layout) => {
                    root.any_member = true;
                    let rows = map.next_value_seed(TableSeed {
                        reading: &mut *reading,
                        layout,
                    })?;
                    if let Some(member) = root.tables.get_mut(place) {
                        *member = rows;
                    }
                }
                RootMember::Unwanted => {
                    root.any_member = true;
                    map.next_value::<IgnoredAny>()?;
                }
                RootMember::LeftOut => drop(map.next_value::<IgnoredAny>()?),
                RootMember::Unknown => {
                    let raw: &RawValue = map.next_value()?;
                    if name.is("Error") && raw.get() == "true" {
                        return Err(A::Error::custom("an error object"));
                    }
                    reading.keep_unknown(&mut root.extra, name, raw)?;
                }
            }
        }
        Ok(root)
    }
}

/// What a member of the root is to this job.
enum RootMember<'l> {
    /// It holds the rows of the table of this layout, which stands at this place among them.
    Wanted(usize, &'l RowLayout),
    /// It holds those of a table that was not asked for: whatever a server sends all the same is
    /// not wanted.
    Unwanted,
    /// It is left out by design.
    LeftOut,
    /// No table takes it.
    Unknown,
}

fn what_is<'l>(name: MemberName<'_>, layouts: &'l [RowLayout]) -> RootMember<'l> {
    let holds = |table: &Table| table.root_member().is_some_and(|member| name.is(member));
    let mut numbered = layouts.iter().enumerate();
    if let Some((place, layout)) = numbered.find(|(_, layout)| holds(&layout.table)) {
        RootMember::Wanted(place, layout)
    } else if data_tables().any(holds) {
        RootMember::Unwanted
    } else if extra::is_left_out(name) {
        RootMember::LeftOut
    } else {
        RootMember::Unknown
    }
}
