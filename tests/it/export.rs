//! What a run publishes when nothing goes wrong: counts, files, formats, rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::mock::{Answer, Mock};
use crate::support::{Export, Job, Row, run_program};

/// Lines of every kind: contacts, one twice, two that are no ids, one that the mock does not know,
/// and a blank one.
const MIXED: &str =
    "Navn;contactId\nBlåbær;1\nTyttebær;[I:2]\nBlåbær igjen;1\nTom;\n\nFeil;12a\nUkjent;404\n";

fn mixed(mock: &Mock) -> Job {
    Job::against(mock).csv(MIXED)
}

fn without_404() -> Mock {
    Mock::scripted([(404, vec![Answer::not_there()])])
}

/// Sums over the manifest, and what the files say, agree.
fn check_sums(export: &Export) {
    let manifest = export.manifest();
    let count = |pointer: &str| manifest.pointer(pointer).unwrap().as_u64().unwrap();
    let outcomes = export.rows("outcomes");
    let mut by_word = BTreeMap::<String, u64>::new();
    for row in &outcomes {
        *by_word
            .entry(row["outcome"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    for word in [
        "exported", "stale", "missing", "failed", "pending", "rejected",
    ] {
        assert_eq!(
            count(&format!("/outcomes/{word}")),
            by_word.get(word).copied().unwrap_or_default(),
            "{word}"
        );
    }
    assert_eq!(count("/outcomes/rejected"), count("/targets/rejected"));
    assert_eq!(
        u64::try_from(outcomes.len()).unwrap(),
        count("/targets/distinct") + count("/targets/rejected")
    );
    for (table, report) in manifest["tables"].as_object().unwrap() {
        assert_eq!(report["rows"], export.rows(table).len(), "{table}");
    }
    let verified = run_program(&["verify", export.folder.to_str().unwrap()]).expect(0);
    assert!(
        verified.stdout.ends_with("as its manifest says\n"),
        "{}",
        verified.stdout
    );
}

#[test]
fn the_demo_runs_and_its_counts_add_up() {
    let input = std::fs::read_to_string("jobs/demo_contacts.csv").unwrap();
    let first_part: String = input.split_inclusive('\n').take(300).collect();
    let job = Job::sandbox().csv(first_part + "1001;igjen;A\nikke-en-id;x;B\n");
    let run = job.run().expect(0);
    assert_eq!(run.stdout, "");
    let export = job.export();
    check_sums(&export);
    let manifest = export.manifest();
    assert_eq!(
        manifest["calls"]["attempts"],
        manifest["targets"]["distinct"]
    );
    assert_eq!(manifest["calls"]["retries"], 0);
    assert!(manifest["targets"]["duplicates"].as_u64().unwrap() >= 1);
    assert!(export.rows("sales").len() > 100);
    // A join by `contact_id` loses nothing, though of some contacts only lists are known.
    let ids = |table: &str, is_wanted: &dyn Fn(&Row) -> bool| -> BTreeSet<i64> {
        let rows = export.rows(table);
        let wanted = rows.iter().filter(|row| is_wanted(row));
        wanted
            .filter_map(|row| row["contact_id"].as_i64())
            .collect()
    };
    let contacts = ids("contacts", &|_| true);
    assert_eq!(
        contacts,
        ids("outcomes", &|row| row["outcome"] == "exported")
    );
    assert!(ids("sales", &|_| true).is_subset(&contacts));
    let is_of_nulls = |row: &Row| row.values().filter(|cell| !cell.is_null()).count() == 1;
    let nameless = ids("contacts", &is_of_nulls);
    assert!(!nameless.is_empty());
    assert_eq!(manifest["contacts_without_details"], nameless.len());
    let mut expected = [
        "contacts",
        "tickets",
        "followups",
        "documents",
        "sales",
        "chats",
        "outcomes",
    ]
    .map(|table| format!("{table}.parquet"));
    expected.sort();
    let files = export.files();
    assert!(
        expected.iter().all(|file| files.contains(file)),
        "{files:?}"
    );
    assert_eq!(files.len(), 9, "{files:?}");
}

#[test]
fn duplicates_and_bad_lines_are_told_with_their_line() {
    let mock = without_404();
    let job = mixed(&mock);
    job.run().expect(0);
    assert_eq!(mock.calls(), 3, "one call for each distinct contact");
    let export = job.export();
    check_sums(&export);
    assert_eq!(
        export.manifest()["targets"],
        json!({ "distinct": 3, "duplicates": 1, "rejected": 2 })
    );
    let lines: Vec<Value> = export
        .rows("outcomes")
        .iter()
        .map(|row| {
            json!([
                row["contact_id"],
                row["input_line"],
                row["input_value"],
                row["outcome"],
                row["error"],
                row["attempts"]
            ])
        })
        .collect();
    let expected = [
        json!([1, 2, "1", "exported", null, 1]),
        json!([2, 3, "[I:2]", "exported", null, 1]),
        json!([404, 8, "404", "missing", null, 1]),
        json!([null, 5, "", "rejected", "invalid_id", 0]),
        json!([null, 7, "12a", "rejected", "invalid_id", 0]),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn both_formats_hold_the_same_cells() {
    let job = Job::sandbox().ids(1..=200);
    job.run().expect(0);
    let parquet = job.export();
    job.run_with(&["--offline", "--format", "csv"]).expect(0);
    let csv = job.export();
    assert_ne!(parquet.folder, csv.folder);
    assert_eq!(parquet.cells(), csv.cells());
    let header = std::fs::read_to_string(csv.folder.join("tickets.csv")).unwrap();
    assert!(header.starts_with(
        "contact_id,position,ticket_id,ticket_status,title,registered,icon_hint,extra\n"
    ));
    check_sums(&csv);
}

#[test]
fn data_tables_are_the_same_bytes_at_any_concurrency() {
    let mock = Mock::scripted(
        (1..=200)
            .step_by(7)
            .map(|id| (id, vec![Answer::status(500), Answer::reset()])),
    );
    let tables = |in_flight: &str| {
        let job = Job::against(&mock)
            .ids((1..=200).rev())
            .with(&format!("fetch.max_in_flight = {in_flight}"));
        job.run().expect(0);
        check_sums(&job.export());
        job.export().bytes_of_tables()
    };
    let (alone, many) = (tables("1"), tables("64"));
    assert_eq!(alone.len(), 6);
    assert!(alone == many, "the same answers made other bytes");
}

#[test]
fn an_input_without_contacts_publishes_empty_tables() {
    for format in ["parquet", "csv"] {
        let mock = Mock::healthy();
        let job = Job::against(&mock)
            .csv("contactId\n")
            .with(&format!("output.format = \"{format}\""));
        job.run().expect(0);
        assert_eq!(mock.calls(), 0);
        let export = job.export();
        check_sums(&export);
        assert!(export.cells().values().all(Vec::is_empty));
        assert_eq!(export.cells().len(), 7);
    }
}

#[test]
fn fewer_tables_ask_the_api_for_less() {
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .with("api.tables = [\"sales\"]")
        .with("api.limit = 7");
    job.run().expect(0);
    let request = &mock.requests()[0];
    assert_eq!(
        request.path,
        "/api/v1/Agents/Contact/GetContactSummary?$select=Sales"
    );
    assert_eq!(
        request.body,
        format!(r#"{{"ContactId":{},"Limit":7}}"#, request.contact_id)
    );
    assert_eq!(
        job.export().files(),
        [
            "manifest.json",
            "outcomes.parquet",
            "sales.parquet",
            "views.sql"
        ]
    );
    assert_eq!(job.export().rows("sales").len(), 3);
}

#[test]
fn rows_are_sorted_and_lists_that_reach_the_limit_are_named() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids([5, 3, 4]).with("api.limit = 2");
    job.run().expect(0);
    let export = job.export();
    let keys = |row: Row| {
        (
            row["contact_id"].as_i64().unwrap(),
            row["position"].as_i64().unwrap(),
        )
    };
    assert_eq!(
        export
            .rows("tickets")
            .into_iter()
            .map(keys)
            .collect::<Vec<_>>(),
        [(4, 1), (5, 1), (5, 2)]
    );
    assert_eq!(export.outcome_row(4)["truncated"], Value::Null);
    assert_eq!(export.outcome_row(5)["truncated"], "tickets");
    assert_eq!(export.manifest()["truncated"], json!({ "tickets": 1 }));
}

#[test]
fn the_sample_answers_become_their_rows() {
    let mock = Mock::answering(|request| match request.contact_id {
        21 => Answer::json(200, include_str!("../data/summary.json")),
        _ => Answer::json(200, include_str!("../data/contact.json")),
    });
    let job = Job::against(&mock).ids([7, 21]);
    job.run().expect(0);
    let mut cells = job.export().cells();
    cells.remove("outcomes");
    for (contact_id, expected) in [
        (7, include_str!("../data/contact_tables.json")),
        (21, include_str!("../data/summary_tables.json")),
    ] {
        let expected: BTreeMap<String, Vec<Row>> = serde_json::from_str(expected).unwrap();
        for (table, rows) in &cells {
            let rows: Vec<_> = rows
                .iter()
                .filter(|row| row["contact_id"] == contact_id)
                .cloned()
                .collect();
            let full = |row: &Row| {
                row.clone()
                    .into_iter()
                    .filter(|(_, cell)| cell != "")
                    .collect::<Row>()
            };
            assert_eq!(
                rows,
                expected[*table].iter().map(full).collect::<Vec<_>>(),
                "{table} of {contact_id}"
            );
        }
    }
}

#[test]
fn the_summary_on_stdout_is_the_manifest() {
    let job = Job::sandbox();
    let run = job.run_with(&["--summary", "json"]).expect(0);
    assert_eq!(
        serde_json::from_str::<Value>(&run.stdout).unwrap(),
        job.export().manifest()
    );
}

#[test]
fn every_file_says_how_it_was_asked_for() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    let job = Job::sandbox()
        .with("api.limit = 7")
        .with("api.language = \"nb\"")
        .with("api.time_zone = \"Europe/Oslo\"");
    job.run().expect(0);
    let export = job.export();
    for name in export
        .files()
        .iter()
        .filter(|name| name.ends_with(".parquet"))
    {
        let reader =
            SerializedFileReader::new(std::fs::File::open(export.folder.join(name)).unwrap())
                .unwrap();
        let pairs = reader
            .metadata()
            .file_metadata()
            .key_value_metadata()
            .unwrap();
        let pairs: BTreeMap<_, _> = pairs
            .iter()
            .map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap()))
            .collect();
        let expected = [
            ("superoffice.language", "nb"),
            ("superoffice.limit", "7"),
            ("superoffice.time_zone", "Europe/Oslo"),
        ];
        assert_eq!(pairs, BTreeMap::from(expected), "{name}");
    }
}

#[test]
fn ids_come_from_standard_input_too() {
    let job = Job::sandbox().ids([1, 2]).with("source.path = \"-\"");
    let mut command = job.command();
    let input = std::fs::File::open(job.path("contacts.csv")).unwrap();
    job.finish(
        command
            .args(["run", "job.toml"])
            .stdin(input)
            .spawn()
            .unwrap(),
    )
    .expect(0);
    assert_eq!(job.export().rows("outcomes").len(), 2);
}
