//! The summary for people: a dozen lines, of which those that say nothing are left out.

use std::collections::BTreeMap;

use indicatif::{HumanBytes, HumanCount};

use super::Summary;
use super::line::line;
use crate::contact::{Calls, Drift, Outcome, OutcomeCounts, TargetCounts};
use crate::load::FileReport;
use crate::load::manifest::{Fetch, Latency, Manifest};
use crate::report::Progress;
use crate::schema::TABLES;
use crate::shell;

impl Summary {
    /// The summary for people.
    pub fn text(&self) -> String {
        let manifest = &self.manifest;
        let lines = std::iter::once(format!("run {}", manifest.run))
            .chain([
                line("targets", &targets(manifest.targets)),
                line("outcomes", &outcomes(&manifest.outcomes)),
                line("calls", &calls(manifest.calls)),
            ])
            .chain(fetching(&manifest.fetch).map(|text| line("fetching", &text)))
            .chain(
                self.progress
                    .as_ref()
                    .and_then(strain)
                    .map(|text| line("server", &text)),
            )
            .chain(tables(&manifest.tables).map(|text| line("", &text)))
            .chain(drift(manifest.drift).map(|text| line("drift", &text)))
            .chain(truncated(&manifest.truncated).map(|text| line("truncated", &text)))
            .chain(self.failures.lines())
            .chain(ending(manifest));
        lines.flat_map(|line| [line, "\n".to_owned()]).collect()
    }
}

fn targets(targets: TargetCounts) -> String {
    format!(
        "{} distinct, {} duplicate, {} rejected",
        HumanCount(targets.distinct),
        HumanCount(targets.duplicates),
        HumanCount(targets.rejected)
    )
}

/// Only the outcomes that occurred.
fn outcomes(outcomes: &OutcomeCounts) -> String {
    let counted = Outcome::ALL
        .iter()
        .map(|outcome| (outcome, outcomes.count(*outcome)))
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| format!("{} {outcome}", HumanCount(count)));
    counted.collect::<Vec<_>>().join(", ")
}

fn calls(calls: Calls) -> String {
    format!(
        "{}, of which {} retries; {} logins",
        HumanCount(calls.attempts),
        HumanCount(calls.retries),
        calls.logins
    )
}

/// How fast the API answered, where it was asked anything.
fn fetching(fetch: &Fetch) -> Option<String> {
    let Latency { p50, p95, p99 } = fetch.latency_ms;
    let (p50, p95, p99) = (p50?, p95?, p99?);
    Some(format!(
        "{:.1} s, {:.1} contacts/s; \
         answers took {p50:.1} ms (p50), {p95:.1} (p95), {p99:.1} (p99)",
        fetch.seconds, fetch.contacts_per_second
    ))
}

/// What the server asked of the pace, where it asked for anything.
fn strain(progress: &Progress) -> Option<String> {
    let reasons = [
        (progress.refused, "refused as too many"),
        (progress.pauses, "pauses asked for"),
        (progress.short, "short of time or room"),
        (progress.slow_downs, "slow-downs"),
        (progress.outages, "outages"),
    ];
    let told: Vec<_> = reasons
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{} {reason}", HumanCount(count)))
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "{}; at the end it took {} at once",
            told.join(", "),
            progress.limit
        )
    })
}

/// The files, in the order in which the tables are declared.
fn tables(tables: &BTreeMap<String, FileReport>) -> impl Iterator<Item = String> {
    TABLES
        .iter()
        .filter_map(|table| tables.get(table.name))
        .map(|file| {
            format!(
                "{:<18} {:>11} rows {:>12}",
                file.file,
                HumanCount(file.rows).to_string(),
                HumanBytes(file.bytes).to_string()
            )
        })
}

/// What did not look as declared, where anything did not.
fn drift(drift: Drift) -> Option<String> {
    let Drift {
        cells,
        naive_instants,
        unknown_members,
    } = drift;
    (cells + naive_instants + unknown_members > 0).then(|| {
        format!(
            "{cells} values not converted, {naive_instants} instants without offset, \
             {unknown_members} unknown members (see `extra`)"
        )
    })
}

/// The lists that the API may have cut.
fn truncated(truncated: &BTreeMap<String, u64>) -> impl Iterator<Item = String> {
    truncated.iter().map(|(list, contacts)| {
        format!(
            "{list} of {} contacts reached `api.limit` and may go on",
            HumanCount(*contacts)
        )
    })
}

/// How long it took, where the files are, and how to look into them.
fn ending(manifest: &Manifest) -> [String; 3] {
    let took = manifest
        .ended_at
        .duration_since(manifest.started_at)
        .unsigned_abs();
    let dir = &manifest.dir;
    [
        line("took", &format!("{:.1} s", took.as_secs_f64())),
        line("files", dir),
        line(
            "open",
            &format!("cd {} && duckdb -init views.sql", shell::word(dir)),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::Timestamp;

    use super::*;
    use crate::contact::{ContactId, Reason};
    use crate::load::manifest;
    use crate::summary::Failures;

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
            source: None,
            time_zone: None,
            privacy: None,
            previous: None,
            guards: None,
            targets: TargetCounts {
                distinct: 3,
                duplicates: 0,
                rejected: 0,
            },
            forgotten: 0,
            outcomes: OutcomeCounts {
                exported: 3,
                ..OutcomeCounts::default()
            },
            calls: Calls::default(),
            fetch: Fetch::default(),
            tables: BTreeMap::from([file("outcomes", 3, 900), file("contacts", 3, 4_000)]),
            files: BTreeMap::new(),
            drift: Drift::default(),
            truncated: BTreeMap::new(),
            contacts_without_details: Some(0),
            answers_of_another_zone: 0,
            answers_to_another_question: 0,
            coverage: 1.0,
            oldest_fetched_at: None,
        };
        Summary {
            manifest,
            failures: Failures::default(),
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
            stale: 0,
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
        let failed = [
            (Reason::Timeout, 1_001..1_003),
            (Reason::HttpStatus, 7..117),
        ];
        for (reason, ids) in failed {
            ids.for_each(|id| summary.failures.add(reason, ContactId::new(id)));
        }
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
