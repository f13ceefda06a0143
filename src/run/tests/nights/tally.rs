//! What came about, in figures: a simulation in which nothing happens shows nothing.

use std::collections::BTreeMap;

/// What has to come about at least once over all scripts.
const WANTED: &[&str] = &[
    // What was in the script.
    "Delete",
    "Restore",
    "Forbid",
    "Permit",
    "Sicken",
    "Heal",
    "Join",
    "Leave",
    "ListLate",
    "ListCut",
    "ListSpoilt",
    "ListEmpty",
    "ListGone",
    "Again",
    "Limit",
    "Language",
    "WithSales",
    "Login",
    "MaxCalls",
    "MaxAge",
    // What it did to a start.
    "outage",
    "outage waited out",
    "refusal",
    "probe",
    "clock set back",
    "clock set ahead",
    "asked to stop",
    "killed between steps",
    "killed at a request",
    "killed when published",
    "killed before latest",
    "budget ended a night",
    // How starts ended.
    "published",
    "a list that is not believed",
    "an export that is not believed",
    "too many failures",
    "no list",
    "unreachable",
    "login refused",
    "interrupted",
    "accepted list",
    "accepted export",
    // What was in the exports.
    "exported",
    "stale",
    "missing",
    "failed",
    "pending",
    "an answer that was let go",
    // Nights of which much is demanded.
    "good night",
    "silent night",
];

#[derive(Debug, Default, Clone)]
pub(super) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(super) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// What should have come about and never did.
    pub(super) fn never(&self) -> Vec<&'static str> {
        let wanted = WANTED.iter().copied();
        wanted.filter(|what| !self.0.contains_key(what)).collect()
    }
}
