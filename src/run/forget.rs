//! `forget`: contacts are taken out of the store and of every kept run, and are asked for no more.
//! First it is noted that they are forgotten, so that whatever moment the program dies at, no later
//! run brings them back and the same command completes it.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use tokio::sync::watch;

use super::forgotten;
use super::lock;
use crate::contact::{ContactId, InputLine};
use crate::error::Error;
use crate::extract::ids::{Place, Reader, Source};
use crate::job::Job;
use crate::load::publish::{self, KeptRun};
use crate::store::Store;

/// What is forgotten, or would be.
#[derive(Debug)]
pub struct ForgetReport {
    /// Contacts that were named.
    pub named: usize,
    /// Those of them of which the state held anything.
    pub stored: u64,
    /// The runs in which any of them stood, and how many.
    pub runs: Vec<(String, u64)>,
}

/// What is to be forgotten.
#[derive(Debug)]
pub struct ForgetOrder<'a> {
    /// Contacts named one by one.
    pub ids: &'a [i64],
    /// A list of contacts.
    pub file: Option<&'a Path>,
    /// Whether nothing is to be done but to say what would be.
    pub dry_run: bool,
}

/// Forgets contacts.
///
/// # Errors
/// Where an id is none, or a run of the job is under way; and where something could not be written,
/// after which the same command goes on.
pub fn forget(
    job: &Job,
    order: &ForgetOrder<'_>,
    stop: &watch::Receiver<bool>,
) -> Result<ForgetReport, Error> {
    let ids = ids(order, stop)?;
    let now = Timestamp::now();
    if !job.output.dir.join("state.sqlite").exists() {
        return Err(Error::NothingToForget {
            path: job.output.dir.clone(),
        });
    }
    let _lock = lock::take(&job.output.dir, now)?;
    let dir = std::fs::canonicalize(&job.output.dir).map_err(|source| Error::Output {
        path: job.output.dir.clone(),
        source,
    })?;
    let mut store = Store::open(&dir.join("state.sqlite"))?;
    if !order.dry_run {
        publish::sweep(&dir)?;
        let mut all = forgotten::read(&dir)?;
        let day = now.strftime("%Y-%m-%d").to_string();
        for id in &ids {
            all.entry(*id).or_insert_with(|| day.clone());
        }
        forgotten::write(&dir, &all)?;
    }
    let stored = store.forget(&ids, order.dry_run)?;
    let mut runs = Vec::new();
    for name in publish::published(&dir)? {
        let run = KeptRun {
            output_dir: &dir,
            folder: publish::folder(&dir, &name),
            readers: job.output.readers,
        };
        let contacts = if order.dry_run {
            run.count(&ids)?
        } else {
            run.forget(&ids)?
        };
        if contacts > 0 {
            runs.push((name, contacts));
        }
    }
    Ok(ForgetReport {
        named: ids.len(),
        stored,
        runs,
    })
}

fn ids(
    order: &ForgetOrder<'_>,
    stop: &watch::Receiver<bool>,
) -> Result<BTreeSet<ContactId>, Error> {
    let mut ids = BTreeSet::new();
    for id in order.ids {
        ids.insert(ContactId::new(*id).ok_or(Error::NoContactId)?);
    }
    if let Some(path) = order.file {
        let source = Source {
            place: Place::Path(path.to_owned()),
            column: None,
            sheet: None,
            delimiter: None,
        };
        for line in Reader::open_unless(&source, stop)? {
            match line? {
                InputLine::Target { contact_id, .. } => ids.insert(contact_id),
                // To pass over a line would be to forget fewer than was asked.
                InputLine::Rejected { .. } => return Err(Error::NoContactId),
            };
        }
    }
    if ids.is_empty() {
        return Err(Error::NoContactId);
    }
    Ok(ids)
}
