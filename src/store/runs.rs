//! Runs: their numbers, when they began, what they have called so far, and how they stand. One that
//! was cut off can be continued; whether it is, is the run's matter.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::known::unknown_word;
use super::{Error, Store};
use crate::contact::{Calls, words};

words! {
    /// How a run stands.
    RunState {
        /// It is under way, or was cut off.
        Open = "open",
        /// A guard kept it from being published.
        Stopped = "stopped",
        /// It is published.
        Published = "published",
        /// It was not published and is not continued any more.
        Closed = "closed",
    }
}

/// An execution of the job.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number; a later run has a higher one, whatever the clock says.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its first start: microseconds since 1970, UTC.
    pub started_at: i64,
    /// When it stored something last.
    pub answered_at: Option<i64>,
    /// How it stands.
    pub state: RunState,
    /// Whether it calls nothing.
    pub is_offline: bool,
    /// Whether the operator accepted what guards would stop.
    pub is_accepted: bool,
    /// What it has called so far, over all its starts.
    pub calls: Calls,
    /// Seconds spent fetching so far.
    pub fetch_seconds: f64,
}

const COLUMNS: &str = "number, run, started_at, answered_at, state, is_offline, is_accepted, \
                       attempts, retries, logins, fetch_seconds";

impl Run {
    /// Notes what the run has called so far, and when it stored something last, where it just did.
    pub(super) fn record(&self, connection: &Connection, at: Option<i64>) -> rusqlite::Result<()> {
        let Calls {
            attempts,
            retries,
            logins,
        } = self.calls;
        connection
            .prepare(
                "UPDATE runs SET attempts = ?2, retries = ?3, logins = ?4, fetch_seconds = ?5,
                     answered_at = ifnull(?6, answered_at) WHERE number = ?1",
            )?
            .execute(params![
                self.number,
                number(attempts),
                number(retries),
                number(logins),
                self.fetch_seconds,
                at
            ])
            .map(drop)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        let state: String = row.get(4)?;
        Ok(Self {
            number: row.get(0)?,
            name: row.get(1)?,
            started_at: row.get(2)?,
            answered_at: row.get(3)?,
            state: RunState::from_word(&state).ok_or_else(|| unknown_word(4))?,
            is_offline: row.get(5)?,
            is_accepted: row.get(6)?,
            calls: Calls {
                attempts: count(7)?,
                retries: count(8)?,
                logins: count(9)?,
            },
            fetch_seconds: row.get(10)?,
        })
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store {
    /// The newest run that calls the API, however it stands.
    pub fn newest_run(&self) -> Result<Option<Run>, Error> {
        let sql =
            format!("SELECT {COLUMNS} FROM runs WHERE NOT is_offline ORDER BY number DESC LIMIT 1");
        self.run(|connection| connection.query_row(&sql, [], Run::read).optional())
    }

    /// The runs of which it is not noted that they were published.
    pub fn unpublished_runs(&self) -> Result<Vec<Run>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE state != 'published' ORDER BY number");
        self.run(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let runs = statement.query_map([], Run::read)?;
            runs.collect()
        })
    }

    /// The published run with the highest number.
    pub fn last_published(&self) -> Result<Option<Run>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE state = 'published' ORDER BY number DESC LIMIT 1"
        );
        self.run(|connection| connection.query_row(&sql, [], Run::read).optional())
    }

    /// The names of the published runs, in the order of their numbers.
    pub fn published_runs(&self) -> Result<Vec<String>, Error> {
        let sql = "SELECT run FROM runs WHERE state = 'published' ORDER BY number";
        self.run(|connection| {
            let mut statement = connection.prepare(sql)?;
            let names = statement.query_map([], |row| row.get(0))?;
            names.collect()
        })
    }

    /// Whether the API told this run of a contact what it is, or that there is none.
    pub fn was_answered(&self, number: i64) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM responses WHERE run = ?1)
            OR EXISTS (SELECT 1 FROM endings WHERE run = ?1 AND outcome = 'missing')";
        self.run(|connection| connection.query_row(sql, [number], |row| row.get(0)))
    }

    /// The number that the next new run gets.
    pub fn next_number(&self) -> Result<i64, Error> {
        let sql = "SELECT ifnull(max(number), 0) + 1 FROM runs";
        self.run(|connection| connection.query_row(sql, [], |row| row.get(0)))
    }

    /// Notes the start of a new run. What was cut off before is not continued any more, unless this
    /// one is offline.
    pub fn start_run(&mut self, run: &Run) -> Result<(), Error> {
        self.transaction(|connection| {
            connection.execute(
                "UPDATE runs SET state = 'closed'
                 WHERE state IN ('open', 'stopped') AND is_offline >= ?1",
                [run.is_offline],
            )?;
            connection.execute(
                "INSERT INTO runs (number, run, started_at, state, is_offline, is_accepted)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    run.number,
                    run.name,
                    run.started_at,
                    RunState::Open.as_str(),
                    run.is_offline,
                    run.is_accepted
                ],
            )?;
            Ok(())
        })
    }

    /// Notes how a run stands from now on, and whether the operator accepts what guards would stop.
    pub fn note_run(&mut self, run: &Run) -> Result<(), Error> {
        self.transaction(|connection| {
            let sql = "UPDATE runs SET state = ?2, is_accepted = ?3 WHERE number = ?1";
            let state = run.state.as_str();
            connection
                .execute(sql, params![run.number, state, run.is_accepted])
                .map(drop)
        })
    }

    /// Notes that a run is published.
    pub fn end_run(&mut self, number: i64, ended_at: i64) -> Result<(), Error> {
        self.transaction(|connection| {
            let sql = "UPDATE runs SET state = 'published', ended_at = ?2 WHERE number = ?1";
            connection.execute(sql, params![number, ended_at]).map(drop)
        })
    }
}
