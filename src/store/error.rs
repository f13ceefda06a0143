//! What can be wrong with the state file, and what to do about it. Nothing here is ever mended by
//! losing answers.

use std::path::PathBuf;

/// The state cannot be used.
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
    #[error(
        "{path}: the state is of version {found}, this program knows {known}; \
         use the newer program, or move the file aside and fetch everything anew",
        path = path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: i32,
        /// The version that this program writes.
        known: i32,
    },
    /// The last start did not end well, and nothing may be changed now.
    #[error(
        "{path}: the last run did not end well, and the state has to be mended before anybody can \
         look at it; the next run does that",
        path = path.display()
    )]
    Unclean {
        /// The file.
        path: PathBuf,
    },
    /// A run began while it was looked at.
    #[error(
        "{path}: a run began while the state was looked at; look again",
        path = path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// It is no state file.
    #[error(
        "{path}: not a state file of this program, or its beginning is damaged; \
         move it aside (with its -wal and -shm files) and start again, \
         which fetches everything anew",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged.
    #[error(
        "{path}: the state file is damaged; \
         move it aside (with its -wal and -shm files) and start again, \
         which fetches everything anew",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not read, where SQLite said so.
        source: Option<rusqlite::Error>,
    },
    /// One stored answer is damaged, the rest is sound.
    #[error(
        "{path}: the stored answer of contact {contact_id} is damaged; \
         fetch everything anew with `--fresh --max-age 0s`, or move the file aside",
        path = path.display()
    )]
    Body {
        /// The file.
        path: PathBuf,
        /// Whose answer it is.
        contact_id: i64,
        /// What the decompressor said.
        source: std::io::Error,
    },
    /// Its write-ahead log is there without it.
    #[error(
        "{path}: this log belongs to a state file that is not there, and may hold answers; \
         put that file back, or move the log aside as well",
        path = path.display()
    )]
    Orphan {
        /// The write-ahead log.
        path: PathBuf,
    },
    /// It holds the answers of another SuperOffice.
    #[error(
        "{path}: this folder belongs to {stored}, and the job asks {asked}; give each its own \
         `output.dir`, or, where the installation moved, set `api.formerly = \"{stored}\"`",
        path = path.display()
    )]
    OtherPlace {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        stored: String,
        /// What the job asks.
        asked: String,
    },
    /// It was removed or replaced while it was in use.
    #[error(
        "{path}: the state file was removed or replaced while the run was under way",
        path = path.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
    },
}
