//! `state.sqlite`: targets, answers and runs, one file per job. Everything that was fetched is here before anything is
//! made of it. Plain synchronous code on one connection; who calls when is the run's matter.

mod answers;
mod body;
mod runs;
mod targets;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

pub use answers::{Answered, Stored};
pub use runs::{Calls, Run};
pub use targets::{Plan, TargetCounts};

/// Version of the layout below. An older program refuses a newer file.
const VERSION: i32 = 1;

/// Marks the file as ours: "SOEX".
const APPLICATION_ID: i32 = 0x534F_4558;

const LAYOUT: &str = "
CREATE TABLE targets (contact_id INTEGER PRIMARY KEY, input_line INTEGER NOT NULL, input_value TEXT) STRICT;
CREATE TABLE rejects (input_line INTEGER PRIMARY KEY, input_value TEXT NOT NULL) STRICT;
CREATE TABLE responses (
    contact_id INTEGER PRIMARY KEY, request_key INTEGER NOT NULL, fetched_at INTEGER NOT NULL, outcome TEXT NOT NULL,
    http_status INTEGER, attempts INTEGER NOT NULL, error TEXT, message TEXT, body BLOB
) STRICT;
CREATE TABLE plan (position INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL) STRICT;
CREATE TABLE runs (
    run TEXT PRIMARY KEY, started_at INTEGER NOT NULL, ended_at INTEGER, duplicates INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0, logins INTEGER NOT NULL DEFAULT 0,
    fetch_seconds REAL NOT NULL DEFAULT 0
) STRICT;
";

/// What is wrong with the state file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read or written.
    #[error("{path}: the state cannot be read or written", path = path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It cannot be made.
    #[error("{path}: the state cannot be made", path = path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A newer program made it.
    #[error("{path}: the state is of version {found}, this program knows {VERSION}; use the newer program, or move the file aside", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: i32,
    },
    /// It is no state file.
    #[error("{path}: not a state file of this program; move it aside", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged.
    #[error(
        "{path}: the state file is damaged; move it aside (with its -wal and -shm files) and start again, which fetches everything anew",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// The open state file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    bodies: body::Bodies,
}

impl Store {
    /// Opens the state file, or makes it where there is none.
    ///
    /// # Errors
    /// Where it cannot be opened, is damaged, foreign, or of a newer version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let is_new = create_private(path)?;
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|source| Error::Sqlite { path: path.to_owned(), source })?;
        let store = Self { path: path.to_owned(), connection, bodies: body::Bodies::default() };
        store.prepare(is_new)?;
        Ok(store)
    }

    fn prepare(&self, is_new: bool) -> Result<(), Error> {
        self.run(|connection| connection.busy_timeout(std::time::Duration::from_secs(10)))?;
        let is_empty =
            is_new || self.run(|connection| connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0)))?;
        if !is_empty {
            self.check_version()?;
        }
        self.run(|connection| {
            // FULL: a commit is on the disk, even where the power fails. One per batch, so it costs little.
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = FILE; PRAGMA cache_size = -8192;",
            )?;
            if is_empty {
                connection.execute_batch(&format!(
                    "BEGIN; {LAYOUT} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
                ))?;
            }
            Ok(())
        })
    }

    fn check_version(&self) -> Result<(), Error> {
        let pragma = |name: &str| self.run(|connection| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)));
        if pragma("application_id")? != APPLICATION_ID {
            return Err(Error::Foreign { path: self.path.clone() });
        }
        match pragma("user_version")? {
            VERSION => Ok(()),
            found => Err(Error::Newer { path: self.path.clone(), found }),
        }
    }

    /// Looks at every page of the file.
    ///
    /// # Errors
    /// Where it is damaged.
    pub fn check(&self) -> Result<(), Error> {
        let verdict: String = self.run(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if verdict == "ok" { Ok(()) } else { Err(Error::Damaged { path: self.path.clone() }) }
    }

    /// Runs statements; what goes wrong names the file.
    fn run<T>(&self, statements: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        statements(&self.connection).map_err(|source| self.error(source))
    }

    /// Runs statements in one transaction; what goes wrong names the file.
    fn transaction<T>(&mut self, statements: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let result = self.connection.transaction().and_then(|transaction| {
            let result = statements(&transaction)?;
            transaction.commit().map(|()| result)
        });
        result.map_err(|source| self.error(source))
    }

    fn error(&self, source: rusqlite::Error) -> Error {
        let path = self.path.clone();
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Error::Damaged { path },
            Some(rusqlite::ErrorCode::NotADatabase) => Error::Foreign { path },
            _ => Error::Sqlite { path, source },
        }
    }
}

/// Makes the file for its owner alone; false where it is there already.
fn create_private(path: &Path) -> Result<bool, Error> {
    use std::os::unix::fs::OpenOptionsExt as _;

    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(Error::Create { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests;
