//! Answers: recorded in batches while they come, walked in the order of the tables afterwards.

use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::runs::Calls;
use super::{Error, Store};
use crate::schema::ContactId;
use crate::schema::outcome::{Ending, Outcome, Reason, Target};

/// The final answer of one contact, to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<B> {
    /// The contact.
    pub contact_id: ContactId,
    /// How it ended.
    pub ending: Ending,
    /// The summary, where it has one; JSON, or JSON in gzip.
    pub body: Option<B>,
}

/// A target, or a rejected line, with what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The target and how it ended; pending where there is no answer to the question asked.
    pub target: Target,
    /// The summary, where it has one; JSON.
    pub body: Option<Vec<u8>>,
}

impl Store {
    /// Records answers, and the calls made in this run so far, in one durable step.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn record<B: AsRef<[u8]>>(&mut self, run: &str, request_key: i64, answers: &[Answered<B>], calls: &Calls) -> Result<(), Error> {
        let mut bodies = std::mem::take(&mut self.bodies);
        let result = self.transaction(|connection| {
            let mut statement = connection.prepare(
                "INSERT OR REPLACE INTO responses (contact_id, request_key, fetched_at, outcome, http_status, attempts, error, message, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for Answered { contact_id, ending, body } in answers {
                let body = body.as_ref().map(|body| bodies.pack(body.as_ref())).transpose();
                let body = body.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                statement.execute(params![
                    contact_id.get(),
                    request_key,
                    ending.fetched_at.unwrap_or_default(),
                    ending.outcome.as_str(),
                    ending.http_status,
                    ending.attempts,
                    ending.error.map(Reason::as_str),
                    ending.message,
                    body,
                ])?;
            }
            calls.record(connection, run)
        });
        self.bodies = bodies;
        result
    }

    /// Visits all targets in the order of their ids, then all rejected lines.
    ///
    /// # Errors
    /// Where the state cannot be read, or the visitor fails.
    pub fn walk<E: From<Error>>(&mut self, request_key: i64, mut visit: impl FnMut(Stored) -> Result<(), E>) -> Result<(), E> {
        let mut bodies = std::mem::take(&mut self.bodies);
        let mut failed = None;
        let result = self.run(|connection| {
            let mut statement = connection.prepare(
                "SELECT t.contact_id, t.input_line, t.input_value, r.outcome, r.http_status, r.attempts, r.error, r.message, r.fetched_at, r.body
                 FROM targets t LEFT JOIN responses r ON r.contact_id = t.contact_id AND r.request_key = ?1 ORDER BY t.contact_id",
            )?;
            let mut rows = statement.query([request_key])?;
            while let Some(row) = rows.next()? {
                let body = match row.get_ref(9)?.as_blob_or_null().map_err(|_| rusqlite::Error::IntegralValueOutOfRange(9, 0))? {
                    Some(body) => Some(bodies.unpack(body).map_err(|error| rusqlite::Error::FromSqlConversionFailure(9, Type::Blob, Box::new(error)))?),
                    None => None,
                };
                if let Err(error) = visit(Stored { target: target(row)?, body }) {
                    failed = Some(error);
                    return Ok(());
                }
            }
            let mut statement = connection.prepare("SELECT input_line, input_value FROM rejects ORDER BY input_line")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Err(error) = visit(Stored { target: reject(row)?, body: None }) {
                    failed = Some(error);
                    return Ok(());
                }
            }
            Ok(())
        });
        self.bodies = bodies;
        match failed {
            Some(error) => Err(error),
            None => Ok(result?),
        }
    }

    /// Deletes the answers of contacts that are no longer targets: what is no longer asked for is not kept.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn forget_others(&mut self) -> Result<(), Error> {
        self.run(|connection| {
            connection.execute("DELETE FROM responses WHERE contact_id NOT IN (SELECT contact_id FROM targets)", [])?;
            connection.execute("DELETE FROM plan", []).map(drop)
        })
    }
}

fn target(row: &Row<'_>) -> rusqlite::Result<Target> {
    let contact_id: i64 = row.get(0)?;
    let input_value: Option<String> = row.get(2)?;
    let ending = match row.get_ref(3)?.as_str_or_null().map_err(|_| unknown(3))? {
        None => Ending { outcome: Outcome::Pending, http_status: None, attempts: 0, error: None, message: None, fetched_at: None },
        Some(outcome) => Ending {
            outcome: Outcome::from_word(outcome).ok_or_else(|| unknown(3))?,
            http_status: row.get(4)?,
            attempts: row.get(5)?,
            error: row
                .get_ref(6)?
                .as_str_or_null()
                .map_err(|_| unknown(6))?
                .map(|word| Reason::from_word(word).ok_or_else(|| unknown(6)))
                .transpose()?,
            message: row.get(7)?,
            fetched_at: row.get(8)?,
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
    let ending = Ending {
        outcome: Outcome::Rejected,
        http_status: None,
        attempts: 0,
        error: Some(Reason::InvalidId),
        message: None,
        fetched_at: None,
    };
    Ok(Target { contact_id: None, input_line: row.get::<_, i64>(0)?.unsigned_abs(), input_value: row.get(1)?, ending })
}

fn unknown(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, "a word that this program does not know".into())
}
