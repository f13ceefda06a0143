//! The layouts that a state file has had, numbered, and the step from each to the next. Which file
//! it is and when it is opened is `file`'s and the store's matter.
//!
//! A new layout is one more step at the end of [`STEPS`]. A file of an older layout is taken over
//! by the steps that it lacks, in one transaction; a file of a newer one is refused.

use rusqlite::Connection;

use super::{APPLICATION_ID, Error, Store};

/// What makes layout `n` of layout `n - 1`, in that order; the first one begins with nothing.
const STEPS: &[&str] = &[LAYOUT_1];

const LAYOUT_1: &str = "
CREATE TABLE targets (
    contact_id INTEGER PRIMARY KEY, input_line INTEGER NOT NULL, input_value TEXT
) STRICT;
CREATE TABLE rejects (input_line INTEGER PRIMARY KEY, input_value TEXT NOT NULL) STRICT;
CREATE TABLE responses (
    contact_id INTEGER PRIMARY KEY, request_key INTEGER NOT NULL, fetched_at INTEGER NOT NULL,
    outcome TEXT NOT NULL, http_status INTEGER, attempts INTEGER NOT NULL, message TEXT, body BLOB
) STRICT;
CREATE TABLE failures (
    contact_id INTEGER PRIMARY KEY, request_key INTEGER NOT NULL, failed_at INTEGER NOT NULL,
    outcome TEXT NOT NULL, http_status INTEGER, attempts INTEGER NOT NULL, error TEXT, message TEXT
) STRICT;
CREATE TABLE plan (position INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL) STRICT;
CREATE TABLE runs (
    run TEXT PRIMARY KEY, started_at INTEGER NOT NULL, ended_at INTEGER,
    is_offline INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0, logins INTEGER NOT NULL DEFAULT 0,
    fetch_seconds REAL NOT NULL DEFAULT 0
) STRICT;
";

/// The layout that this program reads and writes.
pub(super) fn current() -> i32 {
    i32::try_from(STEPS.len()).expect("layouts are few")
}

/// Lays out an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    advance(connection, 0)
}

/// Takes the steps that lead from this layout to the current one, all or none.
fn advance(connection: &Connection, from: i32) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or(0);
    let steps: String = STEPS.iter().skip(done).copied().collect();
    let current = current();
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {current}; COMMIT;"
    ))
}

impl Store {
    /// Brings the file to the current layout, or refuses it.
    pub(super) fn check_layout(&self) -> Result<(), Error> {
        if self.pragma("application_id")? != APPLICATION_ID {
            return Err(Error::Foreign {
                path: self.path.clone(),
            });
        }
        let known = current();
        match self.pragma("user_version")? {
            found if found == known => Ok(()),
            found if (1..known).contains(&found) => {
                self.run(|connection| advance(connection, found))
            }
            found => Err(Error::Newer {
                path: self.path.clone(),
                found,
                known,
            }),
        }
    }

    fn pragma(&self, name: &str) -> Result<i32, Error> {
        self.run(|connection| connection.pragma_query_value(None, name, |row| row.get(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_the_current_layout() {
        let connection = Connection::open_in_memory().unwrap();
        create(&connection).unwrap();
        let version: i32 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, current());
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE runs (a INTEGER); PRAGMA user_version = 0;")
            .unwrap();
        assert!(create(&connection).is_err());
        drop(connection.execute_batch("ROLLBACK"));
        let tables: i32 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 1);
    }
}
