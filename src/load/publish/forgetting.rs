//! Takes contacts out of a published run: the run is made anew beside itself without them, and the
//! two change places in one step. A reader in the middle sees the old run or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::access::{Readers, open_one};
use super::folders::{partial_name, remove_folder};
use crate::contact::{ContactId, Outcome, OutcomeCounts};
use crate::load::error::{Error, encode, storage};
use crate::load::file::{create_one_folder, sync_folder, write_durably};
use crate::load::format::{Format, create, open};
use crate::load::manifest::{Manifest, coverage};
use crate::load::parquet::own_metadata;
use crate::schema::{Rows, Table};

/// What is taken out of a run.
#[derive(Debug, Default)]
struct Taken {
    contacts: u64,
    outcomes: OutcomeCounts,
    truncated: BTreeMap<String, u64>,
    without_details: u64,
}

/// A published run, and who may read it once it is made anew.
#[derive(Debug)]
pub(crate) struct KeptRun<'a> {
    pub(crate) output_dir: &'a Path,
    pub(crate) folder: PathBuf,
    pub(crate) readers: Readers,
}

impl KeptRun<'_> {
    /// How many of these contacts stand in the run.
    pub(crate) fn count(&self, ids: &BTreeSet<ContactId>) -> Result<u64, Error> {
        let manifest = Manifest::read(&self.folder)?;
        let view = manifest.view();
        let mut counted = Taken::default();
        self.each_batch(&manifest, view.outcomes(), |batch| {
            counted.note(view.outcomes(), &batch, &is_named(&batch, ids));
            Ok(())
        })?;
        Ok(counted.contacts)
    }

    /// Makes the run anew without these contacts, where any of them stands in it; says how many did.
    pub(crate) fn forget(&self, ids: &BTreeSet<ContactId>) -> Result<u64, Error> {
        if self.count(ids)? == 0 {
            return Ok(0);
        }
        let runs = self.folder.parent().unwrap_or(self.output_dir);
        let name = self.folder.file_name().unwrap_or_default();
        let beside = runs.join(partial_name(&name.to_string_lossy()));
        remove_folder(&beside)?;
        create_one_folder(&beside)?;
        let taken = self.write_without(ids, &beside)?;
        open_one(self.output_dir, &beside, self.readers)?;
        sync_folder(&beside)?;
        let exchange = "exchange the run with the one without these contacts \
                        (the file system has to know RENAME_EXCHANGE)";
        renameat_with(CWD, &beside, CWD, &self.folder, RenameFlags::EXCHANGE)
            .map_err(|error| storage(exchange, &self.folder)(error.into()))?;
        sync_folder(runs)?;
        remove_folder(&beside)?;
        Ok(taken.contacts)
    }

    /// Writes every file of the run, without the rows of these contacts.
    fn write_without(&self, ids: &BTreeSet<ContactId>, to: &Path) -> Result<Taken, Error> {
        let mut manifest = Manifest::read(&self.folder)?;
        let mut taken = Taken::default();
        for table in manifest.view().tables() {
            let Some(format) = format_of(&manifest, table) else {
                continue;
            };
            let metadata = match format {
                Format::Parquet => own_metadata(&self.folder.join(format.file_name(table)))?,
                Format::Csv { .. } => Vec::new(),
            };
            let mut writer = create(format, to, table, &metadata)?;
            self.each_batch(&manifest, table, |batch| {
                let named = is_named(&batch, ids);
                taken.note(table, &batch, &named);
                let others: BooleanArray = named.iter().map(|named| Some(!named)).collect();
                let left = filter_record_batch(&batch, &others).map_err(encode(table.name))?;
                writer.write(&left)
            })?;
            manifest
                .tables
                .insert(table.name.to_owned(), writer.finish()?);
        }
        for file in manifest.files.keys() {
            let path = self.folder.join(file);
            let content = fs::read(&path).map_err(storage("read", &path))?;
            write_durably(&to.join(file), &content)?;
        }
        taken.take_from(&mut manifest);
        manifest.write(to)?;
        Ok(taken)
    }

    /// Visits the rows of a table, text as it stands in the file.
    fn each_batch(
        &self,
        manifest: &Manifest,
        table: &Table,
        mut visit: impl FnMut(RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(format) = format_of(manifest, table) else {
            return Ok(());
        };
        let path = self.folder.join(format.file_name(table));
        let mut reader = open(format, &path, table, |_| true)?;
        while let Some(batch) = reader.read()? {
            visit(batch)?;
        }
        Ok(())
    }
}

/// The format of a table's file. CSV is read and written as it stands, formulas or not.
fn format_of(manifest: &Manifest, table: &Table) -> Option<Format> {
    let file = &manifest.tables.get(table.name)?.file;
    [Format::Parquet, Format::Csv { safe: false }]
        .into_iter()
        .find(|format| format.file_name(table) == *file)
}

/// For each row whether it is one of these contacts'.
fn is_named(batch: &RecordBatch, ids: &BTreeSet<ContactId>) -> Vec<bool> {
    let column = batch.column_by_name("contact_id");
    let column = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
    (0..batch.num_rows())
        .map(|row| {
            let id = column.filter(|column| column.is_valid(row));
            id.and_then(|column| ContactId::new(column.value(row)))
                .is_some_and(|id| ids.contains(&id))
        })
        .collect()
}

impl Taken {
    /// Counts what these rows of a table are.
    fn note(&mut self, table: &Table, batch: &RecordBatch, named: &[bool]) {
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let rows = named.iter().enumerate().filter(|(_, named)| **named);
        for (row, _) in rows {
            match table.rows {
                Rows::Targets => {
                    self.contacts += 1;
                    let outcome = text("outcome", row);
                    if let Some(outcome) = outcome.and_then(|word| Outcome::from_word(&word)) {
                        self.outcomes.record(outcome);
                    }
                    for list in text("truncated", row).unwrap_or_default().split(',') {
                        *self.truncated.entry(list.to_owned()).or_default() += 1;
                    }
                }
                Rows::Object(_) => {
                    let cells = batch.columns().iter().skip(1);
                    self.without_details += u64::from(cells.clone().all(|cell| cell.is_null(row)));
                }
                Rows::Items(_) => {}
            }
        }
    }

    /// Lets the figures of a manifest say what is left.
    fn take_from(&self, manifest: &mut Manifest) {
        manifest.forgotten += self.contacts;
        let targets = &mut manifest.targets;
        targets.distinct = targets.distinct.saturating_sub(self.contacts);
        manifest.outcomes = manifest.outcomes.without(&self.outcomes);
        manifest.truncated.retain(|list, contacts| {
            *contacts = contacts.saturating_sub(self.truncated.get(list).copied().unwrap_or(0));
            *contacts > 0
        });
        if let Some(contacts) = &mut manifest.contacts_without_details {
            *contacts = contacts.saturating_sub(self.without_details);
        }
        let answered = [Outcome::Exported, Outcome::Stale, Outcome::Missing];
        let answered = answered
            .iter()
            .map(|outcome| manifest.outcomes.count(*outcome));
        manifest.coverage = coverage(answered.sum(), manifest.targets.distinct);
    }
}
