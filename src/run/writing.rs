//! Where store, flattener and writers meet: targets in the order of their ids become rows, rows
//! become files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use tokio::sync::watch;

use super::comparison::Walk;
use super::world::ensure_going;
use crate::connect;
use crate::contact::{Drift, Outcome, OutcomeCounts, Question, Reason};
use crate::error::Error;
use crate::flatten::{AnswerBody, Batches, Flattener, HashKey};
use crate::guards::FateOfShown;
use crate::job::Job;
use crate::load::{self, FileReport, TableWriter};
use crate::report::Reporter;
use crate::store::{Store, Stored, Terms};
use crate::summary::Failures;

/// Targets after which it is asked whether to stop: often enough for whoever waits, since so many
/// take a few milliseconds.
const LOOK_UP: u64 = 256;

type Writers = Vec<Box<dyn TableWriter + Send>>;

/// What was written.
#[derive(Debug)]
pub(super) struct WrittenTables {
    pub(super) files: BTreeMap<String, FileReport>,
    pub(super) outcomes: OutcomeCounts,
    /// Contacts that were tried in this run and failed, whether an older answer stands in or not.
    pub(super) failed_now: u64,
    pub(super) failures: Failures,
    pub(super) drift: Drift,
    pub(super) truncated: BTreeMap<String, u64>,
    pub(super) contacts_without_details: Option<u64>,
    pub(super) answers_of_another_zone: u64,
    pub(super) answers_to_another_question: u64,
    pub(super) oldest_fetched_at: Option<i64>,
    /// What has become of the contacts of the last export.
    pub(super) fate: FateOfShown,
}

/// What it takes to write every table of a job.
pub(super) struct Writing<'a> {
    pub(super) job: &'a Job,
    /// The zone that instants are asked for in.
    pub(super) zone: &'a str,
    /// On which terms stored answers count.
    pub(super) terms: Terms,
    pub(super) hash_key: Option<&'a Arc<HashKey>>,
    pub(super) folder: &'a Path,
    pub(super) stop: &'a watch::Receiver<bool>,
}

impl Writing<'_> {
    /// Writes every table from the store alone. One thread makes rows, another one writes them; no
    /// batch waits between them, since one can be large.
    pub(super) fn carry_out(
        &self,
        store: &mut Store,
        walk: Walk,
        report: &mut Reporter,
    ) -> Result<WrittenTables, Error> {
        let output = &self.job.output;
        let view = connect::view(self.job);
        let metadata = metadata(self.job, self.zone);
        let writers = view
            .tables()
            .map(|table| load::create(output.format, self.folder, table, &metadata))
            .collect::<Result<Writers, _>>()?;
        let (batches, queue) = mpsc::sync_channel(0);
        let rows = RowMaker {
            flattener: Flattener::new(&view).hashing(self.hash_key),
            question: connect::question(self.job, self.zone),
            tally: TargetTally::default(),
            walk,
            batches,
            stop: self.stop,
            report,
        };
        let (rows, fate, writers) = std::thread::scope(|scope| {
            let writing = std::thread::Builder::new()
                .name("write".to_owned())
                .spawn_scoped(scope, move || write_all(&queue, writers))
                .map_err(Error::System)?;
            let made = rows.make(store, &self.terms);
            // The writers' error comes first: it is why batches were no longer taken.
            let writers = writing.join().map_err(|_| Error::Defect)??;
            let (rows, fate) = made?;
            Ok::<_, Error>((rows, fate, writers))
        })?;
        let files = view
            .tables()
            .zip(writers)
            .map(|(table, writer)| Ok((table.name.to_owned(), writer.finish()?)))
            .collect::<Result<_, Error>>()?;
        let (flattener, tally) = rows;
        Ok(WrittenTables {
            files,
            outcomes: tally.outcomes,
            failed_now: tally.failed_now,
            failures: tally.failures,
            drift: flattener.drift(),
            truncated: truncated(&flattener),
            contacts_without_details: flattener.contacts_without_details(),
            answers_of_another_zone: flattener.answers_of_another_zone(),
            answers_to_another_question: tally.answers_to_another_question,
            oldest_fetched_at: tally.oldest_fetched_at,
            fate,
        })
    }
}

/// Makes rows of targets and hands them on.
struct RowMaker<'a> {
    flattener: Flattener,
    /// What is asked now; each answer is judged by its own question.
    question: Question,
    tally: TargetTally,
    walk: Walk,
    batches: mpsc::SyncSender<Batches>,
    stop: &'a watch::Receiver<bool>,
    report: &'a mut Reporter,
}

impl RowMaker<'_> {
    /// Makes the rows of all targets, in their order. The queue is closed when this returns.
    fn make(
        mut self,
        store: &mut Store,
        terms: &Terms,
    ) -> Result<((Flattener, TargetTally), FateOfShown), Error> {
        store.walk(terms, |stored| self.add(stored))?;
        let rest = self.flattener.take();
        self.batches.send(rest).map_err(|_| Error::Defect)?;
        Ok(((self.flattener, self.tally), self.walk.finish()))
    }

    fn add(&mut self, stored: Stored<'_>) -> Result<(), Error> {
        let ending = &stored.target.ending;
        let (contact_id, error) = (stored.target.contact_id, ending.error);
        let fetched_at = ending.fetched_at;
        let answer = stored.answer.map(|(json, question)| {
            let is_other = question != &self.question;
            self.tally.answers_to_another_question += u64::from(is_other);
            AnswerBody {
                json,
                limit: question.limit,
                has_same_zone: question.zone == self.question.zone,
            }
        });
        let batches = &self.batches;
        let mut hand_on = |full| batches.send(full).map_err(|_| Error::Defect);
        let flattener = &mut self.flattener;
        let outcome = flattener.append_in_batches(stored.target, answer, &mut hand_on)?;
        match outcome {
            Outcome::Exported => self.tally.shown(fetched_at),
            Outcome::Stale | Outcome::Failed => {
                if outcome == Outcome::Stale {
                    self.tally.shown(fetched_at);
                }
                self.tally.failed_now += u64::from(stored.is_of_this_run);
                let reason = error.unwrap_or(Reason::WrongStructure);
                self.tally.failures.add(reason, contact_id);
            }
            Outcome::Missing | Outcome::Pending | Outcome::Rejected => {}
        }
        if let Some(contact_id) = contact_id {
            self.walk.target(contact_id, outcome);
        }
        self.tally.outcomes.record(outcome);
        self.tally.targets += 1;
        self.report.advance(self.tally.targets);
        if self.tally.targets.is_multiple_of(LOOK_UP) {
            ensure_going(self.stop)?;
        }
        Ok(())
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
    /// Contacts that were tried in this run and failed, whether an older answer stands in or not.
    failed_now: u64,
    answers_to_another_question: u64,
    failures: Failures,
    oldest_fetched_at: Option<i64>,
}

impl TargetTally {
    fn shown(&mut self, fetched_at: Option<i64>) {
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
fn metadata(job: &Job, zone: &str) -> Vec<(String, String)> {
    let pair = |key: &str, value: String| (format!("superoffice.{key}"), value);
    vec![
        pair("language", job.api.language.clone()),
        pair("limit", job.api.limit.to_string()),
        pair("time_zone", zone.to_owned()),
    ]
}
