//! `state.sqlite`: targets, answers and runs, one file per job. Everything that was fetched is here
//! before anything is made of it. Plain synchronous code on one connection; who calls when is the
//! run's matter.

mod answers;
mod body;
mod error;
mod file;
mod layout;
mod runs;
mod targets;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

pub use answers::Stored;
pub use error::Error;
pub use runs::Run;
pub use targets::Plan;

/// Marks the file as ours: "SOEX".
const APPLICATION_ID: i32 = 0x534F_4558;

/// The open state file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    identity: file::Identity,
    connection: Connection,
    bodies: body::Bodies,
}

impl Store {
    /// Opens the state file, or makes it where there is none. Every page is looked at where the
    /// last start did not end well, or where that takes no time; damage elsewhere shows when it is
    /// read.
    ///
    /// # Errors
    /// Where it cannot be opened, is damaged, foreign, or of a newer version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (connection, identity, look_over) = file::open(path)?;
        let store = Self {
            path: path.to_owned(),
            identity,
            connection,
            bodies: body::Bodies::default(),
        };
        store.run(|connection| connection.busy_timeout(std::time::Duration::from_secs(10)))?;
        store.check_layout()?;
        if look_over {
            store.look_over()?;
        }
        // FULL: a commit is on the disk, even where the power fails. One per batch, so it costs
        // little.
        store.run(|connection| {
            connection
                .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = FILE; PRAGMA cache_size = -4096;")
        })?;
        Ok(store)
    }

    /// Looks at every page of the file.
    fn look_over(&self) -> Result<(), Error> {
        let verdict: String = self.run(|connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        })?;
        if verdict == "ok" {
            Ok(())
        } else {
            Err(Error::Damaged {
                path: self.path.clone(),
                source: None,
            })
        }
    }

    /// Runs statements; what goes wrong names the file.
    fn run<T>(
        &self,
        statements: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        statements(&self.connection).map_err(|source| self.error(source))
    }

    /// Runs statements in one transaction; what goes wrong names the file. Nothing is written to a
    /// file that is gone.
    fn transaction<T>(
        &mut self,
        statements: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        if !file::is_there(&self.path, &self.identity) {
            return Err(Error::Gone {
                path: self.path.clone(),
            });
        }
        let result = self.connection.transaction().and_then(|transaction| {
            let result = statements(&transaction)?;
            transaction.commit().map(|()| result)
        });
        result.map_err(|source| self.error(source))
    }

    fn error(&self, source: rusqlite::Error) -> Error {
        let path = self.path.clone();
        match (source.sqlite_error_code(), &source) {
            (Some(ErrorCode::NotADatabase), _) => Error::Foreign { path },
            (Some(ErrorCode::DatabaseCorrupt), _)
            | (
                None,
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..),
            ) => Error::Damaged {
                path,
                source: Some(source),
            },
            _ => Error::Sqlite { path, source },
        }
    }
}

#[cfg(test)]
mod tests;
