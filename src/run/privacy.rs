//! What a run makes of the job's policy besides the tables: answers that were stored under another
//! one are rid of what is kept no more, the manifest tells it, and so does a line where it changed.
//! What is stored of new answers is `storage_policy`'s matter.

use tracing::{info, warn};

use super::night::Night;
use crate::connect;
use crate::error::Error;
use crate::flatten::Stripper;
use crate::load::manifest::Manifest;
use crate::schema::PolicyReport;

impl Night<'_> {
    /// The policy as the manifest tells it; none where there is none.
    pub(super) fn policy_report(&self) -> Option<PolicyReport> {
        let policy = &self.job.privacy.policy;
        let fingerprint = self.hash_key.as_ref().map(|key| key.fingerprint());
        (!policy.is_empty()).then(|| policy.report(fingerprint))
    }

    /// Tells what an analyst or the operator would not expect, compared with the export before:
    /// hashes that do not join any more, and older runs that still hold what is shown no more.
    pub(super) fn tell_of_policy(&self, before: &Manifest, now: &Manifest) {
        let key = |manifest: &Manifest| manifest.privacy.as_ref()?.key.clone();
        if let (Some(before), Some(now)) = (key(before), key(now))
            && before != now
        {
            warn!(
                "`privacy.key` is another one ({now}, and it was {before}): hashes of this run do \
                 not join with those of older runs"
            );
        }
        // Who only asks for fewer tables, without a policy, keeps nothing from anybody.
        if now.privacy.is_none() {
            return;
        }
        let narrowed = before.view().shown_but_not_in(&now.view());
        if !narrowed.is_empty() {
            let keep = self.job.output.keep;
            warn!(
                "shown no more: {}; runs published before still hold it until {keep} newer ones \
                 are (`output.keep`), and what they hold of single contacts goes with \
                 `superoffice-export forget`",
                narrowed.join(", ")
            );
        }
    }

    /// Takes out of the stored answers what the job does not keep any more.
    pub(super) fn take_out(&mut self) -> Result<(), Error> {
        let kept = connect::view(self.job).members();
        let Some(stripper) = Stripper::of(&kept) else {
            return Ok(());
        };
        let taken = self
            .store
            .take_out(&kept, |id, json| stripper.strip(id, json))?;
        if taken.answers > 0 {
            info!(
                "{} stored answers were rid of what the job keeps no more",
                taken.answers
            );
        }
        if taken.unreadable > 0 {
            warn!(
                "{} stored answers could not be read, and were deleted; they are fetched anew",
                taken.unreadable
            );
        }
        Ok(())
    }
}
