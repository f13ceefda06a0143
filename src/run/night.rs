//! One night: what a run holds while it goes, and its steps up to the last answer. What is made of
//! the answers is in `export`; in which order the steps come is told in the parent; how fetcher and
//! store meet, in `fetching`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{info, warn};

use super::begin::{self, BeginTerms, Begun};
use super::comparison;
use super::ended::{Left, completed, ended};
use super::fetching::{Fetching, runtime};
use super::opened::OpenFolder;
use super::world::{Clock, Mode, Start, World};
use super::zone::NoZone;
use super::{lock, plan, zone};
use crate::connect;
use crate::contact::ContactId;
use crate::error::Error;
use crate::extract::api::zone::ZoneName;
use crate::extract::connection::RemoteApi;
use crate::extract::fetcher::{self, Fetched};
use crate::flatten::HashKey;
use crate::guards;
use crate::job::Job;
use crate::report::Reporter;
use crate::store::{Plan, QuestionId, Run, RunState, Store, Terms};

/// Contacts that were had before of which one is asked for where it is doubtful that the server is
/// there. Set by hand: that so many are all gone since, and nobody else, is not to be expected.
const KNOWN_GOOD: u32 = 3;

/// What a run holds while it goes.
pub(super) struct Night<'a> {
    pub(super) job: &'a Job,
    pub(super) mode: Mode,
    pub(super) clock: Clock<'a>,
    pub(super) run: Run,
    /// Whether the run is on record, so that the next start goes on with it.
    pub(super) is_noted: bool,
    /// Whether nothing is called any more, since the operator accepts what was stopped.
    pub(super) is_only_published: bool,
    /// The output folder, by its full name.
    pub(super) dir: PathBuf,
    pub(super) store: Store,
    /// The last published export, in figures; none before the first one.
    pub(super) last: Option<guards::LastFigures>,
    /// The zone that instants are asked for in.
    pub(super) zone: String,
    question: QuestionId,
    /// The key of the hashes, where the job hashes any column.
    pub(super) hash_key: Option<Arc<HashKey>>,
    runtime: Option<&'a Runtime>,
    pub(super) stop: &'a watch::Receiver<bool>,
    pub(super) report: &'a mut Reporter,
    _lock: lock::Lock,
}

impl<'a> Night<'a> {
    /// Opens the output folder and its state, and finds the run to go on with.
    pub(super) fn begin<A>(
        world: &World<'a, A>,
        job: &'a Job,
        start: Start,
        report: &'a mut Reporter,
    ) -> Result<Self, Error> {
        let at = (world.clock)();
        let OpenFolder {
            dir,
            mut store,
            lock,
        } = match start.mode {
            Mode::Plan { .. } => OpenFolder::to_look(job)?,
            Mode::Fetch { .. } | Mode::Offline => OpenFolder::to_write(job, at)?,
        };
        let terms = BeginTerms {
            start,
            at,
            resume_within: job.fetch.resume_within,
        };
        let Begun {
            run,
            is_noted,
            is_only_published,
        } = begin::begin(&dir, &store, &terms)?;
        let last = comparison::last_export_told(&dir);
        let zone = connect::zone(job, store.zone_found()?);
        Ok(Self {
            question: store.question(&connect::question(job, &zone))?,
            job,
            mode: start.mode,
            clock: world.clock,
            run,
            is_noted,
            is_only_published,
            last: last.map(|last| comparison::figures(&last.manifest, job)),
            dir,
            store,
            zone,
            hash_key: world.hash_key.clone(),
            runtime: world.runtime,
            stop: world.stop,
            report,
            _lock: lock,
        })
    }

    pub(super) fn limits(&self) -> guards::Limits {
        guards::Limits {
            max_shrink: self.job.source.max_shrink,
            max_rejected: self.job.source.max_rejected,
            max_missing: self.job.output.max_missing,
            max_loss: self.job.output.max_loss,
        }
    }

    /// On which terms stored answers count now.
    pub(super) fn terms(&self) -> Terms {
        Terms {
            question: self.question,
            run: self.run.number,
            now: (self.clock)().as_microsecond(),
            max_age: self.job.fetch.max_age,
            max_stale: self.job.output.max_stale,
        }
    }

    /// Finds out what has to be fetched. Where anything has, the installation is asked for its
    /// zone first: in another one everything is asked anew.
    pub(super) fn plan<A: RemoteApi>(&mut self, api: Option<&A>) -> Result<Plan, Error> {
        let plan = self.store.plan(&self.terms())?;
        if self.is_only_published || self.is_offline() {
            return Ok(Plan {
                to_fetch: 0,
                ..plan
            });
        }
        match api.filter(|_| plan.to_fetch > 0) {
            Some(api) if self.settle_zone(api)? => Ok(self.store.plan(&self.terms())?),
            _ => Ok(plan),
        }
    }

    /// Has instants asked for in the zone of the job or of the installation, and says whether that
    /// is another one than was thought.
    fn settle_zone<A: RemoteApi>(&mut self, api: &A) -> Result<bool, Error> {
        let kept = self.store.zone_found()?;
        let kept = kept.as_deref().and_then(ZoneName::new);
        let settled = zone::settle(api, self.job, kept.as_ref(), self.stop.clone());
        let settled = match self.runtime {
            Some(runtime) => runtime.block_on(settled),
            None => runtime()?.block_on(settled),
        };
        let choice = settled
            .map_err(|NoZone { end, cause }| ended(&end, Left { done: 0, cause }, self.job))?;
        let zone = choice.zone.to_string();
        if choice.basis.is_kept() {
            self.store.keep_zone(&zone)?;
        }
        let is_other = zone != self.zone;
        if is_other {
            self.question = self.store.question(&connect::question(self.job, &zone))?;
            self.zone = zone;
        }
        Ok(is_other)
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
        if self.is_noted {
            self.run.state = RunState::Open;
            self.store.note_run(&self.run)?;
        } else {
            self.store.start_run(&self.run)?;
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
        let settings = self.settings(self.store.known_good(&self.terms(), KNOWN_GOOD)?);
        self.report.begin("fetching", Some(plan.to_fetch));
        let fetching = Fetching {
            api: &api,
            settings: &settings,
            store: &mut self.store,
            run: &self.run,
            question: self.question,
            kept: &connect::view(self.job).members(),
            stop: self.stop,
        };
        let (fetched, run) = fetching.carry_out(self.runtime, self.report)?;
        self.report.end();
        self.run = run;
        completed(fetched, plan, self.job).map(Some)
    }

    /// How the API is called in this start: what earlier starts of the run have used up of its
    /// budget is gone.
    fn settings(&self, known_good: Vec<ContactId>) -> fetcher::Settings {
        let mut settings = self.job.fetch.fetcher.clone();
        settings.worked_before = !known_good.is_empty();
        settings.known_good = known_good;
        let used = Duration::try_from_secs_f64(self.run.fetch_seconds).unwrap_or_default();
        let calls = self.run.calls.attempts;
        settings.max_calls = settings.max_calls.map(|most| most.saturating_sub(calls));
        settings.max_duration = settings.max_duration.map(|most| most.saturating_sub(used));
        if settings.max_calls == Some(0) && calls > 0 {
            warn!("this run has made all the calls of `fetch.max_calls` (--max-calls)");
        }
        if settings.max_duration == Some(Duration::ZERO) && !used.is_zero() {
            warn!("this run has used all the time of `fetch.max_duration` (--max-duration)");
        }
        settings
    }

    pub(super) fn is_offline(&self) -> bool {
        self.mode == Mode::Offline
    }
}
