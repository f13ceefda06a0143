//! The export as an analyst opens it: with the `duckdb` program and the `views.sql` beside the
//! tables. Where there is no such program the theme says so and passes, unless `REQUIRE_DUCKDB=1`
//! is set.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use superoffice_export::schema::{ColumnType, TABLES, Table};

use crate::mock::{Answer, Mock};
use crate::support::{Export, Job, Row};

/// Whether the program is there.
#[expect(clippy::print_stderr, reason = "a theme that is left out says so")]
pub(crate) fn is_there() -> bool {
    let found = Command::new("duckdb")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return true;
    }
    assert_ne!(
        std::env::var("REQUIRE_DUCKDB").as_deref(),
        Ok("1"),
        "there is no `duckdb` program on PATH"
    );
    eprintln!("skipped: there is no `duckdb` program on PATH");
    false
}

/// The rows of a query, asked as the closing summary of a run says: in the export's folder, with
/// its views.
#[track_caller]
fn query(export: &Export, sql: &str) -> Vec<Row> {
    let command = Command::new("duckdb")
        .current_dir(&export.folder)
        .args(["-init", "views.sql", "-json", "-bail", "-c", sql])
        .output();
    let output = command.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{sql}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    if output.stdout.is_empty() {
        Vec::new()
    } else {
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", text(&output.stdout)))
    }
}

/// The same answers in both formats.
fn exports(job: &Job) -> [Export; 2] {
    job.run().expect(0);
    let parquet = job.export();
    job.run_with(&["--offline", "--format", "csv"]).expect(0);
    [parquet, job.export()]
}

#[test]
fn every_column_has_its_type_and_its_comment() {
    if !is_there() {
        return;
    }
    let words = |column_type: ColumnType| match column_type {
        ColumnType::Integer => "BIGINT",
        ColumnType::Float => "DOUBLE",
        ColumnType::Boolean => "BOOLEAN",
        ColumnType::Text => "VARCHAR",
        ColumnType::Instant => "TIMESTAMP WITH TIME ZONE",
        ColumnType::Date => "DATE",
    };
    // Types hold with no rows, too, where there is nothing to detect them from.
    for job in [
        Job::sandbox().ids(1..=50),
        Job::sandbox().csv("contactId\n"),
    ] {
        for export in exports(&job) {
            let columns = query(
                &export,
                "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() \
                 WHERE NOT internal ORDER BY ALL",
            );
            let mut expected: Vec<Row> = TABLES
                .iter()
                .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
                .map(|(table, column)| {
                    let (table, data_type) = (table.name, words(column.column_type));
                    let row = json!({
                        "table_name": table,
                        "column_name": column.name,
                        "data_type": data_type,
                        "comment": column.doc,
                    });
                    row.as_object().unwrap().clone()
                })
                .collect();
            expected.sort_by_key(|row| {
                (
                    row["table_name"].to_string(),
                    row["column_name"].to_string(),
                )
            });
            assert_eq!(columns, expected);
        }
    }
}

#[test]
fn counts_and_joins_agree_with_the_manifest() {
    if !is_there() {
        return;
    }
    let job = Job::sandbox().ids(1..=300);
    for export in exports(&job) {
        let manifest = export.manifest();
        let count = |table: &Table| {
            let name = table.name;
            format!(
                "SELECT '{name}' AS name, count(*) AS joined, \
                 (SELECT count(*) FROM {name}) AS counted \
                 FROM {name} JOIN outcomes USING (contact_id)"
            )
        };
        for row in query(
            &export,
            &TABLES
                .iter()
                .map(count)
                .collect::<Vec<_>>()
                .join(" UNION ALL "),
        ) {
            let rows = &manifest["tables"][row["name"].as_str().unwrap()]["rows"];
            assert_eq!(
                (&row["counted"], &row["joined"]),
                (rows, rows),
                "{}",
                row["name"]
            );
        }
        let ended: BTreeMap<String, Value> = query(
            &export,
            "SELECT outcome, count(*) AS targets FROM outcomes GROUP BY ALL",
        )
        .into_iter()
        .map(|row| {
            (
                row["outcome"].as_str().unwrap().to_owned(),
                row["targets"].clone(),
            )
        })
        .collect();
        assert_eq!(ended["exported"], manifest["outcomes"]["exported"]);
        assert_eq!(ended["missing"], manifest["outcomes"]["missing"]);
    }
}

#[test]
fn both_formats_are_one_export() {
    if !is_there() {
        return;
    }
    let job = Job::sandbox().ids(1..=200);
    let [parquet, csv] = exports(&job);
    // Aggregated, so that one query sees every cell of every table.
    let all = |table: &Table| {
        format!(
            "(SELECT list(t) FROM \
             (SELECT nullif(COLUMNS(*)::VARCHAR, '') FROM {0} ORDER BY ALL) t) AS {0}",
            table.name
        )
    };
    let sql = format!(
        "SELECT {}",
        TABLES.iter().map(all).collect::<Vec<_>>().join(", ")
    );
    let (from_parquet, from_csv) = (query(&parquet, &sql).remove(0), query(&csv, &sql).remove(0));
    for table in TABLES {
        let lengths = [&from_parquet, &from_csv].map(|row| row[table.name].to_string().len());
        assert!(
            from_parquet[table.name] == from_csv[table.name],
            "{}: {lengths:?}",
            table.name
        );
        assert!(lengths[0] > 1_000, "{}", table.name);
    }
}

#[test]
fn the_sample_answers_read_as_they_were_written() {
    if !is_there() {
        return;
    }
    let mock = Mock::answering(|request| match request.contact_id {
        21 => Answer::json(200, include_str!("../data/summary.json")),
        _ => Answer::json(200, include_str!("../data/contact.json")),
    });
    for export in exports(&Job::against(&mock).ids([7, 21])) {
        let sale = "SELECT sale_date::VARCHAR AS sale_date, sale_day::VARCHAR AS sale_day, \
            heading, amount FROM sales WHERE contact_id = 21";
        let expected = json!([{
            "sale_date": "2021-06-29 22:00:00+00",
            "sale_day": "2021-06-30",
            "heading": "Varmepumper 🔥",
            "amount": 2_676.435_999_999_999_7,
        }]);
        assert_eq!(json!(query(&export, sale)), expected);
        let others = "SELECT
            (SELECT max(registered)::VARCHAR FROM tickets WHERE contact_id = 21) AS registered,
            (SELECT year(max(when_ended)) FROM chats) AS last_year,
            (SELECT max(first_message) FROM chats WHERE contact_id = 21) AS message,
            (SELECT count(*) FROM documents WHERE contact_id = 21 AND date IS NULL) AS undated,
            kananame, org_nr FROM contacts WHERE contact_id = 7";
        let expected = json!([{
            "registered": "2020-09-20 15:54:02.898342+00",
            "last_year": 9999,
            "message": "Hei!\nEr dere åpne?",
            "undated": 1,
            "kananame": "ノルドリス",
            "org_nr": "012345678",
        }]);
        assert_eq!(json!(query(&export, others)), expected);
    }
}
