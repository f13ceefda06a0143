//! A state file of layout 1, made by the released program, comes over with every row.
//!
//! It holds three published runs against the sandbox of seed 1, the last with `--limit 7
//! --max-calls 3`, and one that was not published since 24 of its 64 contacts had failed.

use std::fs;
use std::path::Path;

use super::*;

const FILE: &[u8] = include_bytes!("../../../tests/data/state-layout-1.sqlite.zst");

/// A folder with the file.
fn old() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bytes = zstd::decode_all(FILE).unwrap();
    fs::write(folder.path().join("state.sqlite"), bytes).unwrap();
    folder
}

fn figure(store: &Store, sql: &str) -> i64 {
    store
        .connection
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_state_of_layout_1_keeps_every_row() {
    let folder = old();
    let path = folder.path().join("state.sqlite");
    let mut store = Store::open(&path).unwrap();
    let figures = [
        ("SELECT count(*) FROM targets", 64),
        ("SELECT count(*) FROM responses", 57),
        // Two of the seven that were missing failed later.
        ("SELECT count(*) FROM endings WHERE outcome = 'failed'", 24),
        ("SELECT count(*) FROM endings WHERE outcome = 'missing'", 5),
        ("SELECT count(*) FROM runs WHERE state = 'published'", 3),
        ("SELECT count(*) FROM runs WHERE state = 'open'", 1),
        ("SELECT max(number) FROM runs", 4),
        // What failed belongs to the run that was cut off.
        (
            "SELECT count(*) FROM endings WHERE outcome = 'failed' AND run = 4",
            24,
        ),
        ("SELECT count(*) FROM questions", 2),
    ];
    for (sql, expected) in figures {
        assert_eq!(figure(&store, sql), expected, "{sql}");
    }
    // Two answers came to `--limit 7`; what layout 1 kept of a question tells only that it was that.
    let few = Question {
        limit: 7,
        ..some_question()
    };
    store.question(&few).unwrap();
    let question = store.question(&some_question()).unwrap();
    let terms = Terms {
        question,
        run: 4,
        now: i64::MAX,
        max_age: Duration::ZERO,
        max_stale: Duration::MAX,
    };
    let mut outcomes = crate::contact::OutcomeCounts::default();
    let visit = |stored: Stored<'_>| {
        outcomes.record(stored.target.ending.outcome);
        if let Some((body, _)) = stored.answer {
            serde_json::from_slice::<serde_json::Value>(body).unwrap();
        }
        Ok::<_, Error>(())
    };
    store.walk(&terms, visit).unwrap();
    assert_eq!(outcomes.exported + outcomes.stale, 57, "{outcomes:?}");
}

#[test]
fn a_copy_stands_beside_it_until_a_run_is_published() {
    let folder = old();
    let path = folder.path().join("state.sqlite");
    let copy = folder.path().join("state.layout-1.sqlite");
    let store = Store::open(&path).unwrap();
    let version = |path: &Path| -> i32 {
        let connection = Connection::open(path).unwrap();
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    };
    assert_eq!((version(&path), version(&copy)), (layout::current(), 1));
    drop(store);
    let store = Store::open(&path).unwrap();
    assert!(copy.exists());
    store.remove_copies().unwrap();
    assert!(!copy.exists());
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let folder = old();
    let path = folder.path().join("state.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE endings (a)")
        .unwrap();
    drop(connection);
    assert!(Store::open(&path).is_err());
    let connection = Connection::open(&path).unwrap();
    let sql = "SELECT count(*) FROM failures";
    let failures: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(failures, 24);
}
