//! What a run says of itself: the manifest, and the closing summary for people.

use std::fmt::Write as _;

use indicatif::{HumanBytes, HumanCount};
use jiff::Timestamp;

use super::writing::{Failures, Written};
use crate::extract::fetcher::Fetched;
use crate::job::Job;
use crate::load::manifest::{self, Calls, Drift, Fetch, Latency, Manifest, Targets};
use crate::load::publish::Partial;
use crate::report::{Progress, Reporter};
use crate::schema::TABLES;
use crate::schema::outcome::Outcome;
use crate::store::{Run, TargetCounts};

/// What a published run says of itself.
#[derive(Debug)]
pub struct Summary {
    /// The manifest.
    pub manifest: Manifest,
    pub(super) failures: Failures,
    /// How fetching stood at its end; none where nothing was fetched.
    pub(super) progress: Option<Progress>,
}

pub(super) fn manifest(
    job: &Job,
    run: &Run,
    targets: TargetCounts,
    written: &Written,
    fetched: Option<&Fetched>,
    partial: &Partial,
) -> Manifest {
    let TargetCounts { distinct, duplicates, rejected } = targets;
    let percentile = |of: f64| {
        let latency = fetched.map(|fetched| &fetched.latency).filter(|latency| !latency.is_empty())?;
        Some(to_float(latency.value_at_quantile(of)) / 1_000.0)
    };
    let done = fetched.map_or(0, |fetched| fetched.progress.done);
    let seconds = run.calls.fetch_seconds;
    let answered = written.outcomes.count(Outcome::Exported) + written.outcomes.count(Outcome::Missing);
    Manifest {
        format_version: manifest::FORMAT_VERSION,
        program: manifest::PROGRAM.to_owned(),
        version: manifest::VERSION.to_owned(),
        run: run.name.clone(),
        dir: partial.destination().display().to_string(),
        started_at: instant(run.started_at),
        ended_at: Timestamp::now(),
        job: job.description.clone(),
        targets: Targets { distinct, duplicates, rejected },
        outcomes: written.outcomes,
        calls: Calls { attempts: run.calls.attempts, retries: run.calls.retries, logins: run.calls.logins },
        fetch: Fetch {
            seconds,
            contacts_per_second: if seconds > 0.0 { to_float(done) / seconds } else { 0.0 },
            latency_ms: Latency { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
        },
        tables: written.files.clone(),
        drift: Drift {
            cells: written.drift.cells,
            naive_instants: written.drift.naive_instants,
            unknown_members: written.drift.unknown_members,
        },
        truncated: written.truncated.clone(),
        coverage: manifest::coverage(answered, distinct),
        oldest_fetched_at: written.oldest_fetched_at.map(instant),
    }
}

fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

/// Tells failed targets by error, with a few ids of each.
pub(super) fn show_failures(failures: &Failures, report: &Reporter) {
    failure_lines(failures).lines().for_each(|line| report.warn(line));
}

fn failure_lines(failures: &Failures) -> String {
    let mut text = String::new();
    for (error, (count, ids)) in failures {
        let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        writeln!(text, "  {:>11} failed: {error} (such as contact {ids})", HumanCount(*count).to_string()).expect(INFALLIBLE);
    }
    text
}

impl Summary {
    /// The summary for people.
    ///
    /// # Panics
    /// Never: it is written to memory.
    pub fn text(&self) -> String {
        let Manifest { outcomes, calls, fetch, tables, drift, truncated, targets, .. } = &self.manifest;
        let mut text = format!("run {}\n", self.manifest.run);
        let mut line = |label: &str, value: String| writeln!(text, "  {label:>11} {value}").expect(INFALLIBLE);
        line(
            "targets",
            format!(
                "{} distinct, {} duplicate, {} rejected",
                HumanCount(targets.distinct),
                HumanCount(targets.duplicates),
                HumanCount(targets.rejected)
            ),
        );
        let ended = Outcome::ALL.iter().filter(|outcome| outcomes.count(**outcome) > 0);
        line("outcomes", ended.map(|outcome| format!("{} {outcome}", HumanCount(outcomes.count(*outcome)))).collect::<Vec<_>>().join(", "));
        line("calls", format!("{}, of which {} retries; {} logins", HumanCount(calls.attempts), HumanCount(calls.retries), calls.logins));
        if let Latency { p50: Some(p50), p95: Some(p95), p99: Some(p99) } = fetch.latency_ms {
            line(
                "fetching",
                format!(
                    "{:.1} s, {:.1} contacts/s; answers took {p50:.1} ms (p50), {p95:.1} (p95), {p99:.1} (p99)",
                    fetch.seconds, fetch.contacts_per_second
                ),
            );
        }
        if let Some(Progress { push_backs, outages, limit, .. }) =
            self.progress.filter(|progress| progress.push_backs + progress.outages > 0)
        {
            line(
                "server",
                format!("asked for less {} times and was away {outages} times; at the end it took {limit} at once", HumanCount(push_backs)),
            );
        }
        for table in TABLES.iter().filter_map(|table| tables.get(table.name)) {
            line(
                "",
                format!("{:<18} {:>11} rows {:>12}", table.file, HumanCount(table.rows).to_string(), HumanBytes(table.bytes).to_string()),
            );
        }
        if drift.cells + drift.naive_instants + drift.unknown_members > 0 {
            line(
                "drift",
                format!(
                    "{} values not converted, {} instants without offset, {} unknown members (see `extra`)",
                    drift.cells, drift.naive_instants, drift.unknown_members
                ),
            );
        }
        for (list, contacts) in truncated {
            line("truncated", format!("{list} of {} contacts reached `api.limit` and may go on", HumanCount(*contacts)));
        }
        text.push_str(&failure_lines(&self.failures));
        let took = self.manifest.ended_at.duration_since(self.manifest.started_at).unsigned_abs();
        let dir = &self.manifest.dir;
        writeln!(
            text,
            "  {:>11} {:.1} s\n  {:>11} {dir}\n  {:>11} cd {dir} && duckdb -init views.sql",
            "took",
            took.as_secs_f64(),
            "files",
            "open"
        )
        .expect(INFALLIBLE);
        text
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "shown to a person")]
fn to_float(number: u64) -> f64 {
    number as f64
}

const INFALLIBLE: &str = "writing to a String cannot fail";
