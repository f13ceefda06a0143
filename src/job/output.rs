//! `[output]`, checked: where the export goes, and when it does not.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::settings::OutputSection;
use super::values::Share;
use super::{Problem, above_zero, required, wrong};
use crate::load::Format;

/// Where the export goes.
#[derive(Debug)]
pub(crate) struct OutputSettings {
    /// Folder of the exports and of the state.
    pub(crate) dir: PathBuf,
    /// Format of the tables.
    pub(crate) format: Format,
    /// Published runs kept.
    pub(crate) keep: NonZeroU32,
    /// Share of failed targets above which nothing is published.
    pub(crate) max_failed: Share,
}

impl OutputSection {
    pub(super) fn resolve(&self, folder: &Path) -> Result<OutputSettings, Problem> {
        Ok(OutputSettings {
            dir: folder.join(required(self.dir(), "output.dir")?),
            format: Format::from_word(&self.format())
                .ok_or_else(|| wrong("output.format", "must be \"parquet\" or \"csv\""))?,
            keep: above_zero(self.keep(), "output.keep")?,
            max_failed: self.max_failed(),
        })
    }
}
