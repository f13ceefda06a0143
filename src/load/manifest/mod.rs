//! `manifest.json`: what one run made, and how. Also the object of `--summary json`. Gathering the
//! figures is the run's matter; comparing them with the files is `verify`'s.

mod members;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use members::markdown;

use super::error::{Error, storage};
use super::file::{FileDigest, FileReport, write_durably};
use crate::contact::{Calls, Drift, OutcomeCounts, TargetCounts};
use crate::schema::{Policy, PolicyReport, View};

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
    /// The list of contacts, where it came from a file or a pipe.
    #[serde(default)]
    pub source: Option<ListReport>,
    /// The zone in which instants were asked for, as it was found where the job says `tenant`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Name of the run that was published before, with which the guards compared.
    #[serde(default)]
    pub previous: Option<String>,
    /// What the guards compared; none where nothing was published before.
    #[serde(default)]
    pub guards: Option<Compared>,
    /// What became of columns on their way out; none where the job has no policy.
    #[serde(default)]
    pub privacy: Option<PolicyReport>,
    /// What the input held.
    pub targets: TargetCounts,
    /// Contacts that were taken out since this was published.
    #[serde(default)]
    pub forgotten: u64,
    /// How the targets ended.
    pub outcomes: OutcomeCounts,
    /// What was asked of the API.
    pub calls: Calls,
    /// How fast it answered.
    pub fetch: Fetch,
    /// The files, by table.
    pub tables: BTreeMap<String, FileReport>,
    /// The other files of the run, by name, but for this one.
    #[serde(default)]
    pub files: BTreeMap<String, FileDigest>,
    /// What did not look as declared.
    pub drift: Drift,
    /// For each list that reached the limit, in how many contacts it did.
    pub truncated: BTreeMap<String, u64>,
    /// Contacts that have a row of nulls, since only their lists are known; none where there is no
    /// table of contacts, and in manifests of older versions, which made no such rows.
    #[serde(default)]
    pub contacts_without_details: Option<u64>,
    /// Answers in the tables that were asked for in another zone, and so have no calendar days.
    #[serde(default)]
    pub answers_of_another_zone: u64,
    /// Answers in the tables that were given to another question than that of this run.
    #[serde(default)]
    pub answers_to_another_question: u64,
    /// Share of the distinct targets that have an answer.
    pub coverage: f64,
    /// When the oldest answer in the tables was fetched.
    pub oldest_fetched_at: Option<Timestamp>,
}

/// The list of contacts as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListReport {
    /// Where it was; `-` for standard input.
    pub path: String,
    /// Its size, compressed where it is.
    pub bytes: u64,
    /// The SHA-256 of these bytes, as hexadecimal digits.
    pub sha256: String,
    /// When it was written to last; none for a pipe.
    pub modified_at: Option<Timestamp>,
    /// Its physical lines.
    pub lines: u64,
    /// Those of them that ask for nothing: blank ones, headings and what stands above them, and
    /// the second and later lines of quoted cells.
    pub blank: u64,
}

/// What the guards compared with the export before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Whether `--accept` switched them off.
    pub accepted: bool,
    /// Distinct targets of that export.
    pub distinct_before: u64,
    /// Contacts that had rows in it.
    pub shown_before: u64,
    /// Those of them that are missing now.
    pub missing: u64,
    /// Those of them that are still targets.
    pub still_targets: u64,
    /// Those that are still targets and have no rows now, for another reason than `missing`.
    pub lost: u64,
    /// Rows of each table in it, where both were asked with the same limit.
    pub rows_before: BTreeMap<String, u64>,
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
    pub(crate) fn view(&self) -> View {
        let view = View::of(self.tables.keys().map(String::as_str));
        match &self.privacy {
            Some(report) => view.under(&Policy::of_report(report)),
            None => view,
        }
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
        write_durably(&path, text.as_bytes()).map(drop)
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
            source: None,
            time_zone: None,
            privacy: Some(PolicyReport {
                key: Some("1a2b3c4d".to_owned()),
                ..PolicyReport::default()
            }),
            previous: None,
            guards: None,
            targets: TargetCounts::default(),
            forgotten: 0,
            outcomes: OutcomeCounts::default(),
            calls: Calls::default(),
            fetch: Fetch::default(),
            tables,
            files: BTreeMap::new(),
            drift: Drift::default(),
            truncated: BTreeMap::new(),
            contacts_without_details: Some(0),
            answers_of_another_zone: 0,
            answers_to_another_question: 0,
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
    }

    /// Members that came later are absent from the manifests of older versions.
    #[test]
    fn a_manifest_of_an_older_version_reads() {
        let folder = tempfile::tempdir().unwrap();
        let expected = Manifest {
            contacts_without_details: None,
            ..manifest("20261122T020000Z", BTreeMap::new())
        };
        let mut older = serde_json::to_value(&expected).unwrap();
        let members = "source time_zone previous guards files contacts_without_details \
                       answers_of_another_zone answers_to_another_question";
        let object = older.as_object_mut().unwrap();
        for member in members.split_whitespace() {
            assert!(object.remove(member).is_some(), "{member}");
        }
        let outcomes = older["outcomes"].as_object_mut().unwrap();
        assert!(outcomes.remove("stale").is_some());
        std::fs::write(folder.path().join(FILE_NAME), older.to_string()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), expected);
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
