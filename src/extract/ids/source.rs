//! Where the input comes from, as the job says it. Leaves opening it to `input`.

use std::fmt;
use std::path::PathBuf;

/// Where the ids are and how they are laid out: the `[source]` of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, or standard input.
    pub place: Place,
    /// Heading of the id column; none: found by the usual names.
    pub column: Option<String>,
    /// What separates the cells; none: detected among `,`, `;`, tab and `|`.
    pub delimiter: Option<u8>,
    /// Sheet of a workbook; none: the first one.
    pub sheet: Option<String>,
}

/// Where the input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    StandardInput,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(formatter),
            Self::StandardInput => formatter.write_str("standard input"),
        }
    }
}
