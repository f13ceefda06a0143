//! Runs: when they began, what they have called so far, and whether they were published. One that
//! was not is continued.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Error, Store};
use crate::contact::Calls;

/// An execution of the job that is not published yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// Its first start: microseconds since 1970, UTC.
    pub started_at: i64,
    /// What it has called so far, over all its starts.
    pub calls: Calls,
    /// Seconds spent fetching so far.
    pub fetch_seconds: f64,
}

impl Run {
    /// Notes what the run has called so far.
    pub(super) fn record(&self, connection: &Connection) -> rusqlite::Result<()> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let Calls {
            attempts,
            retries,
            logins,
        } = self.calls;
        connection
            .prepare(
                "UPDATE runs SET attempts = ?2, retries = ?3, logins = ?4, fetch_seconds = ?5
                 WHERE run = ?1",
            )?
            .execute(params![
                self.name,
                number(attempts),
                number(retries),
                number(logins),
                self.fetch_seconds
            ])
            .map(drop)
    }
}

impl Store {
    /// The run that was cut off and can go on, if there is one.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn open_run(&self) -> Result<Option<Run>, Error> {
        self.run(|connection| {
            let sql = "SELECT run, started_at, attempts, retries, logins, fetch_seconds FROM runs
                       WHERE ended_at IS NULL AND NOT is_offline ORDER BY started_at DESC";
            connection
                .query_row(sql, [], |row| {
                    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    let calls = Calls {
                        attempts: number(2)?,
                        retries: number(3)?,
                        logins: number(4)?,
                    };
                    Ok(Run {
                        name: row.get(0)?,
                        started_at: row.get(1)?,
                        calls,
                        fetch_seconds: row.get(5)?,
                    })
                })
                .optional()
        })
    }

    /// The names of all runs of which it is not noted that they were published.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn unended_runs(&self) -> Result<Vec<String>, Error> {
        self.run(|connection| {
            connection
                .prepare("SELECT run FROM runs WHERE ended_at IS NULL")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// When the last run began that called the API; none where there was none.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn last_start(&self) -> Result<Option<i64>, Error> {
        self.run(|connection| {
            connection.query_row(
                "SELECT max(started_at) FROM runs WHERE NOT is_offline",
                [],
                |row| row.get(0),
            )
        })
    }

    /// Notes the start of a run. What was cut off before is not continued, unless this one is
    /// offline.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn start_run(&mut self, run: &Run, is_offline: bool) -> Result<(), Error> {
        self.transaction(|connection| {
            connection.execute(
                "DELETE FROM runs WHERE run = ?1 OR (ended_at IS NULL AND is_offline >= ?2)",
                params![run.name, is_offline],
            )?;
            let sql = "INSERT INTO runs (run, started_at, is_offline) VALUES (?1, ?2, ?3)";
            connection
                .execute(sql, params![run.name, run.started_at, is_offline])
                .map(drop)
        })
    }

    /// Notes that a run is published.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn end_run(&mut self, name: &str, ended_at: i64) -> Result<(), Error> {
        self.transaction(|connection| {
            connection
                .execute(
                    "UPDATE runs SET ended_at = ?2 WHERE run = ?1",
                    params![name, ended_at],
                )
                .map(drop)
        })
    }
}
