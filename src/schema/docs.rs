//! The tables as a page (`TABLES.md`) and as JSON, for `superoffice-export tables`.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::table::{Column, ColumnType, Table};
use super::tables::LEFT_OUT;
use super::view::View;
use crate::contact::{Outcome, Reason};

const HEAD: &str = "\
# Tables

Printed by `superoffice-export tables`; do not edit by hand. `contact_id` joins all tables.
Rows are sorted by `contact_id`, then `position`.
";

const RULES: &str = include_str!("rules.md");

/// The whole page, in Markdown.
pub fn markdown(view: &View) -> String {
    let mut page = String::new();
    write_page(&mut page, view).expect("writing to a String cannot fail");
    page
}

fn write_page(page: &mut String, view: &View) -> fmt::Result {
    page.push_str(HEAD);
    for table in view.tables() {
        write_table(page, table)?;
    }
    let outcomes = words(Outcome::ALL.iter().map(|word| word.as_str()));
    let errors = words(Reason::ALL.iter().map(|word| word.as_str()));
    writeln!(page, "\n## Words of `outcomes`\n\n- `outcome`: {outcomes}.")?;
    writeln!(page, "- `error`: {errors}.")?;
    page.push_str("\n## Left out by design\n\n");
    for (member, reason) in LEFT_OUT {
        writeln!(page, "- `{member}`: {reason}.")?;
    }
    page.push('\n');
    page.push_str(RULES);
    Ok(())
}

fn write_table(page: &mut String, table: &Table) -> fmt::Result {
    writeln!(page, "\n## {}\n\n{}\n", table.name, table.doc)?;
    page.push_str("| column | type | member | |\n|---|---|---|---|\n");
    for column in table.columns.iter() {
        let member = column.member().map_or(String::new(), |path| {
            format!("`{}/{path}`", table.root_member().unwrap_or_default())
        });
        let null = if table.is_nullable(column) {
            ""
        } else {
            ", never null"
        };
        writeln!(
            page,
            "| `{}` | {}{null} | {member} | {} |",
            column.name,
            column.column_type.sql_type(),
            column.doc
        )?;
    }
    Ok(())
}

/// The tables as JSON, for programs.
pub fn json(view: &View) -> String {
    let tables: Vec<_> = view.tables().map(table_as_json).collect();
    let tables = json!({ "tables": tables });
    let mut text = serde_json::to_string_pretty(&tables).expect("names and docs are JSON");
    text.push('\n');
    text
}

fn table_as_json(table: &Table) -> Value {
    let column = |column: &Column| {
        json!({
            "name": column.name,
            "type": column.column_type.sql_type(),
            "nullable": table.is_nullable(column),
            "member": column.member(),
            "doc": column.doc,
        })
    };
    json!({
        "name": table.name,
        "doc": table.doc,
        "member": table.root_member(),
        "columns": table.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

impl ColumnType {
    /// The SQL type, as DuckDB names it.
    pub(crate) const fn sql_type(self) -> &'static str {
        match self {
            Self::Integer => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Boolean => "BOOLEAN",
            Self::Text => "VARCHAR",
            Self::Instant => "TIMESTAMP WITH TIME ZONE",
            Self::Date => "DATE",
        }
    }
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
