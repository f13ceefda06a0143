//! What the oracle demands of the age of answers. Where nothing troubles a night, every answer that
//! is shown is of tonight or younger than the job asks for; where a budget ends the night, nobody
//! comes a second time before everybody who waits came once.

use std::collections::{BTreeMap, BTreeSet};

use super::oracle::demand;
use super::play::Started;
use crate::contact::Outcome;

/// Who was asked for, and in which run, since a contact that waits came last.
#[derive(Default)]
pub(super) struct Turns(BTreeMap<i64, BTreeMap<i64, i64>>);

impl Turns {
    /// Notes that somebody was asked for, whatever came of it.
    pub(super) fn came(&mut self, id: i64) {
        self.0.remove(&id);
    }

    /// Takes in a night in which all but those who `wait` were asked for or fresh, and `asked` were
    /// asked for.
    pub(super) fn note(
        &mut self,
        started: &Started,
        wait: &BTreeSet<i64>,
        asked: &BTreeSet<i64>,
    ) -> Result<(), String> {
        self.0.retain(|id, _| wait.contains(id));
        let run = started.after.run;
        for waiting in wait {
            let passed = self.0.entry(*waiting).or_default();
            for id in asked {
                // Whoever nothing is known of comes first, as one who was forgotten meanwhile.
                if started.before.last_run(*id).is_none() {
                    continue;
                }
                let earlier = *passed.entry(*id).or_insert(run);
                demand!(
                    earlier == run,
                    "{id} was asked for in run {earlier} and now, and {waiting} waits since"
                );
            }
        }
        Ok(())
    }
}

/// Nothing that is shown is older than it has to be on a night without a budget.
pub(super) fn check_age(started: &Started) -> Result<(), String> {
    let Some(export) = &started.export else {
        return Ok(());
    };
    let contacts = export.contacts.iter();
    for (id, shown) in contacts.filter(|(_, shown)| shown.outcome == Outcome::Exported) {
        let Some(at) = shown.fetched_at else { continue };
        let age = u64::try_from(started.ended_by_clock - at);
        let is_young = age.is_ok_and(|age| u128::from(age) <= limit(started));
        let kept = started.after.answers.get(id);
        let is_of_this_run = kept.is_some_and(|kept| kept.run == started.after.run);
        demand!(is_young || is_of_this_run, "{id} is as old as {age:?} µs");
    }
    Ok(())
}

/// An answer may grow too old while the night lasts.
fn limit(started: &Started) -> u128 {
    let lasted = started.ended_by_clock - started.began_by_clock;
    started.max_age.as_micros() + u128::try_from(lasted).unwrap_or_default()
}
