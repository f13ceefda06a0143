//! `views.sql`: one DuckDB view per table, with comments.

use std::fmt::Write as _;

use super::{TABLES, Table};

/// The statements that make a view of each of these tables, for files of this extension in the
/// current folder.
pub fn views(tables: &[&'static Table], extension: &str) -> String {
    let mut script = String::from(
        "-- One view per table. Start DuckDB in this folder: duckdb -init views.sql\nSET TimeZone = 'UTC';\n",
    );
    for table in tables {
        let file = format!("{}.{extension}", table.name);
        write!(
            script,
            "\nCREATE OR REPLACE VIEW {} AS SELECT * FROM {};\n",
            table.name,
            read(table, &file, extension)
        )
        .expect(INFALLIBLE);
        writeln!(
            script,
            "COMMENT ON VIEW {} IS {};",
            table.name,
            literal(table.doc)
        )
        .expect(INFALLIBLE);
        for column in table.columns {
            writeln!(
                script,
                "COMMENT ON COLUMN {}.{} IS {};",
                table.name,
                column.name,
                literal(column.doc)
            )
            .expect(INFALLIBLE);
        }
    }
    script
}

/// The script for all tables as Parquet.
pub fn all_views() -> String {
    views(&TABLES.iter().collect::<Vec<_>>(), "parquet")
}

fn read(table: &Table, file: &str, extension: &str) -> String {
    if extension == "csv" {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|column| format!("'{}': '{}'", column.name, column.column_type.sql_type()))
            .collect();
        // Named, not detected: detection looks at the first rows only.
        let dialect = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', max_line_size = 67108864";
        format!(
            "read_csv({}, {dialect}, columns = {{{}}})",
            literal(file),
            columns.join(", ")
        )
    } else {
        format!("read_parquet({})", literal(file))
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const INFALLIBLE: &str = "writing to a String cannot fail";
