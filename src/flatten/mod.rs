//! One answer becomes rows of every table, all or nothing, by the rules of `TABLES.md`. A function
//! of the answer and the declaration alone: knows nothing of files, of the store or of the network.

mod cell;
mod columns;
mod extra;
mod fault;
mod hash;
mod hollow;
mod instant;
mod layout;
mod member_name;
mod object;
mod parse;
mod reading;
mod rows;
mod shape;
mod stripper;

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use arrow_array::RecordBatch;

use self::cell::{Cell, set_cell};
use self::columns::Columns;
pub use self::fault::Fault;
pub use self::hash::HashKey;
use self::layout::RowLayout;
use self::parse::{Parsed, parse};
use self::reading::Purpose;
pub(crate) use self::stripper::Stripper;
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

/// Rows of one table that make a full batch. Small batches keep the memory small and even, and cost
/// nothing in the files: the writers put them together.
const BATCH_ROWS: usize = 512;
/// Bytes of cells that make a full batch, for the same reason.
const BATCH_BYTES: usize = 1 << 20;

/// The rows of every table since they were last taken, in the order of the tables.
pub type Batches = Vec<RecordBatch>;

/// Takes full batches.
type HandOn<'a, E> = &'a mut dyn FnMut(Batches) -> Result<(), E>;

/// The body of an answer, and what of the question that it was given to its rows depend on. An
/// answer to an older question is judged by that one.
#[derive(Debug, Clone, Copy)]
pub struct AnswerBody<'a> {
    /// The body.
    pub json: &'a [u8],
    /// How many items per list were asked for at most.
    pub limit: u32,
    /// Whether its instants were asked for in the zone of tonight's question. Where they were not,
    /// the calendar days are those of another wall.
    pub has_same_zone: bool,
}

/// Turns answers into rows and collects them, until they are taken as record batches.
#[derive(Debug)]
pub struct Flattener {
    layouts: Vec<RowLayout>,
    columns: Vec<Columns>,
    outcomes: Columns,
    outcome_columns: Vec<Column>,
    /// Bytes of the cells since they were last taken.
    bytes: usize,
    drift: Drift,
    truncated: Vec<u64>,
    contacts_without_details: u64,
    answers_of_another_zone: u64,
}

/// What `outcomes` says of a target's answer.
#[derive(Debug, Default)]
struct AnswerCells {
    truncated: Option<String>,
    extra: Option<String>,
}

impl Flattener {
    /// A flattener for the tables of this view.
    pub fn new(view: &View) -> Self {
        let layouts: Vec<_> = view.data_tables().map(RowLayout::of).collect();
        Self {
            columns: view.data_tables().map(Columns::of).collect(),
            outcomes: Columns::of(view.outcomes()),
            outcome_columns: view.outcomes().columns.to_vec(),
            bytes: 0,
            drift: Drift::default(),
            truncated: vec![0; layouts.len()],
            contacts_without_details: 0,
            answers_of_another_zone: 0,
            layouts,
        }
    }

    /// The same, with the key of the hashes. Where there is none, hashed cells are null.
    #[must_use]
    pub fn hashing(mut self, key: Option<&Arc<HashKey>>) -> Self {
        let columns = self.columns.iter_mut().chain([&mut self.outcomes]);
        columns.for_each(|columns| columns.hash_with(key.cloned()));
        self
    }

    /// Appends the rows of one target: those of its answer, where it has one to show, and its row
    /// of `outcomes`. Gives back how it ended, which differs from what was recorded only where an
    /// answer makes no rows.
    pub fn append(&mut self, target: Target, answer: Option<AnswerBody<'_>>) -> Outcome {
        let Ok(outcome) = self.append_and::<Infallible>(target, answer, None);
        outcome
    }

    /// The same, and hands on the rows so far whenever they make a full batch, be it in the middle
    /// of an answer: one of them can make a thousand batches.
    ///
    /// # Errors
    /// What handing on gives.
    pub fn append_in_batches<E>(
        &mut self,
        target: Target,
        answer: Option<AnswerBody<'_>>,
        hand_on: HandOn<'_, E>,
    ) -> Result<Outcome, E> {
        self.append_and(target, answer, Some(hand_on))
    }

    fn append_and<E>(
        &mut self,
        mut target: Target,
        answer: Option<AnswerBody<'_>>,
        mut hand_on: Option<HandOn<'_, E>>,
    ) -> Result<Outcome, E> {
        let ending = &mut target.ending;
        let shown = answer.filter(|_| ending.outcome.has_rows());
        let mut cells = AnswerCells::default();
        if let (Some(contact_id), Some(answer)) = (target.contact_id, shown) {
            match parse(&self.layouts, contact_id, answer.json, Purpose::Rows) {
                Ok(parsed) => {
                    ending.outcome = outcome_of(ending.outcome, parsed.found);
                    cells = self.append_answer(parsed, answer, &mut hand_on)?;
                }
                Err(fault) => {
                    ending.outcome = Outcome::Failed;
                    ending.error = Some(fault.into());
                }
            }
        }
        let row: Vec<_> = self
            .outcome_columns
            .iter()
            .map(|column| target_cell(column, &target, &cells))
            .collect();
        self.bytes += self.outcomes.append(&row);
        if self.outcomes.rows() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.hand_on(&mut hand_on)?;
        }
        Ok(target.ending.outcome)
    }

    /// Appends the rows of an answer, if it makes any, and counts what is to be told of it.
    fn append_answer<E>(
        &mut self,
        parsed: Parsed<'_>,
        answer: AnswerBody<'_>,
        hand_on: &mut Option<HandOn<'_, E>>,
    ) -> Result<AnswerCells, E> {
        self.drift += parsed.drift;
        self.contacts_without_details += u64::from(parsed.without_details);
        let is_of_another_zone = parsed.found == Found::Summary && !answer.has_same_zone;
        self.answers_of_another_zone += u64::from(is_of_another_zone);
        for (place, mut cells) in parsed.rows.into_iter().enumerate() {
            let width = self.columns.get(place).map_or(1, Columns::width);
            for row in cells.chunks_mut(width) {
                if !answer.has_same_zone {
                    self.empty_days(place, row);
                }
                if self.append_row(place, row) {
                    self.hand_on(hand_on)?;
                }
            }
        }
        Ok(AnswerCells {
            truncated: self.truncated_lists(&parsed.lengths, answer.limit),
            extra: parsed.extra,
        })
    }

    /// Empties the cells of calendar days in a row of the table at this place.
    fn empty_days(&self, place: usize, row: &mut [Cell<'_>]) {
        let days = self.layouts.get(place).map(|layout| &layout.day_columns);
        for column in days.into_iter().flatten() {
            set_cell(row, *column, Cell::Null);
        }
    }

    /// Appends a row to the table at this place; says whether there is a full batch now.
    fn append_row(&mut self, place: usize, row: &[Cell<'_>]) -> bool {
        let Some(columns) = self.columns.get_mut(place) else {
            return false;
        };
        self.bytes += columns.append(row);
        columns.rows() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Hands on the rows so far, where somebody takes them.
    fn hand_on<E>(&mut self, hand_on: &mut Option<HandOn<'_, E>>) -> Result<(), E> {
        match hand_on {
            Some(hand_on) => hand_on(self.take()),
            None => Ok(()),
        }
    }

    /// The names of the lists that are as long as was asked for at most.
    fn truncated_lists(&mut self, lengths: &[usize], limit: u32) -> Option<String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut names = Vec::new();
        let lists = self.layouts.iter().zip(lengths);
        for ((layout, length), contacts) in lists.zip(&mut self.truncated) {
            if matches!(layout.table.rows, Rows::Items(_)) && *length >= limit {
                *contacts += 1;
                names.push(layout.table.name);
            }
        }
        (!names.is_empty()).then(|| names.join(","))
    }

    /// Takes the rows so far, table by table, `outcomes` last.
    pub fn take(&mut self) -> Batches {
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

    /// How many contacts have a row of nulls, so far, since only their lists are known; none where
    /// there is no table of contacts.
    pub fn contacts_without_details(&self) -> Option<u64> {
        let mut rows = self.layouts.iter().map(|layout| layout.table.rows);
        rows.any(|rows| matches!(rows, Rows::Object(_)))
            .then_some(self.contacts_without_details)
    }

    /// How many answers have no calendar days, so far, since their instants were asked for in
    /// another zone.
    pub fn answers_of_another_zone(&self) -> u64 {
        self.answers_of_another_zone
    }

    /// For each list how many contacts reached the limit of their question, so far.
    pub fn truncated(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let lists = self.layouts.iter().zip(&self.truncated);
        lists
            .filter(|(layout, _)| matches!(layout.table.rows, Rows::Items(_)))
            .map(|(layout, contacts)| (layout.table.name, *contacts))
    }
}

/// How a target ends whose answer was to be shown. A stale one with an answer that says nothing has
/// nothing to show; its last attempt, which failed, does not say that it is missing.
fn outcome_of(recorded: Outcome, found: Found) -> Outcome {
    match (found, recorded) {
        (Found::Summary, recorded) => recorded,
        (Found::Nothing, Outcome::Stale) => Outcome::Failed,
        (
            Found::Nothing,
            Outcome::Exported
            | Outcome::Missing
            | Outcome::Failed
            | Outcome::Pending
            | Outcome::Rejected,
        ) => Outcome::Missing,
    }
}

fn target_cell<'a>(column: &Column, target: &'a Target, answer: &'a AnswerCells) -> Cell<'a> {
    let text = |text: &'a str| Cell::Text(Cow::Borrowed(text));
    let ending = &target.ending;
    let cell = match column.source {
        CellSource::ContactId => target.contact_id.map(|id| Cell::Integer(id.get())),
        CellSource::Extra => answer.extra.as_deref().map(text),
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
            TargetField::Truncated => answer.truncated.as_deref().map(text),
        },
    };
    cell.unwrap_or(Cell::Null)
}

#[cfg(test)]
mod tests;
