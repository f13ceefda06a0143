//! The steps of a night after the last answer: the files are made from the store alone, judged, and
//! published. How rows become files is in `writing`; what the guards think of them, in `guards`.

use tracing::warn;

use super::comparison::{self, Walk};
use super::list::List;
use super::night::Night;
use super::world::ensure_going;
use super::writing::{Writing, WrittenTables};
use crate::contact::OutcomeCounts;
use crate::error::Error;
use crate::extract::fetcher::Fetched;
use crate::guards::{self, NewExport};
use crate::load::publish::{self, Partial};
use crate::store::{Plan, RunState};
use crate::summary::Summary;

/// More contacts without a new answer than in the last export are told where they are more by this
/// many, and by this share of the targets: one in a thousand.
const WORSE_BY: u64 = 10;
const WORSE_BY_ONE_IN: u64 = 1_000;

/// An export that is whole, but not published yet.
pub(super) struct Export {
    pub(super) partial: Partial,
    pub(super) written: WrittenTables,
    pub(super) judged: NewExport,
}

impl Night<'_> {
    /// Makes every file of the export from the store alone.
    pub(super) fn write(&mut self, list: &List) -> Result<Export, Error> {
        let partial = Partial::create(&self.dir, &self.run.name)?;
        let targets = list.targets;
        self.report
            .begin("writing", Some(targets.distinct + targets.rejected));
        let writing = Writing {
            job: self.job,
            zone: &self.zone,
            terms: self.terms(),
            hash_key: self.hash_key.as_ref(),
            folder: partial.folder(),
            stop: self.stop,
        };
        let walk = Walk::new(comparison::last_export(&self.dir));
        let written = writing.carry_out(&mut self.store, walk, self.report)?;
        self.report.end();
        let judged = NewExport {
            distinct: targets.distinct,
            shown: written.outcomes.exported + written.outcomes.stale,
            missing: written.outcomes.missing,
            rows: written
                .files
                .iter()
                .map(|(table, report)| (table.clone(), report.rows))
                .collect(),
            fate: written.fate,
            ..NewExport::default()
        };
        Ok(Export {
            partial,
            written,
            judged,
        })
    }

    /// Lets an export pass that deserves to be published; takes back any other. Nothing that was
    /// paid for is lost by that.
    pub(super) fn judge(
        &mut self,
        mut export: Export,
        plan: &Plan,
        fetched: Option<&Fetched>,
    ) -> Result<Export, Error> {
        export.judged.to_fetch = plan.to_fetch;
        // A contact that failed for good was answered too, as far as this goes: one that always
        // fails, alone on its night, is for `max_failed` to judge. Of a run that is gone on with,
        // the answers of its earlier starts count as well.
        let is_answered = |fetched: &Fetched| fetched.progress.served + fetched.progress.done > 0;
        export.judged.was_answered =
            fetched.is_none_or(is_answered) || self.store.was_answered(self.run.number)?;
        let (failed, distinct) = (export.written.failed_now, export.judged.distinct);
        if self.job.output.max_failed.is_exceeded(failed, distinct) {
            export.partial.discard()?;
            let failures = export.written.failures.lines();
            failures.for_each(|line| warn!("{line}"));
            return Err(Error::TooManyFailures { failed, distinct });
        }
        let checked = guards::check_export(&self.limits(), self.last.as_ref(), &export.judged);
        let Err(stop) = checked else {
            return Ok(export);
        };
        if self.run.is_accepted {
            warn!("accepted: {stop}");
            return Ok(export);
        }
        export.partial.discard()?;
        self.run.state = RunState::Stopped;
        self.store.note_run(&self.run)?;
        let was_away = fetched.is_some_and(|fetched| fetched.progress.outages > 0);
        Err(Error::UnbelievableExport {
            stop,
            was_away: was_away && !export.judged.was_answered,
        })
    }

    /// Makes the export visible in one step, and tidies up after it.
    pub(super) fn publish(
        &mut self,
        list: &List,
        fetched: Option<Fetched>,
        export: Export,
    ) -> Result<Summary, Error> {
        let before = comparison::last_export(&self.dir).map(|last| last.manifest);
        let manifest = self.manifest(list, fetched.as_ref(), &export);
        ensure_going(self.stop)?;
        let Export {
            partial, written, ..
        } = export;
        let manifest =
            partial.publish(manifest, self.job.output.format, self.job.output.readers)?;
        if let Some(before) = before {
            tell_what_is_worse(
                &before.outcomes,
                &manifest.outcomes,
                manifest.targets.distinct,
            );
            self.tell_of_policy(&before, &manifest);
        }
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
        let now = (self.clock)().as_microsecond();
        self.store.end_run(self.run.number, now)?;
        // An offline run may be a look at part of the list; a cut-off run may still need the rest.
        if !self.is_offline() {
            let forget_after = self.job.output.forget_after;
            self.store.let_go(&self.run, now, forget_after)?;
            self.store.remove_copies()?;
        }
        self.store.tidy()?;
        let keep = usize::try_from(self.job.output.keep.get()).unwrap_or(usize::MAX);
        publish::prune(&self.dir, keep, &self.store.published_runs()?)?;
        publish::open_to(&self.dir, self.job.output.readers)?;
        Ok(())
    }
}

/// Says it in a line where clearly more contacts have no new answer than in the last export.
fn tell_what_is_worse(before: &OutcomeCounts, now: &OutcomeCounts, distinct: u64) {
    let without = |counts: &OutcomeCounts| counts.pending + counts.stale + counts.failed;
    let (before, now) = (without(before), without(now));
    let more = now.saturating_sub(before);
    if more > WORSE_BY && more > distinct / WORSE_BY_ONE_IN {
        warn!(
            "published, but {now} contacts are pending, stale or failed, \
             and {before} were in the last export"
        );
    }
}
