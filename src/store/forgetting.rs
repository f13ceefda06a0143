//! What is let go after a run was published: answers of contacts that are gone, and everything of
//! contacts that are no longer asked for. Never at once: one night may be wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Error, Run, Store};
use crate::contact::ContactId;

/// So many published runs have to say that a contact is missing before its last answer goes. One
/// may have met a server that said so of everybody; two nights in a row are the operator's to see.
const MISSING_RUNS: i64 = 2;
/// So many published runs have to be without a contact before it is forgotten: a list that is half
/// written on a weekend is mended on Monday.
const RUNS_WITHOUT: i64 = 3;

impl Store {
    /// Lets go what this published run is one more reason to let go; `forget_after` is how long ago
    /// the first published run has to be that was without a contact.
    pub fn let_go(&mut self, run: &Run, now: i64, forget_after: Duration) -> Result<(), Error> {
        self.transaction(|connection| {
            let_missing_go(connection, run)?;
            note_departed(connection, now)?;
            let long_ago = i64::try_from(forget_after.as_micros()).unwrap_or(i64::MAX);
            forget_departed(connection, now.saturating_sub(long_ago))?;
            // The plan named contacts, too, and is made anew by the next run.
            connection.execute("DELETE FROM plan", []).map(drop)
        })
    }
}

impl Store {
    /// Takes everything that is kept of these contacts out of the file; says of how many of them
    /// anything was. A dry run only counts.
    pub fn forget(&mut self, ids: &BTreeSet<ContactId>, dry_run: bool) -> Result<u64, Error> {
        const TABLES: [&str; 5] = ["responses", "endings", "departed", "plan", "targets"];
        let forgotten = self.transaction(|connection| {
            let mut forgotten = 0;
            for id in ids {
                let mut is_kept = false;
                for table in TABLES {
                    let sql = if dry_run {
                        format!("SELECT count(*) FROM {table} WHERE contact_id = ?1")
                    } else {
                        format!("DELETE FROM {table} WHERE contact_id = ?1")
                    };
                    let mut statement = connection.prepare(&sql)?;
                    let rows: i64 = if dry_run {
                        statement.query_row([id.get()], |row| row.get(0))?
                    } else {
                        i64::try_from(statement.execute([id.get()])?).unwrap_or(i64::MAX)
                    };
                    is_kept |= rows > 0;
                }
                forgotten += u64::from(is_kept);
            }
            Ok(forgotten)
        })?;
        if !dry_run {
            self.empty_log()?;
            self.remove_copies()?;
        }
        Ok(forgotten)
    }
}

/// An answer is kept until two published runs said that its contact is missing. A run whose list did
/// not name the contact published nothing of it, even where an earlier start had asked for it.
fn let_missing_go(connection: &Connection, run: &Run) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE endings SET published_as_missing = published_as_missing + 1
         WHERE outcome = 'missing' AND run = ?1
             AND contact_id IN (SELECT contact_id FROM targets)",
        [run.number],
    )?;
    connection.execute(
        "DELETE FROM responses WHERE contact_id IN (
             SELECT contact_id FROM endings
             WHERE outcome = 'missing' AND published_as_missing >= ?1)",
        [MISSING_RUNS],
    )?;
    Ok(())
}

/// Counts published runs without a contact that something is kept of.
fn note_departed(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DELETE FROM departed WHERE contact_id IN (SELECT contact_id FROM targets);",
    )?;
    connection.execute(
        "INSERT INTO departed (contact_id, since, published_without)
         SELECT contact_id, ?1, 1 FROM (
             SELECT contact_id FROM responses UNION SELECT contact_id FROM endings)
         WHERE contact_id NOT IN (SELECT contact_id FROM targets)
         ON CONFLICT (contact_id) DO UPDATE SET published_without = published_without + 1",
        [now],
    )?;
    Ok(())
}

fn forget_departed(connection: &Connection, long_ago: i64) -> rusqlite::Result<()> {
    for table in ["responses", "endings", "departed"] {
        let sql = format!(
            "DELETE FROM {table} WHERE contact_id IN (
                 SELECT contact_id FROM departed WHERE published_without >= ?1 AND since <= ?2)"
        );
        connection.execute(&sql, params![RUNS_WITHOUT, long_ago])?;
    }
    Ok(())
}
