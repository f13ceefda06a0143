//! What the oracle demands of a night on which neither server nor clock nor process is troubled:
//! what is not fresh is fetched, the oldest first where the budget ends, the export says what is
//! true, and nobody hears of it.

use std::collections::BTreeSet;

use super::export::State;
use super::oracle::{Oracle, demand};
use super::play::{End, Started};
use super::published::is_more;
use super::say::{Meaning, Say};
use super::scene::Said;
use super::script::How;
use super::truth::{Asked, Truth, sales};
use super::turns;
use crate::contact::Outcome;

impl Oracle {
    pub(super) fn check_quiet_night(
        &mut self,
        started: &Started,
        truth: &Truth,
        said: &[Said],
    ) -> Result<(), String> {
        let is_planned = started.how != How::Offline && !started.is_accepted;
        if !started.is_well || !is_planned {
            return Ok(());
        }
        if self.must_be_published(started, truth) {
            self.tally.count("good night");
            demand!(
                matches!(started.end, End::Published),
                "not published: {:?}",
                started.end
            );
        }
        if !matches!(started.end, End::Published) {
            return Ok(());
        }
        let said_now = &said[started.first_said..];
        self.check_plan(started, said_now, said)?;
        self.check_truth(started, truth, said_now)?;
        self.check_silence(started, said_now)
    }

    /// An outage that ends in time costs no contact its answer: it means "wait", not "failed".
    pub(super) fn check_outage(
        &mut self,
        started: &Started,
        truth: &Truth,
        said: &[Said],
    ) -> Result<(), String> {
        let said = &said[started.first_said..];
        let mut troubles = said.iter().filter(|said| said.is_trouble).peekable();
        let is_outage = troubles.peek().is_some() && troubles.all(|said| said.say.is_outage());
        let is_whole = matches!(started.end, End::Published) && started.max_calls.is_none();
        let Some(export) = &started.export else {
            return Ok(());
        };
        if !is_outage || !is_whole || !self.knows_a_good_contact(started) {
            return Ok(());
        }
        self.tally.count("outage waited out");
        let asked = said.iter().filter(|said| !said.is_probe);
        for id in asked.map(|said| said.contact_id) {
            let is_there = truth.say(id, started.asked) == Say::Summary;
            let outcome = export.contacts.get(&id).map(|shown| shown.outcome);
            demand!(
                !is_there || outcome == Some(Outcome::Exported),
                "{id} is {outcome:?} after an outage"
            );
        }
        Ok(())
    }

    /// Whether a contact was had before that is not known to fail since: without one, nobody can
    /// tell a server that is away from contacts that fail.
    fn knows_a_good_contact(&self, started: &Started) -> bool {
        let State {
            answers, endings, ..
        } = &started.before;
        let mut answers = answers.iter();
        answers.any(|(id, kept)| {
            let counts = self.asked_of(*id, kept.at).is_some_and(|then| {
                then.login == started.asked.login && (then.with_sales || !started.asked.with_sales)
            });
            let ending = endings.get(id).map(|(_, outcome, _)| *outcome);
            let is_denied = self.denied.keys().any(|(denied, _)| denied == id);
            counts && !is_denied && ending.is_none_or(|outcome| outcome == Outcome::Pending)
        })
    }

    /// What is fetched is what is not fresh: all of it, or as much as the budget allows, what was
    /// asked for longest ago before the rest.
    fn check_plan(
        &mut self,
        started: &Started,
        said_now: &[Said],
        said: &[Said],
    ) -> Result<(), String> {
        let tried: BTreeSet<_> = said_now.iter().map(|said| said.contact_id).collect();
        // Whoever is asked for to find out whether the server is there has no turn of its own.
        let ordinary = said_now.iter().filter(|said| !said.is_probe);
        let asked: BTreeSet<_> = ordinary.map(|said| said.contact_id).collect();
        let ids = started.list.ids.iter().copied();
        let planned: BTreeSet<_> = ids.filter(|id| !self.is_fresh(started, *id)).collect();
        let fresh: Vec<_> = asked.difference(&planned).collect();
        demand!(
            fresh.is_empty(),
            "{fresh:?} were fetched, though they are fresh"
        );
        let run = started.after.run;
        let left: Vec<_> = planned.difference(&tried).copied().collect();
        let calls = u64::try_from(said.iter().filter(|said| said.run == run).count()).unwrap();
        let most = started.max_calls.unwrap_or(u64::MAX);
        demand!(
            left.is_empty() || calls >= most,
            "{left:?} were not fetched"
        );
        demand!(
            calls <= most || self.killed.contains(&run),
            "{calls} calls, {most} allowed"
        );
        let last_run = |id: &i64| started.before.last_run(*id);
        let newest = asked.iter().max_by_key(|id| last_run(id));
        let oldest = left.iter().min_by_key(|id| last_run(id));
        if let (Some(newest), Some(oldest)) = (newest, oldest) {
            demand!(
                last_run(newest) <= last_run(oldest),
                "{newest} before {oldest}"
            );
        }
        if calls < most {
            turns::check_age(started)?;
        } else if !left.is_empty() {
            self.tally.count("budget ended a night");
        }
        let left = left.into_iter().collect();
        self.turns.note(started, &left, &asked)
    }

    /// The export says what is true of every contact that was asked for.
    fn check_truth(
        &self,
        started: &Started,
        truth: &Truth,
        said_now: &[Said],
    ) -> Result<(), String> {
        let Some(export) = &started.export else {
            return Err("published without an export".to_owned());
        };
        let ordinary = said_now.iter().filter(|said| !said.is_probe);
        let asked: BTreeSet<_> = ordinary.map(|said| said.contact_id).collect();
        // Whoever was to be asked once more when the budget ended is not done with.
        let is_open = |outcome| {
            let may_be = started.max_calls.is_some();
            may_be && matches!(outcome, Outcome::Pending | Outcome::Exported)
        };
        for (id, shown) in export.contacts.iter().filter(|(id, _)| asked.contains(id)) {
            let is_true = match truth.say(*id, started.asked).meaning() {
                Meaning::Summary => shown.outcome == Outcome::Exported,
                Meaning::Missing => shown.outcome == Outcome::Missing || is_open(shown.outcome),
                Meaning::Denied => shown.outcome == Outcome::Failed || is_open(shown.outcome),
                Meaning::Failure => !matches!(shown.outcome, Outcome::Missing),
            };
            demand!(is_true, "{id} is {}", shown.outcome);
        }
        Ok(())
    }

    fn check_silence(&mut self, started: &Started, said_now: &[Said]) -> Result<(), String> {
        let without = |export: &super::export::Export| {
            let counts = export.manifest.outcomes;
            counts.pending + counts.stale + counts.failed
        };
        let now = started.export.as_ref().map_or(0, without);
        let before = self.last.as_ref().map_or(0, |last| without(&last.export));
        if now > before + 10
            || started.max_calls.is_some()
            || self.accepted.contains(&started.after.run)
            // Whoever was had before and fails now looks like a server that is away.
            || said_now.iter().any(|said| said.is_probe && said.say != Say::Summary)
        {
            return Ok(());
        }
        let mut lines = started.log.iter();
        let line = lines.find(|line| line.starts_with("WARN") || line.starts_with("ERROR"));
        self.tally.count("silent night");
        demand!(line.is_none(), "on a good night: {line:?}");
        Ok(())
    }

    /// Whether nothing has changed so much that a guard should stop it.
    fn must_be_published(&self, started: &Started, truth: &Truth) -> bool {
        let list = &started.list;
        if started.max_calls.is_some() || list.ids.is_empty() || !self.is_list_believed(started) {
            return false;
        }
        if matches!(&started.end, End::Stopped(crate::error::Error::Source(_))) {
            return false;
        }
        let say = |id: &i64| truth.say(*id, started.asked).meaning();
        let so_many = |such: &dyn Fn(Meaning) -> bool, of: &BTreeSet<i64>| {
            of.iter().filter(|id| such(say(id))).count()
        };
        let ids = &list.ids;
        let failing = |meaning| matches!(meaning, Meaning::Denied | Meaning::Failure);
        let missing = |meaning| meaning == Meaning::Missing;
        let (failed, gone) = (so_many(&failing, ids), so_many(&missing, ids));
        let max_failed = usize::from(self.terms.max_failed);
        if is_more(failed, max_failed, ids.len(), 1) || failed + gone >= ids.len() {
            return false;
        }
        let Some(last) = &self.last else {
            return 2 * gone <= ids.len() - failed;
        };
        let before = last.export.with_rows();
        let still: BTreeSet<_> = before.intersection(ids).copied().collect();
        let max_missing = usize::from(self.terms.max_missing);
        let rows = |ids: &BTreeSet<i64>, asked: Asked| {
            let shown = ids.iter().filter(|id| say(id) == Meaning::Summary);
            shown.map(|id| sales(*id, asked)).sum::<i64>()
        };
        let had = rows(&before, last.asked);
        !is_more(so_many(&missing, &still), max_missing, before.len(), 10)
            && !is_more(so_many(&failing, &still), 50, still.len(), 10)
            && 2 * (before.len() - still.len()) <= before.len()
            && (had < 100 || 2 * rows(&still, started.asked) >= had || last.asked != started.asked)
    }

    /// Whether nothing has to be fetched for a contact: an answer, or that it is missing, to this
    /// question, of this run or young by the clock.
    pub(super) fn is_fresh(&self, started: &Started, id: i64) -> bool {
        let (before, run) = (&started.before, started.after.run);
        let is_young = |at: i64| {
            let age = u64::try_from(started.began_by_clock - at);
            age.is_ok_and(|age| u128::from(age) < started.max_age.as_micros())
        };
        let asked = started.asked;
        let same = |at: i64| self.asked_of(id, at) == Some(asked);
        let counts = |at: i64| {
            self.asked_of(id, at)
                .is_some_and(|then| then.login == asked.login)
        };
        let has_members = |at: i64| {
            self.asked_of(id, at)
                .is_some_and(|then| then.with_sales || !asked.with_sales)
        };
        let answer = before.answers.get(&id);
        let answer = answer.filter(|kept| counts(kept.at) && has_members(kept.at));
        let ending = before.endings.get(&id).filter(|(kept, ..)| counts(kept.at));
        match (answer, ending) {
            (Some(kept), None) => same(kept.at) && (kept.run == run || is_young(kept.at)),
            (None, Some((kept, Outcome::Missing, _))) => {
                let is_believed = self.believed.contains(&id);
                is_believed && same(kept.at) && kept.run != run && is_young(kept.at)
            }
            _ => false,
        }
    }
}
