//! The rows of one table on the walk through all of them: their order, their number, and whose they
//! are. The first fault of a kind is told; the others of that kind would say nothing new.

use std::iter::Peekable;

use super::difference::Difference;
use super::keys::{Keys, RowKey};
use crate::contact::Outcome;
use crate::load::file::FileReport;

/// What the rows of a table stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// How each target ended.
    Outcomes,
    /// One of each contact that has rows anywhere.
    EveryContact,
    /// At most one of each of them.
    SomeContacts,
    /// Any number of each of them.
    Items,
}

/// A target whose rows come next.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextTarget {
    pub(super) contact_id: i64,
    /// How it ended, where that is known.
    pub(super) outcome: Option<Outcome>,
    /// Where `outcomes` says so.
    pub(super) outcomes_row: u64,
}

/// The rows of one table's file that are still to be read.
pub(super) struct TableWalk {
    pub(super) contents: Contents,
    pub(super) file: String,
    /// How many were read.
    pub(super) read: u64,
    expected: u64,
    keys: Peekable<Keys>,
    previous: Option<RowKey>,
    unsorted: bool,
    orphaned: bool,
    unreadable: bool,
    /// The first contact without the row that it should have.
    without_row: Option<NextTarget>,
}

impl TableWalk {
    pub(super) fn new(contents: Contents, report: &FileReport, keys: Keys) -> Self {
        Self {
            contents,
            file: report.file.clone(),
            read: 0,
            expected: report.rows,
            keys: keys.peekable(),
            previous: None,
            unsorted: false,
            orphaned: false,
            unreadable: false,
            without_row: None,
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

    /// Reads the rows of contacts up to this one. Only this one may have any, and only if an answer
    /// of it is shown; among the contacts it has one then.
    pub(super) fn advance(&mut self, owner: NextTarget, differences: &mut Vec<Difference>) {
        let is_shown = owner.outcome.is_some_and(Outcome::has_rows);
        let mut has_rows = false;
        while let Some(Ok(RowKey {
            contact_id: Some(next),
            ..
        })) = self.keys.peek()
            && *next <= owner.contact_id
        {
            let is_owned = *next == owner.contact_id;
            has_rows |= is_owned;
            self.take(!is_owned || !is_shown, differences);
        }
        if self.contents == Contents::EveryContact && is_shown && !has_rows {
            self.without_row.get_or_insert(owner);
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

    /// Names a contact without the row that it should have, once all rows are read: those of a
    /// table that is not sorted may have been passed.
    pub(super) fn check_contacts(&self, differences: &mut Vec<Difference>) {
        if !self.unreadable
            && self.is_sorted()
            && let Some(owner) = self.without_row
        {
            differences.push(Difference::NoContactRow {
                file: self.file.clone(),
                row: owner.outcomes_row,
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
