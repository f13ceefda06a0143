//! The declaration of every table and column, once. Arrow schema, CSV header, `$select`,
//! `TABLES.md`, DuckDB views and the bodies of property tests are derived from [`TABLES`]. Owns
//! words and types; reads and writes nothing.

mod arrow;
pub mod docs;
#[cfg(test)]
pub mod generate;
pub mod sql;
mod tables;

pub use tables::{LEFT_OUT, OUTCOMES, TABLES};

/// Most items of one list that are asked for or taken; the bound keeps a hostile list from
/// exhausting the memory.
pub const MAX_ITEMS: usize = 100_000;

/// One table of the export.
#[derive(Debug)]
pub struct Table {
    /// Name of the table, of its file and of its view.
    pub name: &'static str,
    /// Where its rows come from.
    pub rows: Rows,
    /// What one row is, for `TABLES.md` and the view's comment.
    pub doc: &'static str,
    /// Its columns, in the order of the file.
    pub columns: &'static [Column],
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// One row where this root member is an object.
    Object(&'static str),
    /// One row for each object in the list that this root member holds.
    Items(&'static str),
    /// One row for each target and each rejected input line.
    Targets,
}

/// One column of a table.
#[derive(Debug)]
pub struct Column {
    /// Name in every output.
    pub name: &'static str,
    /// What its cells are.
    pub column_type: ColumnType,
    /// Where its cells come from.
    pub source: Source,
    /// How Parquet lays its values out.
    pub encoding: Encoding,
    /// One line for `TABLES.md` and the view's comment.
    pub doc: &'static str,
}

/// What the cells of a column are. Every column can be null but the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnType {
    /// 64-bit signed integer.
    Integer,
    /// 64-bit floating point.
    Float,
    /// True or false.
    Boolean,
    /// UTF-8 text.
    Text,
    /// A point in time: microseconds since 1970, UTC.
    Instant,
    /// A calendar day as the server wrote it, before any conversion to UTC.
    Date,
}

/// Where the cells of a column come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The id that was asked for.
    ContactId,
    /// The 1-based place in the list.
    Position,
    /// The member at this path below the row's object, names separated by `/`.
    Member(&'static str),
    /// What this program knows of the target.
    Target(TargetField),
    /// The members that no column takes, as JSON.
    Extra,
}

/// What this program knows of a target, one for each such column of `outcomes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetField {
    /// Line of the first mention in the input.
    InputLine,
    /// Text of the first mention in the input.
    InputValue,
    /// How it ended.
    Outcome,
    /// Status of the last answer.
    HttpStatus,
    /// How often the request was sent.
    Attempts,
    /// Why the last attempt failed.
    Error,
    /// The API's own error message.
    Message,
    /// When the stored answer was fetched.
    FetchedAt,
    /// Lists that reached the limit.
    Truncated,
}

/// How Parquet lays out the values of a column; every page is compressed after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Each distinct value once: values that repeat.
    Dictionary,
    /// As they are.
    Plain,
}

impl Table {
    /// The root member of the answer that holds the rows; none for `outcomes`.
    pub fn root_member(&self) -> Option<&'static str> {
        match self.rows {
            Rows::Object(member) | Rows::Items(member) => Some(member),
            Rows::Targets => None,
        }
    }

    /// The names of the columns that rows are sorted by.
    pub fn sorted_by(&self) -> impl Iterator<Item = &'static str> {
        self.columns
            .iter()
            .filter(|column| matches!(column.source, Source::ContactId | Source::Position))
            .map(|column| column.name)
    }
}

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// The tables that an answer fills: all but `outcomes`.
pub fn data_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.root_member().is_some())
}

/// The value of `$select` that asks for just these tables; none where they are all wanted.
///
/// Only root members are named: what `$select` does inside them is undocumented.
pub fn select(tables: &[&'static Table]) -> Option<String> {
    let members: Vec<_> = data_tables()
        .filter(|table| tables.iter().any(|wanted| wanted.name == table.name))
        .filter_map(Table::root_member)
        .collect();
    (members.len() < data_tables().count()).then(|| members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_lower_case_and_documented() {
        for table in TABLES {
            assert!(!table.doc.is_empty());
            for (index, column) in table.columns.iter().enumerate() {
                let place = format!("{}.{}", table.name, column.name);
                assert!(
                    column
                        .name
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                    "{place}"
                );
                assert!(!column.doc.is_empty(), "{place} has no doc line");
                assert!(
                    table.columns[..index]
                        .iter()
                        .all(|other| other.name != column.name),
                    "{place} twice"
                );
            }
        }
    }

    #[test]
    fn every_table_begins_with_its_key_and_ends_with_extra() {
        for table in TABLES {
            assert_eq!(
                table.columns.first().map(|column| column.source),
                Some(Source::ContactId),
                "{}",
                table.name
            );
            assert_eq!(
                table.columns.last().map(|column| column.source),
                Some(Source::Extra),
                "{}",
                table.name
            );
            let has_position = table
                .columns
                .iter()
                .any(|column| column.source == Source::Position);
            assert_eq!(
                has_position,
                matches!(table.rows, Rows::Items(_)),
                "{}",
                table.name
            );
        }
    }

    #[test]
    fn select_names_root_members_only_where_some_are_left_out() {
        let named = |names: &[&str]| {
            select(
                &names
                    .iter()
                    .map(|name| table(name).unwrap())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            named(&["sales", "contacts"]).as_deref(),
            Some("Contact,Sales")
        );
        assert_eq!(
            named(&[
                "contacts",
                "tickets",
                "followups",
                "documents",
                "sales",
                "chats"
            ]),
            None
        );
    }
}
