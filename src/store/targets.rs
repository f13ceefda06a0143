//! Targets: what is asked for tonight, and the plan of what has to be fetched for it.

use rusqlite::{Connection, params};

use super::{Error, Store};
use crate::contact::{ContactId, InputLine, Planned, TargetCounts};

/// What has to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Different contacts asked for.
    pub targets: u64,
    /// Contacts whose stored answer is fresh.
    pub fresh: u64,
    /// Contacts to fetch.
    pub to_fetch: u64,
    /// Contacts among them without any answer to the question asked.
    pub unanswered: u64,
}

/// What has to be fetched. An answer is fresh when it was given to the same question, is young
/// enough, and no later attempt failed. The order is that of the last attempt, failed or not, so
/// that contacts which always fail do not keep others waiting.
const PLAN: &str = "
INSERT INTO plan (contact_id)
SELECT t.contact_id
FROM targets t
LEFT JOIN responses r ON r.contact_id = t.contact_id AND r.request_key = ?1
LEFT JOIN failures f ON f.contact_id = t.contact_id AND f.request_key = ?1
WHERE r.contact_id IS NULL OR r.fetched_at < ?2 OR f.contact_id IS NOT NULL
ORDER BY max(ifnull(r.fetched_at, f.failed_at), ifnull(f.failed_at, r.fetched_at)) NULLS FIRST, t.contact_id";

const PLANNED: &str = "
SELECT contact_id, EXISTS (SELECT * FROM failures f WHERE f.contact_id = plan.contact_id AND f.request_key = ?1 AND f.outcome = 'failed')
FROM plan WHERE position > ?2 ORDER BY position LIMIT ?3";

const UNANSWERED: &str = "
SELECT count(*) FROM plan
WHERE NOT EXISTS (SELECT * FROM responses r WHERE r.contact_id = plan.contact_id AND r.request_key = ?1)";

impl Store {
    /// Replaces the targets by those of the input, all in one transaction.
    ///
    /// # Errors
    /// Where a line cannot be read, or the state cannot be written.
    pub fn replace_targets<E: From<Error>>(
        &mut self,
        lines: impl Iterator<Item = Result<InputLine, E>>,
    ) -> Result<TargetCounts, E> {
        let mut unreadable = None;
        let counts = self.transaction(|connection| {
            let lines = lines.map_while(|line| line.map_err(|error| unreadable = Some(error)).ok());
            let counts = insert_lines(connection, lines)?;
            // Nothing is committed where a line cannot be read.
            if unreadable.is_some() {
                Err(rusqlite::Error::QueryReturnedNoRows)
            } else {
                Ok(counts)
            }
        });
        match unreadable {
            Some(error) => Err(error),
            None => Ok(counts?),
        }
    }

    /// Plans what has to be fetched: never fetched first, then the oldest attempt first.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn plan(&mut self, request_key: i64, fresh_since: i64) -> Result<Plan, Error> {
        self.transaction(|connection| {
            connection.execute("DELETE FROM plan", [])?;
            connection.execute(PLAN, [request_key, fresh_since])?;
            let count = |sql: &str| {
                connection
                    .query_row(sql, [], |row| row.get::<_, i64>(0))
                    .map(i64::unsigned_abs)
            };
            let targets = count("SELECT count(*) FROM targets")?;
            let to_fetch = count("SELECT count(*) FROM plan")?;
            let unanswered = connection
                .query_row(UNANSWERED, [request_key], |row| row.get::<_, i64>(0))?
                .unsigned_abs();
            Ok(Plan {
                targets,
                fresh: targets - to_fetch,
                to_fetch,
                unanswered,
            })
        })
    }

    /// The next contacts of the plan, after so many.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn planned(
        &self,
        request_key: i64,
        after: u64,
        at_most: u32,
    ) -> Result<Vec<Planned>, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare(PLANNED)?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let planned = statement.query_map(params![request_key, after, at_most], |row| {
                let failed_before = row.get(1)?;
                Ok(ContactId::new(row.get(0)?).map(|contact_id| Planned {
                    contact_id,
                    failed_before,
                }))
            })?;
            planned.filter_map(Result::transpose).collect()
        })
    }
}

fn insert_lines(
    connection: &Connection,
    lines: impl Iterator<Item = InputLine>,
) -> rusqlite::Result<TargetCounts> {
    let mut counts = TargetCounts::default();
    connection.execute_batch("DELETE FROM targets; DELETE FROM rejects;")?;
    let mut target = connection.prepare(
        "INSERT OR IGNORE INTO targets (contact_id, input_line, input_value) VALUES (?1, ?2, ?3)",
    )?;
    let mut reject =
        connection.prepare("INSERT INTO rejects (input_line, input_value) VALUES (?1, ?2)")?;
    for line in lines {
        match line {
            InputLine::Target {
                contact_id,
                input_line,
                input_value,
            } => {
                // Most values are just the number: it need not be kept twice.
                let value = (input_value != contact_id.to_string()).then_some(input_value);
                let inserted = target.execute(params![
                    contact_id.get(),
                    i64::try_from(input_line).unwrap_or(i64::MAX),
                    value
                ])?;
                counts.distinct += u64::from(inserted == 1);
                counts.duplicates += u64::from(inserted == 0);
            }
            InputLine::Rejected {
                input_line,
                input_value,
                reason: _,
            } => {
                reject.execute(params![
                    i64::try_from(input_line).unwrap_or(i64::MAX),
                    input_value
                ])?;
                counts.rejected += 1;
            }
        }
    }
    Ok(counts)
}
