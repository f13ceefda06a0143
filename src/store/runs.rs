//! Runs: when they began, what they have called so far, and whether they were published. One that was not is continued.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Error, Store};

/// An execution of the job that is not published yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// Its first start: microseconds since 1970, UTC.
    pub started_at: i64,
    /// What its earlier starts called.
    pub calls: Calls,
}

/// What a run has called so far, over all its starts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Calls {
    /// Requests for contacts.
    pub attempts: u64,
    /// Requests among them that were not the first for their contact.
    pub retries: u64,
    /// Logins.
    pub logins: u64,
    /// Seconds spent fetching.
    pub fetch_seconds: f64,
}

impl std::ops::Add for Calls {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            retries: self.retries + other.retries,
            logins: self.logins + other.logins,
            fetch_seconds: self.fetch_seconds + other.fetch_seconds,
        }
    }
}

impl Calls {
    pub(super) fn record(&self, connection: &Connection, run: &str) -> rusqlite::Result<()> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        connection
            .prepare("UPDATE runs SET attempts = ?2, retries = ?3, logins = ?4, fetch_seconds = ?5 WHERE run = ?1")?
            .execute(params![run, number(self.attempts), number(self.retries), number(self.logins), self.fetch_seconds])
            .map(drop)
    }
}

impl Store {
    /// The run that was cut off, if there is one.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn open_run(&self) -> Result<Option<Run>, Error> {
        self.run(|connection| {
            let sql = "SELECT run, started_at, attempts, retries, logins, fetch_seconds FROM runs WHERE ended_at IS NULL ORDER BY started_at DESC";
            connection
                .query_row(sql, [], |row| {
                    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    let calls = Calls { attempts: number(2)?, retries: number(3)?, logins: number(4)?, fetch_seconds: row.get(5)? };
                    Ok(Run { name: row.get(0)?, started_at: row.get(1)?, calls })
                })
                .optional()
        })
    }

    /// Notes the start of a new run; whatever was cut off before is not continued.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn start_run(&mut self, name: &str, started_at: i64) -> Result<Run, Error> {
        self.transaction(|connection| {
            connection.execute("DELETE FROM runs WHERE ended_at IS NULL OR run = ?1", [name])?;
            connection.execute("INSERT INTO runs (run, started_at) VALUES (?1, ?2)", params![name, started_at])
        })?;
        Ok(Run { name: name.to_owned(), started_at, calls: Calls::default() })
    }

    /// Notes that a run is published.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn end_run(&mut self, name: &str, ended_at: i64) -> Result<(), Error> {
        self.run(|connection| connection.execute("UPDATE runs SET ended_at = ?2 WHERE run = ?1", params![name, ended_at]).map(drop))
    }
}
