//! `views.sql`: one DuckDB view per table, with comments.

use std::fmt;

use super::table::{Column, ColumnType, Table};
use super::view::View;

/// How DuckDB's `read_csv` reads the CSV of this program. Named, not detected: detection looks at
/// the first rows only. The longest line holds one answer, and its quotes doubled.
const DIALECT: &str = "auto_detect = false, header = true, delim = ',', quote = '\"', \
                       escape = '\"', max_line_size = 67108864";

/// The statements that make a view of each of these tables, for such files in the current folder.
pub fn views(view: &View, files: TableFiles) -> String {
    ViewsScript { view, files }.to_string()
}

/// What the files of the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFiles {
    /// Their extension.
    pub extension: &'static str,
    /// Whether an apostrophe stands before text that a spreadsheet would run as a formula.
    pub are_guarded: bool,
}

struct ViewsScript<'v> {
    view: &'v View,
    files: TableFiles,
}

impl fmt::Display for ViewsScript<'_> {
    fn fmt(&self, script: &mut fmt::Formatter<'_>) -> fmt::Result {
        script.write_str(
            "-- One view per table. Start DuckDB in this folder: duckdb -init views.sql\n\
             SET TimeZone = 'UTC';\n",
        )?;
        self.view
            .tables()
            .try_for_each(|table| write_view(script, table, self.files))
    }
}

fn write_view(script: &mut impl fmt::Write, table: &Table, files: TableFiles) -> fmt::Result {
    let extension = files.extension;
    let file = format!("{}.{extension}", table.name);
    writeln!(
        script,
        "\nCREATE OR REPLACE VIEW {} AS SELECT *{} FROM {};",
        table.name,
        if files.are_guarded {
            without_guard(table)
        } else {
            String::new()
        },
        read(table, &file, extension)
    )?;
    writeln!(
        script,
        "COMMENT ON VIEW {} IS {};",
        table.name,
        literal(table.doc)
    )?;
    for column in table.columns.iter() {
        writeln!(
            script,
            "COMMENT ON COLUMN {}.{} IS {};",
            table.name,
            column.name,
            literal(&column.doc())
        )?;
    }
    Ok(())
}

/// What gives every text back as it was before an apostrophe was put before some of them.
fn without_guard(table: &Table) -> String {
    let texts = table
        .columns
        .iter()
        .filter(|column| column.column_type == ColumnType::Text);
    let texts: Vec<_> = texts
        .map(|Column { name, .. }| {
            format!("CASE WHEN {name}[1] = '''' THEN {name}[2:] ELSE {name} END AS {name}")
        })
        .collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!(" REPLACE ({})", texts.join(", "))
    }
}

fn read(table: &Table, file: &str, extension: &str) -> String {
    if extension == "csv" {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|column| format!("'{}': '{}'", column.name, column.column_type.sql_type()))
            .collect();
        format!(
            "read_csv({}, {DIALECT}, columns = {{{}}})",
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
