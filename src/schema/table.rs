//! What a table and a column are. Which ones there are stands in `tables`, which of them a job
//! exports in `view`.

use std::borrow::Cow;

/// One table: as it is declared, or as a job wants it, whose columns are then its own.
#[derive(Debug, Clone)]
pub struct Table {
    /// Name of the table, of its file and of its view.
    pub name: &'static str,
    /// Where its rows come from.
    pub rows: Rows,
    /// What one row is, for `TABLES.md` and the view's comment.
    pub doc: &'static str,
    /// Its columns, in the order of the file.
    pub columns: Cow<'static, [Column]>,
    /// Members of columns that the job left out: they are shown nowhere, `extra` included.
    pub discarded: Vec<&'static str>,
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
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in every output.
    pub name: &'static str,
    /// What its cells are.
    pub column_type: ColumnType,
    /// Where its cells come from.
    pub source: CellSource,
    /// How Parquet lays its values out.
    pub encoding: Encoding,
    /// What becomes of its cells.
    pub treatment: Treatment,
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
pub enum CellSource {
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

/// What becomes of the cells of a column that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// They are shown as they are.
    Kept,
    /// They are keyed hashes.
    Hashed,
    /// They are null.
    Redacted,
}

impl Treatment {
    /// What a reader has to know of such cells; nothing of those that are kept.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Hashed => "HASHED: HMAC-SHA256 of the value under the job's key",
            Self::Redacted => "REDACTED: always null in this job",
        }
    }
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
            .filter(|column| matches!(column.source, CellSource::ContactId | CellSource::Position))
            .map(|column| column.name)
    }
}

impl Column {
    /// What it holds, with what a reader has to know where the job treats it.
    pub(crate) fn doc(&self) -> Cow<'static, str> {
        match self.treatment.mark() {
            "" => Cow::Borrowed(self.doc),
            mark => Cow::Owned(format!("{mark}. {}", self.doc)),
        }
    }

    /// The member that it takes, as a path below the row's object; none for what no member holds.
    pub fn member(&self) -> Option<&'static str> {
        match self.source {
            CellSource::Member(path) => Some(path),
            CellSource::ContactId
            | CellSource::Position
            | CellSource::Target(_)
            | CellSource::Extra => None,
        }
    }
}
