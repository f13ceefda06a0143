//! One answer becomes rows of every table, all or nothing, by the rules of `TABLES.md`. A function
//! of the answer and the declaration alone: knows nothing of files, of the store or of the network.

mod cell;
mod columns;
mod extra;
mod fault;
mod instant;
mod layout;
mod member_name;
mod object;
mod parse;
mod reading;
mod rows;
mod shape;

use std::borrow::Cow;

use arrow_array::RecordBatch;

use self::cell::Cell;
use self::columns::Columns;
pub use self::fault::Fault;
use self::layout::RowLayout;
use self::parse::{Parsed, parse};
use self::reading::Purpose;
use crate::contact::{ContactId, Drift, Found, Outcome, Target};
use crate::schema::{CellSource, Column, Rows, TargetField, View};

/// Tells whether an answer makes rows, without making them.
#[derive(Debug)]
pub struct Checker {
    layouts: Vec<RowLayout>,
}

impl Checker {
    /// A checker for answers that fill the tables of this view.
    pub fn new(view: &View) -> Self {
        Self {
            layouts: view.data_tables().map(RowLayout::of).collect(),
        }
    }

    /// What the answer for this contact holds.
    pub fn check(&self, contact_id: ContactId, body: &[u8]) -> Result<Found, Fault> {
        parse(&self.layouts, contact_id, body, Purpose::Check).map(|parsed| parsed.found)
    }
}

/// Turns answers into rows and collects them, until they are taken as record batches.
#[derive(Debug)]
pub struct Flattener {
    layouts: Vec<RowLayout>,
    columns: Vec<Columns>,
    outcomes: Columns,
    outcome_columns: Vec<Column>,
    limit: usize,
    bytes: usize,
    drift: Drift,
    truncated: Vec<u64>,
}

impl Flattener {
    /// A flattener for the tables of this view; `limit` is the number of items per list that was
    /// asked for.
    pub fn new(view: &View, limit: u32) -> Self {
        let layouts: Vec<_> = view.data_tables().map(RowLayout::of).collect();
        Self {
            columns: view.data_tables().map(Columns::of).collect(),
            outcomes: Columns::of(view.outcomes()),
            outcome_columns: view.outcomes().columns.to_vec(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            bytes: 0,
            drift: Drift::default(),
            truncated: vec![0; layouts.len()],
            layouts,
        }
    }

    /// Appends the rows of one target: those of its answer, where it has one, and its row of
    /// `outcomes`. Gives back how it ended, which differs from what was recorded only where an
    /// answer no longer makes rows.
    pub fn append(&mut self, mut target: Target, body: Option<&[u8]>) -> Outcome {
        let mut truncated = None;
        let mut extra = None;
        if let (Some(contact_id), Some(body)) = (target.contact_id, body) {
            self.bytes += body.len();
            match parse(&self.layouts, contact_id, body, Purpose::Rows) {
                Ok(parsed) => {
                    truncated = self.truncated_lists(&parsed);
                    self.append_rows(&parsed);
                    extra = parsed.extra;
                    if parsed.found == Found::Nothing {
                        target.ending.outcome = Outcome::Missing;
                    }
                }
                Err(fault) => {
                    target.ending.outcome = Outcome::Failed;
                    target.ending.error = Some(fault.into());
                }
            }
        }
        let row: Vec<_> = self
            .outcome_columns
            .iter()
            .map(|column| target_cell(column, &target, truncated.as_deref(), extra.as_deref()))
            .collect();
        self.outcomes.append(&row);
        target.ending.outcome
    }

    fn append_rows(&mut self, parsed: &Parsed<'_>) {
        self.drift += parsed.drift;
        for ((layout, columns), cells) in
            self.layouts.iter().zip(&mut self.columns).zip(&parsed.rows)
        {
            cells
                .chunks(layout.table.columns.len())
                .for_each(|row| columns.append(row));
        }
    }

    fn truncated_lists(&mut self, parsed: &Parsed<'_>) -> Option<String> {
        let mut names = Vec::new();
        for ((layout, length), contacts) in self
            .layouts
            .iter()
            .zip(&parsed.lengths)
            .zip(&mut self.truncated)
        {
            if matches!(layout.table.rows, Rows::Items(_)) && *length >= self.limit {
                *contacts += 1;
                names.push(layout.table.name);
            }
        }
        (!names.is_empty()).then(|| names.join(","))
    }

    /// Rows in the fullest table since the batches were last taken.
    pub fn rows(&self) -> usize {
        self.columns
            .iter()
            .map(Columns::rows)
            .fold(self.outcomes.rows(), usize::max)
    }

    /// Bytes of the answers whose rows they are.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the rows so far, table by table, `outcomes` last.
    pub fn take(&mut self) -> Vec<RecordBatch> {
        self.bytes = 0;
        self.columns
            .iter_mut()
            .chain([&mut self.outcomes])
            .map(Columns::take)
            .collect()
    }

    /// What did not fit the declaration, over all answers so far.
    pub fn drift(&self) -> Drift {
        self.drift
    }

    /// For each list how many contacts reached the limit, so far.
    pub fn truncated(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let lists = self.layouts.iter().zip(&self.truncated);
        lists
            .filter(|(layout, _)| matches!(layout.table.rows, Rows::Items(_)))
            .map(|(layout, contacts)| (layout.table.name, *contacts))
    }
}

fn target_cell<'a>(
    column: &Column,
    target: &'a Target,
    truncated: Option<&'a str>,
    extra: Option<&'a str>,
) -> Cell<'a> {
    let text = |text: &'a str| Cell::Text(Cow::Borrowed(text));
    let ending = &target.ending;
    let cell = match column.source {
        CellSource::ContactId => target.contact_id.map(|id| Cell::Integer(id.get())),
        CellSource::Extra => extra.map(text),
        CellSource::Position | CellSource::Member(_) => None,
        CellSource::Target(field) => match field {
            TargetField::InputLine => i64::try_from(target.input_line).ok().map(Cell::Integer),
            TargetField::InputValue => Some(text(&target.input_value)),
            TargetField::Outcome => Some(text(ending.outcome.as_str())),
            TargetField::HttpStatus => ending
                .http_status
                .map(|status| Cell::Integer(status.into())),
            TargetField::Attempts => Some(Cell::Integer(ending.attempts.into())),
            TargetField::Error => ending.error.map(|reason| text(reason.as_str())),
            TargetField::Message => ending.message.as_deref().map(text),
            TargetField::FetchedAt => ending.fetched_at.map(Cell::Integer),
            TargetField::Truncated => truncated.map(text),
        },
    };
    cell.unwrap_or(Cell::Null)
}

#[cfg(test)]
mod tests;
