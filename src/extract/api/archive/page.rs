//! Reads a page of slim rows as a stream: of each row only key, contact and the hash of its stamps
//! are kept. All or nothing: a page with one bad row gives none. Strict where an error would lose a
//! change (key, contact, order), tolerant elsewhere.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::changes::RowSum;
use crate::contact::ContactId;
use crate::extract::api::archive::cell::{is_null, stamp, whole_number};
use crate::extract::api::archive::request::Archive;

/// What is kept of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRow {
    /// Its primary key.
    pub key: i64,
    /// Whose it is; none where it is nobody's.
    pub contact_id: Option<ContactId>,
    /// What it adds to the sum of its contact.
    pub sum: RowSum,
}

/// The rows of a page, by ascending key. Without any, the walk is at its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<PageRow>,
}

/// Why a page cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// It is no JSON, or ends before its end.
    #[error("the page is not JSON")]
    NotJson,
    /// Its root is no object with a list of rows in `value`.
    #[error("the page has no list of rows")]
    NoRows,
    /// A row is no object, or has no key, or a key that is no whole number above 0.
    #[error("a row has no usable key")]
    Key,
    /// The column of the contact is not there, or is no id.
    #[error("a row has no usable contact id")]
    Contact,
    /// A key is not above the one before it, or not beyond the one that was asked for.
    #[error("the rows are not in the order of their keys, or a key comes twice")]
    Order,
}

/// Reads the page that was asked for beyond a key.
///
/// # Errors
/// Where it cannot be believed; then no row of it counts.
pub fn read_page(archive: &Archive, after: i64, body: &[u8]) -> Result<Page, PageFault> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let mut reader = PageReader {
        archive,
        last: after,
        rows: None,
        fault: None,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = PageRoot(&mut reader)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    match (read, reader.fault, reader.rows) {
        (_, Some(fault), _) => Err(fault),
        // Data of another kind than it should be is JSON all the same.
        (Err(error), None, _) if error.is_data() => Err(PageFault::NoRows),
        (Err(_), None, _) => Err(PageFault::NotJson),
        (Ok(()), None, None) => Err(PageFault::NoRows),
        (Ok(()), None, Some(rows)) => Ok(Page { rows }),
    }
}

/// How far a page is read.
struct PageReader<'a> {
    archive: &'a Archive,
    /// The last key.
    last: i64,
    /// None before the list of rows begins.
    rows: Option<Vec<PageRow>>,
    fault: Option<PageFault>,
}

impl PageReader<'_> {
    fn push(&mut self, row: PageRow) -> Result<(), PageFault> {
        if row.key <= self.last {
            return Err(PageFault::Order);
        }
        self.last = row.key;
        self.rows.get_or_insert_default().push(row);
        Ok(())
    }
}

struct PageRoot<'r, 'a>(&'r mut PageReader<'a>);

impl<'de> DeserializeSeed<'de> for PageRoot<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageRoot<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == "value" {
                members.next_value_seed(PageRows(self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct PageRows<'r, 'a>(&'r mut PageReader<'a>);

impl<'de> DeserializeSeed<'de> for PageRows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PageRows<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        self.0.rows.get_or_insert_default();
        while let Some(row) = rows.next_element_seed(SlimRow(self.0.archive))? {
            if let Err(fault) = row.and_then(|row| self.0.push(row)) {
                self.0.fault = Some(fault);
                return Err(A::Error::custom("the page cannot be believed"));
            }
        }
        Ok(())
    }
}

struct SlimRow<'a>(&'a Archive);

impl<'de> DeserializeSeed<'de> for SlimRow<'_> {
    type Value = Result<PageRow, PageFault>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SlimRow<'_> {
    type Value = Result<PageRow, PageFault>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let archive = self.0;
        let is = |name: &str, column: &str| name.eq_ignore_ascii_case(column);
        let (mut key, mut contact) = (None, None);
        let mut stamps = vec![None; archive.stamps.len()];
        while let Some(name) = members.next_key::<String>()? {
            let cell: &RawValue = members.next_value()?;
            if is(&name, archive.key) {
                key = Some(cell);
            } else if archive.contact.is_some_and(|column| is(&name, column)) {
                contact = Some(cell);
            } else if let Some((_, known)) = archive
                .stamps
                .iter()
                .zip(&mut stamps)
                .find(|(column, _)| is(&name, column))
            {
                *known = stamp(cell);
            }
        }
        Ok(row(archive, key, contact, &stamps))
    }
}

fn row(
    archive: &Archive,
    key: Option<&RawValue>,
    contact: Option<&RawValue>,
    stamps: &[Option<Cow<'_, str>>],
) -> Result<PageRow, PageFault> {
    let key = key.and_then(whole_number).filter(|key| *key > 0);
    let key = key.ok_or(PageFault::Key)?;
    let contact_id = match (archive.contact, contact) {
        (None, _) => Some(ContactId::new(key).ok_or(PageFault::Key)?),
        (Some(_), None) => return Err(PageFault::Contact),
        (Some(_), Some(cell)) if is_null(cell) => None,
        (Some(_), Some(cell)) => match whole_number(cell).ok_or(PageFault::Contact)? {
            0 => None,
            id => Some(ContactId::new(id).ok_or(PageFault::Contact)?),
        },
    };
    let stamps = stamps.iter().map(Option::as_deref);
    Ok(PageRow {
        key,
        contact_id,
        sum: RowSum::of_row(archive.kind, key, stamps),
    })
}
