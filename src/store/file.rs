//! The state file on disk: made whole under another name before it gets its own, looked over when
//! it is opened, and watched while it is in use.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Error, layout};

/// A file up to this size is looked over at every start. A larger one takes long, and only where
/// the last start did not end well.
const SMALL: u64 = 64 * 1024 * 1024;

/// A page holds several answers, whatever their size; with SQLite's usual 4,096 bytes much of each
/// page stays empty.
const PAGE_SIZE: u32 = 16_384;

/// Which file this is, whatever its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// Opens the state file, or makes it where there is none; says whether every page should be looked
/// at.
pub(super) fn open(path: &Path) -> Result<(Connection, Identity, bool), Error> {
    if !path.exists() {
        make(path)?;
    }
    let is_unclean = log_holds_something(path);
    let metadata = fs::metadata(path).map_err(|source| Error::Create {
        path: path.to_owned(),
        source,
    })?;
    if metadata.len() == 0 {
        // SQLite takes an empty file for an empty database; this one never was.
        return Err(Error::Damaged {
            path: path.to_owned(),
            source: None,
        });
    }
    let connection = connect(path)?;
    Ok((
        connection,
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        },
        is_unclean || metadata.len() <= SMALL,
    ))
}

/// Whether the path still leads to the file that was opened.
pub(super) fn is_there(path: &Path, identity: &Identity) -> bool {
    fs::metadata(path).is_ok_and(|metadata| {
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        } == *identity
    })
}

/// Makes an empty state; it has its name only once it is whole.
fn make(path: &Path) -> Result<(), Error> {
    if log_holds_something(path) {
        // SQLite would play the log of another file into this one.
        return Err(Error::Orphan { path: log(path) });
    }
    let failed = |source| Error::Create {
        path: path.to_owned(),
        source,
    };
    let partial = path.with_extension("sqlite.partial");
    for leftover in [
        partial.clone(),
        path.with_extension("sqlite.partial-journal"),
    ] {
        fs::remove_file(leftover)
            .or_else(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    Ok(())
                } else {
                    Err(error)
                }
            })
            .map_err(failed)?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(failed)?;
    let connection = connect(&partial)?;
    let made = connection
        .pragma_update(None, "page_size", PAGE_SIZE)
        .and_then(|()| layout::create(&connection))
        .and_then(|()| connection.close().map_err(|(_, error)| error));
    made.map_err(|source| Error::Sqlite {
        path: path.to_owned(),
        source,
    })?;
    fs::rename(&partial, path).map_err(failed)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)
}

fn connect(path: &Path) -> Result<Connection, Error> {
    Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|source| Error::Sqlite {
        path: path.to_owned(),
        source,
    })
}

/// The write-ahead log of the file. After a clean end there is none.
fn log(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

fn log_holds_something(path: &Path) -> bool {
    fs::metadata(log(path)).is_ok_and(|metadata| metadata.len() > 0)
}
