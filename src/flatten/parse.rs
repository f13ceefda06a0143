//! Reads one answer in a single pass, guided by the declaration, into rows set aside: all of them
//! or none. Owns the root object; what its members hold is read in `rows` and `object`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::Cell;
use super::extra::{self, Extra};
use super::fault::Fault;
use super::hollow::is_member_hollow;
use super::layout::RowLayout;
use super::member_name::MemberName;
use super::object::StatedId;
use super::reading::{Purpose, Reading};
use super::rows::{TableRows, TableSeed};
use crate::contact::{ContactId, Drift, Found};
use crate::schema::{Rows, Table, data_tables};

/// What one answer holds.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) found: Found,
    /// Whether the contact was asked for, and only its lists are known.
    pub(super) without_details: bool,
    /// For each layout the cells of its rows, row after row; empty where nothing was found, or
    /// where rows are not the purpose.
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
    let mut reading = Reading::new(layouts, contact_id, purpose);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let root = RootSeed(&mut reading)
        .deserialize(&mut deserializer)
        .and_then(|root| deserializer.end().map(|()| root));
    match root {
        Ok(root) => root.into_parsed(text, &reading),
        // Reading stops at the first thing that does not fit; the rest says whether this is JSON at
        // all.
        Err(_) if !is_json(text) => Err(Fault::NotJson),
        Err(_) if reading.is_too_large() => Err(Fault::TooLarge),
        Err(_) => Err(Fault::WrongStructure),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The root object as far as it was read.
struct Root<'a> {
    is_null: bool,
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
            tables: layouts.iter().map(|_| None).collect(),
            any_member: false,
            extra: Extra::default(),
        }
    }

    /// Judges the answer as a whole, once it is read; `text` is all of it.
    fn into_parsed(self, text: &str, reading: &Reading<'_>) -> Result<Parsed<'a>, Fault> {
        if !self.is_null && !self.any_member {
            return Err(Fault::WrongStructure);
        }
        let details = self.details(text, reading.layouts)?;
        let found = match details {
            _ if self.is_null => Found::Nothing,
            Details::Present | Details::NotAskedFor => Found::Summary,
            Details::Absent if self.has_items(reading.layouts) => Found::Summary,
            Details::Absent => Found::Nothing,
        };
        let lengths = self
            .tables
            .iter()
            .map(|rows| rows.as_ref().map_or(0, |rows| rows.length))
            .collect();
        let rows = match (found, reading.purpose) {
            (Found::Summary, Purpose::Rows) => complete_rows(self.tables, reading),
            (Found::Nothing, Purpose::Rows) | (_, Purpose::Check) => Vec::new(),
        };
        Ok(Parsed {
            found,
            without_details: found == Found::Summary && details == Details::Absent,
            rows,
            lengths,
            extra: self.extra.into_json(),
            drift: reading.drift,
        })
    }

    /// What is said of the contact itself; a fault where it is another one.
    fn details(&self, text: &str, layouts: &[RowLayout]) -> Result<Details, Fault> {
        let Some((place, layout)) = contact_layout(layouts) else {
            return Ok(Details::NotAskedFor);
        };
        let Some(contact) = self.tables.get(place).and_then(Option::as_ref) else {
            return Ok(Details::Absent);
        };
        let member = layout.table.root_member().unwrap_or_default();
        match contact.identity {
            StatedId::Unsaid if is_member_hollow(text, member) => Ok(Details::Absent),
            StatedId::Unsaid | StatedId::AskedFor => Ok(Details::Present),
            // A hollow Contact is no contact at all; with anything beside it, it is not this one.
            StatedId::Zero if !self.has_items(layouts) && is_member_hollow(text, member) => {
                Ok(Details::Absent)
            }
            StatedId::Zero | StatedId::Other => Err(Fault::OtherContact),
        }
    }

    /// Whether a list that was asked for holds anything, be it a null.
    fn has_items(&self, layouts: &[RowLayout]) -> bool {
        layouts.iter().zip(&self.tables).any(|(layout, rows)| {
            matches!(layout.table.rows, Rows::Items(_))
                && rows.as_ref().is_some_and(|rows| rows.length > 0)
        })
    }
}

/// What an answer says of the contact itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Details {
    /// Something.
    Present,
    /// Nothing.
    Absent,
    /// It was not asked for that.
    NotAskedFor,
}

/// The layout that the contact itself fills, where it was asked for, and its place among them.
fn contact_layout(layouts: &[RowLayout]) -> Option<(usize, &RowLayout)> {
    let mut numbered = layouts.iter().enumerate();
    numbered.find(|(_, layout)| matches!(layout.table.rows, Rows::Object(_)))
}

/// The cells of each table. A contact of which only lists are known has a row of nulls, so that
/// every join by `contact_id` holds.
fn complete_rows<'a>(
    tables: Vec<Option<TableRows<'a>>>,
    reading: &Reading<'_>,
) -> Vec<Vec<Cell<'a>>> {
    let mut rows: Vec<_> = tables
        .into_iter()
        .map(|rows| rows.unwrap_or_default().cells)
        .collect();
    if let Some((place, layout)) = contact_layout(reading.layouts)
        && let Some(cells) = rows.get_mut(place).filter(|cells| cells.is_empty())
    {
        *cells = layout.row_of_nulls(reading.contact_id);
    }
    rows
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
                    reading.count_in_root(raw)?;
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
