//! What can differ between an export and its manifest.

use crate::contact::Outcome;

/// One thing that is not as the manifest says. It names the file and figures, never what a cell
/// holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the messages name")]
pub enum Difference {
    /// A file is gone.
    #[error("{file}: missing")]
    Missing { file: String },
    /// A file that no run made.
    #[error("{file}: not part of the export")]
    Foreign { file: String },
    /// The manifest names a table or a file that this program does not make.
    #[error("manifest.json: table {table} is not one of this program, or {file} is not its file")]
    Table { table: String, file: String },
    /// The file is shorter or longer.
    #[error("{file}: {found} bytes, and {expected} in the manifest")]
    Bytes {
        file: String,
        expected: u64,
        found: u64,
    },
    /// The content is not what was published.
    #[error("{file}: SHA-256 {found}, and {expected} in the manifest")]
    Hash {
        file: String,
        expected: String,
        found: String,
    },
    /// Rows are missing, or too many.
    #[error("{file}: {found} rows, and {expected} in the manifest")]
    Rows {
        file: String,
        expected: u64,
        found: u64,
    },
    /// Names or types of the columns are others.
    #[error("{file}: the columns are not those that `superoffice-export tables` prints")]
    Columns { file: String },
    /// The content is no table.
    #[error("{file}: cannot be read as a table, after {rows} rows")]
    Unreadable { file: String, rows: u64 },
    /// Rows that are not sorted by their key, or two of the same key.
    #[error("{file}: row {row} does not sort after the one before it")]
    Order { file: String, row: u64 },
    /// A row of a contact that is neither exported nor stale.
    #[error("{file}: row {row} belongs to no contact that outcomes calls exported or stale")]
    NotExported { file: String, row: u64 },
    /// An outcome that is none.
    #[error("{file}: row {row} has no known outcome")]
    UnknownOutcome { file: String, row: u64 },
    /// So many targets did not end like that.
    #[error("{file}: {found} rows are {outcome}, and {expected} in the manifest")]
    Outcomes {
        file: String,
        outcome: Outcome,
        expected: u64,
        found: u64,
    },
    /// The manifest does not agree with itself.
    #[error("manifest.json: {found} outcomes, and {expected} distinct targets and rejected lines")]
    Sum { expected: u64, found: u64 },
    /// The same, of rejected lines alone.
    #[error("manifest.json: {found} rejected outcomes, and {expected} rejected lines")]
    Rejected { expected: u64, found: u64 },
}
