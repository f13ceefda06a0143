//! What is known of a target, read from a row of the store: which kept answer may stand for one to
//! tonight's question, and which ending still counts. Deciding what follows is `rules`' matter.

use std::collections::HashMap;

use rusqlite::types::{FromSql, Type};
use rusqlite::{Row, functions};

use super::questions::QuestionId;
use super::rules::{KeptAnswer, KeptEnding, Known};
use super::{Error, Store};
use crate::contact::{Outcome, Question, Reason};

/// The columns that [`Context::known`] reads, of `responses` as `r` and `endings` as `e`.
pub(super) const COLUMNS: &str = "r.question, r.run, r.fetched_at, e.question, e.run, e.ended_at, e.outcome, e.error, \
                                  e.published_as_missing, e.denied_by";

/// How many columns those are.
pub(super) const WIDTH: usize = 10;

/// Which stored questions an answer or ending may have been asked with to count tonight.
#[derive(Debug, Clone)]
pub(super) struct Context {
    questions: HashMap<QuestionId, Relation>,
}

#[derive(Debug, Clone, Copy)]
struct Relation {
    /// Whether answers hold what is wanted now.
    has_all_members: bool,
    /// The question that its answers count as answers to: that of now, where more of them is kept
    /// than is wanted and nothing else tells the two apart.
    counts_as: QuestionId,
}

impl Store {
    /// How the stored questions relate to this one. Those of another place or login are left out.
    pub(super) fn context(&self, asked: QuestionId) -> Result<Context, Error> {
        let stored = self.questions()?;
        let Some(now) = stored.get(&asked) else {
            let questions = HashMap::new();
            return Ok(Context { questions });
        };
        let same =
            |question: &&Question| question.place == now.place && question.login == now.login;
        let related = stored.iter().filter(|(_, question)| same(question));
        let relation = |id, question: &Question| Relation {
            has_all_members: question.has_members_of(now),
            counts_as: if question.stands_for(now) { asked } else { id },
        };
        let questions = related.map(|(id, question)| (*id, relation(*id, question)));
        Ok(Context {
            questions: questions.collect(),
        })
    }
}

/// A source of cells by their place: a row of a query, or the arguments of a function.
pub(super) trait CellReader {
    fn cell<T: FromSql>(&self, column: usize) -> rusqlite::Result<T>;
}

impl CellReader for Row<'_> {
    fn cell<T: FromSql>(&self, column: usize) -> rusqlite::Result<T> {
        self.get(column)
    }
}

impl CellReader for functions::Context<'_> {
    fn cell<T: FromSql>(&self, column: usize) -> rusqlite::Result<T> {
        self.get(column)
    }
}

impl Context {
    /// What counts tonight of the [`COLUMNS`] that begin there.
    pub(super) fn known(&self, cells: &impl CellReader, first: usize) -> rusqlite::Result<Known> {
        Ok(Known {
            answer: self.answer(cells, first)?,
            ending: self.ending(cells, first + 3)?,
            is_denied: self.is_of_same_login(cells, first + 9)?,
        })
    }

    fn answer(
        &self,
        cells: &impl CellReader,
        first: usize,
    ) -> rusqlite::Result<Option<KeptAnswer>> {
        let Some(question) = cells.cell::<Option<i64>>(first)?.map(QuestionId) else {
            return Ok(None);
        };
        let may_stand = |relation: &&Relation| relation.has_all_members;
        let Some(relation) = self.questions.get(&question).filter(may_stand) else {
            return Ok(None);
        };
        Ok(Some(KeptAnswer {
            question: relation.counts_as,
            run: cells.cell(first + 1)?,
            fetched_at: cells.cell(first + 2)?,
        }))
    }

    fn ending(
        &self,
        cells: &impl CellReader,
        first: usize,
    ) -> rusqlite::Result<Option<KeptEnding>> {
        let Some(question) = cells.cell::<Option<i64>>(first)?.map(QuestionId) else {
            return Ok(None);
        };
        let Some(relation) = self.questions.get(&question) else {
            return Ok(None);
        };
        let (outcome, error) = (first + 3, first + 4);
        let word: String = cells.cell(outcome)?;
        let reason: Option<String> = cells.cell(error)?;
        Ok(Some(KeptEnding {
            question: relation.counts_as,
            run: cells.cell(first + 1)?,
            ended_at: cells.cell(first + 2)?,
            outcome: Outcome::from_word(&word).ok_or_else(|| unknown_word(outcome))?,
            error: reason
                .map(|word| Reason::from_word(&word).ok_or_else(|| unknown_word(error)))
                .transpose()?,
            was_published: cells.cell::<i64>(first + 5)? > 0,
        }))
    }

    fn is_of_same_login(&self, cells: &impl CellReader, column: usize) -> rusqlite::Result<bool> {
        let question = cells.cell::<Option<i64>>(column)?.map(QuestionId);
        Ok(question.is_some_and(|question| self.questions.contains_key(&question)))
    }
}

/// A word that this program does not know: the file is damaged.
pub(super) fn unknown_word(column: usize) -> rusqlite::Error {
    let problem = "a word that this program does not know";
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, problem.into())
}
