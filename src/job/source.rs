//! `[source]`, checked: where the contact ids are and how they are laid out.

use std::path::Path;

use super::settings::SourceSection;
use super::{Problem, required, wrong};
use crate::extract::ids::csv::{Place, Source};

impl SourceSection {
    pub(super) fn resolve(&self, folder: &Path) -> Result<Source, Problem> {
        let path = required(self.path(), "source.path")?;
        Ok(Source {
            place: if path.as_os_str() == "-" {
                Place::StandardInput
            } else {
                Place::Path(folder.join(path))
            },
            column: self.column(),
            delimiter: self.delimiter().as_deref().map(delimiter).transpose()?,
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
