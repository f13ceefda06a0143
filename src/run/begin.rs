//! How a run begins: it completes what died just after it was published, and goes on with a run
//! that was cut off or gets a name and a number of its own.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::world::{Mode, Start};
use crate::contact::Calls;
use crate::error::Error;
use crate::load::publish;
use crate::store::{Run, RunState, Store};

/// Ends the runs that died after they got their name and before that was noted. They are published,
/// so they are not made again.
///
/// `latest` is pointed to such a run only from a run that is known to be older: a state that was
/// restored from a copy knows less than the folder.
pub(super) fn mend(dir: &Path, store: &mut Store, now: Timestamp) -> Result<(), Error> {
    let published = publish::published(dir)?;
    for run in store.unpublished_runs()? {
        if !published.contains(&run.name) || run.state == RunState::Closed {
            continue;
        }
        let is_newer = match publish::latest(dir) {
            None => true,
            Some(latest) => store
                .last_published()?
                .is_some_and(|last| last.name == latest && last.number < run.number),
        };
        if is_newer {
            publish::point_latest(dir, &run.name)?;
        }
        store.end_run(run.number, now.as_microsecond())?;
    }
    Ok(())
}

/// On which terms a run begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct BeginTerms {
    pub(super) start: Start,
    /// The time on the clock.
    pub(super) at: Timestamp,
    /// How long after the last thing it stored a run is gone on with.
    pub(super) resume_within: Duration,
}

/// A run at its beginning.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) run: Run,
    /// Whether the store knows the run, because an earlier start was cut off or stopped.
    pub(super) is_noted: bool,
    /// Whether a guard stopped it and the operator accepts what it would publish: nothing is called
    /// any more.
    pub(super) is_only_published: bool,
}

/// The run to go on with, or else a new one. A new one is not noted yet: where the input cannot be
/// read, or nothing but a plan is wanted, no trace of it is left.
pub(super) fn begin(dir: &Path, store: &Store, terms: &BeginTerms) -> Result<Begun, Error> {
    let BeginTerms { start, at, .. } = *terms;
    let newest = store.newest_run()?;
    let now = at.as_microsecond();
    let is_fresh = match start.mode {
        Mode::Fetch { fresh } | Mode::Plan { fresh } => fresh,
        Mode::Offline => true,
    };
    let is_accepted = start.accept;
    let stopped = newest.as_ref().filter(|run| run.state == RunState::Stopped);
    if let (Mode::Fetch { .. }, true, Some(run)) = (start.mode, is_accepted, stopped) {
        return Ok(Begun {
            run: Run {
                is_accepted,
                ..run.clone()
            },
            is_noted: true,
            is_only_published: true,
        });
    }
    let goes_on = newest
        .as_ref()
        .filter(|run| !is_fresh && goes_on(run, now, terms.resume_within));
    if let Some(run) = goes_on {
        return Ok(Begun {
            run: Run {
                is_accepted: is_accepted || run.is_accepted,
                ..run.clone()
            },
            is_noted: true,
            is_only_published: false,
        });
    }
    // An offline run leaves the one that was cut off as it is, name included.
    let mut taken = publish::published(dir)?;
    taken.extend(store.unpublished_runs()?.into_iter().map(|run| run.name));
    let run = Run {
        number: store.next_number()?,
        name: publish::run_name(at, &taken),
        started_at: now,
        answered_at: None,
        state: RunState::Open,
        is_offline: start.mode == Mode::Offline,
        is_accepted,
        calls: Calls::default(),
        fetch_seconds: 0.0,
    };
    Ok(Begun {
        run,
        is_noted: false,
        is_only_published: false,
    })
}

/// Whether a run that was not published is gone on with: so long after the last thing it stored,
/// whichever way the clock was set since.
fn goes_on(run: &Run, now: i64, resume_within: Duration) -> bool {
    let since = now.abs_diff(run.answered_at.unwrap_or(run.started_at));
    match run.state {
        RunState::Open | RunState::Stopped => Duration::from_micros(since) <= resume_within,
        RunState::Published | RunState::Closed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_gone_on_with_for_some_time() {
        let hours = |hours: i64| hours * 3_600_000_000;
        let run = |state, started: i64, answered: Option<i64>| Run {
            number: 1,
            name: "20261122T020000Z".to_owned(),
            started_at: hours(started),
            answered_at: answered.map(hours),
            state,
            is_offline: false,
            is_accepted: false,
            calls: Calls::default(),
            fetch_seconds: 0.0,
        };
        let cases = [
            (run(RunState::Open, 100, None), 112, true),
            (run(RunState::Open, 100, None), 113, false),
            (run(RunState::Open, 100, Some(105)), 117, true),
            (run(RunState::Open, 100, Some(105)), 118, false),
            (run(RunState::Stopped, 100, Some(105)), 117, true),
            (run(RunState::Published, 100, Some(105)), 106, false),
            (run(RunState::Closed, 100, Some(105)), 106, false),
            // The clock was set back since, by a little and by more.
            (run(RunState::Open, 100, Some(105)), 93, true),
            (run(RunState::Open, 100, Some(105)), 92, false),
        ];
        for (run, now, expected) in cases {
            let found = goes_on(&run, hours(now), Duration::from_hours(12));
            assert_eq!(found, expected, "{:?} at hour {now}", run.state);
        }
    }
}
