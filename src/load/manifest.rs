//! `manifest.json`: what one run made, and how. Also the object of `--summary json`. Gathering the
//! figures is the run's matter; comparing them with the files is `verify`'s.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{Error, storage};
use super::file::{FileReport, write_durably};
use crate::contact::{Calls, Drift, OutcomeCounts, TargetCounts};
use crate::schema::View;

/// Name of the manifest in the run's folder.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// Version of the manifest's form, raised when an older program would misread it.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Name of this program, as it stands in the manifest.
pub(crate) const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Version of this program, as it stands in the manifest.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What one run made, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the program that wrote it.
    pub format_version: u32,
    /// [`PROGRAM`].
    pub program: String,
    /// [`VERSION`].
    pub version: String,
    /// Name of the run.
    pub run: String,
    /// Folder of the run.
    pub dir: String,
    /// When the run began, the first time if it was cut off.
    pub started_at: Timestamp,
    /// When the tables were complete.
    pub ended_at: Timestamp,
    /// The job as it was run, without secrets.
    pub job: serde_json::Value,
    /// What the input held.
    pub targets: TargetCounts,
    /// How the targets ended.
    pub outcomes: OutcomeCounts,
    /// What was asked of the API.
    pub calls: Calls,
    /// How fast it answered.
    pub fetch: Fetch,
    /// The files, by table.
    pub tables: BTreeMap<String, FileReport>,
    /// What did not look as declared.
    pub drift: Drift,
    /// For each list that reached the limit, in how many contacts it did.
    pub truncated: BTreeMap<String, u64>,
    /// Share of the distinct targets that have an answer.
    pub coverage: f64,
    /// When the oldest answer in the tables was fetched.
    pub oldest_fetched_at: Option<Timestamp>,
}

/// How fast the API answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Fetch {
    /// Time spent fetching.
    pub seconds: f64,
    /// Contacts fetched in one of them.
    pub contacts_per_second: f64,
    /// Time from request to complete answer.
    pub latency_ms: Latency,
}

/// Percentiles of the time from request to complete answer, in milliseconds; none where nothing was
/// fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

impl Manifest {
    /// The tables and columns of the export, as the job wanted them.
    pub(super) fn view(&self) -> View {
        View::of(self.tables.keys().map(String::as_str))
    }

    /// The manifest as it stands in the file.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads the manifest of a run's folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        let text = std::fs::read(&path).map_err(storage("read", &path))?;
        let FormatVersion {
            format_version: found,
        } = parse(&path, &text)?;
        if found > FORMAT_VERSION {
            return Err(Error::NewerManifest {
                path,
                found,
                known: FORMAT_VERSION,
            });
        }
        parse(&path, &text)
    }

    /// Writes it into a run's folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE_NAME);
        let text = self.to_json().map_err(|source| Error::Manifest {
            path: path.clone(),
            source,
        })?;
        write_durably(&path, text.as_bytes())
    }
}

/// The one member that every version has.
#[derive(Deserialize)]
struct FormatVersion {
    format_version: u32,
}

fn parse<'a, T: Deserialize<'a>>(path: &Path, text: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|source| Error::Manifest {
        path: path.to_owned(),
        source,
    })
}

/// Share of the distinct targets that have an answer; all of them where there are none.
pub(crate) fn coverage(answered: u64, distinct: u64) -> f64 {
    let number = |count| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if distinct == 0 {
        1.0
    } else {
        number(answered) / number(distinct)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A manifest of a run without targets.
    pub(in crate::load) fn manifest(run: &str, tables: BTreeMap<String, FileReport>) -> Manifest {
        Manifest {
            format_version: FORMAT_VERSION,
            program: PROGRAM.to_owned(),
            version: VERSION.to_owned(),
            run: run.to_owned(),
            dir: format!("exports/nightly/runs/{run}"),
            started_at: Timestamp::constant(1_795_312_800, 0),
            ended_at: Timestamp::constant(1_795_316_400, 250_000_000),
            job: json!({ "output": { "format": "parquet" } }),
            targets: TargetCounts::default(),
            outcomes: OutcomeCounts::default(),
            calls: Calls::default(),
            fetch: Fetch::default(),
            tables,
            drift: Drift::default(),
            truncated: BTreeMap::new(),
            coverage: coverage(0, 0),
            oldest_fetched_at: None,
        }
    }

    #[test]
    fn reads_back_and_writes_instants_as_rfc_3339() {
        let folder = tempfile::tempdir().unwrap();
        let file = FileReport {
            file: "chats.csv".into(),
            rows: 1,
            bytes: 2,
            sha256: "ab".into(),
        };
        let mut manifest = manifest(
            "20261122T020000Z",
            BTreeMap::from([("chats".to_owned(), file)]),
        );
        manifest.oldest_fetched_at = Some(Timestamp::constant(1_795_312_800, 898_342_000));
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);
        let text = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(
            text.contains(r#""ended_at": "2026-11-22T03:00:00.25Z""#) && text.ends_with("}\n"),
            "{text}"
        );
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&text).unwrap();
        let members: Vec<_> = object.keys().map(String::as_str).collect();
        let expected = "format_version program version run dir started_at ended_at job targets \
                        outcomes calls fetch tables drift truncated coverage oldest_fetched_at";
        assert_eq!(members, expected.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn a_newer_or_broken_manifest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
            Manifest::read(folder.path()).unwrap_err()
        };
        assert!(matches!(
            read(r#"{"format_version": 2, "files": []}"#),
            Error::NewerManifest {
                found: 2,
                known: 1,
                ..
            }
        ));
        assert!(matches!(
            read(r#"{"format_version": 1}"#),
            Error::Manifest { .. }
        ));
        assert!(matches!(read("{"), Error::Manifest { .. }));
    }

    #[test]
    fn coverage_of_nothing_is_complete() {
        let cases = [(0, 0, 1.0), (0, 4, 0.0), (1, 4, 0.25), (4, 4, 1.0)];
        for (answered, distinct, expected) in cases {
            assert!(
                (coverage(answered, distinct) - expected).abs() < f64::EPSILON,
                "{answered} of {distinct}"
            );
        }
    }
}
