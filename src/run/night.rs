//! One night: what a run holds while it goes, and its steps. In which order they come is told in
//! the parent; how fetcher, store and writers meet, in `fetching` and `writing`.

use std::fs::File;
use std::path::PathBuf;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{info, warn};

use super::begin::{self, Begun};
use super::fetching::Fetching;
use super::question::request_key;
use super::writing::{Writing, WrittenTables};
use super::{Clock, Mode, World, ensure_going, lock, plan};
use crate::contact::TargetCounts;
use crate::error::Error;
use crate::extract::connection::RemoteApi;
use crate::extract::fetcher::{End, Fetched};
use crate::extract::ids::csv::Reader;
use crate::job::Job;
use crate::load::publish::{self, Partial};
use crate::report::Reporter;
use crate::store::{Plan, Run, Store};
use crate::summary::Summary;

/// What a run holds while it goes.
pub(super) struct Night<'a> {
    pub(super) job: &'a Job,
    pub(super) mode: Mode,
    pub(super) clock: Clock<'a>,
    pub(super) run: Run,
    /// Whether the run is on record, so that the next start goes on with it.
    pub(super) is_noted: bool,
    /// The output folder, by its full name.
    dir: PathBuf,
    store: Store,
    request_key: i64,
    runtime: Option<&'a Runtime>,
    stop: &'a watch::Receiver<bool>,
    report: &'a mut Reporter,
    _lock: File,
}

/// An export that is whole, but not published yet.
pub(super) struct Export {
    pub(super) partial: Partial,
    pub(super) written: WrittenTables,
}

impl<'a> Night<'a> {
    /// Takes the lock, opens the store, and finds the run to go on with.
    pub(super) fn begin<A>(
        world: &World<'a, A>,
        job: &'a Job,
        mode: Mode,
        report: &'a mut Reporter,
    ) -> Result<Self, Error> {
        let now = (world.clock)();
        let lock = lock::take(&job.output.dir, now)?;
        let dir = std::fs::canonicalize(&job.output.dir).map_err(|source| Error::Output {
            path: job.output.dir.clone(),
            source,
        })?;
        publish::prepare(&dir)?;
        let mut store = Store::open(&dir.join("state.sqlite"))?;
        begin::mend(&dir, &mut store, now)?;
        let Begun { run, is_noted } = begin::begin(&dir, &store, mode, now)?;
        Ok(Self {
            job,
            mode,
            clock: world.clock,
            run,
            is_noted,
            dir,
            store,
            request_key: request_key(job),
            runtime: world.runtime,
            stop: world.stop,
            report,
            _lock: lock,
        })
    }

    /// Reads the ids into the store.
    pub(super) fn list(&mut self, ids: Reader) -> Result<TargetCounts, Error> {
        info!("ids come from {}", ids.column());
        self.report.begin("reading", None);
        read(ids, &mut self.store, self.stop, self.report)
    }

    /// Finds out what has to be fetched.
    pub(super) fn plan(&mut self) -> Result<Plan, Error> {
        let max_age = i64::try_from(self.job.fetch.max_age.as_micros()).unwrap_or(i64::MAX);
        let fresh_since = match self.mode {
            Mode::Fetch { .. } | Mode::Plan { .. } => self.run.started_at.saturating_sub(max_age),
            Mode::Offline => i64::MIN,
        };
        Ok(self.store.plan(self.request_key, fresh_since)?)
    }

    /// Tells the plan, and refuses one that cannot end well.
    pub(super) fn ensure_worthwhile(&self, plan: &Plan) -> Result<(), Error> {
        if self.is_noted {
            info!(
                "going on with run {}, which was cut off after {} calls",
                self.run.name, self.run.calls.attempts
            );
        }
        let most_calls = match self.mode {
            Mode::Offline => {
                info!("{}", plan::offline_line(plan));
                if plan.targets > 0 && plan.unanswered == plan.targets {
                    return Err(Error::NothingStored);
                }
                0
            }
            Mode::Fetch { .. } | Mode::Plan { .. } => {
                info!("{}", plan::line(plan, &self.job.fetch.fetcher));
                self.job.fetch.fetcher.max_calls.unwrap_or(u64::MAX)
            }
        };
        let average_body = self.store.average_body()?;
        let format = self.job.output.format;
        plan::ensure_room(
            &self.dir,
            plan::bytes_needed(plan, average_body, most_calls, format),
        )
    }

    /// Puts the run on record: from here on it can be gone on with.
    pub(super) fn start(&mut self) -> Result<(), Error> {
        if !self.is_noted {
            self.store.start_run(&self.run, self.is_offline())?;
            self.is_noted = true;
        }
        Ok(())
    }

    /// Carries out the plan; none where there is nothing to fetch, or nothing may be called.
    pub(super) fn fetch<A: RemoteApi>(
        &mut self,
        api: Option<A>,
        plan: &Plan,
    ) -> Result<Option<Fetched>, Error> {
        let Some(api) = api.filter(|_| plan.to_fetch > 0) else {
            return Ok(None);
        };
        self.report.begin("fetching", Some(plan.to_fetch));
        let fetching = Fetching {
            api: &api,
            settings: &self.job.fetch.fetcher,
            store: &mut self.store,
            run: &self.run,
            request_key: self.request_key,
            stop: self.stop,
        };
        let (fetched, run) = fetching.carry_out(self.runtime, self.report)?;
        self.report.end();
        self.run = run;
        completed(fetched, plan, self.job).map(Some)
    }

    /// Makes every file of the export from the store alone.
    pub(super) fn write(&mut self, targets: TargetCounts) -> Result<Export, Error> {
        // A rebuild shows what the last run showed: its failures, but none of those before.
        let failed_since = match self.mode {
            Mode::Fetch { .. } | Mode::Plan { .. } => None,
            Mode::Offline => self.store.last_start()?,
        };
        let partial = Partial::create(&self.dir, &self.run.name)?;
        self.report
            .begin("writing", Some(targets.distinct + targets.rejected));
        let writing = Writing {
            job: self.job,
            request_key: self.request_key,
            failed_since: failed_since.unwrap_or(self.run.started_at),
            folder: partial.folder(),
            stop: self.stop,
        };
        let written = writing.carry_out(&mut self.store, self.report)?;
        self.report.end();
        Ok(Export { partial, written })
    }

    /// Lets an export pass that deserves to be published; takes back any other.
    pub(super) fn accept(&self, export: Export, targets: TargetCounts) -> Result<Export, Error> {
        let failed = export.written.outcomes.failed;
        if self
            .job
            .output
            .max_failed
            .is_exceeded(failed, targets.distinct)
        {
            export.partial.discard()?;
            let failures = export.written.failures.lines();
            failures.for_each(|line| warn!("{line}"));
            return Err(Error::TooManyFailures {
                failed,
                distinct: targets.distinct,
            });
        }
        Ok(export)
    }

    /// Makes the export visible in one step, and tidies up after it.
    pub(super) fn publish(
        &mut self,
        targets: TargetCounts,
        fetched: Option<Fetched>,
        export: Export,
    ) -> Result<Summary, Error> {
        let manifest = self.manifest(targets, fetched.as_ref(), &export);
        ensure_going(self.stop)?;
        let Export { partial, written } = export;
        partial.publish(&manifest, self.job.output.format)?;
        // The export is out, so the run has done its work; the next start makes good what fails
        // here.
        if let Err(error) = self.tidy_up() {
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            warn!("published, but not tidied up: {error}{cause}");
        }
        Ok(Summary {
            manifest,
            failures: written.failures,
            progress: fetched.map(|fetched| fetched.progress),
        })
    }

    /// Notes that the run is published, and removes what is no longer needed.
    fn tidy_up(&mut self) -> Result<(), Error> {
        let now = (self.clock)();
        self.store.end_run(&self.run.name, now.as_microsecond())?;
        // An offline run may be a look at part of the list; a cut-off run may still need the rest.
        if !self.is_offline() {
            self.store.forget_others()?;
        }
        let keep = usize::try_from(self.job.output.keep.get()).unwrap_or(usize::MAX);
        publish::prune(&self.dir, keep)?;
        Ok(())
    }

    fn is_offline(&self) -> bool {
        self.mode == Mode::Offline
    }
}

/// Reads the ids into the store.
fn read(
    ids: Reader,
    store: &mut Store,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<TargetCounts, Error> {
    let mut done = 0;
    let lines = ids.map(|line| {
        done += 1;
        report.advance(done);
        ensure_going(stop)?;
        Ok(line?)
    });
    // Whoever interrupts a pipeline also ends what feeds it: the list may be cut short without
    // looking so.
    let end = std::iter::once_with(|| ensure_going(stop)).filter_map(|going| going.err().map(Err));
    store.replace_targets(lines.chain(end))
}

/// A fetch that lets the run go on; any other end is an error.
fn completed(fetched: Fetched, plan: &Plan, job: &Job) -> Result<Fetched, Error> {
    let progress = &fetched.progress;
    let done = progress.done;
    match fetched.end {
        End::Complete => Ok(fetched),
        End::Budget => {
            // Not an export without a single answer, where all the reason for it is that the server
            // was away.
            let nothing = done == 0 && plan.unanswered == plan.targets;
            if nothing && progress.outages > 0 {
                Err(Error::NothingFetched)
            } else {
                Ok(fetched)
            }
        }
        End::Interrupted => Err(Error::Interrupted),
        End::Unreachable => Err(Error::Unreachable {
            done,
            cause: fetched.cause,
        }),
        End::Untrusted => Err(Error::Untrusted {
            cause: fetched.cause,
        }),
        End::LoginRefused {
            status,
            worked_before,
        } => Err(Error::LoginRefused {
            status,
            worked_before,
            hint: job.api.auth.hint(job.api.app_token.is_some()),
        }),
        End::NoLogin(refusal) => Err(Error::NoLogin(refusal)),
        End::Unusable(unusable) => Err(Error::Unusable(unusable)),
        End::Hopeless(hopeless) => Err(Error::Hopeless(hopeless)),
        End::NotStored => Err(Error::Defect),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::extract::ids::csv;
    use crate::report::{LogFormat, ProgressMode};

    #[test]
    fn a_list_that_ends_after_a_signal_is_not_taken_for_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("state.sqlite")).unwrap();
        let mut report = Reporter::new(ProgressMode::None, LogFormat::Text, false);
        let (stop, stopped) = watch::channel(false);
        let mut take = |text: &'static str| {
            let source = csv::Source {
                place: csv::Place::StandardInput,
                column: None,
                delimiter: None,
            };
            read(
                Reader::over(&source, Box::new(Cursor::new(text))).unwrap(),
                &mut store,
                &stopped,
                &mut report,
            )
        };
        assert_eq!(take("contactId\n1\n2\n").unwrap().distinct, 2);
        stop.send_replace(true);
        // The signal also ended what fed the list, before its first id.
        assert!(matches!(take("contactId\n"), Err(Error::Interrupted)));
        assert_eq!(store.plan(0, 0).unwrap().targets, 2);
    }
}
