//! What a run says of itself: the manifest, and the closing summary for people.

use std::fmt::Write as _;

use indicatif::{HumanBytes, HumanCount};
use jiff::Timestamp;

use super::writing::{Failures, Written};
use crate::contact::{Outcome, TargetCounts};
use crate::extract::fetcher::Fetched;
use crate::job::Job;
use crate::load::manifest::{self, Fetch, Latency, Manifest};
use crate::load::publish::Partial;
use crate::report::{Progress, Reporter};
use crate::schema::TABLES;
use crate::store::Run;

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
    let percentile = |of: f64| {
        let latency = fetched
            .map(|fetched| &fetched.latency)
            .filter(|latency| !latency.is_empty())?;
        Some(to_float(latency.value_at_quantile(of)) / 1_000.0)
    };
    let done = fetched.map_or(0, |fetched| fetched.progress.done);
    let seconds = run.fetch_seconds;
    let answered =
        written.outcomes.count(Outcome::Exported) + written.outcomes.count(Outcome::Missing);
    Manifest {
        format_version: manifest::FORMAT_VERSION,
        program: manifest::PROGRAM.to_owned(),
        version: manifest::VERSION.to_owned(),
        run: run.name.clone(),
        dir: partial.destination().display().to_string(),
        started_at: instant(run.started_at),
        ended_at: Timestamp::now(),
        job: job.description.clone(),
        targets,
        outcomes: written.outcomes,
        calls: run.calls,
        fetch: Fetch {
            seconds,
            contacts_per_second: if seconds > 0.0 {
                to_float(done) / seconds
            } else {
                0.0
            },
            latency_ms: Latency {
                p50: percentile(0.5),
                p95: percentile(0.95),
                p99: percentile(0.99),
            },
        },
        tables: written.files.clone(),
        drift: written.drift,
        truncated: written.truncated.clone(),
        coverage: manifest::coverage(answered, targets.distinct),
        oldest_fetched_at: written.oldest_fetched_at.map(instant),
    }
}

fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

/// Tells failed targets by error, with a few ids of each.
pub(super) fn show_failures(failures: &Failures, report: &Reporter) {
    failure_lines(failures)
        .lines()
        .for_each(|line| report.warn(line));
}

fn failure_lines(failures: &Failures) -> String {
    let mut text = String::new();
    for (error, (count, ids)) in failures {
        let ids = ids
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        writeln!(
            text,
            "  {:>11} failed: {error} (such as contact {ids})",
            HumanCount(*count).to_string()
        )
        .expect(INFALLIBLE);
    }
    text
}

/// What the server asked of the pace, where it asked for anything.
fn strain(progress: &Progress) -> Option<String> {
    let Progress {
        refused,
        pauses,
        short,
        slow_downs,
        outages,
        limit,
        ..
    } = *progress;
    let reasons = [
        (refused, "refused as too many"),
        (pauses, "pauses asked for"),
        (short, "short of time or room"),
        (slow_downs, "slow-downs"),
        (outages, "outages"),
    ];
    let told = reasons
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{} {reason}", HumanCount(count)));
    let told = told.collect::<Vec<_>>().join(", ");
    (!told.is_empty()).then(|| format!("{told}; at the end it took {limit} at once"))
}

impl Summary {
    /// The summary for people.
    ///
    /// # Panics
    /// Never: it is written to memory.
    pub fn text(&self) -> String {
        let Manifest {
            outcomes,
            calls,
            fetch,
            tables,
            drift,
            truncated,
            targets,
            ..
        } = &self.manifest;
        let mut text = format!("run {}\n", self.manifest.run);
        let mut line =
            |label: &str, value: String| writeln!(text, "  {label:>11} {value}").expect(INFALLIBLE);
        line(
            "targets",
            format!(
                "{} distinct, {} duplicate, {} rejected",
                HumanCount(targets.distinct),
                HumanCount(targets.duplicates),
                HumanCount(targets.rejected)
            ),
        );
        let ended = Outcome::ALL
            .iter()
            .filter(|outcome| outcomes.count(**outcome) > 0);
        line(
            "outcomes",
            ended
                .map(|outcome| format!("{} {outcome}", HumanCount(outcomes.count(*outcome))))
                .collect::<Vec<_>>()
                .join(", "),
        );
        line(
            "calls",
            format!(
                "{}, of which {} retries; {} logins",
                HumanCount(calls.attempts),
                HumanCount(calls.retries),
                calls.logins
            ),
        );
        if let Latency {
            p50: Some(p50),
            p95: Some(p95),
            p99: Some(p99),
        } = fetch.latency_ms
        {
            line(
                "fetching",
                format!(
                    "{:.1} s, {:.1} contacts/s; answers took {p50:.1} ms (p50), {p95:.1} (p95), {p99:.1} (p99)",
                    fetch.seconds, fetch.contacts_per_second
                ),
            );
        }
        if let Some(strain) = self.progress.as_ref().and_then(strain) {
            line("server", strain);
        }
        for table in TABLES.iter().filter_map(|table| tables.get(table.name)) {
            line(
                "",
                format!(
                    "{:<18} {:>11} rows {:>12}",
                    table.file,
                    HumanCount(table.rows).to_string(),
                    HumanBytes(table.bytes).to_string()
                ),
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
            line(
                "truncated",
                format!(
                    "{list} of {} contacts reached `api.limit` and may go on",
                    HumanCount(*contacts)
                ),
            );
        }
        text.push_str(&failure_lines(&self.failures));
        let took = self
            .manifest
            .ended_at
            .duration_since(self.manifest.started_at)
            .unsigned_abs();
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

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "shown to a person"
)]
fn to_float(number: u64) -> f64 {
    number as f64
}

const INFALLIBLE: &str = "writing to a String cannot fail";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;

    use super::*;
    use crate::contact::{Calls, Drift, OutcomeCounts};
    use crate::load::FileReport;

    fn quiet() -> Summary {
        let file = |name: &str, rows, bytes| {
            (
                name.to_owned(),
                FileReport {
                    file: format!("{name}.parquet"),
                    rows,
                    bytes,
                    sha256: String::new(),
                },
            )
        };
        let manifest = Manifest {
            format_version: manifest::FORMAT_VERSION,
            program: manifest::PROGRAM.to_owned(),
            version: manifest::VERSION.to_owned(),
            run: "20261122T020000Z".to_owned(),
            dir: "/srv/exports/runs/20261122T020000Z".to_owned(),
            started_at: Timestamp::constant(1_795_312_800, 0),
            ended_at: Timestamp::constant(1_795_316_400, 250_000_000),
            job: serde_json::Value::Null,
            targets: TargetCounts {
                distinct: 3,
                duplicates: 0,
                rejected: 0,
            },
            outcomes: OutcomeCounts {
                exported: 3,
                ..OutcomeCounts::default()
            },
            calls: Calls::default(),
            fetch: Fetch::default(),
            tables: BTreeMap::from([file("outcomes", 3, 900), file("contacts", 3, 4_000)]),
            drift: Drift::default(),
            truncated: BTreeMap::new(),
            coverage: 1.0,
            oldest_fetched_at: None,
        };
        Summary {
            manifest,
            failures: Failures::new(),
            progress: None,
        }
    }

    #[test]
    fn a_quiet_night_is_told_shortly() {
        assert_snapshot!(quiet().text(), @r#"
        run 20261122T020000Z
              targets 3 distinct, 0 duplicate, 0 rejected
             outcomes 3 exported
                calls 0, of which 0 retries; 0 logins
                      contacts.parquet             3 rows     3.91 KiB
                      outcomes.parquet             3 rows        900 B
                 took 3600.2 s
                files /srv/exports/runs/20261122T020000Z
                 open cd /srv/exports/runs/20261122T020000Z && duckdb -init views.sql
        "#);
    }

    #[test]
    fn all_that_may_need_a_look_is_told() {
        let mut summary = quiet();
        let manifest = &mut summary.manifest;
        manifest.targets = TargetCounts {
            distinct: 48_112,
            duplicates: 1_020,
            rejected: 2,
        };
        manifest.outcomes = OutcomeCounts {
            exported: 46_000,
            missing: 1_000,
            failed: 112,
            pending: 1_000,
            rejected: 2,
        };
        manifest.calls = Calls {
            attempts: 48_500,
            retries: 1_388,
            logins: 3,
        };
        let latency_ms = Latency {
            p50: Some(48.04),
            p95: Some(120.0),
            p99: Some(2_400.55),
        };
        manifest.fetch = Fetch {
            seconds: 4_850.04,
            contacts_per_second: 9.71,
            latency_ms,
        };
        manifest.drift = Drift {
            cells: 12,
            naive_instants: 3,
            unknown_members: 40,
        };
        manifest.truncated = BTreeMap::from([("sales".to_owned(), 1_200)]);
        summary.failures = Failures::from([
            ("http_status", (110, vec![7, 8, 9])),
            ("timeout", (2, vec![1_001, 1_002])),
        ]);
        summary.progress = Some(Progress {
            refused: 1_380,
            pauses: 1,
            short: 8,
            outages: 2,
            limit: 5,
            ..Progress::default()
        });
        assert_snapshot!(summary.text(), @r#"
        run 20261122T020000Z
              targets 48,112 distinct, 1,020 duplicate, 2 rejected
             outcomes 46,000 exported, 1,000 missing, 112 failed, 1,000 pending, 2 rejected
                calls 48,500, of which 1,388 retries; 3 logins
             fetching 4850.0 s, 9.7 contacts/s; answers took 48.0 ms (p50), 120.0 (p95), 2400.6 (p99)
               server 1,380 refused as too many, 1 pauses asked for, 8 short of time or room, 2 outages; at the end it took 5 at once
                      contacts.parquet             3 rows     3.91 KiB
                      outcomes.parquet             3 rows        900 B
                drift 12 values not converted, 3 instants without offset, 40 unknown members (see `extra`)
            truncated sales of 1,200 contacts reached `api.limit` and may go on
                  110 failed: http_status (such as contact 7, 8, 9)
                    2 failed: timeout (such as contact 1001, 1002)
                 took 3600.2 s
                files /srv/exports/runs/20261122T020000Z
                 open cd /srv/exports/runs/20261122T020000Z && duckdb -init views.sql
        "#);
    }
}
