//! The rules by which stored answers count: which is fresh, and what an export says of a
//! target. Pure functions; time, run and question are arguments. In which order targets are asked
//! for is the plan's matter.

use std::time::Duration;

use super::questions::QuestionId;
use crate::contact::{Outcome, Reason};

/// On which terms stored answers count in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What is asked.
    pub question: QuestionId,
    /// The number of the run.
    pub run: i64,
    /// The time on the clock: microseconds since 1970, UTC.
    pub now: i64,
    /// Answers younger than this are not fetched again.
    pub max_age: Duration,
    /// Older answers are not shown in place of a failure.
    pub max_stale: Duration,
}

/// What is known of a contact's newest answer, apart from what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptAnswer {
    pub(super) question: QuestionId,
    pub(super) run: i64,
    pub(super) fetched_at: i64,
}

/// How the attempts after that answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptEnding {
    pub(super) question: QuestionId,
    pub(super) run: i64,
    pub(super) ended_at: i64,
    pub(super) outcome: Outcome,
    pub(super) error: Option<Reason>,
    /// Whether a published run said so, where it is missing.
    pub(super) was_published: bool,
}

/// What is known of a target: the newest answer that may stand for one to tonight's question, and
/// the ending of attempts that were made since under the same login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) answer: Option<KeptAnswer>,
    pub(super) ending: Option<KeptEnding>,
    /// Whether the API said under the same login, since the answer that is kept, that the contact
    /// is gone or may not be seen, whatever was said to others or failed after that.
    pub(super) is_denied: bool,
}

impl Terms {
    /// Whether something of that time is young enough. What lies in the future tells that a clock
    /// was wrong, not that it is young.
    fn is_young(&self, at: i64) -> bool {
        let age = self
            .now
            .checked_sub(at)
            .and_then(|age| u64::try_from(age).ok());
        age.is_some_and(|age| Duration::from_micros(age) < self.max_age)
    }

    /// Whether an answer of that time is recent enough to stand in for one that failed. Here an
    /// answer from the future counts by its distance: it was true when it came, whichever way the
    /// clock was wrong, and without it the contact would have no rows.
    fn may_stand_in(&self, fetched_at: i64) -> bool {
        Duration::from_micros(self.now.abs_diff(fetched_at)) <= self.max_stale
    }

    /// Whether nothing has to be fetched for a target.
    ///
    /// What failed is always asked for again. So is what was missing while an older answer is still
    /// kept, or in a run that was not published: one night alone is not believed, nor one that a
    /// guard stopped.
    pub(super) fn is_fresh(&self, known: Known) -> bool {
        match known {
            Known {
                ending: Some(ending),
                answer,
                ..
            } => match ending.outcome {
                Outcome::Missing => {
                    answer.is_none()
                        && ending.was_published
                        && ending.run != self.run
                        && ending.question == self.question
                        && self.is_young(ending.ended_at)
                }
                // The last three are no ends of an attempt.
                Outcome::Failed
                | Outcome::Pending
                | Outcome::Exported
                | Outcome::Stale
                | Outcome::Rejected => false,
            },
            Known {
                answer: Some(answer),
                ending: None,
                is_denied: false,
            } => {
                answer.question == self.question
                    && (answer.run == self.run || self.is_young(answer.fetched_at))
            }
            Known { ending: None, .. } => false,
        }
    }

    /// What the export says of a target. An older answer stands in for one that failed, but never
    /// where access was denied or the contact was gone since, whatever failed after that.
    pub(super) fn outcome(&self, known: Known) -> Outcome {
        let answer = known.answer.filter(|_| !known.is_denied);
        let Some(ending) = known.ending else {
            return answer.map_or(Outcome::Pending, |_| Outcome::Exported);
        };
        match (ending.outcome, answer) {
            (Outcome::Missing, _) => Outcome::Missing,
            (Outcome::Failed, Some(answer)) if self.may_stand_in(answer.fetched_at) => {
                Outcome::Stale
            }
            (Outcome::Failed, _) => Outcome::Failed,
            // It was tried, and is to be tried again: nothing is known to have failed.
            (_, Some(_)) => Outcome::Exported,
            (_, None) => Outcome::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: QuestionId = QuestionId(1);
    const OTHER: QuestionId = QuestionId(2);

    const fn terms(max_age: u64) -> Terms {
        Terms {
            question: ASKED,
            run: 9,
            now: 1_000_000_000,
            max_age: Duration::from_secs(max_age),
            max_stale: Duration::from_secs(500),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "of a target nothing may be known")]
    fn answer(question: QuestionId, run: i64, second: i64) -> Option<KeptAnswer> {
        let fetched_at = second * 1_000_000;
        Some(KeptAnswer {
            question,
            run,
            fetched_at,
        })
    }

    #[expect(clippy::unnecessary_wraps, reason = "of a target nothing may be known")]
    fn ending(outcome: Outcome, run: i64, second: i64) -> Option<KeptEnding> {
        Some(KeptEnding {
            question: ASKED,
            run,
            ended_at: second * 1_000_000,
            outcome,
            error: None,
            was_published: outcome == Outcome::Missing,
        })
    }

    #[test]
    fn what_is_fresh() {
        let (missing, failed) = (Outcome::Missing, Outcome::Failed);
        let cases = [
            ("nothing known", 600, None, None, false),
            ("of this run", 0, answer(ASKED, 9, 1), None, true),
            (
                "of this run, from the future",
                0,
                answer(ASKED, 9, 5_000),
                None,
                true,
            ),
            ("of an earlier run", 0, answer(ASKED, 8, 999), None, false),
            ("young", 600, answer(ASKED, 8, 401), None, true),
            ("as old as allowed", 600, answer(ASKED, 8, 400), None, false),
            ("from the future", 600, answer(ASKED, 8, 1_001), None, false),
            (
                "young, to another question",
                600,
                answer(OTHER, 8, 999),
                None,
                false,
            ),
            (
                "of this run, to another question",
                600,
                answer(OTHER, 9, 999),
                None,
                false,
            ),
            (
                "failed since",
                600,
                answer(ASKED, 8, 999),
                ending(failed, 8, 999),
                false,
            ),
            (
                "tried since",
                600,
                answer(ASKED, 9, 1),
                ending(Outcome::Pending, 9, 2),
                false,
            ),
            (
                "missing, and believed",
                600,
                None,
                ending(missing, 8, 999),
                true,
            ),
            ("missing, long ago", 600, None, ending(missing, 8, 1), false),
            (
                "missing, in a run that was not published",
                600,
                None,
                ending(missing, 8, 999).map(|ending| KeptEnding {
                    was_published: false,
                    ..ending
                }),
                false,
            ),
            (
                "missing in this run",
                600,
                None,
                ending(missing, 9, 999),
                false,
            ),
            (
                "missing, not yet believed",
                600,
                answer(ASKED, 7, 998),
                ending(missing, 8, 999),
                false,
            ),
        ];
        for (what, max_age, answer, ending, expected) in cases {
            let known = Known {
                answer,
                ending,
                is_denied: false,
            };
            assert_eq!(terms(max_age).is_fresh(known), expected, "{what}");
        }
    }

    #[test]
    fn what_was_denied_is_not_fresh_once_another_login_was_asked() {
        let denied = Known {
            answer: answer(ASKED, 8, 999),
            ending: None,
            is_denied: true,
        };
        assert!(!terms(600).is_fresh(denied));
        assert_eq!(terms(600).outcome(denied), Outcome::Pending);
    }

    #[test]
    fn what_is_shown() {
        let cases = [
            ("nothing known", None, None, Outcome::Pending),
            ("answered", answer(OTHER, 1, 1), None, Outcome::Exported),
            (
                "failed",
                None,
                ending(Outcome::Failed, 9, 999),
                Outcome::Failed,
            ),
            (
                "stale",
                answer(ASKED, 8, 500),
                ending(Outcome::Failed, 9, 999),
                Outcome::Stale,
            ),
            (
                "too old",
                answer(ASKED, 8, 499),
                ending(Outcome::Failed, 9, 999),
                Outcome::Failed,
            ),
            (
                "far in the future",
                answer(ASKED, 8, 1_501),
                ending(Outcome::Failed, 9, 999),
                Outcome::Failed,
            ),
            (
                "forbidden, or failed after it was missing",
                answer(ASKED, 8, 990),
                ending(Outcome::Failed, 9, 999),
                Outcome::Failed,
            ),
            (
                "tried after it was missing",
                answer(ASKED, 8, 990),
                ending(Outcome::Pending, 9, 999),
                Outcome::Pending,
            ),
            (
                "missing",
                answer(ASKED, 8, 990),
                ending(Outcome::Missing, 9, 999),
                Outcome::Missing,
            ),
            (
                "missing before",
                None,
                ending(Outcome::Missing, 2, 1),
                Outcome::Missing,
            ),
            (
                "tried",
                answer(ASKED, 8, 1),
                ending(Outcome::Pending, 9, 999),
                Outcome::Exported,
            ),
            (
                "only tried",
                None,
                ending(Outcome::Pending, 9, 999),
                Outcome::Pending,
            ),
        ];
        for (what, answer, ending, expected) in cases {
            let is_denied = what.contains("missing");
            let known = Known {
                answer,
                ending,
                is_denied,
            };
            assert_eq!(terms(0).outcome(known), expected, "{what}");
        }
    }
}
