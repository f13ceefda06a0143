//! The column that holds the ids, once it is found. Leaves finding it to `heading`.

use std::fmt;

use super::error::start_of;

/// Which cell holds the id. Shown as a person would name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdColumn {
    pub(super) index: usize,
    pub(super) heading: Option<String>,
}

impl fmt::Display for IdColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.heading {
            Some(heading) => write!(
                formatter,
                "the column `{}`",
                start_of(heading).escape_debug()
            ),
            None => formatter.write_str("the only column, which has no heading"),
        }
    }
}
