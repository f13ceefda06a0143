//! What is known while one answer is read, and what is kept of values that make no cell.

use serde_json::value::RawValue;

use super::extra::{self, Extra};
use super::layout::RowLayout;
use super::member_name::MemberName;
use crate::contact::{ContactId, Drift};
use crate::schema::Table;

/// What an answer is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its rows.
    Rows,
    /// Whether it makes rows: none are made, and no value is converted.
    Check,
}

/// What is known while one answer is read.
pub(super) struct Reading<'l> {
    pub(super) layouts: &'l [RowLayout],
    pub(super) contact_id: ContactId,
    pub(super) purpose: Purpose,
    pub(super) drift: Drift,
}

impl Reading<'_> {
    /// How many cells a row of this table has here.
    pub(super) fn width(&self, table: &Table) -> usize {
        match self.purpose {
            Purpose::Rows => table.columns.len(),
            Purpose::Check => 0,
        }
    }

    /// What is kept of a value that makes no cell. To check it is to see that it is not nested too
    /// deeply.
    pub(super) fn keep<E: serde::de::Error>(&self, raw: &RawValue) -> Result<Option<String>, E> {
        if self.purpose == Purpose::Check && !raw.get().starts_with(['{', '[']) {
            return Ok(None);
        }
        extra::prune(raw).map_err(E::custom)
    }

    /// Keeps a member that no column takes.
    pub(super) fn keep_unknown<'a, E: serde::de::Error>(
        &mut self,
        extra: &mut Extra<'a>,
        name: MemberName<'a>,
        raw: &RawValue,
    ) -> Result<(), E> {
        let json = self.keep(raw)?;
        self.drift.unknown_members += u64::from(json.is_some());
        extra.set_unknown(name, json).map_err(E::custom)
    }
}
