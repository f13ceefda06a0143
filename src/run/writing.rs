//! Where store, flattener and writers meet: targets in the order of their ids become rows, rows become files.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::sync::watch;

use crate::error::Error;
use crate::flatten::{Drift, Flattener};
use crate::job::Job;
use crate::load::manifest::Outcomes;
use crate::load::writer::{self, FileReport, TableWriter};
use crate::report::Reporter;
use crate::schema::outcome::Outcome;
use crate::schema::{OUTCOMES, Table};
use crate::store::Store;

/// Rows of one table that are collected before they are written.
const BATCH: usize = 8_192;

/// Targets after which it is asked whether to stop.
const LOOK_UP: u64 = 256;

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) files: BTreeMap<String, FileReport>,
    pub(super) outcomes: Outcomes,
    pub(super) failures: Failures,
    pub(super) drift: Drift,
    pub(super) truncated: BTreeMap<String, u64>,
    pub(super) oldest_fetched_at: Option<i64>,
}

/// Failed targets by error, each with its number and a few ids.
pub(super) type Failures = BTreeMap<&'static str, (u64, Vec<i64>)>;

/// Ids shown for each error.
const SAMPLES: usize = 3;

/// Writes every table of the job from the store alone: the answers to this question, and failures from that instant on.
pub(super) fn write(
    job: &Job,
    store: &mut Store,
    (request_key, failed_since): (i64, i64),
    folder: &Path,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Written, Error> {
    let tables: Vec<&'static Table> = job.api.tables.iter().copied().chain([OUTCOMES]).collect();
    let metadata = metadata(job);
    let mut writers =
        tables.iter().map(|table| writer::create(job.output.format, folder, table, &metadata)).collect::<Result<Vec<_>, _>>()?;
    let mut flattener = Flattener::new(&job.api.tables, job.api.limit.get());
    let mut outcomes = Outcomes::default();
    let mut failures = Failures::new();
    let mut oldest_fetched_at = None;
    let mut done = 0;
    store.walk(request_key, failed_since, |stored| {
        let (contact_id, error, fetched_at) = (stored.target.contact_id, stored.target.ending.error, stored.target.ending.fetched_at);
        let outcome = flattener.append(stored.target, stored.body.as_deref());
        outcomes.record(outcome);
        if outcome == Outcome::Failed {
            let (count, ids) = failures.entry(error.map_or("wrong_structure", crate::schema::outcome::Reason::as_str)).or_default();
            *count += 1;
            ids.extend(contact_id.filter(|_| ids.len() < SAMPLES).map(crate::schema::ContactId::get));
        }
        if outcome == Outcome::Exported {
            oldest_fetched_at = oldest_fetched_at.into_iter().chain(fetched_at).min();
        }
        done += 1;
        report.advance(done);
        if done % LOOK_UP == 0 {
            super::ensure_going(stop)?;
        }
        if flattener.rows() >= BATCH {
            write_batches(&mut flattener, &mut writers)?;
        }
        Ok::<_, Error>(())
    })?;
    write_batches(&mut flattener, &mut writers)?;
    let files =
        tables.iter().zip(writers).map(|(table, writer)| Ok((table.name.to_owned(), writer.finish()?))).collect::<Result<_, Error>>()?;
    let truncated =
        flattener.truncated().filter(|(_, contacts)| *contacts > 0).map(|(list, contacts)| (list.to_owned(), contacts)).collect();
    Ok(Written { files, outcomes, failures, drift: flattener.drift(), truncated, oldest_fetched_at })
}

fn write_batches(flattener: &mut Flattener, writers: &mut [Box<dyn TableWriter + Send>]) -> Result<(), Error> {
    for (batch, writer) in flattener.take().iter().zip(writers) {
        writer.write(batch)?;
    }
    Ok(())
}

/// What the files say of the run: only what is the same for the same answers.
fn metadata(job: &Job) -> Vec<(String, String)> {
    let pair = |key: &str, value: String| (format!("superoffice.{key}"), value);
    vec![pair("language", job.api.language.clone()), pair("limit", job.api.limit.to_string()), pair("time_zone", job.api.time_zone.clone())]
}
