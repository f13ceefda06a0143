//! Takes out of stored answers what a policy does not keep any more. What that is, is the caller's
//! to say; that nothing of it is left in the files is seen to here.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::questions::kept_as_text;
use super::{Error, Store};
use crate::contact::{ContactId, KeptMembers};

/// Answers that are rewritten in one transaction.
const BATCH: u32 = 256;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenOut {
    /// Answers that were rewritten.
    pub answers: u64,
    /// Answers that could not be read, and were deleted.
    pub unreadable: u64,
}

impl Store {
    /// Takes out of every stored answer what `strip` takes out, which leaves the members that are
    /// kept. An answer and the question that it is an answer to from then on change in one
    /// transaction: whatever moment the program dies at, each answer is known for what it holds.
    pub fn take_out(
        &mut self,
        kept: &KeptMembers,
        strip: impl Fn(ContactId, &[u8]) -> Option<String>,
    ) -> Result<TakenOut, Error> {
        let mut taken = TakenOut::default();
        let mut is_anything_rewritten = self.take_messages_out(kept)?;
        for (question, held) in self.kept_by_question()? {
            if kept.hold(&held) {
                continue;
            }
            let left = held.without_what_is_not_in(kept);
            while let Some(done) = self.strip_batch(question, &left, &strip)? {
                is_anything_rewritten = true;
                taken.answers += done.answers;
                taken.unreadable += done.unreadable;
            }
        }
        if is_anything_rewritten {
            self.empty_log()?;
            self.remove_copies()?;
        }
        Ok(taken)
    }

    /// Deletes what the API said of failures, where that is not kept; says whether anything was.
    fn take_messages_out(&mut self, kept: &KeptMembers) -> Result<bool, Error> {
        if kept.keep_messages() {
            return Ok(false);
        }
        let sql = "UPDATE endings SET message = NULL WHERE message IS NOT NULL";
        self.transaction(|connection| connection.execute(sql, []))
            .map(|rows| rows > 0)
    }

    /// What is kept of the answers to each question that has any.
    fn kept_by_question(&self) -> Result<HashMap<i64, KeptMembers>, Error> {
        self.run(|connection| {
            let sql = "SELECT question, kept FROM questions
                       WHERE question IN (SELECT question FROM responses)";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let kept = super::questions::from_text(1, &row.get::<_, String>(1)?)?;
                Ok((row.get(0)?, kept))
            })?;
            rows.collect()
        })
    }

    /// Rewrites some answers to this question; none where none are left.
    fn strip_batch(
        &mut self,
        question: i64,
        left: &KeptMembers,
        strip: impl Fn(ContactId, &[u8]) -> Option<String>,
    ) -> Result<Option<TakenOut>, Error> {
        let mut bodies = std::mem::take(&mut self.bodies);
        let result = self.transaction(|connection| {
            let packed = some_answers(connection, question)?;
            if packed.is_empty() {
                return Ok(None);
            }
            let stripped_question = question_that_keeps(connection, question, left)?;
            let mut update = connection
                .prepare("UPDATE responses SET body = ?2, question = ?3 WHERE contact_id = ?1")?;
            let mut delete = connection.prepare("DELETE FROM responses WHERE contact_id = ?1")?;
            let mut taken = TakenOut::default();
            for (number, packed) in packed {
                let json = bodies.unpack(&packed).ok();
                let stripped = json
                    .zip(ContactId::new(number))
                    .and_then(|(json, contact_id)| strip(contact_id, json));
                if let Some(stripped) = stripped {
                    let body = bodies
                        .pack(stripped.as_bytes())
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                    update.execute(params![number, body, stripped_question])?;
                    taken.answers += 1;
                } else {
                    delete.execute([number])?;
                    taken.unreadable += 1;
                }
            }
            Ok(Some(taken))
        });
        self.bodies = bodies;
        result
    }

    /// Empties the write-ahead log, in which pages stand as they were.
    pub(super) fn empty_log(&self) -> Result<(), Error> {
        self.run(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }
}

fn some_answers(connection: &Connection, question: i64) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
    let sql = "SELECT contact_id, body FROM responses WHERE question = ?1 LIMIT ?2";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params![question, BATCH], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    rows.collect()
}

/// The question that is like this one but for what is kept of its answers.
fn question_that_keeps(
    connection: &Connection,
    question: i64,
    kept: &KeptMembers,
) -> rusqlite::Result<i64> {
    const REST: &str = "place, login, item_limit, members, language, culture, zone, headers, \
                        layout_1_key";
    let kept = kept_as_text(kept);
    let is_same: Vec<_> = REST
        .split(", ")
        .map(|column| format!("a.{column} IS b.{column}"))
        .collect();
    let sql = format!(
        "SELECT b.question FROM questions a, questions b
         WHERE a.question = ?1 AND b.kept = ?2 AND {}",
        is_same.join(" AND ")
    );
    let known = connection
        .query_row(&sql, params![question, kept], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    let sql = format!(
        "INSERT INTO questions ({REST}, kept) SELECT {REST}, ?2 FROM questions WHERE question = ?1"
    );
    connection.execute(&sql, params![question, kept])?;
    Ok(connection.last_insert_rowid())
}
