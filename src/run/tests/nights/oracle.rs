//! The oracle: it knows what the server said and what is true, and looks at what every start left.
//! What it keeps from start to start is here; what it demands of the state, of an export and of a
//! quiet night has a file each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::export::{Export, Kept};
use super::play::{End, Started};
use super::say::Meaning;
use super::scene::Said;
use super::script::{How, Terms};
use super::tally::Tally;
use super::truth::{Asked, Truth};
use super::turns::Turns;
use crate::contact::Outcome;
use crate::error::Error;

/// Ends a check where something is not as it has to be.
macro_rules! demand {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}
pub(super) use demand;

/// The last published export.
pub(super) struct Published {
    pub(super) export: Export,
    pub(super) asked: Asked,
}

/// What the server did at best for those who asked it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BestAnswer {
    /// Nothing that could be told of a contact.
    #[default]
    Away,
    /// It refused a contact, or failed with one.
    Refused,
    /// It said what a contact is, or that there is none.
    Served,
}

impl BestAnswer {
    fn of(said: &Said) -> Self {
        match said.say.meaning() {
            Meaning::Summary | Meaning::Missing => Self::Served,
            Meaning::Failure if said.is_trouble && !said.say.is_final() => Self::Away,
            Meaning::Denied | Meaning::Failure => Self::Refused,
        }
    }
}

pub(super) struct Oracle {
    pub(super) terms: Terms,
    pub(super) tally: Tally,
    pub(super) last: Option<Published>,
    /// Where an answer of that contact at that time stands among all that was said.
    pub(super) index: HashMap<(i64, i64), (usize, Asked)>,
    /// In how many published exports in a row a contact was missing.
    pub(super) missing: BTreeMap<i64, u32>,
    /// How many published exports in a row were without a contact, and when the first one was.
    pub(super) absent: BTreeMap<i64, (u32, i64)>,
    /// Under which login the API said last that a contact is gone or may not be seen, and the
    /// answer that was kept then.
    pub(super) denied: BTreeMap<(i64, u8), Option<Kept>>,
    pub(super) bought: BTreeSet<(i64, Asked, i64)>,
    /// The contacts that a published run itself found missing, and nothing else was heard of since.
    pub(super) believed: BTreeSet<i64>,
    pub(super) turns: Turns,
    /// What the server did in each run at best.
    pub(super) best: BTreeMap<i64, BestAnswer>,
    /// Runs that the operator accepted.
    pub(super) accepted: BTreeSet<i64>,
    /// Runs of which a start was killed, so that not all their calls are on record.
    pub(super) killed: BTreeSet<i64>,
    latest: Option<String>,
    /// A run that was published, but killed before `latest` pointed to it.
    unlinked: Option<String>,
}

impl Oracle {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            tally: Tally::default(),
            last: None,
            index: HashMap::new(),
            missing: BTreeMap::new(),
            absent: BTreeMap::new(),
            denied: BTreeMap::new(),
            bought: BTreeSet::new(),
            believed: BTreeSet::new(),
            turns: Turns::default(),
            best: BTreeMap::new(),
            accepted: BTreeSet::new(),
            killed: BTreeSet::new(),
            latest: None,
            unlinked: None,
        }
    }

    /// The contacts that had rows in the last export.
    pub(super) fn shown_before(&self) -> Option<BTreeSet<i64>> {
        self.last.as_ref().map(|last| last.export.with_rows())
    }

    /// Looks at a start; `said` is all that the server ever said.
    pub(super) fn look_at(
        &mut self,
        started: &Started,
        truth: &Truth,
        said: &mut [Said],
    ) -> Result<(), String> {
        self.note(started, said);
        if let Some(export) = &started.export {
            self.count_publication(started, export);
        }
        self.check_end(started)?;
        self.check_answers(started, said)?;
        self.note_denials(started, said);
        self.check_latest(started)?;
        self.check_quiet_night(started, truth, said)?;
        self.check_outage(started, truth, said)?;
        self.note_belief(started);
        if let Some(export) = &started.export {
            self.check_export(started, export, said)?;
            self.last = Some(Published {
                export: export.clone(),
                asked: started.asked,
            });
        }
        Ok(())
    }

    /// Notes in which run everything was said, and how often what happened.
    fn note(&mut self, started: &Started, said: &mut [Said]) {
        let run = started.after.run;
        for (number, said) in said.iter_mut().enumerate().skip(started.first_said) {
            said.run = run;
            let key = (said.contact_id, said.by_clock);
            self.index.insert(key, (number, said.asked));
            let best = self.best.entry(run).or_default();
            *best = (*best).max(BestAnswer::of(said));
            self.turns.came(said.contact_id);
        }
        if started.is_accepted {
            self.accepted.insert(run);
        }
        self.tally.count(match &started.end {
            End::Published => "published",
            End::Killed if started.export.is_some() => "killed after it was published",
            End::Killed if started.requests == 0 => "killed before a request",
            End::Killed => "killed later",
            End::Stopped(error) => name(error),
        });
        if started.is_accepted && matches!(started.end, End::Published) {
            let is_called = started.requests > 0;
            self.tally.count(if is_called {
                "accepted list"
            } else {
                "accepted export"
            });
        }
    }

    /// Every stop is one that there can be, and says why.
    fn check_end(&self, started: &Started) -> Result<(), String> {
        let End::Stopped(error) = &started.end else {
            return Ok(());
        };
        let text = error.to_string();
        let hint = error.consequence().hint.unwrap_or_default();
        demand!(!text.is_empty(), "no word of why it stopped");
        let says = |figure: usize| {
            let mut words = text.split(|c: char| !c.is_ascii_digit());
            words.any(|word| word == figure.to_string())
        };
        let list = &started.list;
        let last = self.last.as_ref().map(|last| &last.export);
        match error {
            Error::UnbelievableList(_) => {
                demand!(started.requests == 0, "called after: {text}");
                let (before, after) = (&started.before.targets, &started.after.targets);
                demand!(before == after, "the targets changed after: {text}");
                let now = says(list.ids.len()) || list.ids.is_empty();
                let then = last.is_some_and(|last| says(last.contacts.len()));
                let rejected = says(list.rejected) && says(list.lines);
                demand!(
                    now && then || rejected || says(list.lines),
                    "no figures: {text}"
                );
            }
            Error::UnbelievableExport { .. } => {
                demand!(
                    text.contains(|c: char| c.is_ascii_digit()),
                    "no figures: {text}"
                );
                demand!(
                    hint.contains("--accept") || hint.contains("again"),
                    "no way on: {text}"
                );
            }
            Error::TooManyFailures { failed, distinct } => {
                let failed_now = started
                    .after
                    .endings
                    .iter()
                    .filter(|(id, (kept, outcome, _))| {
                        list.ids.contains(id)
                            && kept.run == started.after.run
                            && *outcome == Outcome::Failed
                    });
                demand!(
                    u64::try_from(failed_now.count()).unwrap() == *failed,
                    "{text}"
                );
                demand!(
                    u64::try_from(list.ids.len()).unwrap() == *distinct,
                    "{text}"
                );
            }
            Error::Source(_) => demand!(!list.is_right || started.list.ids.is_empty(), "{text}"),
            Error::NothingStored => demand!(started.how == How::Offline, "{text}"),
            Error::Unreachable { .. }
            | Error::LoginRefused { .. }
            | Error::Hopeless(_)
            | Error::Interrupted
            | Error::NothingFetched => {
                demand!(!started.is_well, "it stopped, though all was well: {text}");
            }
            _ => return Err(format!("an end that must not be: {error:?}")),
        }
        Ok(())
    }

    /// `latest` moves when an export is published, and never else.
    fn check_latest(&mut self, started: &Started) -> Result<(), String> {
        let published = started
            .export
            .as_ref()
            .map(|export| export.manifest.run.clone());
        let (is_killed, found) = (matches!(started.end, End::Killed), &started.latest);
        let is_published = matches!(started.end, End::Published);
        demand!(
            is_killed || is_published == published.is_some(),
            "{published:?}"
        );
        if published.is_some() {
            if is_killed && *found != published {
                demand!(
                    *found == self.latest || *found == self.unlinked,
                    "latest is {found:?}"
                );
                self.unlinked = published;
            } else {
                demand!(
                    *found == published,
                    "latest is {found:?}, published {published:?}"
                );
                self.unlinked = None;
            }
        } else if matches!(started.end, End::Stopped(Error::Source(_)))
            || self.unlinked.is_none()
            || is_killed && *found == self.latest
        {
            demand!(
                *found == self.latest,
                "latest is {found:?} without an export"
            );
        } else {
            demand!(
                *found == self.unlinked,
                "{:?} is not made good: {:?}",
                self.unlinked,
                started.end
            );
            self.unlinked = None;
        }
        self.latest.clone_from(found);
        Ok(())
    }

    /// Notes which contacts are missing by the word of a published run.
    fn note_belief(&mut self, started: &Started) {
        let endings = &started.after.endings;
        let missing = |id: &i64| {
            let ending = endings.get(id);
            ending.filter(|(_, outcome, _)| *outcome == Outcome::Missing)
        };
        self.believed.retain(|id| missing(id).is_some());
        if !matches!(started.end, End::Published) || started.how == How::Offline {
            return;
        }
        let ids = started.list.ids.iter().copied();
        let run = started.after.run;
        self.believed
            .extend(ids.filter(|id| missing(id).is_some_and(|(kept, ..)| kept.run == run)));
    }

    fn count_publication(&mut self, started: &Started, export: &Export) {
        let at = started.ended_by_clock;
        for (id, shown) in &export.contacts {
            if shown.outcome == Outcome::Missing {
                *self.missing.entry(*id).or_default() += 1;
            }
            self.absent.remove(id);
        }
        let (before, after) = (started.before.answers.keys(), started.after.answers.keys());
        let kept: BTreeSet<_> = before.chain(after).copied().collect();
        for id in kept.difference(&export.ids()) {
            self.absent.entry(*id).or_insert((0, at)).0 += 1;
        }
        for outcome in Outcome::ALL {
            if export.manifest.outcomes.count(*outcome) > 0 {
                self.tally.count(outcome.as_str());
            }
        }
    }

    /// What was said where the state or an export has something of that time.
    pub(super) fn said<'s>(&self, said: &'s [Said], contact_id: i64, at: i64) -> Option<&'s Said> {
        let place = self.index.get(&(contact_id, at));
        place.and_then(|(number, _)| said.get(*number))
    }

    /// To which question that was said.
    pub(super) fn asked_of(&self, contact_id: i64, at: i64) -> Option<Asked> {
        self.index.get(&(contact_id, at)).map(|(_, asked)| *asked)
    }
}

fn name(error: &Error) -> &'static str {
    match error {
        Error::UnbelievableList(_) => "a list that is not believed",
        Error::UnbelievableExport { .. } => "an export that is not believed",
        Error::TooManyFailures { .. } => "too many failures",
        Error::Source(_) => "no list",
        Error::NothingStored => "nothing stored",
        Error::Unreachable { .. } => "unreachable",
        Error::LoginRefused { .. } => "login refused",
        Error::Hopeless(_) => "hopeless",
        Error::Interrupted => "interrupted",
        Error::NothingFetched => "nothing fetched",
        _ => "something else",
    }
}
