//! The layouts that a state file has had, numbered, and the step from each to the next. When a file
//! is opened, and which file it is, is `file`'s and the store's matter.
//!
//! A new layout is one more step at the end of [`STEPS`]. A file of an older layout is taken over
//! by the steps that it lacks, in one transaction, after a copy was made beside it; a file of a
//! newer one is refused.

use rusqlite::Connection;

use super::{APPLICATION_ID, Error, Store};

/// What makes layout `n` of layout `n - 1`, in that order; the first one begins with nothing.
const STEPS: &[&str] = &[LAYOUT_1, LAYOUT_2, KEPT_MEMBERS];

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

/// Runs are numbered, answers stand apart from endings, and the question of each answer is kept in
/// full.
///
/// Layout 1 kept a hash of the question. It is kept as `layout_1_key`, until a job comes whose
/// question has that hash. An answer belongs to the last run that began before it; run 0 is none.
const LAYOUT_2: &str = "
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE questions (
    question INTEGER PRIMARY KEY, place TEXT, login TEXT, item_limit INTEGER, members TEXT,
    language TEXT, culture TEXT, zone TEXT, headers TEXT, layout_1_key INTEGER
) STRICT;
INSERT INTO questions (layout_1_key)
    SELECT request_key FROM responses UNION SELECT request_key FROM failures;

ALTER TABLE runs RENAME TO old_runs;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL,
    started_at INTEGER NOT NULL, answered_at INTEGER, ended_at INTEGER, state TEXT NOT NULL,
    is_offline INTEGER NOT NULL, is_accepted INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0,
    logins INTEGER NOT NULL DEFAULT 0, fetch_seconds REAL NOT NULL DEFAULT 0
) STRICT;
INSERT INTO runs (run, started_at, ended_at, state, is_offline, attempts, retries, logins,
        fetch_seconds)
    SELECT run, started_at, ended_at, iif(ended_at IS NULL, 'open', 'published'), is_offline,
        attempts, retries, logins, fetch_seconds
    FROM old_runs ORDER BY started_at;
DROP TABLE old_runs;

ALTER TABLE responses RENAME TO old_responses;
CREATE TABLE responses (
    contact_id INTEGER PRIMARY KEY, question INTEGER NOT NULL, run INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL, http_status INTEGER, attempts INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE endings (
    contact_id INTEGER PRIMARY KEY, question INTEGER NOT NULL, run INTEGER NOT NULL,
    ended_at INTEGER NOT NULL, outcome TEXT NOT NULL, http_status INTEGER,
    attempts INTEGER NOT NULL, error TEXT, message TEXT,
    published_as_missing INTEGER NOT NULL DEFAULT 0, denied_by INTEGER
) STRICT;
INSERT INTO responses (contact_id, question, run, fetched_at, http_status, attempts, body)
    SELECT contact_id, (SELECT question FROM questions WHERE layout_1_key = request_key),
        ifnull((SELECT max(number) FROM runs WHERE started_at <= fetched_at AND NOT is_offline), 0),
        fetched_at, http_status, attempts, body
    FROM old_responses WHERE body IS NOT NULL;
INSERT INTO endings (contact_id, question, run, ended_at, outcome, http_status, attempts, message)
    SELECT contact_id, (SELECT question FROM questions WHERE layout_1_key = request_key),
        ifnull((SELECT max(number) FROM runs WHERE started_at <= fetched_at AND NOT is_offline), 0),
        fetched_at, outcome, http_status, attempts, message
    FROM old_responses WHERE body IS NULL;
INSERT OR REPLACE INTO endings (contact_id, question, run, ended_at, outcome, http_status, attempts,
        error, message)
    SELECT contact_id, (SELECT question FROM questions WHERE layout_1_key = request_key),
        ifnull((SELECT max(number) FROM runs WHERE started_at <= failed_at AND NOT is_offline), 0),
        failed_at, outcome, http_status, attempts, error, message
    FROM failures;
UPDATE endings SET denied_by = question
    WHERE outcome = 'missing' OR ifnull(error, '') = 'forbidden';
DROP TABLE old_responses;
DROP TABLE failures;

CREATE TABLE departed (
    contact_id INTEGER PRIMARY KEY, since INTEGER NOT NULL, published_without INTEGER NOT NULL
) STRICT;
DROP TABLE rejects;
CREATE TABLE rejects (
    input_line INTEGER PRIMARY KEY, input_value TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
DROP TABLE plan;
CREATE TABLE plan (
    position INTEGER PRIMARY KEY, contact_id INTEGER NOT NULL, has_failed INTEGER NOT NULL
) STRICT;
";

/// A question knows which members of its answers are kept: all of them, where no policy took any
/// out.
const KEPT_MEMBERS: &str = r#"
ALTER TABLE questions ADD COLUMN kept TEXT NOT NULL DEFAULT '{"all_but":[]}';
"#;

/// The layout that this program reads and writes.
pub(super) fn current() -> i32 {
    i32::try_from(STEPS.len()).expect("layouts are few")
}

/// Lays out an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    advance(connection, 0)
}

/// Takes the steps that lead from this layout to the current one, all or none.
pub(super) fn advance(connection: &Connection, from: i32) -> rusqlite::Result<()> {
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
        let Some(found) = self.older_layout()? else {
            return Ok(());
        };
        self.copy_aside(found)?;
        self.run(|connection| advance(connection, found))
    }

    /// The layout of the file, where it is an older one; refuses what no program up to this one
    /// made.
    pub(super) fn older_layout(&self) -> Result<Option<i32>, Error> {
        if self.pragma("application_id")? != APPLICATION_ID {
            return Err(Error::Foreign {
                path: self.path.clone(),
            });
        }
        let known = current();
        match self.pragma("user_version")? {
            found if found == known => Ok(None),
            found if (1..known).contains(&found) => Ok(Some(found)),
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
