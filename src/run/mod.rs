//! The story of a run: list, plan, fetch, write, publish. Every step can be repeated after a crash
//! with the same result; stages meet only here. `tell` is the story, and `night` has its steps.

mod begin;
mod comparison;
mod export;
mod fetching;
pub(crate) mod lock;
mod manifest;
mod night;
mod plan;
#[cfg(test)]
mod tests;
mod writing;
mod zone;

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use self::night::Night;
use crate::connect;
use crate::error::Error;
use crate::extract::connection::RemoteApi;
use crate::extract::ids::csv::Reader;
use crate::job::Job;
use crate::report::Reporter;
use crate::summary::Summary;

/// What a run is asked to do, beyond its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fetch what has to be fetched, and make the export.
    Fetch {
        /// Begin a new run, even where one was cut off.
        fresh: bool,
    },
    /// Call nothing: make the export from what is stored.
    Offline,
    /// Plan and stop: nothing is called, and no run begins.
    Plan {
        /// Plan a new run, even where one was cut off.
        fresh: bool,
    },
}

/// How a run is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// What it is asked to do.
    pub mode: Mode,
    /// Whether the operator accepts what guards would stop.
    pub accept: bool,
}

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

/// The time by which runs are named and answers are young or old: the system's, or that of a
/// simulation.
pub(crate) type Clock<'a> = &'a dyn Fn() -> Timestamp;

/// What a run meets outside of itself. A simulation brings its own.
pub(crate) struct World<'a, A> {
    pub(crate) clock: Clock<'a>,
    pub(crate) ids: Reader,
    /// The API that is asked; none where the run calls nothing.
    pub(crate) api: Option<A>,
    /// Turns true when somebody asks to stop.
    pub(crate) stop: &'a watch::Receiver<bool>,
    /// Drives fetcher and store in turns, so that both live by its clock, which a simulation may
    /// have paused. Where there is none, each of them has a thread of its own.
    pub(crate) runtime: Option<&'a Runtime>,
}

/// Runs a job against the API that it names; `stop` turns true when somebody asks to stop.
pub fn run(
    job: &Job,
    start: Start,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Finished, Unpublished> {
    // What can be wrong with the input and the secrets shows before anything is written.
    let ids = Reader::open_unless(&job.source.list, stop).map_err(Error::from);
    let ids = unless_stopped(ids, stop)?;
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
        return Ok(Finished::Planned(plan::line(
            &plan,
            &night.job.fetch.fetcher,
        )));
    }
    night.ensure_worthwhile(&plan)?;
    night.start()?;
    let fetched = night.fetch(api, &plan)?;
    let export = night.write(&list)?;
    let export = night.judge(export, &plan, fetched.as_ref())?;
    let summary = night.publish(list, fetched, export)?;
    Ok(Finished::Published(Box::new(summary)))
}

/// What was come to; where somebody asked to stop meanwhile, that is why it went wrong.
fn unless_stopped<T>(result: Result<T, Error>, stop: &watch::Receiver<bool>) -> Result<T, Error> {
    result.or_else(|error| ensure_going(stop).and(Err(error)))
}

/// An error where somebody asked to stop.
fn ensure_going(stop: &watch::Receiver<bool>) -> Result<(), Error> {
    if *stop.borrow() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}
