//! Checks a published run against its manifest: files, hashes, columns, row counts, order, that the
//! outcomes add up and agree with the tables, and that each contact with rows stands once among the
//! contacts. Everything is read as a stream; nothing is
//! changed.

mod difference;
mod keys;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use difference::Difference;
pub(super) use keys::Keys;
use walk::{Contents, NextTarget, TableWalk};

use super::error::{Error, storage};
use super::file::{FileDigest, digest};
use super::format::Format;
use super::manifest::{self, Manifest};
use super::publish::{LATEST, VIEWS};
use crate::contact::{Outcome, OutcomeCounts};
use crate::schema::{OUTCOMES, Rows, Table, View};

/// What a check found.
#[derive(Debug)]
pub struct Verified {
    /// The run's folder.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Where that is not so; none for a sound export.
    pub differences: Vec<Difference>,
}

/// Checks an export: a run's folder, or an output folder, of which the latest run is taken.
pub fn verify(dir: &Path) -> Result<Verified, Error> {
    let latest = dir.join(LATEST);
    let folder = [dir, &latest]
        .into_iter()
        .find(|folder| folder.join(manifest::FILE_NAME).exists());
    let folder = folder
        .ok_or_else(|| Error::NoExport {
            path: dir.to_owned(),
        })?
        .to_owned();
    let manifest = Manifest::read(&folder)?;
    let mut differences = Vec::new();
    check_names(&folder, &manifest, &mut differences)?;
    check_sums(&manifest, &mut differences);
    check_other_files(&folder, &manifest, &mut differences)?;
    let tables = check_files(&folder, &manifest, &mut differences)?;
    check_rows(tables, &manifest, &mut differences);
    Ok(Verified {
        folder,
        manifest,
        differences,
    })
}

fn check_names(
    folder: &Path,
    manifest: &Manifest,
    differences: &mut Vec<Difference>,
) -> Result<(), Error> {
    let found = names(folder).map_err(storage("list", folder))?;
    let files = manifest.tables.values().map(|report| report.file.clone());
    let expected: BTreeSet<String> = files
        .chain(manifest.files.keys().cloned())
        .chain([manifest::FILE_NAME.to_owned(), VIEWS.to_owned()])
        .collect();
    differences.extend(
        expected
            .difference(&found)
            .map(|file| Difference::Missing { file: file.clone() }),
    );
    differences.extend(
        found
            .difference(&expected)
            .map(|file| Difference::Foreign { file: file.clone() }),
    );
    if !manifest.tables.contains_key(OUTCOMES.name) {
        differences.push(Difference::Missing {
            file: OUTCOMES.name.to_owned(),
        });
    }
    Ok(())
}

fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn check_sums(manifest: &Manifest, differences: &mut Vec<Difference>) {
    let (targets, outcomes) = (manifest.targets, manifest.outcomes);
    let expected = targets.distinct.saturating_add(targets.rejected);
    let found = outcomes.total().unwrap_or(u64::MAX);
    if found != expected {
        differences.push(Difference::Sum { expected, found });
    }
    if outcomes.rejected != targets.rejected {
        differences.push(Difference::Rejected {
            expected: targets.rejected,
            found: outcomes.rejected,
        });
    }
    if let Some(source) = &manifest.source {
        let parts = [
            targets.distinct,
            targets.duplicates,
            targets.rejected,
            source.blank,
            manifest.forgotten,
        ];
        let found = parts.into_iter().fold(0, u64::saturating_add);
        if found != source.lines {
            let expected = source.lines;
            differences.push(Difference::Lines { expected, found });
        }
    }
}

/// Compares the files that hold no table byte by byte.
fn check_other_files(
    folder: &Path,
    manifest: &Manifest,
    differences: &mut Vec<Difference>,
) -> Result<(), Error> {
    for (file, expected) in &manifest.files {
        let path = folder.join(file);
        // Only files of this folder are opened: any other name was told as missing.
        if path.parent() == Some(folder) && path.exists() {
            differences.extend(compare(file, expected, &digest(&path)?));
        }
    }
    Ok(())
}

/// What is wrong with a file's content.
fn compare(file: &str, expected: &FileDigest, found: &FileDigest) -> Option<Difference> {
    if found.bytes != expected.bytes {
        Some(Difference::Bytes {
            file: file.to_owned(),
            expected: expected.bytes,
            found: found.bytes,
        })
    } else if found.sha256 != expected.sha256 {
        Some(Difference::Hash {
            file: file.to_owned(),
            expected: expected.sha256.clone(),
            found: found.sha256.clone(),
        })
    } else {
        None
    }
}

/// Compares the files byte by byte, and opens those that are what was published.
fn check_files(
    folder: &Path,
    manifest: &Manifest,
    differences: &mut Vec<Difference>,
) -> Result<Vec<TableWalk>, Error> {
    let view = manifest.view();
    let mut tables = Vec::new();
    for (name, report) in &manifest.tables {
        let file = report.file.clone();
        let Some((table, format)) = table_of(&view, name, &file) else {
            differences.push(Difference::Table {
                table: name.clone(),
                file,
            });
            continue;
        };
        let path = folder.join(&file);
        if !path.exists() {
            continue;
        }
        if let Some(difference) = compare(&file, &report.digest(), &digest(&path)?) {
            differences.push(difference);
            continue;
        }
        match open(format, &path, table)? {
            Ok(keys) => {
                let holds = contents(table, manifest);
                tables.push(TableWalk::new(holds, report, keys));
            }
            Err(difference) => differences.push(difference),
        }
    }
    Ok(tables)
}

/// What the rows of a table stand for.
fn contents(table: &Table, manifest: &Manifest) -> Contents {
    match table.rows {
        Rows::Targets => Contents::Outcomes,
        Rows::Items(_) => Contents::Items,
        // Manifests of older versions do not count them, and those versions made no such rows.
        Rows::Object(_) if manifest.contacts_without_details.is_none() => Contents::SomeContacts,
        Rows::Object(_) => Contents::EveryContact,
    }
}

/// Opens a file that is what was published, or says in what it is no file of this table.
fn open(format: Format, path: &Path, table: &Table) -> Result<Result<Keys, Difference>, Error> {
    let file = format.file_name(table);
    match Keys::open(format, path, table) {
        Ok(keys) => Ok(Ok(keys)),
        Err(Error::OtherColumns { .. }) => Ok(Err(Difference::Columns { file })),
        Err(Error::Decode { .. }) => Ok(Err(Difference::Unreadable { file, rows: 0 })),
        Err(error) => Err(error),
    }
}

/// The table of that name, where the file has the name that this program gives it.
fn table_of<'v>(view: &'v View, name: &str, file: &str) -> Option<(&'v Table, Format)> {
    let table = view.table(name)?;
    let format = Format::ALL
        .iter()
        .find(|format| format.file_name(table) == file)?;
    Some((table, *format))
}

/// Walks through all tables side by side, in the order of their keys.
fn check_rows(tables: Vec<TableWalk>, manifest: &Manifest, differences: &mut Vec<Difference>) {
    let (outcomes, mut tables): (Vec<_>, Vec<_>) = tables
        .into_iter()
        .partition(|rows| rows.contents == Contents::Outcomes);
    // Without a usable outcomes table no row can be said to belong to nobody.
    let mut comparable = false;
    for mut outcomes in outcomes {
        let counts = count_outcomes(&mut outcomes, &mut tables, differences);
        outcomes.check_number(differences);
        for outcome in Outcome::ALL {
            let (expected, found) = (manifest.outcomes.count(*outcome), counts.count(*outcome));
            if expected != found {
                differences.push(Difference::Outcomes {
                    file: outcomes.file.clone(),
                    outcome: *outcome,
                    expected,
                    found,
                });
            }
        }
        comparable = outcomes.is_sorted();
        if !comparable {
            // The walk may have passed a contact before its turn came.
            differences.retain(|difference| !matches!(difference, Difference::NotExported { .. }));
        }
    }
    for mut rows in tables {
        rows.drain(comparable, differences);
        rows.check_number(differences);
        if comparable {
            rows.check_contacts(differences);
        }
    }
}

fn count_outcomes(
    outcomes: &mut TableWalk,
    tables: &mut [TableWalk],
    differences: &mut Vec<Difference>,
) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    let mut all_known = true;
    while let Some(key) = outcomes.next(differences) {
        if let Some(outcome) = key.outcome {
            counts.record(outcome);
        } else if all_known {
            all_known = false;
            differences.push(Difference::UnknownOutcome {
                file: outcomes.file.clone(),
                row: outcomes.read,
            });
        }
        if let Some(contact_id) = key.contact_id.filter(|_| outcomes.is_sorted()) {
            let owner = NextTarget {
                contact_id,
                outcome: key.outcome,
                outcomes_row: outcomes.read,
            };
            for rows in &mut *tables {
                rows.advance(owner, differences);
            }
        }
    }
    counts
}
