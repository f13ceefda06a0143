//! Gathers what the guards compare: figures of the last export, and what has become of each of its
//! contacts, in one walk beside the targets. Judging them is `guards`' matter.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::Path;

use serde_json::Value;
use tracing::warn;

use crate::contact::{ContactId, Outcome};
use crate::guards::{self, FateOfShown};
use crate::job::Job;
use crate::load::LastExport;
use crate::load::manifest::Manifest;

/// The last export that can be read.
pub(super) fn last_export(dir: &Path) -> Option<LastExport> {
    LastExport::open(dir, drop)
}

/// The same, at the begin of a run: what became of newer ones is told, and stops no night. The
/// guards then see what they can see.
pub(super) fn last_export_told(dir: &Path) -> Option<LastExport> {
    LastExport::open(dir, |error| {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        warn!("an export cannot be compared with this one: {error}{cause}");
    })
}

/// The figures of the last export that the guards look at.
pub(super) fn figures(manifest: &Manifest, job: &Job) -> guards::LastFigures {
    let has_same_limit = limit(manifest) == u64::from(job.api.limit.get());
    let tables = manifest.tables.iter().filter(|(table, _)| {
        // What `outcomes` holds is the list's matter, and no list is cut in `contacts`.
        match table.as_str() {
            "outcomes" => false,
            "contacts" => true,
            _ => has_same_limit,
        }
    });
    let rows = tables.map(|(table, report)| (table.clone(), report.rows));
    guards::LastFigures {
        run: manifest.run.clone(),
        distinct: manifest.targets.distinct,
        rows: rows.collect::<BTreeMap<_, _>>(),
    }
}

/// The limit that the lists of an export were asked for with; a job that names none asks for the
/// default.
fn limit(manifest: &Manifest) -> u64 {
    const DEFAULT: u64 = 100;
    let limit = manifest.job.get("api").and_then(|api| api.get("limit"));
    limit.and_then(Value::as_u64).unwrap_or(DEFAULT)
}

/// The contacts of the last export, walked side by side with the targets of this one.
pub(super) struct Walk {
    before: Option<Peekable<Box<dyn Iterator<Item = Before> + Send>>>,
    fate: FateOfShown,
}

type Before = Result<(ContactId, Outcome), crate::load::Error>;

impl Walk {
    /// Begins at the first contact; without a last export there is nothing to compare.
    pub(super) fn new(last: Option<LastExport>) -> Self {
        let before = last.map(|last| {
            let outcomes: Box<dyn Iterator<Item = Before> + Send> = Box::new(last.outcomes());
            outcomes.peekable()
        });
        Self {
            before,
            fate: FateOfShown::default(),
        }
    }

    /// Takes in the next target, in the order of the ids.
    pub(super) fn target(&mut self, contact_id: ContactId, outcome: Outcome) {
        while let Some((id, before)) = self.next_up_to(contact_id) {
            if !before.has_rows() {
                continue;
            }
            self.fate.shown_before += 1;
            if id != contact_id {
                continue;
            }
            self.fate.still_targets += 1;
            match outcome {
                Outcome::Exported | Outcome::Stale => {}
                Outcome::Missing => self.fate.missing += 1,
                Outcome::Failed | Outcome::Pending | Outcome::Rejected => self.fate.lost += 1,
            }
        }
    }

    /// What has become of the contacts of the last export.
    pub(super) fn finish(mut self) -> FateOfShown {
        let last = ContactId::new(i64::from(i32::MAX)).expect("the largest id is one");
        while let Some((_, before)) = self.next_up_to(last) {
            self.fate.shown_before += u64::from(before.has_rows());
        }
        self.fate
    }

    fn next_up_to(&mut self, last: ContactId) -> Option<(ContactId, Outcome)> {
        let before = self.before.as_mut()?;
        let is_up_to = |next: &Before| next.as_ref().map_or(true, |(id, _)| *id <= last);
        match before.next_if(is_up_to)? {
            Ok(next) => Some(next),
            Err(error) => {
                // The files of the last export are damaged: what was read of them still counts.
                warn!("the last export can be compared only in part: {error}");
                self.before = None;
                None
            }
        }
    }
}
