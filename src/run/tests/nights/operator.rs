//! The operator, who reads why a start stopped, compares its figures with what is true, and accepts
//! only what is right.

use super::oracle::Oracle;
use super::play::{End, Started};
use super::say::Meaning;
use super::truth::{Truth, sales};
use crate::error::Error;
use crate::guards::{Finding, UnbelievableList};

/// Whether the operator accepts what was stopped.
pub(super) fn accepts(started: &Started, truth: &Truth, oracle: &Oracle) -> bool {
    let End::Stopped(error) = &started.end else {
        return false;
    };
    match error {
        Error::UnbelievableList(stop) => match stop {
            UnbelievableList::NoId { .. } => false,
            UnbelievableList::Nothing { .. }
            | UnbelievableList::Shrunk { .. }
            | UnbelievableList::Rejected { .. } => started.list.is_right,
        },
        Error::UnbelievableExport { stop, .. } => {
            let mut findings = stop.0.iter();
            findings.all(|finding| is_right(finding, started, truth, oracle))
        }
        _ => false,
    }
}

fn is_right(finding: &Finding, started: &Started, truth: &Truth, oracle: &Oracle) -> bool {
    let before = oracle.shown_before();
    let so_many = |meaning: Meaning| {
        let ids = started.list.ids.iter();
        let say = |id: i64| truth.say(id, started.asked).meaning();
        let was_shown = |id: &i64| before.as_ref().is_none_or(|before| before.contains(id));
        let such = ids.filter(|id| was_shown(id) && say(**id) == meaning);
        u64::try_from(such.count()).unwrap()
    };
    match *finding {
        Finding::Missing { missing, .. } | Finding::MoreMissing { missing, .. } => {
            missing <= so_many(Meaning::Missing)
        }
        Finding::Lost { lost, .. } => lost <= so_many(Meaning::Denied),
        Finding::Rows { now, ref table, .. } => {
            let rows = |id: i64| match table.as_str() {
                "contacts" => 1,
                _ => sales(id, started.asked),
            };
            let ids = started
                .list
                .ids
                .iter()
                .filter(|id| truth.say(**id, started.asked).meaning() == Meaning::Summary);
            ids.map(|id| rows(*id)).sum::<i64>() <= i64::try_from(now).unwrap()
        }
        Finding::Nothing { .. } | Finding::NoAnswer { .. } => false,
    }
}
