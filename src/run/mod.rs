//! The story of a run: list, plan, fetch, write, publish. Every step can be repeated after a crash
//! with the same result; stages meet only here. `tell` is the story, and `night` has its steps.

mod begin;
mod comparison;
mod ended;
mod export;
mod fetching;
mod forget;
mod forgotten;
mod last_run;
mod list;
pub(crate) mod lock;
mod manifest;
mod night;
pub(crate) mod opened;
mod ours;
mod plan;
mod privacy;
mod storage_policy;
#[cfg(test)]
mod tests;
mod world;
mod writing;
mod zone;

use jiff::Timestamp;
use tokio::sync::watch;

pub use self::forget::{ForgetOrder, ForgetReport, forget};
pub use self::last_run::markdown as last_run_markdown;
use self::night::Night;
pub(crate) use self::world::World;
use self::world::unless_stopped;
pub use self::world::{Mode, Start};
use crate::connect;
use crate::error::Error;
use crate::extract::connection::RemoteApi;
use crate::extract::ids::Reader;
use crate::job::Job;
use crate::report::Reporter;
use crate::summary::Summary;

/// What a run ends with.
#[derive(Debug)]
pub enum Finished {
    /// The plan, in a line.
    Planned(String),
    /// The summary of the export.
    Published(Box<Summary>),
}

/// A run that ended without an export. Answers that came are kept, and the same command goes on.
#[derive(Debug)]
pub struct Unpublished {
    /// Why.
    pub error: Error,
    /// Whether the run is on record: the next start goes on with it, unless it is told to begin
    /// anew.
    pub run_is_noted: bool,
}

impl From<Error> for Unpublished {
    fn from(error: Error) -> Self {
        Self {
            error,
            run_is_noted: false,
        }
    }
}

/// Runs a job against the API that it names; `stop` turns true when somebody asks to stop. How it
/// ended is written down beside the state.
pub fn run(
    job: &Job,
    start: Start,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Finished, Unpublished> {
    let started_at = Timestamp::now();
    let ended = connect_and_run(job, start, stop, report);
    match &ended {
        // A look changes nothing, even where it fails.
        Ok(Finished::Planned(_)) => {}
        Err(_) if matches!(start.mode, Mode::Plan { .. }) => {}
        Ok(Finished::Published(summary)) => {
            last_run::note(job, started_at, Ok(&summary.manifest));
        }
        Err(unpublished) => last_run::note(job, started_at, Err(&unpublished.error)),
    }
    ended
}

fn connect_and_run(
    job: &Job,
    start: Start,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Finished, Unpublished> {
    // What can be wrong with the input and the secrets shows before anything is written.
    let ids = Reader::open_unless(&job.source.list, stop).map_err(Error::from);
    let ids = unless_stopped(ids, stop)?;
    let hash_key = match start.mode {
        Mode::Fetch { .. } | Mode::Offline => unless_stopped(connect::hash_key(job, stop), stop)?,
        Mode::Plan { .. } => None,
    };
    let (api, _sandbox) = match start.mode {
        Mode::Fetch { .. } => {
            let sandbox = connect::sandbox(job)?;
            let api = connect::connect(job, sandbox.as_ref(), stop);
            (Some(unless_stopped(api, stop)?), sandbox)
        }
        Mode::Offline | Mode::Plan { .. } => (None, None),
    };
    let world = World {
        clock: &Timestamp::now,
        ids,
        api,
        hash_key,
        stop,
        runtime: None,
    };
    run_in(world, job, start, report)
}

/// Runs a job in a world.
pub(crate) fn run_in<A: RemoteApi>(
    world: World<'_, A>,
    job: &Job,
    start: Start,
    report: &mut Reporter,
) -> Result<Finished, Unpublished> {
    let mut night = Night::begin(&world, job, start, report)?;
    tell(&mut night, world.ids, world.api).map_err(|error| Unpublished {
        error,
        run_is_noted: night.is_noted,
    })
}

/// The story. The list is looked at before any contact is called, and the export before it is
/// published: neither becomes a fact in the tables unnoticed.
fn tell<A: RemoteApi>(
    night: &mut Night<'_>,
    ids: Reader,
    api: Option<A>,
) -> Result<Finished, Error> {
    let list = night.list(ids)?;
    let plan = night.plan(api.as_ref())?;
    if let Mode::Plan { .. } = night.mode {
        night.store.ensure_unchanged()?;
        return Ok(Finished::Planned(plan::line(
            &plan,
            &night.job.fetch.fetcher,
        )));
    }
    night.ensure_worthwhile(&plan)?;
    night.start()?;
    night.take_out()?;
    let fetched = night.fetch(api, &plan)?;
    let export = night.write(&list)?;
    let export = night.judge(export, &plan, fetched.as_ref())?;
    let summary = night.publish(&list, fetched, export)?;
    Ok(Finished::Published(Box::new(summary)))
}
