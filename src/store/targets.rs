//! Targets: what is asked for tonight. What has to be fetched for it is the plan's matter.

use rusqlite::{Connection, params};

use super::Store;
use crate::contact::{InputLine, TargetCounts};

impl Store {
    /// Replaces the targets by those of the input, all in one transaction, once `accept` has seen
    /// how many they are: the targets stay as they were where a line cannot be read or the counts
    /// are not accepted.
    pub fn replace_targets<E: From<super::Error>>(
        &mut self,
        lines: impl Iterator<Item = Result<InputLine, E>>,
        accept: impl FnOnce(&TargetCounts) -> Result<(), E>,
    ) -> Result<TargetCounts, E> {
        let mut refused = None;
        let counts = self.transaction(|connection| {
            let lines = lines.map_while(|line| line.map_err(|error| refused = Some(error)).ok());
            let counts = insert_lines(connection, lines)?;
            if refused.is_none() {
                refused = accept(&counts).err();
            }
            // An error takes back what was inserted.
            match refused {
                Some(_) => Err(rusqlite::Error::QueryReturnedNoRows),
                None => Ok(counts),
            }
        });
        match refused {
            Some(error) => Err(error),
            None => Ok(counts?),
        }
    }
}

fn insert_lines(
    connection: &Connection,
    lines: impl Iterator<Item = InputLine>,
) -> rusqlite::Result<TargetCounts> {
    let mut counts = TargetCounts::default();
    connection.execute_batch("DELETE FROM targets; DELETE FROM rejects;")?;
    let mut target = connection.prepare(
        "INSERT OR IGNORE INTO targets (contact_id, input_line, input_value) VALUES (?1, ?2, ?3)",
    )?;
    let mut reject = connection
        .prepare("INSERT INTO rejects (input_line, input_value, reason) VALUES (?1, ?2, ?3)")?;
    let line_number = |line: u64| i64::try_from(line).unwrap_or(i64::MAX);
    for line in lines {
        match line {
            InputLine::Target {
                contact_id,
                input_line,
                input_value,
            } => {
                // Most values are just the number: it need not be kept twice.
                let value = (input_value != contact_id.to_string()).then_some(input_value);
                let line = line_number(input_line);
                let inserted = target.execute(params![contact_id.get(), line, value])?;
                counts.distinct += u64::from(inserted == 1);
                counts.duplicates += u64::from(inserted == 0);
            }
            InputLine::Rejected {
                input_line,
                input_value,
                reason,
            } => {
                let line = line_number(input_line);
                reject.execute(params![line, input_value, reason.as_str()])?;
                counts.rejected += 1;
            }
        }
    }
    Ok(counts)
}
