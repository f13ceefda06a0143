//! Where store, flattener and writers meet: targets in the order of their ids become rows, rows
//! become files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;

use arrow_array::RecordBatch;
use tokio::sync::watch;

use crate::connect;
use crate::contact::{ContactId, Drift, Outcome, OutcomeCounts, Reason};
use crate::error::Error;
use crate::flatten::Flattener;
use crate::job::Job;
use crate::load::{self, FileReport, TableWriter};
use crate::report::Reporter;
use crate::store::{Store, Stored};

/// Rows of one table, and bytes of answers, that are collected before they are written. Small
/// batches keep the memory small and even; the writers put them together.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

/// Targets after which it is asked whether to stop.
const LOOK_UP: u64 = 256;

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) files: BTreeMap<String, FileReport>,
    pub(super) outcomes: OutcomeCounts,
    pub(super) failures: Failures,
    pub(super) drift: Drift,
    pub(super) truncated: BTreeMap<String, u64>,
    pub(super) oldest_fetched_at: Option<i64>,
}

/// Failed targets by error, each with its number and a few ids.
pub(super) type Failures = BTreeMap<&'static str, (u64, Vec<i64>)>;

/// Ids shown for each error.
const SAMPLES: usize = 3;

/// The rows of every table, in the order of the tables.
type Batches = Vec<RecordBatch>;
type Writers = Vec<Box<dyn TableWriter + Send>>;

/// Writes every table of the job from the store alone: the answers to this question, and failures
/// from that instant on. One thread makes rows, one writes them; no batch waits between them, since
/// one can be large.
pub(super) fn write(
    job: &Job,
    store: &mut Store,
    question: (i64, i64),
    folder: &Path,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Written, Error> {
    let view = connect::view(job);
    let metadata = metadata(job);
    let writers = view
        .tables()
        .map(|table| load::create(job.output.format, folder, table, &metadata))
        .collect::<Result<_, _>>()?;
    let mut flattener = Flattener::new(&view, job.api.limit.get());
    let (batches, queue) = mpsc::sync_channel(0);
    let (tally, writers) = std::thread::scope(|scope| {
        let writing = std::thread::Builder::new()
            .name("write".to_owned())
            .spawn_scoped(scope, move || write_all(&queue, writers));
        let writing = writing.map_err(Error::System)?;
        let tally = flatten(store, question, &mut flattener, &batches, stop, report);
        drop(batches);
        // The writers' error comes first: it is why batches were no longer taken.
        let writers = writing.join().map_err(|_| Error::Defect)??;
        Ok::<_, Error>((tally?, writers))
    })?;
    let files = view
        .tables()
        .zip(writers)
        .map(|(table, writer)| Ok((table.name.to_owned(), writer.finish()?)))
        .collect::<Result<_, Error>>()?;
    let Tally {
        outcomes,
        failures,
        oldest_fetched_at,
    } = tally;
    let truncated = flattener
        .truncated()
        .filter(|(_, contacts)| *contacts > 0)
        .map(|(list, contacts)| (list.to_owned(), contacts))
        .collect();
    Ok(Written {
        files,
        outcomes,
        failures,
        drift: flattener.drift(),
        truncated,
        oldest_fetched_at,
    })
}

/// Makes the rows of all targets, in their order, and hands them on.
fn flatten(
    store: &mut Store,
    (request_key, failed_since): (i64, i64),
    flattener: &mut Flattener,
    batches: &mpsc::SyncSender<Batches>,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    let mut done = 0;
    let hand_on =
        |flattener: &mut Flattener| batches.send(flattener.take()).map_err(|_| Error::Defect);
    store.walk(request_key, failed_since, |Stored { target, body }| {
        let (contact_id, error, fetched_at) = (
            target.contact_id,
            target.ending.error,
            target.ending.fetched_at,
        );
        let outcome = flattener.append(target, body);
        tally.add(contact_id, outcome, error, fetched_at);
        done += 1;
        report.advance(done);
        if done % LOOK_UP == 0 {
            super::ensure_going(stop)?;
        }
        if flattener.rows() >= BATCH || flattener.bytes() >= BATCH_BYTES {
            hand_on(flattener)
        } else {
            Ok(())
        }
    })?;
    hand_on(flattener)?;
    Ok(tally)
}

/// Writes what comes, until nothing more does.
fn write_all(queue: &mpsc::Receiver<Batches>, mut writers: Writers) -> Result<Writers, Error> {
    for batches in queue {
        for (batch, writer) in batches.iter().zip(&mut writers) {
            writer.write(batch)?;
        }
    }
    Ok(writers)
}

/// What the targets came to.
#[derive(Debug, Default)]
struct Tally {
    outcomes: OutcomeCounts,
    failures: Failures,
    oldest_fetched_at: Option<i64>,
}

impl Tally {
    fn add(
        &mut self,
        contact_id: Option<ContactId>,
        outcome: Outcome,
        error: Option<Reason>,
        fetched_at: Option<i64>,
    ) {
        self.outcomes.record(outcome);
        if outcome == Outcome::Failed {
            let (count, ids) = self
                .failures
                .entry(error.unwrap_or(Reason::WrongStructure).as_str())
                .or_default();
            *count += 1;
            ids.extend(
                contact_id
                    .filter(|_| ids.len() < SAMPLES)
                    .map(ContactId::get),
            );
        }
        if outcome == Outcome::Exported {
            self.oldest_fetched_at = self.oldest_fetched_at.into_iter().chain(fetched_at).min();
        }
    }
}

/// What the files say of the run: only what is the same for the same answers.
fn metadata(job: &Job) -> Vec<(String, String)> {
    let pair = |key: &str, value: String| (format!("superoffice.{key}"), value);
    vec![
        pair("language", job.api.language.clone()),
        pair("limit", job.api.limit.to_string()),
        pair("time_zone", job.api.time_zone.clone()),
    ]
}
