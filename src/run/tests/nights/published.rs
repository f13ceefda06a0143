//! What the oracle demands of an export that was published: it is whole, nothing in it was untrue
//! when it was fetched, and no contact is gone from it without a reason.

use std::collections::BTreeSet;

use super::export::{Export, Shown};
use super::oracle::{BestAnswer, Oracle, Published, demand};
use super::play::{End, Started};
use super::say::{Meaning, Say};
use super::scene::Said;
use super::script::How;
use super::truth::{sales, text};
use crate::contact::{Outcome, OutcomeCounts};

/// The defaults of the job, in percent.
const MAX_SHRINK: usize = 20;
const MAX_REJECTED: usize = 5;
const MAX_LOSS: usize = 50;
/// The default of `output.max_stale`, in microseconds.
const MAX_STALE: u64 = 30 * 24 * 3_600 * 1_000_000;

/// Whether a part is more than this share of a whole, which has to be large enough to have one.
pub(super) fn is_more(part: usize, percent: usize, whole: usize, least: usize) -> bool {
    whole >= least && part * 100 > percent * whole
}

impl Oracle {
    pub(super) fn check_export(
        &self,
        started: &Started,
        export: &Export,
        said: &[Said],
    ) -> Result<(), String> {
        check_outcomes(started, export)?;
        for (id, shown) in &export.contacts {
            let checked = self.check_rows(started, *id, shown, said);
            checked
                .and_then(|()| self.check_last_word(started, *id, shown, said))
                .map_err(|wrong| format!("{id} is {}: {wrong}", shown.outcome))?;
        }
        let is_accepted = self.accepted.contains(&started.after.run) && started.how != How::Offline;
        if !is_accepted && !self.is_list_believed(started) {
            return Err("published from a list that is not to be believed".to_owned());
        }
        let best = self.best.get(&started.after.run).copied();
        let is_away = started.how != How::Offline && best == Some(BestAnswer::Away);
        demand!(is_accepted || !is_away, "published, though nobody answered");
        let shown = export.with_rows();
        demand!(
            is_accepted || !shown.is_empty() || export.contacts.is_empty(),
            "nothing is exported"
        );
        match &self.last {
            None => {
                let missing = export.manifest.outcomes.missing;
                let is_more = missing > u64::try_from(shown.len()).unwrap();
                let is_enough = export.contacts.len() >= 10;
                let answered = usize::try_from(missing).unwrap() + shown.len();
                demand!(
                    is_accepted || !(is_more && is_enough && answered >= 10),
                    "{missing} missing"
                );
                Ok(())
            }
            Some(last) => self.check_gone(started, export, last, is_accepted),
        }
    }

    pub(super) fn is_list_believed(&self, started: &Started) -> bool {
        let list = &started.list;
        let before = self
            .last
            .as_ref()
            .map_or(0, |last| last.export.contacts.len());
        let now = list.ids.len();
        let is_nothing = now == 0 && (before > 0 || list.rejected > 0);
        let is_shrunk = is_more(before.saturating_sub(now), MAX_SHRINK, before, 10);
        !is_nothing && !is_shrunk && !is_more(list.rejected, MAX_REJECTED, list.lines, 10)
    }

    /// What is shown of a contact is what the server said when it is said to have been fetched.
    fn check_rows(
        &self,
        started: &Started,
        id: i64,
        shown: &Shown,
        said: &[Said],
    ) -> Result<(), String> {
        let asked = started.asked;
        if !shown.outcome.has_rows() {
            let rows = (&shown.names, &shown.headings);
            demand!(
                rows.0.is_empty() && rows.1.is_empty(),
                "it has rows {rows:?}"
            );
            return Ok(());
        }
        let at = shown.fetched_at.ok_or("nobody knows when it was fetched")?;
        let Some(said) = self.said(said, id, at) else {
            return Err("nothing was said then".to_owned());
        };
        demand!(said.say == Say::Summary, "the server said {:?}", said.say);
        demand!(
            said.asked.login == asked.login,
            "it was fetched under another login"
        );
        demand!(
            said.asked.with_sales || !asked.with_sales,
            "its sales were not asked for"
        );
        let kept = started
            .after
            .answers
            .get(&id)
            .or(started.before.answers.get(&id));
        demand!(
            kept.is_some_and(|kept| kept.at == at),
            "that is not its newest answer: {kept:?}"
        );
        let text = text(said.version, said.asked);
        demand!(
            shown.names == [text.clone()],
            "its name is {:?}, not {text}",
            shown.names
        );
        let sales = if asked.with_sales {
            sales(id, said.asked)
        } else {
            0
        };
        let headings = vec![text; usize::try_from(sales).unwrap()];
        demand!(
            shown.headings == headings,
            "its sales are {:?}",
            shown.headings
        );
        let is_denied = self.denied.get(&(id, asked.login)) == Some(&kept.copied());
        demand!(
            !is_denied,
            "the API said since that it is gone or may not be seen"
        );
        Ok(())
    }

    /// What is shown of a contact is what was said last of it, where it was asked for.
    fn check_last_word(
        &self,
        started: &Started,
        id: i64,
        shown: &Shown,
        said: &[Said],
    ) -> Result<(), String> {
        if started.max_calls.is_some() || !matches!(started.end, End::Published) {
            return Ok(());
        }
        let said = &said[started.first_said..];
        let of_it = said.iter().filter(|said| said.contact_id == id);
        let says: Vec<_> = of_it.clone().map(|said| said.say).collect();
        let ordinary = of_it.filter(|said| !said.is_probe);
        let ordinary: Vec<_> = ordinary.map(|said| said.say).collect();
        if ordinary.is_empty() || self.is_fresh(started, id) {
            return Ok(());
        }
        // The answer to a probe counts where it was for a contact of the plan, and else nothing
        // becomes of it.
        let is_fine = fits(&ordinary, shown.outcome) || fits(&says, shown.outcome);
        demand!(is_fine, "the server said {says:?}");
        Ok(())
    }

    /// A contact that had rows is gone only by its own fate, and not with too many others.
    fn check_gone(
        &self,
        started: &Started,
        export: &Export,
        last: &Published,
        is_accepted: bool,
    ) -> Result<(), String> {
        let before = last.export.with_rows();
        let (mut missing, mut lost, mut still) = (0, 0, 0);
        for id in before.intersection(&export.ids()) {
            let shown = &export.contacts[id];
            still += 1;
            match shown.outcome {
                Outcome::Exported | Outcome::Stale => {}
                Outcome::Missing => missing += 1,
                Outcome::Failed | Outcome::Pending | Outcome::Rejected => {
                    lost += 1;
                    demand!(
                        self.has_nothing_to_show(started, *id, shown.outcome),
                        "{id} is {}, though an answer is kept",
                        shown.outcome
                    );
                }
            }
        }
        if is_accepted {
            return Ok(());
        }
        let max_missing = usize::from(self.terms.max_missing);
        demand!(
            !is_more(missing, max_missing, before.len(), 10),
            "{missing} are missing"
        );
        demand!(
            !is_more(lost, MAX_LOSS, still, 10),
            "{lost} of {still} are lost"
        );
        for (table, report) in &export.manifest.tables {
            let rows = |rows| usize::try_from(rows).unwrap();
            let before = last
                .export
                .manifest
                .tables
                .get(table)
                .map_or(0, |report| rows(report.rows));
            let is_comparable = match table.as_str() {
                "outcomes" => false,
                "contacts" => true,
                _ => last.asked.limit == started.asked.limit,
            };
            let fewer = before.saturating_sub(rows(report.rows));
            let is_lost = is_comparable && is_more(fewer, MAX_LOSS, before, 100);
            demand!(!is_lost, "{table} lost {fewer} of {before} rows");
        }
        Ok(())
    }

    /// Whether no answer may be shown for a contact.
    fn has_nothing_to_show(&self, started: &Started, id: i64, outcome: Outcome) -> bool {
        let answer = started.after.answers.get(&id);
        let may_be_shown = answer.is_some_and(|kept| {
            let is_old = started.ended_by_clock.abs_diff(kept.at) > MAX_STALE;
            let asked = self.asked_of(id, kept.at);
            let fits = asked.is_some_and(|asked| {
                asked.login == started.asked.login
                    && (asked.with_sales || !started.asked.with_sales)
            });
            fits && !(is_old && outcome == Outcome::Failed)
        });
        let is_denied = self.denied.contains_key(&(id, started.asked.login));
        is_denied || !may_be_shown
    }
}

/// Whether a contact of which this was said, one after the other, may have that outcome.
fn fits(says: &[Say], outcome: Outcome) -> bool {
    if says.contains(&Say::Summary) {
        return outcome == Outcome::Exported;
    }
    match says.last().map(|say| say.meaning()) {
        None | Some(Meaning::Summary) => false,
        Some(Meaning::Missing) => outcome == Outcome::Missing,
        Some(Meaning::Denied) => outcome == Outcome::Failed,
        Some(Meaning::Failure) => matches!(outcome, Outcome::Failed | Outcome::Stale),
    }
}

/// Every target is there once, and the counts add up.
fn check_outcomes(started: &Started, export: &Export) -> Result<(), String> {
    let ids: BTreeSet<_> = export.ids();
    let missing: Vec<_> = started.list.ids.symmetric_difference(&ids).collect();
    demand!(
        missing.is_empty(),
        "list and outcomes differ in {missing:?}"
    );
    let mut counts = OutcomeCounts::default();
    export
        .contacts
        .values()
        .for_each(|shown| counts.record(shown.outcome));
    counts.rejected = export.rejected;
    let manifest = &export.manifest;
    demand!(
        manifest.outcomes == counts,
        "{:?} are {counts:?}",
        manifest.outcomes
    );
    demand!(
        usize::try_from(export.rejected).unwrap() == started.list.rejected,
        "{} are rejected",
        export.rejected
    );
    let distinct = manifest.targets.distinct;
    demand!(
        usize::try_from(distinct).unwrap() == ids.len(),
        "{distinct} distinct targets"
    );
    Ok(())
}
