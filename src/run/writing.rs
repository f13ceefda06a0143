//! Where store, flattener and writers meet: targets in the order of their ids become rows, rows
//! become files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;

use arrow_array::RecordBatch;
use tokio::sync::watch;

use super::ensure_going;
use crate::connect;
use crate::contact::{Drift, Outcome, OutcomeCounts, Reason};
use crate::error::Error;
use crate::flatten::{AnswerBody, Flattener};
use crate::job::Job;
use crate::load::{self, FileReport, TableWriter};
use crate::report::Reporter;
use crate::store::{Store, Stored};
use crate::summary::Failures;

/// Rows of one table that are collected before they are written. Small batches keep the memory
/// small and even, and cost nothing in the files: the writers put them together.
const BATCH: usize = 512;
/// Bytes of answers that are collected before they are written, for the same reason.
const BATCH_BYTES: usize = 1 << 20;

/// Targets after which it is asked whether to stop: often enough for whoever waits, since so many
/// take a few milliseconds.
const LOOK_UP: u64 = 256;

/// The rows of every table, in the order of the tables.
type Batches = Vec<RecordBatch>;
type Writers = Vec<Box<dyn TableWriter + Send>>;

/// What was written.
#[derive(Debug)]
pub(super) struct WrittenTables {
    pub(super) files: BTreeMap<String, FileReport>,
    pub(super) outcomes: OutcomeCounts,
    pub(super) failures: Failures,
    pub(super) drift: Drift,
    pub(super) truncated: BTreeMap<String, u64>,
    pub(super) contacts_without_details: Option<u64>,
    pub(super) answers_of_another_zone: u64,
    pub(super) oldest_fetched_at: Option<i64>,
}

/// What it takes to write every table of a job.
pub(super) struct Writing<'a> {
    pub(super) job: &'a Job,
    /// Only answers to this question are shown.
    pub(super) request_key: i64,
    /// Failures from this instant on stand in place of older answers.
    pub(super) failed_since: i64,
    pub(super) folder: &'a Path,
    pub(super) stop: &'a watch::Receiver<bool>,
}

impl Writing<'_> {
    /// Writes every table from the store alone. One thread makes rows, another one writes them; no
    /// batch waits between them, since one can be large.
    pub(super) fn carry_out(
        &self,
        store: &mut Store,
        report: &mut Reporter,
    ) -> Result<WrittenTables, Error> {
        let Job { api, output, .. } = self.job;
        let view = connect::view(self.job);
        let metadata = metadata(self.job);
        let writers = view
            .tables()
            .map(|table| load::create(output.format, self.folder, table, &metadata))
            .collect::<Result<Writers, _>>()?;
        let (batches, queue) = mpsc::sync_channel(0);
        let rows = Rows {
            flattener: Flattener::new(&view),
            limit: api.limit.get(),
            tally: TargetTally::default(),
            batches,
            stop: self.stop,
            report,
        };
        let (flattener, tally, writers) = std::thread::scope(|scope| {
            let writing = std::thread::Builder::new()
                .name("write".to_owned())
                .spawn_scoped(scope, move || write_all(&queue, writers))
                .map_err(Error::System)?;
            let made = rows.make(store, self.request_key, self.failed_since);
            // The writers' error comes first: it is why batches were no longer taken.
            let writers = writing.join().map_err(|_| Error::Defect)??;
            let (flattener, tally) = made?;
            Ok::<_, Error>((flattener, tally, writers))
        })?;
        let files = view
            .tables()
            .zip(writers)
            .map(|(table, writer)| Ok((table.name.to_owned(), writer.finish()?)))
            .collect::<Result<_, Error>>()?;
        Ok(WrittenTables {
            files,
            outcomes: tally.outcomes,
            failures: tally.failures,
            drift: flattener.drift(),
            truncated: truncated(&flattener),
            contacts_without_details: flattener.contacts_without_details(),
            answers_of_another_zone: flattener.answers_of_another_zone(),
            oldest_fetched_at: tally.oldest_fetched_at,
        })
    }
}

/// Makes rows of targets and hands them on.
struct Rows<'a> {
    flattener: Flattener,
    /// How many items per list were asked for at most.
    limit: u32,
    tally: TargetTally,
    batches: mpsc::SyncSender<Batches>,
    stop: &'a watch::Receiver<bool>,
    report: &'a mut Reporter,
}

impl Rows<'_> {
    /// Makes the rows of all targets, in their order. The queue is closed when this returns.
    fn make(
        mut self,
        store: &mut Store,
        request_key: i64,
        failed_since: i64,
    ) -> Result<(Flattener, TargetTally), Error> {
        store.walk(request_key, failed_since, |stored| self.add(stored))?;
        self.hand_on()?;
        Ok((self.flattener, self.tally))
    }

    fn add(&mut self, Stored { target, body }: Stored<'_>) -> Result<(), Error> {
        let (contact_id, ending) = (target.contact_id, &target.ending);
        let (error, fetched_at) = (ending.error, ending.fetched_at);
        let answer = body.map(|json| AnswerBody {
            json,
            limit: self.limit,
            has_same_zone: true,
        });
        let outcome = self.flattener.append(target, answer);
        match outcome {
            Outcome::Exported | Outcome::Stale => self.tally.exported(fetched_at),
            Outcome::Failed => {
                let reason = error.unwrap_or(Reason::WrongStructure);
                self.tally.failures.add(reason, contact_id);
            }
            Outcome::Missing | Outcome::Pending | Outcome::Rejected => {}
        }
        self.tally.outcomes.record(outcome);
        self.tally.targets += 1;
        self.report.advance(self.tally.targets);
        if self.tally.targets.is_multiple_of(LOOK_UP) {
            ensure_going(self.stop)?;
        }
        if self.flattener.rows() >= BATCH || self.flattener.bytes() >= BATCH_BYTES {
            self.hand_on()?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), Error> {
        let batches = self.flattener.take();
        self.batches.send(batches).map_err(|_| Error::Defect)
    }
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

/// What the targets came to so far.
#[derive(Debug, Default)]
struct TargetTally {
    targets: u64,
    outcomes: OutcomeCounts,
    failures: Failures,
    oldest_fetched_at: Option<i64>,
}

impl TargetTally {
    fn exported(&mut self, fetched_at: Option<i64>) {
        self.oldest_fetched_at = self.oldest_fetched_at.into_iter().chain(fetched_at).min();
    }
}

/// For each list that reached the limit, in how many contacts it did.
fn truncated(flattener: &Flattener) -> BTreeMap<String, u64> {
    flattener
        .truncated()
        .filter(|(_, contacts)| *contacts > 0)
        .map(|(list, contacts)| (list.to_owned(), contacts))
        .collect()
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
