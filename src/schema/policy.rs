//! What becomes of columns on their way out: a job may have some of them left out, redacted or
//! hashed. Which names a policy may hold, and what it makes of a table, is decided here; where it is
//! typed is the job's matter, and carrying it out the flattener's and the store's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::{CellSource, Column, ColumnType, Table, TargetField, Treatment};
use super::tables::TABLES;

/// What a policy asks for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// The column does not exist, and what it would hold is not stored.
    Drop,
    /// Its cells are keyed hashes.
    Hash,
    /// Its cells are null, and what they would hold is not stored.
    Redact,
}

impl Measure {
    /// Every one, in the order in which they are shown.
    pub const ALL: &[Self] = &[Self::Drop, Self::Hash, Self::Redact];

    /// The job key that lists columns for it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Hash => "hash",
            Self::Redact => "redact",
        }
    }
}

/// Why a name cannot stand in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// There is no such column; the nearest one, where any is near.
    Unknown(Option<String>),
    /// Rows are found and sorted by it.
    Key,
    /// What a run counts rests on it.
    Counted,
    /// It is governed by a key of its own.
    Extra,
    /// Only text can be hashed.
    NoText,
    /// The column stands there already, and for what.
    Twice(Measure),
}

/// What becomes of each column that is named, and of what no column takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    columns: BTreeMap<(&'static str, &'static str), Measure>,
    /// Whether `extra` is left empty, where that is said.
    drops_extra: Option<bool>,
}

/// A policy as the manifest tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Columns that are left out, as `table.column`.
    pub drop: Vec<String>,
    /// Columns of keyed hashes.
    pub hash: Vec<String>,
    /// Columns of nulls.
    pub redact: Vec<String>,
    /// Whether `extra` holds what no column takes.
    pub extra: ExtraMembers,
    /// Tells one key from another, and nothing else of it.
    pub key: Option<String>,
}

/// What becomes of what no column takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtraMembers {
    /// `extra` holds it.
    #[default]
    Keep,
    /// `extra` is null, and it is not stored.
    Drop,
}

impl Policy {
    /// Adds a column, named as `table.column`, or `*.column` for those of every table.
    ///
    /// # Errors
    /// Where it cannot stand there; columns that were added before stay.
    pub fn add(&mut self, name: &str, measure: Measure) -> Result<(), Unfit> {
        let (of_table, of_column) = name.split_once('.').unwrap_or(("", name));
        let is_meant = |table: &Table, column: &Column| {
            (of_table == "*" || of_table == table.name) && of_column == column.name
        };
        let all = || {
            TABLES
                .iter()
                .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        };
        let mut meant = all()
            .filter(|(table, column)| is_meant(table, column))
            .peekable();
        if meant.peek().is_none() {
            return Err(Unfit::Unknown(nearest(name, all())));
        }
        for (table, column) in meant {
            check(column, measure)?;
            let place = (table.name, column.name);
            if let Some(before) = self.columns.get(&place) {
                return Err(Unfit::Twice(*before));
            }
            self.columns.insert(place, measure);
        }
        Ok(())
    }

    /// Says what becomes of what no column takes.
    pub fn set_extra(&mut self, extra: ExtraMembers) {
        self.drops_extra = Some(extra == ExtraMembers::Drop);
    }

    /// Whether nothing is left out or changed.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.extra() == ExtraMembers::Keep
    }

    /// Whether any column is hashed, so that a key is needed.
    pub fn hashes(&self) -> bool {
        self.columns
            .values()
            .any(|measure| *measure == Measure::Hash)
    }

    /// What becomes of what no column takes. As soon as anything is listed, members that this
    /// program does not know yet would carry past the rules what a newer API calls by another name.
    pub fn extra(&self) -> ExtraMembers {
        match self.drops_extra {
            Some(true) => ExtraMembers::Drop,
            None if !self.columns.is_empty() => ExtraMembers::Drop,
            Some(false) | None => ExtraMembers::Keep,
        }
    }

    /// What is asked for a column.
    pub(super) fn measure(&self, table: &str, column: &str) -> Option<Measure> {
        let mut named = self.columns.iter();
        named
            .find(|((of_table, name), _)| *of_table == table && *name == column)
            .map(|(_, measure)| *measure)
    }

    /// The policy as the manifest tells it.
    pub fn report(&self, key: Option<String>) -> PolicyReport {
        let of = |wanted: Measure| {
            let columns = self
                .columns
                .iter()
                .filter(|(_, measure)| **measure == wanted);
            columns
                .map(|((table, column), _)| format!("{table}.{column}"))
                .collect()
        };
        PolicyReport {
            drop: of(Measure::Drop),
            hash: of(Measure::Hash),
            redact: of(Measure::Redact),
            extra: self.extra(),
            key,
        }
    }

    /// The policy that a manifest tells. A name that this program does not know is nobody's.
    pub fn of_report(report: &PolicyReport) -> Self {
        let mut policy = Self::default();
        policy.set_extra(report.extra);
        let lists = [
            (&report.drop, Measure::Drop),
            (&report.hash, Measure::Hash),
            (&report.redact, Measure::Redact),
        ];
        for (names, measure) in lists {
            for name in names {
                drop(policy.add(name, measure));
            }
        }
        policy
    }

    /// The table as it is under this policy.
    pub(super) fn apply(&self, table: &Table) -> Table {
        let mut columns = Vec::with_capacity(table.columns.len());
        let mut discarded = Vec::new();
        for column in table.columns.iter() {
            let treatment = match self.measure(table.name, column.name) {
                Some(Measure::Drop) => {
                    discarded.extend(column.member());
                    continue;
                }
                Some(Measure::Hash) => Treatment::Hashed,
                Some(Measure::Redact) => Treatment::Redacted,
                None if column.source == CellSource::Extra
                    && self.extra() == ExtraMembers::Drop =>
                {
                    Treatment::Redacted
                }
                None => Treatment::Kept,
            };
            columns.push(Column {
                treatment,
                ..*column
            });
        }
        Table {
            columns: Cow::Owned(columns),
            discarded,
            ..table.clone()
        }
    }
}

/// Whether anything but its being there twice speaks against a column.
fn check(column: &Column, measure: Measure) -> Result<(), Unfit> {
    match column.source {
        CellSource::ContactId | CellSource::Position => Err(Unfit::Key),
        CellSource::Extra => Err(Unfit::Extra),
        CellSource::Target(TargetField::InputValue | TargetField::Message)
        | CellSource::Member(_) => match (measure, column.column_type) {
            (Measure::Drop | Measure::Redact, _) | (Measure::Hash, ColumnType::Text) => Ok(()),
            (
                Measure::Hash,
                ColumnType::Integer
                | ColumnType::Float
                | ColumnType::Boolean
                | ColumnType::Instant
                | ColumnType::Date,
            ) => Err(Unfit::NoText),
        },
        CellSource::Target(
            TargetField::InputLine
            | TargetField::Outcome
            | TargetField::HttpStatus
            | TargetField::Attempts
            | TargetField::Error
            | TargetField::FetchedAt
            | TargetField::Truncated,
        ) => Err(Unfit::Counted),
    }
}

/// The column that was probably meant.
fn nearest<'t>(name: &str, all: impl Iterator<Item = (&'t Table, &'t Column)>) -> Option<String> {
    /// Less alike is no likely slip.
    const ALIKE: f64 = 0.75;
    let names = all.map(|(table, column)| format!("{}.{}", table.name, column.name));
    let close = names.map(|known| (strsim::jaro_winkler(name, &known), known));
    let nearest = close.max_by(|a, b| a.0.total_cmp(&b.0));
    nearest
        .filter(|(likeness, _)| *likeness > ALIKE)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(names: &[(&str, Measure)]) -> Result<Policy, Unfit> {
        let mut policy = Policy::default();
        for (name, measure) in names {
            policy.add(name, *measure)?;
        }
        Ok(policy)
    }

    #[test]
    fn names_that_cannot_stand_in_a_policy() {
        use Measure::{Drop, Hash, Redact};
        let cases: &[(&[(&str, Measure)], Unfit)] = &[
            (
                &[("chats.frist_message", Drop)],
                Unfit::Unknown(Some("chats.first_message".to_owned())),
            ),
            (&[("zzz", Drop)], Unfit::Unknown(None)),
            (&[("*.contact_id", Redact)], Unfit::Key),
            (&[("sales.position", Drop)], Unfit::Key),
            (&[("outcomes.outcome", Drop)], Unfit::Counted),
            (&[("outcomes.input_line", Redact)], Unfit::Counted),
            (&[("contacts.extra", Drop)], Unfit::Extra),
            (&[("sales.amount", Hash)], Unfit::NoText),
            (&[("*.registered", Hash)], Unfit::NoText),
            (
                &[("chats.name", Drop), ("*.name", Hash)],
                Unfit::Twice(Drop),
            ),
            (
                &[("chats.name", Hash), ("chats.name", Hash)],
                Unfit::Twice(Hash),
            ),
        ];
        for (names, expected) in cases {
            assert_eq!(added(names).unwrap_err(), *expected, "{names:?}");
        }
    }

    #[test]
    fn what_no_column_takes_goes_as_soon_as_anything_is_listed() {
        let mut policy = Policy::default();
        assert_eq!(
            (policy.extra(), policy.is_empty()),
            (ExtraMembers::Keep, true)
        );
        policy.add("chats.name", Measure::Hash).unwrap();
        assert_eq!(
            (policy.extra(), policy.is_empty()),
            (ExtraMembers::Drop, false)
        );
        policy.set_extra(ExtraMembers::Keep);
        assert_eq!(policy.extra(), ExtraMembers::Keep);
    }

    #[test]
    fn a_manifest_tells_a_policy_whole() {
        let policy = added(&[
            ("*.name", Measure::Hash),
            ("outcomes.message", Measure::Drop),
            ("sales.amount", Measure::Redact),
        ])
        .unwrap();
        let report = policy.report(None);
        assert_eq!(report.hash, ["chats.name", "contacts.name"]);
        let read = Policy::of_report(&report);
        assert_eq!(
            (read.report(None), read.extra()),
            (report, ExtraMembers::Drop)
        );
    }
}
