//! Targets: what is asked for tonight, and the plan of what has to be fetched for it.

use rusqlite::{Connection, params};

use super::{Error, Store};
use crate::schema::{ContactId, InputLine};

/// What the input holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// Different contacts.
    pub distinct: u64,
    /// Lines that name a contact again.
    pub duplicates: u64,
    /// Lines that hold no contact id.
    pub rejected: u64,
}

/// What has to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Different contacts asked for.
    pub targets: u64,
    /// Contacts whose stored answer is fresh.
    pub fresh: u64,
    /// Contacts to fetch.
    pub to_fetch: u64,
    /// Contacts among them that have no stored answer at all.
    pub never_fetched: u64,
}

/// An answer is fresh when it was given to the same question, was an answer, and is young enough. A failure is none: it is tried again.
const FRESH: &str = "r.request_key = ?1 AND r.fetched_at >= ?2 AND r.outcome IN ('exported', 'missing')";

impl Store {
    /// Replaces the targets by those of the input, all in one transaction.
    ///
    /// # Errors
    /// Where a line cannot be read, or the state cannot be written.
    pub fn replace_targets<E: From<Error>>(&mut self, lines: impl Iterator<Item = Result<InputLine, E>>) -> Result<TargetCounts, E> {
        let mut unreadable = None;
        let counts = self.transaction(|connection| {
            let lines = lines.map_while(|line| line.map_err(|error| unreadable = Some(error)).ok());
            let counts = insert_lines(connection, lines)?;
            // Nothing is committed where a line cannot be read.
            if unreadable.is_some() { Err(rusqlite::Error::QueryReturnedNoRows) } else { Ok(counts) }
        });
        match unreadable {
            Some(error) => Err(error),
            None => Ok(counts?),
        }
    }

    /// Plans what has to be fetched: never fetched first, then the oldest answer first.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn plan(&mut self, request_key: i64, fresh_since: i64) -> Result<Plan, Error> {
        self.transaction(|connection| {
            connection.execute("DELETE FROM plan", [])?;
            connection.execute(
                &format!(
                    "INSERT INTO plan (contact_id) SELECT t.contact_id FROM targets t LEFT JOIN responses r USING (contact_id)
                     WHERE r.contact_id IS NULL OR NOT ({FRESH}) ORDER BY r.fetched_at NULLS FIRST, t.contact_id"
                ),
                params![request_key, fresh_since],
            )?;
            let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
            let targets = count("SELECT count(*) FROM targets")?;
            let to_fetch = count("SELECT count(*) FROM plan")?;
            let never_fetched = count("SELECT count(*) FROM plan LEFT JOIN responses r USING (contact_id) WHERE r.contact_id IS NULL")?;
            Ok(Plan { targets, fresh: targets - to_fetch, to_fetch, never_fetched })
        })
    }

    /// The next contacts of the plan, after so many.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn planned(&self, after: u64, at_most: u32) -> Result<Vec<ContactId>, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare("SELECT contact_id FROM plan WHERE position > ?1 ORDER BY position LIMIT ?2")?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let ids = statement.query_map(params![after, at_most], |row| row.get::<_, i64>(0))?;
            ids.filter_map(|id| id.map(ContactId::new).transpose()).collect()
        })
    }
}

fn insert_lines(connection: &Connection, lines: impl Iterator<Item = InputLine>) -> rusqlite::Result<TargetCounts> {
    let mut counts = TargetCounts::default();
    connection.execute_batch("DELETE FROM targets; DELETE FROM rejects;")?;
    let mut target = connection.prepare("INSERT OR IGNORE INTO targets (contact_id, input_line, input_value) VALUES (?1, ?2, ?3)")?;
    let mut reject = connection.prepare("INSERT INTO rejects (input_line, input_value) VALUES (?1, ?2)")?;
    for line in lines {
        match line {
            InputLine::Target { contact_id, input_line, input_value } => {
                // Most values are just the number: it need not be kept twice.
                let value = (input_value != contact_id.to_string()).then_some(input_value);
                let inserted = target.execute(params![contact_id.get(), i64::try_from(input_line).unwrap_or(i64::MAX), value])?;
                counts.distinct += u64::from(inserted == 1);
                counts.duplicates += u64::from(inserted == 0);
            }
            InputLine::Rejected { input_line, input_value } => {
                reject.execute(params![i64::try_from(input_line).unwrap_or(i64::MAX), input_value])?;
                counts.rejected += 1;
            }
        }
    }
    Ok(counts)
}
