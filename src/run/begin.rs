//! How a run begins: it completes what died just after it was published, and goes on with a run
//! that was cut off or gets a name of its own.

use std::path::Path;

use jiff::Timestamp;

use super::Mode;
use crate::contact::Calls;
use crate::error::Error;
use crate::load::publish;
use crate::store::{Run, Store};

/// Ends the runs that died after they got their name and before that was noted. They are published,
/// so they are not made again.
pub(super) fn mend(dir: &Path, store: &mut Store, now: Timestamp) -> Result<(), Error> {
    let published = publish::published(dir)?;
    for run in store
        .unended_runs()?
        .iter()
        .filter(|run| published.contains(run))
    {
        publish::point_latest(dir, run)?;
        store.end_run(run, now.as_microsecond())?;
    }
    Ok(())
}

/// A run at its beginning.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) run: Run,
    /// Whether the store knows the run, because an earlier start was cut off.
    pub(super) is_noted: bool,
}

/// The run to go on with, or else a new one. A new one is not noted yet: where the input cannot be
/// read, or nothing but a plan is wanted, no trace of it is left.
pub(super) fn begin(dir: &Path, store: &Store, mode: Mode, now: Timestamp) -> Result<Begun, Error> {
    let cut_off = store.open_run()?;
    let goes_on = match mode {
        Mode::Fetch { fresh } | Mode::Plan { fresh } => !fresh,
        Mode::Offline => false,
    };
    if goes_on && let Some(run) = cut_off {
        return Ok(Begun {
            run,
            is_noted: true,
        });
    }
    // An offline run leaves the one that was cut off as it is, name included.
    let mut taken = publish::published(dir)?;
    taken.extend(cut_off.map(|run| run.name));
    let run = Run {
        name: publish::run_name(now, &taken),
        started_at: now.as_microsecond(),
        calls: Calls::default(),
        fetch_seconds: 0.0,
    };
    Ok(Begun {
        run,
        is_noted: false,
    })
}
