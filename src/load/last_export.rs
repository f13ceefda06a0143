//! The last published export, as the next one is compared with it: its manifest, and what it said of
//! each contact, read as a stream. Comparing is the caller's matter.

use std::io::ErrorKind;
use std::path::Path;

use super::error::Error;
use super::format::Format;
use super::manifest::Manifest;
use super::publish::{self, LATEST};
use super::verify::Keys;
use crate::contact::{ContactId, Outcome};
use crate::schema::OUTCOMES;

/// An export that was published.
pub(crate) struct LastExport {
    /// What it says of itself.
    pub(crate) manifest: Manifest,
    keys: Keys,
}

impl LastExport {
    /// Opens the export that `latest` leads to, or where there is none that can be read, the newest
    /// of those that can: a link that somebody removed makes no night the first one. None where
    /// nothing was published yet; `passed_over` takes why one could not be read.
    pub(crate) fn open(output_dir: &Path, mut passed_over: impl FnMut(Error)) -> Option<Self> {
        let runs = publish::published(output_dir).unwrap_or_default();
        let latest = publish::latest(output_dir);
        let others = runs
            .into_iter()
            .rev()
            .filter(|run| Some(run) != latest.as_ref());
        let folders = std::iter::once(output_dir.join(LATEST));
        let folders = folders.chain(others.map(|run| publish::folder(output_dir, &run)));
        for folder in folders {
            match Self::open_folder(&folder) {
                Ok(None) => {}
                Ok(found) => return found,
                Err(error) => passed_over(error),
            }
        }
        None
    }

    /// Opens the export in a folder; none where there is none.
    fn open_folder(folder: &Path) -> Result<Option<Self>, Error> {
        let manifest = match Manifest::read(folder) {
            Err(Error::Storage { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            manifest => manifest?,
        };
        let report = manifest.tables.get(OUTCOMES.name);
        let file = report.map_or_else(String::new, |report| report.file.clone());
        let is_its_name = |format: &&Format| format.file_name(OUTCOMES) == file;
        let format = Format::ALL.iter().find(is_its_name);
        let format = format.copied().ok_or_else(|| Error::OtherColumns {
            path: folder.join(&file),
        })?;
        let view = manifest.view();
        let keys = Keys::open(format, &folder.join(&file), view.outcomes())?;
        Ok(Some(Self { manifest, keys }))
    }

    /// What it said of its contacts, in the order of their ids.
    pub(crate) fn outcomes(self) -> impl Iterator<Item = Result<(ContactId, Outcome), Error>> {
        self.keys.filter_map(|key| match key {
            Ok(key) => Some(Ok((ContactId::new(key.contact_id?)?, key.outcome?))),
            Err(error) => Some(Err(error)),
        })
    }
}
