//! A state of the first layout, as the first release left it, is taken over with every answer.

use superoffice_export::schema::TABLES;

use crate::support::Job;

const STATE: &[u8] = include_bytes!("../data/state-layout-1.sqlite.zst");

/// A job of the sandbox whose folder holds the state of three published runs and one that was cut
/// off.
pub(crate) fn old() -> Job {
    let job = Job::sandbox()
        .ids(1..=64)
        .with("sandbox.seed = 1")
        .with("output.max_stale = \"100000d\"")
        .with("fetch.resume_within = \"100000d\"");
    std::fs::create_dir(job.path("exports")).unwrap();
    job.file("exports/state.sqlite", zstd::decode_all(STATE).unwrap())
}

fn layout(job: &Job, name: &str) -> i32 {
    let connection = rusqlite::Connection::open(job.path(name)).unwrap();
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

#[test]
fn a_state_of_the_first_release_is_taken_over_with_every_answer() {
    let job = old();
    let copy = "exports/state.layout-1.sqlite";
    assert_eq!(layout(&job, "exports/state.sqlite"), 1);
    job.run_with(&["--offline"]).expect(0);
    assert_eq!(
        (layout(&job, "exports/state.sqlite"), layout(&job, copy)),
        (3, 1)
    );
    let outcomes = job.export().manifest()["outcomes"].clone();
    let count = |outcome: &str| outcomes[outcome].as_u64().unwrap();
    // Two of the answers came to another limit, which nothing tells any more.
    assert_eq!(count("exported") + count("stale"), 55, "{outcomes}");
    assert_eq!(count("missing"), 5, "{outcomes}");
    assert_eq!(job.stored("SELECT count(*) FROM responses"), 57);

    // The way back is open until a run is published that asks the API.
    job.run().expect(0);
    assert!(!job.path(copy).exists());
    // The answers of then and of now are one export; but the sandbox has learnt since how a server
    // tells instants.
    let fresh = Job::sandbox().ids(1..=64).with("sandbox.seed = 1");
    fresh.run().expect(0);
    let rows = |job: &Job, table: &str| -> Vec<_> {
        let rows = job.export().rows(table).into_iter();
        rows.map(|row| (row["contact_id"].clone(), row.get("position").cloned()))
            .collect()
    };
    for table in TABLES.iter().filter(|table| table.name != "outcomes") {
        assert_eq!(
            rows(&job, table.name),
            rows(&fresh, table.name),
            "{}",
            table.name
        );
    }
}

#[test]
fn the_run_that_was_cut_off_is_gone_on_with_or_left_behind() {
    let job = old();
    // Those that were answered in it are fresh; five were missing before, and 24 failed in it.
    let planned = job.run_with(&["--plan"]).expect(0).stdout;
    assert_eq!(planned, "29 of 64 to fetch; 35 fresh\n");
    let job = job.with("fetch.resume_within = \"0s\"");
    let planned = job.run_with(&["--plan"]).expect(0).stdout;
    assert_eq!(planned, "64 of 64 to fetch\n");
}
