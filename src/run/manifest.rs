//! Gathers what a run is to say of itself from what its steps brought.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::export::Export;
use super::list::List;
use super::night::Night;
use crate::contact::Outcome;
use crate::extract::fetcher::Fetched;
use crate::extract::ids::SourceReport;
use crate::guards::{FateOfShown, LastFigures};
use crate::load::manifest::{self, Compared, Fetch, Latency, ListReport, Manifest};
use crate::store::Run;

impl Night<'_> {
    /// The manifest of this export, which is complete now.
    pub(super) fn manifest(
        &self,
        list: &List,
        fetched: Option<&Fetched>,
        export: &Export,
    ) -> Manifest {
        let (run, written) = (&self.run, &export.written);
        let answered: u64 = [Outcome::Exported, Outcome::Stale, Outcome::Missing]
            .iter()
            .map(|outcome| written.outcomes.count(*outcome))
            .sum();
        Manifest {
            format_version: manifest::FORMAT_VERSION,
            program: manifest::PROGRAM.to_owned(),
            version: manifest::VERSION.to_owned(),
            run: run.name.clone(),
            dir: export.partial.destination().display().to_string(),
            started_at: instant(run.started_at),
            ended_at: (self.clock)(),
            job: self.job.description.clone(),
            source: Some(report(&list.source)),
            time_zone: Some(self.zone.clone()),
            previous: self.last.as_ref().map(|last| last.run.clone()),
            guards: self
                .last
                .as_ref()
                .map(|last| self.compared(last, &written.fate)),
            privacy: self.policy_report(),
            targets: list.targets,
            forgotten: 0,
            outcomes: written.outcomes,
            calls: run.calls,
            fetch: fetch(run, fetched),
            tables: written.files.clone(),
            files: BTreeMap::new(),
            drift: written.drift,
            truncated: written.truncated.clone(),
            contacts_without_details: written.contacts_without_details,
            answers_of_another_zone: written.answers_of_another_zone,
            answers_to_another_question: written.answers_to_another_question,
            coverage: manifest::coverage(answered, list.targets.distinct),
            oldest_fetched_at: written.oldest_fetched_at.map(instant),
        }
    }
}

impl Night<'_> {
    /// What the guards compared.
    fn compared(&self, last: &LastFigures, fate: &FateOfShown) -> Compared {
        Compared {
            accepted: self.run.is_accepted,
            distinct_before: last.distinct,
            shown_before: fate.shown_before,
            missing: fate.missing,
            still_targets: fate.still_targets,
            lost: fate.lost,
            rows_before: last.rows.clone(),
        }
    }
}

/// The list as it was read.
fn report(source: &SourceReport) -> ListReport {
    ListReport {
        path: source.place.to_string(),
        bytes: source.bytes,
        sha256: source.sha256.clone(),
        modified_at: source.modified_at,
        lines: source.lines.lines,
        blank: source.lines.blank,
    }
}

/// How fast the API answered.
fn fetch(run: &Run, fetched: Option<&Fetched>) -> Fetch {
    let seconds = run.fetch_seconds;
    // Over all starts of the run, as the seconds are: each contact has one first request.
    let contacts = run.calls.attempts.saturating_sub(run.calls.retries);
    let latency = fetched
        .map(|fetched| &fetched.latency)
        .filter(|latency| !latency.is_empty());
    let percentile = |of: f64| latency.map(|it| to_float(it.value_at_quantile(of)) / 1_000.0);
    Fetch {
        seconds,
        contacts_per_second: if seconds > 0.0 {
            to_float(contacts) / seconds
        } else {
            0.0
        },
        latency_ms: Latency {
            p50: percentile(0.5),
            p95: percentile(0.95),
            p99: percentile(0.99),
        },
    }
}

fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "shown to a person"
)]
fn to_float(number: u64) -> f64 {
    number as f64
}
