//! A look at the state that leaves nothing behind: the file is only read, beside a run that is under
//! way, too, and what a plan writes goes to temporary tables that stand in front of the stored ones.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::file::log_holds_something;
use super::identity::{FileIdentity, Seen};
use super::{Error, Store, body, layout};

/// What a plan writes. SQLite finds a temporary table before a stored one of the same name.
const WRITTEN: [&str; 5] = ["targets", "rejects", "plan", "questions", "facts"];

impl Store {
    /// Opens the state to look at it, or an empty one where there is no file. Nothing that is
    /// written to it outlasts it.
    ///
    /// # Errors
    /// Where it cannot be read, is damaged, foreign, or of a newer version.
    pub fn look(path: &Path) -> Result<Self, Error> {
        let is_open_elsewhere = log_holds_something(path);
        if !path.exists() && !is_open_elsewhere {
            return Self::empty(path);
        }
        if is_open_elsewhere && !path.with_extension("sqlite-shm").exists() {
            // SQLite would have to make that file, and it would stay.
            return Err(Error::Unclean {
                path: path.to_owned(),
            });
        }
        let failed = |source| Error::Sqlite {
            path: path.to_owned(),
            source,
        };
        let metadata = fs::metadata(path).map_err(|source| Error::Create {
            path: path.to_owned(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let uri = uri(path, !is_open_elsewhere);
        let mut store = Self {
            path: path.to_owned(),
            identity: Some(FileIdentity::of(&metadata)),
            looked_at: (!is_open_elsewhere).then(|| Seen::of(&metadata)),
            connection: Connection::open_with_flags(&uri, flags).map_err(failed)?,
            bodies: body::Bodies::default(),
        };
        if let Some(found) = store.older_layout()? {
            store.connection = taken_over(&uri, found).map_err(failed)?;
            return Ok(store);
        }
        store.run(|connection| {
            connection.busy_timeout(super::file::BUSY)?;
            connection.pragma_update(None, "temp_store", "FILE")?;
            WRITTEN
                .iter()
                .try_for_each(|table| shadow(connection, table))
        })?;
        Ok(store)
    }

    /// A state as where nothing ran yet, in a file without a name, which goes with the connection:
    /// the list may be long.
    fn empty(path: &Path) -> Result<Self, Error> {
        let made = Connection::open("").and_then(|connection| {
            layout::create(&connection)?;
            Ok(connection)
        });
        Ok(Self {
            path: path.to_owned(),
            identity: None,
            looked_at: None,
            connection: made.map_err(|source| Error::Sqlite {
                path: path.to_owned(),
                source,
            })?,
            bodies: body::Bodies::default(),
        })
    }

    /// Whether what was looked at stood still meanwhile. A file that nobody has open is read
    /// without locks, since these would leave files; a run that begins at that moment may then
    /// change it under the eyes of whoever looks.
    ///
    /// # Errors
    /// Where it did not.
    pub fn ensure_unchanged(&self) -> Result<(), Error> {
        let Some(seen) = &self.looked_at else {
            return Ok(());
        };
        let now = fs::metadata(&self.path).ok().map(|found| Seen::of(&found));
        if now.as_ref() == Some(seen) && !log_holds_something(&self.path) {
            Ok(())
        } else {
            Err(Error::Changed {
                path: self.path.clone(),
            })
        }
    }
}

/// A file of an older layout, copied to one without a name and brought to the current layout there.
/// Bodies stay behind: they are most of it, and whoever looks reads none.
fn taken_over(uri: &str, found: i32) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags("", flags)?;
    connection.execute("ATTACH ?1 AS old", [uri])?;
    let tables: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM old.sqlite_schema WHERE type = 'table'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, declared) in tables {
        let columns: Vec<String> = connection
            .prepare("SELECT name FROM pragma_table_info(?1, 'old')")?
            .query_map([&table], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let cells = columns
            .join(", ")
            .replace("body", "iif(body IS NULL, NULL, x'')");
        connection.execute_batch(&format!(
            "{declared}; INSERT INTO main.{table} SELECT {cells} FROM old.{table};"
        ))?;
    }
    connection.execute_batch("DETACH old")?;
    layout::advance(&connection, found)?;
    Ok(connection)
}

/// Puts a temporary table in front of a stored one.
fn shadow(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    let declared: String = connection.query_row(
        "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1",
        [table],
        |row| row.get(0),
    )?;
    let temporary = declared.replacen("CREATE TABLE", "CREATE TEMP TABLE", 1);
    connection.execute_batch(&temporary)?;
    // Targets and plan are made anew by whoever looks, and may be many; the others are looked up.
    if ["questions", "facts"].contains(&table) {
        let fill = format!("INSERT INTO temp.{table} SELECT * FROM main.{table}");
        connection.execute_batch(&fill)?;
    }
    Ok(())
}

/// The file as SQLite takes it with parameters. Where nobody has it open, it is told that nothing
/// changes: otherwise it makes files beside it, which would stay, and belong to whoever looked.
fn uri(path: &Path, stands_still: bool) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            write!(uri, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    uri.push_str("?mode=ro");
    if stands_still {
        uri.push_str("&immutable=1");
    }
    uri
}
