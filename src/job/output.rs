//! `[output]`, checked: where the export goes, and when it does not.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::settings::OutputSection;
use super::values::Share;
use super::{Problem, above_zero, required, wrong};
use crate::load::{Format, Readers};

/// Where the export goes.
#[derive(Debug)]
pub(crate) struct OutputSettings {
    /// Folder of the exports and of the state.
    pub(crate) dir: PathBuf,
    /// Format of the tables.
    pub(crate) format: Format,
    /// Who may read published runs.
    pub(crate) readers: Readers,
    /// Published runs kept.
    pub(crate) keep: NonZeroU32,
    /// Share of failed targets above which nothing is published.
    pub(crate) max_failed: Share,
    /// Age above which an older answer is not shown in place of a failure.
    pub(crate) max_stale: Duration,
    /// Share of the last export's contacts above which nothing is published when they are missing.
    pub(crate) max_missing: Share,
    /// Share of a table's rows above which nothing is published when they are lost.
    pub(crate) max_loss: Share,
    /// How long answers of contacts outlive their place in the input.
    pub(crate) forget_after: Duration,
}

impl OutputSection {
    fn checked_format(&self) -> Result<Format, Problem> {
        let format = Format::from_word(&self.format());
        match format.ok_or_else(|| wrong("output.format", "must be \"parquet\" or \"csv\""))? {
            Format::Csv { .. } => Ok(Format::Csv {
                safe: self.csv_safe(),
            }),
            Format::Parquet => Ok(Format::Parquet),
        }
    }

    pub(super) fn resolve(&self, folder: &Path) -> Result<OutputSettings, Problem> {
        Ok(OutputSettings {
            dir: folder.join(required(self.dir(), "output.dir")?),
            format: self.checked_format()?,
            readers: Readers::from_word(&self.access()).ok_or_else(|| {
                wrong(
                    "output.access",
                    "must be \"owner\", \"group\" or \"everyone\"",
                )
            })?,
            keep: above_zero(self.keep(), "output.keep")?,
            max_failed: self.max_failed(),
            max_stale: self.max_stale(),
            max_missing: self.max_missing(),
            max_loss: self.max_loss(),
            forget_after: self.forget_after(),
        })
    }
}
