//! The files that people read and copy: the page of tables and the example jobs.

use serde_json::Value;
use superoffice_export::schema::TABLES;

use crate::support::run_program;

#[test]
fn the_page_of_tables_is_current() {
    let committed = std::fs::read_to_string("TABLES.md").unwrap_or_default();
    let printed = run_program(&["tables"]).expect(0).stdout;
    assert!(
        committed == printed,
        "TABLES.md is out of date; run: cargo run -- tables > TABLES.md"
    );
}

#[test]
fn the_tables_are_printed_for_programs_too() {
    let json = run_program(&["tables", "--format", "json"])
        .expect(0)
        .stdout;
    let tables = serde_json::from_str::<Value>(&json).unwrap()["tables"].take();
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|named| named["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&tables),
        TABLES.iter().map(|table| table.name).collect::<Vec<_>>()
    );
    for (printed, table) in tables.as_array().unwrap().iter().zip(TABLES) {
        assert_eq!(
            names(&printed["columns"]),
            table
                .columns
                .iter()
                .map(|column| column.name)
                .collect::<Vec<_>>()
        );
    }
    let sql = run_program(&["tables", "--format", "sql"]).expect(0).stdout;
    for table in TABLES {
        assert!(
            sql.contains(&format!("CREATE OR REPLACE VIEW {} AS", table.name)),
            "{sql}"
        );
    }
}

#[test]
fn every_example_job_is_a_sound_one() {
    let jobs: Vec<_> = std::fs::read_dir("jobs")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let jobs: Vec<_> = jobs
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    assert!(!jobs.is_empty());
    for path in jobs {
        superoffice_export::job::read(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
    }
}
