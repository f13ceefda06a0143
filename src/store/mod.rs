//! `state.sqlite`: targets, answers and runs, one file per job. Everything that was fetched is here
//! before anything is made of it. Plain synchronous code on one connection; who calls when is the
//! run's matter.

mod answers;
mod body;
mod error;
mod file;
mod forgetting;
mod identity;
mod known;
mod layout;
mod look;
mod plan;
mod questions;
mod rules;
mod runs;
mod taking_out;
mod targets;

use std::path::PathBuf;

use rusqlite::{Connection, ErrorCode};

pub use answers::Stored;
pub use error::Error;
pub use plan::Plan;
pub use questions::{Owner, QuestionId};
pub use rules::Terms;
pub use runs::{Run, RunState};
pub use taking_out::TakenOut;

/// Marks the file as ours: "SOEX".
const APPLICATION_ID: i32 = 0x534F_4558;

/// The open state file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// None of a state without a name.
    identity: Option<identity::FileIdentity>,
    /// How a file looked that is read without locks.
    looked_at: Option<identity::Seen>,
    connection: Connection,
    bodies: body::Bodies,
}

impl Store {
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
        let is_gone = |identity: &identity::FileIdentity| !identity.is_of(&self.path);
        if self.identity.as_ref().is_some_and(is_gone) {
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
