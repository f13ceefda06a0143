//! Answers: recorded in batches while they come, walked in the order of the tables afterwards.

use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::runs::Run;
use super::{Error, Store};
use crate::contact::{Answer, ContactId, Ending, Outcome, Reason, Target};

/// A target, or a rejected line, with what is kept of it.
#[derive(Debug)]
pub struct Stored<'b> {
    /// The target and how it ended; pending where nothing is known that fits the question asked.
    pub target: Target,
    /// The summary, where it has one; JSON.
    pub body: Option<&'b [u8]>,
}

/// What is known of each target: its failure, or else its answer to the question asked.
const WALK: &str = "
SELECT t.contact_id, t.input_line, t.input_value,
    iif(f.contact_id IS NULL, r.outcome, f.outcome), iif(f.contact_id IS NULL, r.http_status, f.http_status),
    iif(f.contact_id IS NULL, r.attempts, f.attempts), f.error, iif(f.contact_id IS NULL, r.message, f.message),
    iif(f.contact_id IS NULL, r.fetched_at, f.failed_at), iif(f.contact_id IS NULL, r.body, NULL)
FROM targets t
LEFT JOIN responses r ON r.contact_id = t.contact_id AND r.request_key = ?1
LEFT JOIN failures f ON f.contact_id = t.contact_id AND f.request_key = ?1
    AND (r.contact_id IS NULL OR (f.outcome = 'failed' AND f.failed_at >= ?2))
ORDER BY t.contact_id";

impl Store {
    /// Records answers, and the calls that this run has made so far, in one durable step.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn record<B: AsRef<[u8]>>(
        &mut self,
        run: &Run,
        request_key: i64,
        answers: &[Answer<B>],
    ) -> Result<(), Error> {
        let mut bodies = std::mem::take(&mut self.bodies);
        let result = self.transaction(|connection| {
            let mut answer = connection.prepare(
                "INSERT OR REPLACE INTO responses (contact_id, request_key, fetched_at, outcome, http_status, attempts, message, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut failure = connection.prepare(
                "INSERT OR REPLACE INTO failures (contact_id, request_key, failed_at, outcome, http_status, attempts, error, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut mend = connection.prepare("DELETE FROM failures WHERE contact_id = ?1")?;
            for Answer { contact_id, ending, body } in answers {
                let Ending { outcome, http_status, attempts, error, message, fetched_at } = ending;
                let (id, at) = (contact_id.get(), fetched_at.unwrap_or_default());
                if matches!(outcome, Outcome::Failed | Outcome::Pending) {
                    // Beside the answer of an earlier night, which stays: it was paid for.
                    let error = error.map(Reason::as_str);
                    failure.execute(params![id, request_key, at, outcome.as_str(), http_status, attempts, error, message])?;
                    continue;
                }
                let body = body.as_ref().map(|body| bodies.pack(body.as_ref())).transpose();
                let body = body.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                answer.execute(params![id, request_key, at, outcome.as_str(), http_status, attempts, message, body])?;
                mend.execute([id])?;
            }
            run.record(connection)
        });
        self.bodies = bodies;
        result
    }

    /// Visits all targets in the order of their ids, then all rejected lines. A target shows its
    /// failure where that came in this instant or later, or where nothing else is known; otherwise
    /// its answer, however old.
    ///
    /// # Errors
    /// Where the state cannot be read, or the visitor fails.
    pub fn walk<E: From<Error>>(
        &mut self,
        request_key: i64,
        failed_since: i64,
        mut visit: impl FnMut(Stored<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut bodies = std::mem::take(&mut self.bodies);
        let mut failed = None;
        let result = self.run(|connection| {
            let mut statement = connection.prepare(WALK)?;
            let mut rows = statement.query([request_key, failed_since])?;
            while let Some(row) = rows.next()? {
                let target = target(row)?;
                let body = row
                    .get_ref(9)?
                    .as_blob_or_null()
                    .map_err(|_| unknown(9))?
                    .map(|body| bodies.unpack(body))
                    .transpose();
                let visited = match (body, target.contact_id) {
                    (Ok(body), Some(_)) => visit(Stored { target, body }),
                    (Err(source), Some(id)) => Err(Error::Body {
                        path: self.path.clone(),
                        contact_id: id.get(),
                        source,
                    }
                    .into()),
                    (_, None) => return Err(unknown(0)),
                };
                if let Err(error) = visited {
                    failed = Some(error);
                    return Ok(());
                }
            }
            let mut statement = connection
                .prepare("SELECT input_line, input_value FROM rejects ORDER BY input_line")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Err(error) = visit(Stored {
                    target: reject(row)?,
                    body: None,
                }) {
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

    /// Average size of a stored body, as it is kept, over some of them; none where there is none.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn average_body(&self) -> Result<Option<u64>, Error> {
        let sql = "SELECT CAST(avg(length(body)) AS INTEGER) FROM (SELECT body FROM responses WHERE body IS NOT NULL LIMIT 1000)";
        self.run(|connection| {
            connection
                .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
                .map(|average| average.map(i64::unsigned_abs))
        })
    }

    /// Deletes the answers of contacts that are no longer targets: what is no longer asked for is
    /// not kept.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn forget_others(&mut self) -> Result<(), Error> {
        self.transaction(|connection| {
            connection.execute(
                "DELETE FROM responses WHERE contact_id NOT IN (SELECT contact_id FROM targets)",
                [],
            )?;
            connection.execute(
                "DELETE FROM failures WHERE contact_id NOT IN (SELECT contact_id FROM targets)",
                [],
            )?;
            connection.execute("DELETE FROM plan", []).map(drop)
        })
    }
}

fn target(row: &Row<'_>) -> rusqlite::Result<Target> {
    let contact_id: i64 = row.get(0)?;
    let input_value: Option<String> = row.get(2)?;
    let ending = match row.get_ref(3)?.as_str_or_null().map_err(|_| unknown(3))? {
        None => Ending {
            outcome: Outcome::Pending,
            http_status: None,
            attempts: 0,
            error: None,
            message: None,
            fetched_at: None,
        },
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
    Ok(Target {
        contact_id: None,
        input_line: row.get::<_, i64>(0)?.unsigned_abs(),
        input_value: row.get(1)?,
        ending,
    })
}

fn unknown(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        column,
        Type::Text,
        "a word that this program does not know".into(),
    )
}
