//! Marked values in every member of an answer, known and unknown, nested and in lists: after runs
//! and changes of policy, every byte of every file and message is searched for those that the
//! policy forbids, as they are, in UTF-16, and in whatever zstd and gzip unpack.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use superoffice_export::schema::data_tables;

use crate::layout_1;
use crate::mock::{Answer, Mock};
use crate::support::{Finished, Job};

/// A text that stands nowhere else. The letters keep compression from hiding it in a match.
fn canary(path: &str) -> String {
    let hash: String = path
        .bytes()
        .scan(0x9E37_79B9_u32, |state, byte| {
            *state = state.rotate_left(5) ^ u32::from(byte).wrapping_mul(0x85EB_CA6B);
            Some(format!("{state:08x}"))
        })
        .collect();
    let end: String = hash.chars().rev().take(16).collect();
    format!("canary{end}")
}

/// An object with every member of this table, each with a canary, and unknown ones.
fn object(table: &superoffice_export::schema::Table) -> Value {
    let root = table.root_member().unwrap();
    let mut object = json!({});
    for column in table.columns.iter() {
        let Some(path) = column.member() else {
            continue;
        };
        let mut place = &mut object;
        for name in path.split('/') {
            place = &mut place[name];
        }
        *place = canary(&format!("{root}/{path}")).into();
    }
    object["New"] = json!({ "Nested": [canary(&format!("{root}/New")), { "x": canary("deep") }] });
    object
}

fn answer(contact_id: i64) -> Value {
    let mut root = json!({ "Unknown": canary("Unknown") });
    for table in data_tables() {
        let member = table.root_member().unwrap();
        let object = object(table);
        root[member] = if member == "Contact" {
            object
        } else {
            json!([object])
        };
    }
    root["Contact"]["ContactId"] = contact_id.into();
    root
}

fn mock() -> Mock {
    Mock::answering(|request| match request.contact_id {
        9 => Answer::json(
            500,
            json!({ "Error": true, "Message": canary("message") }).to_string(),
        ),
        id => Answer::json(200, answer(id).to_string()),
    })
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The bytes, and what any zstd frame or gzip member in them unpacks to, as far as it does.
pub(super) fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![bytes.to_vec()];
    for at in 0..bytes.len().saturating_sub(4) {
        let rest = &bytes[at..];
        let mut unpacked = Vec::new();
        if rest.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
            if let Ok(mut decoder) = zstd::stream::read::Decoder::new(rest) {
                drop(decoder.read_to_end(&mut unpacked));
            }
        } else if rest.starts_with(&[0x1F, 0x8B, 8]) {
            drop(flate2::read::GzDecoder::new(rest).read_to_end(&mut unpacked));
        }
        if !unpacked.is_empty() {
            forms.push(unpacked);
        }
    }
    forms
}

pub(super) fn holds(form: &[u8], canary: &str) -> bool {
    let utf_16: Vec<u8> = canary.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let holds = |text: &[u8]| form.windows(text.len()).any(|window| window == text);
    holds(canary.as_bytes()) || holds(&utf_16)
}

/// Which of these canaries stand in a file of the job.
fn found(job: &Job, canaries: &[(String, String)], but_not_in: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(&job.path("exports")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if but_not_in.contains(&name.as_str()) {
            continue;
        }
        for form in forms(&std::fs::read(&file).unwrap()) {
            for (path, canary) in canaries {
                if holds(&form, canary) {
                    found.push(format!("{path} in {}", file.display()));
                }
            }
        }
    }
    found
}

fn canaries(paths: &[&str]) -> Vec<(String, String)> {
    let named = paths.iter().map(|path| ((*path).to_owned(), canary(path)));
    named.collect()
}

/// What the policy of these tests forbids to be kept at all.
const FORBIDDEN: &[&str] = &[
    "Chats/FirstMessage",
    "Chats/LastMessage",
    "Contact/DirectPhone",
    "Contact/Address/Street/City",
    "Followups/Description",
    "Unknown",
    "Contact/New",
    "Chats/New",
    "deep",
    "message",
];

/// What may stand in the store alone.
const HASHED: &[&str] = &["Contact/EmailAddress", "Contact/Name"];

fn policy(job: Job) -> Job {
    job.file("hash-key", "0123456789abcdef\n")
        .with(
            "privacy.drop = [\"chats.first_message\", \"chats.last_message\", \
               \"contacts.direct_phone\", \"contacts.street_city\", \"outcomes.message\"]",
        )
        .with("privacy.redact = [\"followups.description\"]")
        .with("privacy.hash = [\"contacts.email_address\", \"contacts.name\"]")
        .with("privacy.key = { file = \"hash-key\" }")
}

#[track_caller]
fn assert_silent(finished: &Finished) {
    for (path, canary) in canaries(&[FORBIDDEN, HASHED].concat()) {
        assert!(
            !finished.all().contains(&canary),
            "{path}\n{}",
            finished.all()
        );
    }
}

#[test]
fn nothing_that_a_policy_forbids_is_in_any_file() {
    for format in ["parquet", "csv"] {
        let mock = mock();
        let job = policy(Job::against(&mock))
            .ids([1, 2, 9])
            .with("fetch.max_attempts = 2")
            .with("output.max_failed = \"50%\"")
            .with(&format!("output.format = \"{format}\""));
        let finished = job.run_with(&["--verbose"]).expect(0);
        assert_silent(&finished);
        assert_eq!(found(&job, &canaries(FORBIDDEN), &[]), Vec::<String>::new());
        let store = ["state.sqlite", "state.sqlite-wal"];
        assert_eq!(found(&job, &canaries(HASHED), &store), Vec::<String>::new());
        // The search finds what is there.
        assert!(!found(&job, &canaries(HASHED), &[]).is_empty());
        assert!(!found(&job, &canaries(&["Contact/City"]), &[]).is_empty());
    }
}

#[test]
fn a_policy_that_comes_later_leaves_nothing_in_the_store() {
    let mock = mock();
    let job = Job::against(&mock)
        .ids([1, 2, 9])
        .with("fetch.max_age = \"1d\"")
        .with("fetch.max_attempts = 2")
        .with("output.max_failed = \"50%\"");
    job.run().expect(0);
    assert!(!found(&job, &canaries(FORBIDDEN), &[]).is_empty());
    let job = policy(job).with("output.keep = 1");
    assert_silent(&job.run_with(&["--offline", "--verbose"]).expect(0));
    assert_eq!(found(&job, &canaries(FORBIDDEN), &[]), Vec::<String>::new());
}

#[test]
fn a_run_that_is_killed_leaves_nothing_that_the_policy_forbids() {
    let mock = Mock::answering(|request| {
        let answer = Answer::json(200, answer(request.contact_id).to_string());
        // The last ones are waited for, so that the first ones are stored by then.
        if request.contact_id > 20 {
            answer.held()
        } else {
            answer
        }
    });
    let job = policy(Job::against(&mock))
        .ids(1..=24)
        .with("fetch.max_in_flight = 4");
    let child = job.start_with(&[]);
    mock.wait_for_calls(24);
    while !job.path("exports/state.sqlite").exists()
        || job.stored("SELECT count(*) FROM responses") < 20
    {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    assert_eq!(job.finish(child).code, None);
    assert!(!found(&job, &canaries(&["Contact/City"]), &[]).is_empty());
    assert_eq!(found(&job, &canaries(FORBIDDEN), &[]), Vec::<String>::new());
    mock.release();
    assert_silent(&job.run().expect(0));
    assert_eq!(found(&job, &canaries(FORBIDDEN), &[]), Vec::<String>::new());
}

#[test]
fn a_state_of_the_first_release_keeps_nothing_that_the_policy_forbids() {
    let texts = |job: &Job, table: &str, column: &str| -> BTreeSet<String> {
        let rows = job.export().rows(table).into_iter();
        let texts = rows.filter_map(|row| row[column].as_str().map(str::to_owned));
        texts.filter(|text| text.len() > 12).collect()
    };
    let whole = layout_1::old();
    whole.run_with(&["--offline"]).expect(0);
    let forbidden: Vec<_> = [("followups", "description"), ("chats", "first_message")]
        .iter()
        .flat_map(|(table, column)| texts(&whole, table, column))
        .map(|text| (text.clone(), text))
        .collect();
    assert!(forbidden.len() > 5, "{}", forbidden.len());
    let is_there = found(&whole, &forbidden, &[]);
    assert!(is_there.len() >= forbidden.len());

    let job = policy(layout_1::old());
    job.run_with(&["--offline"]).expect(0);
    assert!(job.export().rows("followups").len() > 5);
    assert_eq!(found(&job, &forbidden, &[]), Vec::<String>::new());
}
