//! What is known while one answer is read, and what is kept of values that make no cell.

use serde_json::value::RawValue;

use super::cell::Cell;
use super::extra::{self, Extra};
use super::fault::Fault;
use super::layout::RowLayout;
use super::member_name::MemberName;
use crate::contact::{ContactId, Drift};
use crate::schema::Table;

/// Most cells that one answer makes. Each takes 24 bytes whatever it holds, and an empty item of a
/// list, three bytes on the wire, makes a whole row of them: without this bound a few kilobytes of
/// gzip take hundreds of megabytes. A list as long as can be asked for fits, in any table.
pub(super) const MAX_CELLS: usize = 1_500_000;
const _: () = assert!(size_of::<Cell<'_>>() <= 24);

/// Most bytes of values in one row, as they were written: all of them may end up in one cell,
/// `extra`, and the library that writes Parquet holds a cell nine times over. It is four hundred
/// times a usual answer.
pub(super) const MAX_ROW: usize = 2 << 20;

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
    /// Cells of the rows so far, whether they are made or only counted.
    cells: usize,
    /// Bytes of values in the row so far, and among the members of the root that no table takes.
    in_row: usize,
    in_root: usize,
    is_too_large: bool,
}

impl<'l> Reading<'l> {
    pub(super) fn new(layouts: &'l [RowLayout], contact_id: ContactId, purpose: Purpose) -> Self {
        Self {
            layouts,
            contact_id,
            purpose,
            drift: Drift::default(),
            cells: 0,
            in_row: 0,
            in_root: 0,
            is_too_large: false,
        }
    }

    /// Begins a row.
    pub(super) fn begin_row(&mut self) {
        self.in_row = 0;
    }

    /// Counts the cells of the row, which is one of this table; a fault where there are too many.
    pub(super) fn end_row<E: serde::de::Error>(&mut self, table: &Table) -> Result<(), E> {
        self.cells += table.columns.len();
        self.ensure(self.cells <= MAX_CELLS)
    }

    /// Counts a value in the row; a fault where it is too large.
    pub(super) fn count_in_row<E: serde::de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        self.in_row += raw.get().len();
        self.ensure(self.in_row <= MAX_ROW)
    }

    /// Counts a value that goes to `outcomes`; a fault where that row is too large.
    pub(super) fn count_in_root<E: serde::de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        self.in_root += raw.get().len();
        self.ensure(self.in_root <= MAX_ROW)
    }

    /// Whether more was found than any answer may make.
    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    fn ensure<E: serde::de::Error>(&mut self, fits: bool) -> Result<(), E> {
        if fits {
            return Ok(());
        }
        self.is_too_large = true;
        Err(E::custom(Fault::TooLarge))
    }

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
