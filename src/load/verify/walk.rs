//! The rows of one table on the walk through all of them: their order, their number, and whose they
//! are. The first fault of a kind is told; the others of that kind would say nothing new.

use std::iter::Peekable;

use super::difference::Difference;
use super::keys::{Keys, RowKey};
use crate::load::file::FileReport;

/// The rows of one table's file that are still to be read.
pub(super) struct TableWalk {
    pub(super) table: &'static str,
    pub(super) file: String,
    /// How many were read.
    pub(super) read: u64,
    expected: u64,
    keys: Peekable<Keys>,
    previous: Option<RowKey>,
    unsorted: bool,
    orphaned: bool,
    unreadable: bool,
}

impl TableWalk {
    pub(super) fn new(table: &'static str, report: &FileReport, keys: Keys) -> Self {
        Self {
            table,
            file: report.file.clone(),
            read: 0,
            expected: report.rows,
            keys: keys.peekable(),
            previous: None,
            unsorted: false,
            orphaned: false,
            unreadable: false,
        }
    }

    /// Whether contacts can be looked up by going forward.
    pub(super) fn is_sorted(&self) -> bool {
        !self.unsorted
    }

    /// The next row.
    pub(super) fn next(&mut self, differences: &mut Vec<Difference>) -> Option<RowKey> {
        if self.unreadable {
            return None;
        }
        let Ok(key) = self.keys.next()? else {
            self.unreadable = true;
            differences.push(Difference::Unreadable {
                file: self.file.clone(),
                rows: self.read,
            });
            return None;
        };
        self.read += 1;
        let in_order = self
            .previous
            .is_none_or(|previous| previous.order() < key.order());
        if !in_order && !self.unsorted {
            self.unsorted = true;
            differences.push(Difference::Order {
                file: self.file.clone(),
                row: self.read,
            });
        }
        self.previous = Some(key);
        Some(key)
    }

    /// Reads the rows of contacts up to this one; only this one may have any, and only if its
    /// outcome has.
    pub(super) fn advance(
        &mut self,
        contact_id: i64,
        has_rows: bool,
        differences: &mut Vec<Difference>,
    ) {
        while let Some(Ok(RowKey {
            contact_id: Some(next),
            ..
        })) = self.keys.peek()
            && *next <= contact_id
        {
            let orphan = *next < contact_id || !has_rows;
            self.take(orphan, differences);
        }
    }

    /// Reads the rows that are left.
    pub(super) fn drain(&mut self, orphans: bool, differences: &mut Vec<Difference>) {
        while self.take(orphans, differences) {}
    }

    /// Compares the number of rows, once all are read.
    pub(super) fn check_number(&self, differences: &mut Vec<Difference>) {
        if !self.unreadable && self.read != self.expected {
            differences.push(Difference::Rows {
                file: self.file.clone(),
                expected: self.expected,
                found: self.read,
            });
        }
    }

    fn take(&mut self, orphan: bool, differences: &mut Vec<Difference>) -> bool {
        let taken = self.next(differences).is_some();
        if taken && orphan && !self.orphaned && self.is_sorted() {
            self.orphaned = true;
            differences.push(Difference::NotExported {
                file: self.file.clone(),
                row: self.read,
            });
        }
        taken
    }
}
