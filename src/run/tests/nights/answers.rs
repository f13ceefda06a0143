//! What the oracle demands of the stored answers: none is bought twice within a run, and none that
//! was paid for is lost to nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::export::{Kept, State};
use super::oracle::{Oracle, demand};
use super::play::{End, Started};
use super::say::Say;
use super::scene::Said;
use crate::contact::Outcome;

/// A crash may cost the answers of the last second, give or take a round.
const LAST_SECOND: Duration = Duration::from_millis(1_100);
/// The default of `output.forget_after`, in microseconds.
const FORGET_AFTER: i64 = 7 * 24 * 3_600 * 1_000_000;

impl Oracle {
    pub(super) fn check_answers(
        &mut self,
        started: &Started,
        said: &mut [Said],
    ) -> Result<(), String> {
        let said = &mut said[started.first_said..];
        let is_killed = matches!(started.end, End::Killed);
        if is_killed {
            self.killed.insert(started.after.run);
            mark_lost(started, said)?;
        }
        self.check_purchases(said)?;
        let mut bought: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for said in said
            .iter()
            .filter(|said| said.say == Say::Summary && !said.is_lost)
        {
            bought
                .entry(said.contact_id)
                .or_default()
                .insert(said.by_clock);
            self.missing.remove(&said.contact_id);
        }
        // What was asked only to find out whether the server is there need not be kept.
        let is_paid = |id: i64| {
            let mut for_it = said.iter().filter(|said| said.contact_id == id);
            for_it.any(|said| said.say == Say::Summary && !said.is_lost && !said.is_probe)
        };
        let State { answers, .. } = &started.after;
        for (id, times) in &bought {
            let kept = answers.get(id);
            let is_new = kept.is_some_and(|kept| times.contains(&kept.at));
            // Where it was bought in this run before, this was a question for the server.
            let was_had = kept.is_some_and(|kept| kept.run == started.after.run)
                && kept == started.before.answers.get(id);
            demand!(
                is_new || was_had || !is_paid(*id),
                "the answer of {id} is not kept: {kept:?}"
            );
        }
        for (id, before) in &started.before.answers {
            match answers.get(id) {
                Some(kept) if kept == before || bought.contains_key(id) => {}
                Some(kept) => return Err(format!("{id}: {before:?} became {kept:?}")),
                None => {
                    demand!(self.may_go(*id, started), "the answer of {id} is gone");
                    self.tally.count("an answer that was let go");
                }
            }
        }
        let strange = answers
            .keys()
            .find(|id| !started.before.answers.contains_key(id) && !bought.contains_key(id));
        demand!(strange.is_none(), "an answer from nowhere: {strange:?}");
        Ok(())
    }

    /// Nothing is bought twice, but to find out whether the server is there.
    fn check_purchases(&mut self, said: &[Said]) -> Result<(), String> {
        let mut previous = Say::Summary;
        for said in said {
            if said.say == Say::Summary && !said.is_lost && !said.is_probe {
                let is_first = self.bought.insert((said.run, said.asked, said.contact_id));
                demand!(
                    is_first || previous != Say::Summary,
                    "{} was bought twice in run {}",
                    said.contact_id,
                    said.run
                );
            }
            previous = said.say;
        }
        Ok(())
    }

    /// Whether the answer of a contact may be let go.
    fn may_go(&self, id: i64, started: &Started) -> bool {
        let is_missing = self.missing.get(&id).is_some_and(|times| *times >= 2);
        let is_departed = self.absent.get(&id).is_some_and(|(times, since)| {
            *times >= 3 && started.ended_by_clock - since >= FORGET_AFTER
        });
        is_missing || is_departed
    }

    /// Notes which contacts may not be shown any more, by what the API said of them.
    pub(super) fn note_denials(&mut self, started: &Started, said: &[Said]) {
        let State {
            answers, endings, ..
        } = &started.after;
        for (id, (kept, outcome, error)) in endings {
            let is_denial = match outcome {
                Outcome::Missing => true,
                Outcome::Failed => error.as_deref() == Some("forbidden"),
                _ => false,
            };
            if let (true, Some(said)) = (is_denial, self.said(said, *id, kept.at)) {
                let answer = answers.get(id).copied();
                self.denied.insert((*id, said.asked.login), answer);
            }
        }
    }
}

/// Marks the answers that a killed process had not stored yet.
fn mark_lost(started: &Started, said: &mut [Said]) -> Result<(), String> {
    let summaries = said.iter().filter(|said| said.say == Say::Summary);
    let times: BTreeSet<_> = summaries
        .map(|said| (said.contact_id, said.by_clock))
        .collect();
    for said in said.iter_mut().filter(|said| said.say == Say::Summary) {
        let id = said.contact_id;
        let kept = started.after.answers.get(&id);
        let is_kept = |kept: &Kept| kept.run == said.run || times.contains(&(id, kept.at));
        said.is_lost = !kept.is_some_and(is_kept);
        let is_old = !said.is_probe && said.at + LAST_SECOND < started.ended;
        demand!(
            !(said.is_lost && is_old),
            "the answer of {id} was not stored in time"
        );
    }
    Ok(())
}
