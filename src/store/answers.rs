//! Answers and endings: recorded in batches while they come, walked in the order of the tables
//! afterwards.
//!
//! An answer is replaced by a newer answer only. How later attempts ended stands beside it.

use rusqlite::{Connection, Row, Statement, params};

use super::body::Bodies;
use super::known::{self, unknown_word};
use super::questions::QuestionId;
use super::rules::{Known, Terms};
use super::{Error, Run, Store};
use crate::contact::{Answer, ContactId, Ending, Outcome, Question, Reason, Target};

/// A target, or a rejected line, with what is kept of it.
#[derive(Debug)]
pub struct Stored<'b> {
    /// The target, and how it ended as the export is to say it.
    pub target: Target,
    /// The summary, where it is to be shown, and the question that it answers.
    pub answer: Option<(&'b [u8], &'b Question)>,
    /// Whether how it ended was found out in this run.
    pub is_of_this_run: bool,
}

impl Store {
    /// Records answers to this question, and the calls that the run has made so far, in one durable
    /// step.
    pub fn record<B: AsRef<[u8]>>(
        &mut self,
        run: &Run,
        question: QuestionId,
        answers: &[Answer<B>],
    ) -> Result<(), Error> {
        let mut bodies = std::mem::take(&mut self.bodies);
        let result = self.transaction(|connection| {
            let mut statements = Statements::prepare(connection)?;
            let mut at = None;
            for answer in answers {
                let Answer {
                    contact_id,
                    ending,
                    body,
                } = answer;
                let origin = Origin {
                    contact_id: contact_id.get(),
                    question: question.0,
                    run: run.number,
                };
                match body {
                    Some(body) => {
                        let body = bodies.pack(body.as_ref());
                        let body = body.map_err(|error| {
                            rusqlite::Error::ToSqlConversionFailure(error.into())
                        })?;
                        statements.insert_answer(origin, ending, &body)?;
                    }
                    None => statements.insert_ending(origin, ending)?,
                }
                // An attempt that is to be made again is no answer.
                if ending.outcome != Outcome::Pending {
                    at = ending.fetched_at.or(at);
                }
            }
            run.record(connection, at)
        });
        self.bodies = bodies;
        result
    }

    /// Visits all targets in the order of their ids, then all rejected lines; what is told of each
    /// is decided by `rules`.
    pub fn walk<E: From<Error>>(
        &mut self,
        terms: &Terms,
        mut visit: impl FnMut(Stored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Its working memory is let go with the last target: what follows needs room as well.
        self.walk_targets(terms, &mut Bodies::default(), &mut visit)?;
        self.walk_rejects(&mut visit)
    }

    fn walk_targets<E: From<Error>>(
        &self,
        terms: &Terms,
        bodies: &mut Bodies,
        visit: &mut impl FnMut(Stored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let context = self.context(terms.question)?;
        let questions = self.questions()?;
        let sql = format!(
            "SELECT contact_id, t.input_line, t.input_value, {columns}, r.http_status, r.attempts,
                 e.http_status, e.attempts, e.message, r.body
             FROM targets t LEFT JOIN responses r USING (contact_id)
             LEFT JOIN endings e USING (contact_id) ORDER BY contact_id",
            columns = known::COLUMNS
        );
        let mut failed = None;
        let result = self.run(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let known = context.known(row, FIRST)?;
                let outcome = terms.outcome(known);
                let stored = Stored {
                    target: target(row, known, outcome)?,
                    answer: None,
                    is_of_this_run: known.ending.is_some_and(|ending| ending.run == terms.run),
                };
                let question = known.answer.and_then(|kept| questions.get(&kept.question));
                let visited = match question.filter(|_| outcome.has_rows()) {
                    None => visit(stored),
                    Some(question) => {
                        let body = row
                            .get_ref(BODY)?
                            .as_blob()
                            .map_err(|_| unknown_word(BODY))?;
                        match bodies.unpack(body) {
                            Ok(body) => visit(Stored {
                                answer: Some((body, question)),
                                ..stored
                            }),
                            Err(source) => Err(Error::Body {
                                path: self.path.clone(),
                                contact_id: row.get(0)?,
                                source,
                            }
                            .into()),
                        }
                    }
                };
                if let Err(error) = visited {
                    failed = Some(error);
                    return Ok(());
                }
            }
            Ok(())
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(result?),
        }
    }

    fn walk_rejects<E: From<Error>>(
        &self,
        visit: &mut impl FnMut(Stored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut failed = None;
        let result = self.run(|connection| {
            let sql = "SELECT input_line, input_value, reason FROM rejects ORDER BY input_line";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let stored = Stored {
                    target: reject(row)?,
                    answer: None,
                    is_of_this_run: false,
                };
                if let Err(error) = visit(stored) {
                    failed = Some(error);
                    return Ok(());
                }
            }
            Ok(())
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(result?),
        }
    }

    /// Average size of a stored body, as it is kept, over some of them; none where there is none.
    pub fn average_body(&self) -> Result<Option<u64>, Error> {
        let sql = "SELECT CAST(avg(length(body)) AS INTEGER) FROM (
                       SELECT body FROM responses LIMIT 1000)";
        self.run(|connection| {
            let average = connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
            average.map(|average| average.map(i64::unsigned_abs))
        })
    }
}

/// Places of the columns of the walk: those that the rules need, then what is shown.
const FIRST: usize = 3;
const ANSWER: usize = FIRST + known::WIDTH;
const ENDING: usize = ANSWER + 2;
const BODY: usize = ENDING + 3;

/// Whether the answer that is kept was denied under its own login. That is kept until the next
/// answer; what other logins are told says nothing of it.
const IS_DENIED: &str = "EXISTS (
    SELECT 1 FROM responses r JOIN questions a ON a.question = r.question
    JOIN questions d ON d.question = endings.denied_by
    WHERE r.contact_id = endings.contact_id AND a.place = d.place AND a.login = d.login)";

/// What an answer or ending belongs to.
#[derive(Clone, Copy)]
struct Origin {
    contact_id: i64,
    question: i64,
    run: i64,
}

/// The statements that record a batch.
struct Statements<'c> {
    answer: Statement<'c>,
    end: Statement<'c>,
    ending: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            answer: connection.prepare(
                "INSERT OR REPLACE INTO responses
                 (contact_id, question, run, fetched_at, http_status, attempts, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            end: connection.prepare("DELETE FROM endings WHERE contact_id = ?1")?,
            ending: connection.prepare(&format!(
                "INSERT INTO endings (contact_id, question, run, ended_at, outcome, http_status,
                     attempts, error, message, denied_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, iif(?10, ?2, NULL))
                 ON CONFLICT (contact_id) DO UPDATE SET
                     question = excluded.question, run = excluded.run,
                     ended_at = excluded.ended_at, outcome = excluded.outcome,
                     http_status = excluded.http_status, attempts = excluded.attempts,
                     error = excluded.error, message = excluded.message,
                     denied_by = iif({IS_DENIED}, denied_by,
                         ifnull(excluded.denied_by, denied_by)),
                     published_as_missing = iif(
                         outcome = 'missing' AND excluded.outcome = 'missing',
                         published_as_missing, 0)"
            ))?,
        })
    }

    /// A newer answer takes the place of the older one, and ends what was said since.
    fn insert_answer(
        &mut self,
        origin: Origin,
        ending: &Ending,
        body: &[u8],
    ) -> rusqlite::Result<()> {
        self.answer.execute(params![
            origin.contact_id,
            origin.question,
            origin.run,
            ending.fetched_at.unwrap_or_default(),
            ending.http_status,
            ending.attempts,
            body
        ])?;
        self.end.execute([origin.contact_id]).map(drop)
    }

    /// How attempts ended that brought no answer stands beside the answer of an earlier night,
    /// which stays: it was paid for. That the API denied the contact is kept until the next answer,
    /// whatever comes of attempts in between.
    fn insert_ending(&mut self, origin: Origin, ending: &Ending) -> rusqlite::Result<()> {
        let inserted = self.ending.execute(params![
            origin.contact_id,
            origin.question,
            origin.run,
            ending.fetched_at.unwrap_or_default(),
            ending.outcome.as_str(),
            ending.http_status,
            ending.attempts,
            ending.error.map(Reason::as_str),
            ending.message,
            ending.is_denial()
        ]);
        inserted.map(drop)
    }
}

/// A target as the export is to show it: with the figures of its answer where that is the newest
/// thing known, else with those of the attempts since.
fn target(row: &Row<'_>, known: Known, outcome: Outcome) -> rusqlite::Result<Target> {
    let contact_id: i64 = row.get(0)?;
    let input_value: Option<String> = row.get(2)?;
    let ending = match (known.answer, known.ending) {
        (None, None) => Ending::of(outcome),
        (Some(answer), _) if outcome == Outcome::Exported => Ending {
            http_status: row.get(ANSWER)?,
            attempts: row.get(ANSWER + 1)?,
            fetched_at: Some(answer.fetched_at),
            ..Ending::of(outcome)
        },
        (answer, _) => Ending {
            http_status: row.get(ENDING)?,
            attempts: row.get(ENDING + 1)?,
            error: known.ending.and_then(|ending| ending.error),
            message: row.get(ENDING + 2)?,
            fetched_at: match (outcome, answer) {
                (Outcome::Stale, Some(answer)) => Some(answer.fetched_at),
                _ => known.ending.map(|ending| ending.ended_at),
            },
            ..Ending::of(outcome)
        },
    };
    Ok(Target {
        contact_id: ContactId::new(contact_id),
        input_line: row.get::<_, i64>(1)?.unsigned_abs(),
        input_value: input_value.unwrap_or_else(|| contact_id.to_string()),
        ending,
    })
}

fn reject(row: &Row<'_>) -> rusqlite::Result<Target> {
    let reason: String = row.get(2)?;
    let ending = Ending {
        error: Some(Reason::from_word(&reason).ok_or_else(|| unknown_word(2))?),
        ..Ending::of(Outcome::Rejected)
    };
    Ok(Target {
        contact_id: None,
        input_line: row.get::<_, i64>(0)?.unsigned_abs(),
        input_value: row.get(1)?,
        ending,
    })
}
