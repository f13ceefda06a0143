//! Reads what a start left: the published export through the program's own readers, and the state
//! by SQL. Judging it is the oracle's matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use rusqlite::Connection;

use crate::contact::Outcome;
use crate::load::manifest::Manifest;
use crate::load::verify::verify;
use crate::load::{self, Format};
use crate::schema::{Column, OUTCOMES, Table, data_tables};

/// A row of `outcomes`.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) outcome: Outcome,
    pub(super) fetched_at: Option<i64>,
    /// What the contact's rows say, of `contacts` and `sales`.
    pub(super) names: Vec<String>,
    pub(super) headings: Vec<String>,
}

/// A published export.
#[derive(Debug, Clone)]
pub(super) struct Export {
    pub(super) manifest: Manifest,
    pub(super) contacts: BTreeMap<i64, Shown>,
    pub(super) rejected: u64,
}

impl Export {
    /// Reads a run's folder, which has to be whole.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let verified = verify(folder).map_err(|error| error.to_string())?;
        if !verified.differences.is_empty() {
            return Err(format!("not whole: {:?}", verified.differences));
        }
        let mut export = Self {
            manifest: verified.manifest,
            contacts: BTreeMap::new(),
            rejected: 0,
        };
        let path = |table| folder.join(Format::SAFE_CSV.file_name(table));
        for batch in batches(&path(OUTCOMES), OUTCOMES) {
            export.add_outcomes(&batch)?;
        }
        for table in data_tables() {
            if !export.manifest.tables.contains_key(table.name) {
                continue;
            }
            for batch in batches(&path(table), table) {
                export.add_rows(table.name, &batch)?;
            }
        }
        Ok(export)
    }

    fn add_outcomes(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let ids = batch["contact_id"].as_primitive::<Int64Type>();
        let words = batch["outcome"].as_string::<i32>();
        let times = batch["fetched_at"].as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let outcome = Outcome::from_word(words.value(row)).ok_or("an unknown outcome")?;
            if ids.is_null(row) {
                self.rejected += 1;
                continue;
            }
            let shown = Shown {
                outcome,
                fetched_at: times.is_valid(row).then(|| times.value(row)),
                names: Vec::new(),
                headings: Vec::new(),
            };
            if self.contacts.insert(ids.value(row), shown).is_some() {
                return Err(format!("{} is in outcomes twice", ids.value(row)));
            }
        }
        Ok(())
    }

    fn add_rows(&mut self, table: &str, batch: &RecordBatch) -> Result<(), String> {
        let ids = batch["contact_id"].as_primitive::<Int64Type>();
        let column = if table == "contacts" {
            "name"
        } else {
            "heading"
        };
        let texts = batch[column].as_string::<i32>();
        for row in 0..batch.num_rows() {
            let id = ids.value(row);
            let shown = self.contacts.get_mut(&id);
            let shown = shown.ok_or_else(|| format!("{table} has {id}, outcomes has not"))?;
            let text = texts.value(row).to_owned();
            match table {
                "contacts" => shown.names.push(text),
                _ => shown.headings.push(text),
            }
        }
        Ok(())
    }

    pub(super) fn ids(&self) -> BTreeSet<i64> {
        self.contacts.keys().copied().collect()
    }

    /// The contacts that have rows.
    pub(super) fn with_rows(&self) -> BTreeSet<i64> {
        let contacts = self.contacts.iter();
        let with_rows = contacts.filter(|(_, shown)| shown.outcome.has_rows());
        with_rows.map(|(id, _)| *id).collect()
    }
}

fn batches(path: &Path, table: &Table) -> Vec<RecordBatch> {
    const READ: [&str; 5] = ["contact_id", "outcome", "fetched_at", "name", "heading"];
    let wanted = |column: &Column| READ.contains(&column.name);
    let mut reader = load::open(Format::SAFE_CSV, path, table, wanted).unwrap();
    std::iter::from_fn(|| reader.read().unwrap()).collect()
}

/// An answer or ending in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) run: i64,
    pub(super) at: i64,
}

/// What the state holds.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) answers: BTreeMap<i64, Kept>,
    pub(super) endings: BTreeMap<i64, (Kept, Outcome, Option<String>)>,
    pub(super) targets: BTreeSet<i64>,
    /// The number of the newest run that calls the API.
    pub(super) run: i64,
}

impl State {
    pub(super) fn read(output: &Path) -> Self {
        let path = output.join("state.sqlite");
        if !path.exists() {
            return Self::default();
        }
        let connection = Connection::open(path).unwrap();
        let kept = |row: &rusqlite::Row<'_>| Kept {
            run: row.get(1).unwrap(),
            at: row.get(2).unwrap(),
        };
        Self {
            answers: all(
                &connection,
                "SELECT contact_id, run, fetched_at FROM responses",
                |row| (row.get(0).unwrap(), kept(row)),
            ),
            endings: all(
                &connection,
                "SELECT contact_id, run, ended_at, outcome, error FROM endings",
                |row| {
                    let word: String = row.get(3).unwrap();
                    let outcome = Outcome::from_word(&word).unwrap();
                    (
                        row.get(0).unwrap(),
                        (kept(row), outcome, row.get(4).unwrap()),
                    )
                },
            ),
            targets: all(&connection, "SELECT contact_id FROM targets", |row| {
                row.get(0).unwrap()
            }),
            run: all::<_, Vec<i64>>(
                &connection,
                "SELECT ifnull(max(number), 0) FROM runs WHERE NOT is_offline",
                |row| row.get(0).unwrap(),
            )[0],
        }
    }

    /// The run in which something was last found out about a contact.
    pub(super) fn last_run(&self, contact_id: i64) -> Option<i64> {
        let answer = self.answers.get(&contact_id).map(|kept| kept.run);
        let ending = self.endings.get(&contact_id).map(|(kept, ..)| kept.run);
        answer.max(ending)
    }
}

fn all<T, C: FromIterator<T>>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> T,
) -> C {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok(read(row))).unwrap();
    rows.map(Result::unwrap).collect()
}
