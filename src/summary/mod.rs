//! What a published run says of itself: one `Manifest`, several faces. Each face is a file of its
//! own; gathering the figures is the run's matter, and where a face goes is the caller's.

mod json;
mod line;
mod text;

use std::collections::BTreeMap;

use indicatif::HumanCount;

use crate::contact::{ContactId, Reason};
use crate::load::manifest::Manifest;
use crate::report::Progress;

/// What a published run says of itself.
#[derive(Debug)]
pub struct Summary {
    /// The manifest, which every face shows.
    pub manifest: Manifest,
    /// The targets that failed. Only people are told of samples, so the manifest has none.
    pub(crate) failures: Failures,
    /// How fetching stood at its end; none where nothing was fetched.
    pub(crate) progress: Option<Progress>,
}

/// Ids that are kept of the targets that failed for one reason: enough to look one up by hand.
const SAMPLES: usize = 3;

/// The targets that failed, by reason, in the order of the reasons' words.
#[derive(Debug, Default)]
pub(crate) struct Failures(BTreeMap<&'static str, FailedAlike>);

/// The targets that failed for one reason.
#[derive(Debug, Default)]
struct FailedAlike {
    count: u64,
    /// The first [`SAMPLES`] of them.
    samples: Vec<ContactId>,
}

impl Failures {
    /// Counts one more target.
    pub(crate) fn add(&mut self, reason: Reason, contact_id: Option<ContactId>) {
        let alike = self.0.entry(reason.as_str()).or_default();
        alike.count += 1;
        if alike.samples.len() < SAMPLES {
            alike.samples.extend(contact_id);
        }
    }

    /// One line for each reason, as it stands in the text.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .map(|(reason, FailedAlike { count, samples })| {
                let ids: Vec<_> = samples.iter().map(ContactId::to_string).collect();
                line::line(
                    &HumanCount(*count).to_string(),
                    &format!("failed: {reason} (such as contact {})", ids.join(", ")),
                )
            })
    }
}
