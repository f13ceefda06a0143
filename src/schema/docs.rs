//! The tables as a page (`TABLES.md`) and as JSON, for `superoffice-export tables`.

use std::fmt;

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
    PageOfTables(view).to_string()
}

struct PageOfTables<'v>(&'v View);

impl fmt::Display for PageOfTables<'_> {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        page.write_str(HEAD)?;
        self.0
            .tables()
            .try_for_each(|table| write_table(page, table))?;
        write_words(page)?;
        page.write_str(RULES)
    }
}

fn write_words(page: &mut impl fmt::Write) -> fmt::Result {
    page.write_str("\n## Words of `outcomes`\n\n`outcome` is one of these:\n\n")?;
    for outcome in Outcome::ALL {
        writeln!(page, "- `{outcome}`: {}", outcome.doc())?;
    }
    page.write_str("\n`error` is one of these, or null:\n\n")?;
    for reason in Reason::ALL {
        writeln!(page, "- `{reason}`: {}", reason.doc())?;
    }
    page.write_str("\n## Left out by design\n\n")?;
    for (member, reason) in LEFT_OUT {
        writeln!(page, "- `{member}`: {reason}.")?;
    }
    writeln!(page)
}

fn write_table(page: &mut impl fmt::Write, table: &Table) -> fmt::Result {
    writeln!(page, "\n## {}\n\n{}\n", table.name, table.doc)?;
    page.write_str("| column | type | member | |\n|---|---|---|---|\n")?;
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
            column.doc()
        )?;
    }
    Ok(())
}

/// The tables as JSON, for programs.
pub fn json(view: &View) -> String {
    let tables: Vec<_> = view.tables().map(table_as_json).collect();
    format!("{:#}\n", json!({ "tables": tables }))
}

fn table_as_json(table: &Table) -> Value {
    let column = |column: &Column| {
        json!({
            "name": column.name,
            "type": column.column_type.sql_type(),
            "nullable": table.is_nullable(column),
            "member": column.member(),
            "doc": column.doc(),
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
