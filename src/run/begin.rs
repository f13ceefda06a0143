//! How a run begins: it mends what died after it was published, goes on with what was cut off, or
//! gets a name of its own.

use std::path::Path;

use jiff::Timestamp;

use super::Options;
use crate::contact::Calls;
use crate::error::Error;
use crate::load::publish;
use crate::store::{Run, Store};

/// Ends runs that died after they got their name and before that was noted. They are published, and
/// not made again.
pub(super) fn mend(dir: &Path, store: &mut Store) -> Result<(), Error> {
    let published = publish::published(dir)?;
    for run in store
        .unended_runs()?
        .iter()
        .filter(|run| published.contains(run))
    {
        publish::point_latest(dir, run)?;
        store.end_run(run, Timestamp::now().as_microsecond())?;
    }
    Ok(())
}

/// The run to go on with, and whether it is a new one. Nothing is noted yet: a run whose input
/// cannot be read, or that only plans, leaves no trace.
pub(super) fn begin(dir: &Path, store: &Store, options: Options) -> Result<(Run, bool), Error> {
    let cut_off = store.open_run()?;
    if !options.offline
        && !options.fresh
        && let Some(run) = cut_off
    {
        return Ok((run, false));
    }
    let now = Timestamp::now();
    let mut taken = publish::published(dir)?;
    taken.extend(cut_off.map(|run| run.name));
    Ok((
        Run {
            name: publish::run_name(now, &taken),
            started_at: now.as_microsecond(),
            calls: Calls::default(),
            fetch_seconds: 0.0,
        },
        true,
    ))
}
