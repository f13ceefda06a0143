//! The first step of a night: the ids are read into the store, where the list can be believed. How
//! lists are read is the reader's matter; what is believed, that of `guards`.

use std::cell::Cell;
use std::time::Duration;

use tracing::{info, warn};

use super::forgotten::{self, Forgotten};
use super::night::Night;
use super::world::{Mode, ensure_going};
use crate::contact::{InputLine, Reason, TargetCounts};
use crate::error::Error;
use crate::extract::ids::{Reader, SourceReport, read_whole};
use crate::guards;
use crate::store::{Run, RunState};

/// The list as it was read.
pub(super) struct List {
    pub(super) targets: TargetCounts,
    pub(super) source: SourceReport,
}

impl Night<'_> {
    /// Reads the ids into the store, where the list can be believed.
    pub(super) fn list(&mut self, ids: Reader) -> Result<List, Error> {
        info!("ids come from {}", ids.column());
        self.report.begin("reading", None);
        let limits = self.limits();
        let last = self.last.as_ref();
        // Who accepts an export that was stopped was told of that export, not of tonight's list.
        let is_accepted = self.run.is_accepted && !self.is_only_published;
        let is_plan = matches!(self.mode, Mode::Plan { .. });
        let forgotten = forgotten::read(&self.dir)?;
        let forgotten_lines = Cell::new(0);
        let accept = |targets: &TargetCounts| {
            // What is forgotten is outside every guard, and stands in no older export either.
            let believed = TargetCounts {
                rejected: targets.rejected.saturating_sub(forgotten_lines.get()),
                ..*targets
            };
            let checked = guards::check_list(&limits, last, &believed);
            match checked {
                Err(stop) if is_accepted => {
                    warn!("accepted: {stop}");
                    Ok(())
                }
                Err(stop) if is_plan => {
                    warn!("a run would call nothing: {stop}");
                    Ok(())
                }
                Err(stop) => Err(Error::UnbelievableList(stop)),
                Ok(()) => Ok(()),
            }
        };
        let (store, stop, report) = (&mut self.store, self.stop, &mut *self.report);
        let read = read_whole(&self.job.source.list, ids, |ids| {
            let mut done = 0;
            let lines = ids.map(|line| {
                done += 1;
                report.advance(done);
                ensure_going(stop)?;
                let line = without_forgotten(line?, &forgotten);
                let is_forgotten = matches!(
                    &line,
                    InputLine::Rejected {
                        reason: Reason::Forgotten,
                        ..
                    }
                );
                forgotten_lines.set(forgotten_lines.get() + u64::from(is_forgotten));
                Ok(line)
            });
            // Whoever interrupts a pipeline also ends what feeds it: the list may be cut short
            // without looking so.
            let end = std::iter::once_with(|| ensure_going(stop));
            let end = end.filter_map(|going| going.err().map(Err));
            store.replace_targets(lines.chain(end), accept)
        });
        if let Err(Error::UnbelievableList(_)) = read {
            self.lift_older_stop()?;
        }
        let (targets, source) = read?;
        self.warn_of_an_old_list(&source);
        Ok(List { targets, source })
    }

    /// What the operator is told to accept from here on is the list: an export that was stopped on
    /// an earlier night must not come out in its place.
    fn lift_older_stop(&mut self) -> Result<(), Error> {
        let (Mode::Fetch { .. }, Some(newest)) = (self.mode, self.store.newest_run()?) else {
            return Ok(());
        };
        if newest.state == RunState::Stopped {
            let state = RunState::Open;
            self.store.note_run(&Run { state, ..newest })?;
        }
        Ok(())
    }

    /// A list that nobody writes any more is the same every night.
    fn warn_of_an_old_list(&self, source: &SourceReport) {
        let (Some(max_age), Some(modified_at)) = (self.job.source.max_age, source.modified_at)
        else {
            return;
        };
        let age = (self.clock)().duration_since(modified_at);
        if Duration::try_from(age).is_ok_and(|age| age > max_age) {
            warn!(
                "{}: last written {:.0}, longer ago than `source.max_age` allows; \
                 did its writer run?",
                source.place, modified_at
            );
        }
    }
}

/// The line, which asks for nothing where its contact was forgotten.
fn without_forgotten(line: InputLine, forgotten: &Forgotten) -> InputLine {
    match line {
        InputLine::Target {
            contact_id,
            input_line,
            input_value,
        } if forgotten.contains_key(&contact_id) => InputLine::Rejected {
            input_line,
            input_value,
            reason: Reason::Forgotten,
        },
        line => line,
    }
}
