//! The state file on disk: made whole under another name before it gets its own, and looked over
//! when it is opened.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::identity::FileIdentity;
use super::{Error, Store, body, layout};

/// A file up to this size is looked over at every start. A larger one takes long, and only where
/// the last start did not end well.
const SMALL: u64 = 64 * 1024 * 1024;

/// A page holds several answers, whatever their size; with SQLite's usual 4,096 bytes much of each
/// page stays empty.
const PAGE_SIZE: u32 = 16_384;

/// How long a lock of SQLite's is waited for. One run writes; whoever looks on only reads, and takes
/// no longer than a query.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// Opens the state file, or makes it where there is none; says whether every page should be looked
/// at.
fn open(path: &Path) -> Result<(Connection, FileIdentity, bool), Error> {
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
        FileIdentity::of(&metadata),
        is_unclean || metadata.len() <= SMALL,
    ))
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
        remove(&leftover).map_err(failed)?;
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
        // Whether free pages can be given back is fixed when the first table is made.
        .and_then(|()| connection.pragma_update(None, "auto_vacuum", "INCREMENTAL"))
        .and_then(|()| layout::create(&connection))
        .and_then(|()| connection.close().map_err(|(_, error)| error));
    made.map_err(|source| Error::Sqlite {
        path: path.to_owned(),
        source,
    })?;
    name(&partial, path).map_err(failed)
}

/// Gives a file its name, and waits until that is on the disk.
fn name(partial: &Path, path: &Path) -> io::Result<()> {
    fs::rename(partial, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
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

/// Where the file is copied before it is brought to another layout.
fn copy(path: &Path, layout: i32) -> PathBuf {
    path.with_extension(format!("layout-{layout}.sqlite"))
}

impl Store {
    /// Opens the state file, or makes it where there is none. Every page is looked at where the
    /// last start did not end well, or where that takes no time; damage elsewhere shows when it is
    /// read.
    ///
    /// # Errors
    /// Where it cannot be opened, is damaged, foreign, or of a newer version.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (connection, identity, look_over) = open(path)?;
        let store = Self {
            path: path.to_owned(),
            identity: Some(identity),
            looked_at: None,
            connection,
            bodies: body::Bodies::default(),
        };
        store.run(|connection| connection.busy_timeout(BUSY))?;
        // Before anything is deleted: a step to another layout drops whole tables of answers.
        store.run(|connection| connection.execute_batch("PRAGMA secure_delete = ON"))?;
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

    /// Gives back the room of what was let go, and empties the write-ahead log, in which it may be
    /// read still: at the end of a run, since the next one may be far away. A file that an older
    /// program made keeps its size; its free pages are overwritten all the same.
    pub fn tidy(&self) -> Result<(), Error> {
        self.run(|connection| {
            let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
            // Where somebody looks on, the log stays for them, and is emptied by the next run.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
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

    /// Copies the file beside itself, whole or not at all, before it is brought to another layout.
    pub(super) fn copy_aside(&self, layout: i32) -> Result<(), Error> {
        let copy = copy(&self.path, layout);
        let partial = copy.with_extension("partial");
        let failed = |source| Error::Create {
            path: copy.clone(),
            source,
        };
        remove(&partial).map_err(failed)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(failed)?;
        let target = partial.to_string_lossy();
        self.run(|connection| connection.execute("VACUUM INTO ?1", [target]).map(drop))?;
        File::open(&partial)
            .and_then(|file| file.sync_all())
            .and_then(|()| name(&partial, &copy))
            .map_err(failed)
    }

    /// Removes copies that were made for the way back to an older layout: after a published run
    /// there is no way back without loss.
    pub fn remove_copies(&self) -> Result<(), Error> {
        for layout in 1..layout::current() {
            let copy = copy(&self.path, layout);
            remove(&copy).map_err(|source| Error::Create { path: copy, source })?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// The write-ahead log of the file. After a clean end there is none.
fn log(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

pub(super) fn log_holds_something(path: &Path) -> bool {
    fs::metadata(log(path)).is_ok_and(|metadata| metadata.len() > 0)
}
