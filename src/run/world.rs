//! What a run is asked to do, and what it meets outside of itself: the clock, the list, the API, and
//! whoever wants it to stop. What it does with them is told in the parent.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::error::Error;
use crate::extract::ids::Reader;
use crate::flatten::HashKey;

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

/// The time by which runs are named and answers are young or old: the system's, or that of a
/// simulation.
pub(crate) type Clock<'a> = &'a dyn Fn() -> Timestamp;

/// What a run meets outside of itself. A simulation brings its own.
pub(crate) struct World<'a, A> {
    pub(crate) clock: Clock<'a>,
    pub(crate) ids: Reader,
    /// The API that is asked; none where the run calls nothing.
    pub(crate) api: Option<A>,
    /// The key of the hashes, where the job hashes any column.
    pub(crate) hash_key: Option<Arc<HashKey>>,
    /// Turns true when somebody asks to stop.
    pub(crate) stop: &'a watch::Receiver<bool>,
    /// Drives fetcher and store in turns, so that both live by its clock, which a simulation may
    /// have paused. Where there is none, each of them has a thread of its own.
    pub(crate) runtime: Option<&'a Runtime>,
}

/// An error where somebody asked to stop.
pub(super) fn ensure_going(stop: &watch::Receiver<bool>) -> Result<(), Error> {
    if *stop.borrow() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

/// What was come to; where somebody asked to stop meanwhile, that is why it went wrong.
pub(super) fn unless_stopped<T>(
    result: Result<T, Error>,
    stop: &watch::Receiver<bool>,
) -> Result<T, Error> {
    result.or_else(|error| ensure_going(stop).and(Err(error)))
}
