//! The tables as a page (`TABLES.md`) and as JSON, for `superoffice-export tables`.

use std::fmt::Write as _;

use serde_json::json;

use super::{ColumnType, LEFT_OUT, Source, TABLES};
use crate::contact::{Outcome, Reason};

const RULES: &str = include_str!("rules.md");

/// The whole page, in Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Tables\n\nPrinted by `superoffice-export tables`; do not edit by hand. `contact_id` joins all tables.\n\
         Rows are sorted by `contact_id`, then `position`.\n",
    );
    for table in TABLES {
        write!(
            page,
            "\n## {}\n\n{}\n\n| column | type | member | |\n|---|---|---|---|\n",
            table.name, table.doc
        )
        .expect(INFALLIBLE);
        for column in table.columns {
            let member = match column.source {
                Source::Member(path) => {
                    format!("`{}/{path}`", table.root_member().unwrap_or_default())
                }
                _ => String::new(),
            };
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
            )
            .expect(INFALLIBLE);
        }
    }
    page.push_str("\n## Words of `outcomes`\n\n");
    writeln!(
        page,
        "- `outcome`: {}.",
        words(Outcome::ALL.iter().map(|word| word.as_str()))
    )
    .expect(INFALLIBLE);
    writeln!(
        page,
        "- `error`: {}.",
        words(Reason::ALL.iter().map(|word| word.as_str()))
    )
    .expect(INFALLIBLE);
    page.push_str("\n## Left out by design\n\n");
    for (member, reason) in LEFT_OUT {
        writeln!(page, "- `{member}`: {reason}.").expect(INFALLIBLE);
    }
    page.push('\n');
    page.push_str(RULES);
    page
}

/// The tables as JSON, for programs.
///
/// # Panics
/// Never: names and docs are text.
pub fn json() -> String {
    let tables: Vec<_> = TABLES
        .iter()
        .map(|table| {
            let columns: Vec<_> = table
                .columns
                .iter()
                .map(|column| {
                    let member = match column.source {
                        Source::Member(path) => Some(path),
                        _ => None,
                    };
                    json!({
                        "name": column.name,
                        "type": column.column_type.sql_type(),
                        "nullable": table.is_nullable(column),
                        "member": member,
                        "doc": column.doc,
                    })
                })
                .collect();
            json!({ "name": table.name, "doc": table.doc, "member": table.root_member(), "columns": columns })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&json!({ "tables": tables }))
        .expect("names and docs are JSON");
    text.push('\n');
    text
}

impl ColumnType {
    /// The SQL type, as DuckDB names it.
    pub const fn sql_type(self) -> &'static str {
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

const INFALLIBLE: &str = "writing to a String cannot fail";

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
