//! `[source]`, checked: where the contact ids are, how they are laid out, and which lists are not
//! believed.

use std::path::Path;
use std::time::Duration;

use super::settings::SourceSection;
use super::values::Share;
use super::{Problem, above_zero_time, required, wrong};
use crate::extract::ids::{Place, Source};

/// The contact ids.
#[derive(Debug)]
pub(crate) struct SourceSettings {
    /// Where they are and how they are laid out.
    pub(crate) list: Source,
    /// Share of the last export's targets that may be gone from the list.
    pub(crate) max_shrink: Share,
    /// Share of the lines that may be rejected.
    pub(crate) max_rejected: Share,
    /// Age of the file above which a warning is due.
    pub(crate) max_age: Option<Duration>,
}

impl SourceSection {
    pub(super) fn resolve(&self, folder: &Path) -> Result<SourceSettings, Problem> {
        let path = required(self.path(), "source.path")?;
        let max_age = self
            .max_age()
            .map(|age| above_zero_time(age, "source.max_age"));
        Ok(SourceSettings {
            list: Source {
                place: if path.as_os_str() == "-" {
                    Place::StandardInput
                } else {
                    Place::Path(folder.join(path))
                },
                column: self.column(),
                delimiter: self.delimiter().as_deref().map(delimiter).transpose()?,
                sheet: self.sheet(),
            },
            max_shrink: self.max_shrink(),
            max_rejected: self.max_rejected(),
            max_age: max_age.transpose()?,
        })
    }
}

fn delimiter(text: &str) -> Result<u8, Problem> {
    match text.as_bytes() {
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' || *byte == b'\t' => Ok(*byte),
        _ => Err(wrong(
            "source.delimiter",
            "must be one character: \",\", \";\", \"|\" or a tab",
        )),
    }
}
