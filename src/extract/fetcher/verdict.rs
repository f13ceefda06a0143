//! What an answer means: the fate of its contact and what it asks of the run. One pure function;
//! every row of the table in `ARCHITECTURE.md` is a row of its test.

use std::time::Duration;

use crate::contact::Reason;
use crate::extract::api::client::NoReply;
use crate::extract::api::inspect::Content;

/// What becomes of a contact after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The answer is a summary.
    Exported,
    /// There is no such contact.
    Missing,
    /// No usable answer, and another attempt would bring none.
    Failed(Reason),
    /// Another attempt, not before the time that the server asked for; failed with this reason
    /// where attempts are used up.
    Again {
        /// Why this attempt failed.
        reason: Reason,
        /// The least wait, where the server asked for one.
        not_before: Option<Duration>,
    },
    /// Another attempt, since an answer without a body may be an accident; missing where it comes
    /// again.
    EmptyAgain,
}

impl Fate {
    /// Why the attempt failed, where it did.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Failed(reason) | Self::Again { reason, .. } => Some(reason),
            Self::Exported | Self::Missing | Self::EmptyAgain => None,
        }
    }
}

/// What an answer asks of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing.
    None,
    /// Send nothing for this long.
    Pause(Option<Duration>),
    /// The login was refused.
    RenewLogin,
    /// Access was denied, which an expired login may look like.
    RenewOldLogin,
    /// The tenant is elsewhere.
    Rediscover,
}

/// How the server seems to fare, for pace and outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered as it should.
    Well,
    /// It refuses requests since they are too many.
    TooMany,
    /// It is short of something: fewer at once may help.
    PushBack,
    /// It did not do its work.
    Sick,
    /// It could not be reached: nothing was sent, whichever contact it was for.
    Away,
}

/// The meaning of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the contact.
    pub fate: Fate,
    /// What the run has to do.
    pub demand: Demand,
    /// How the server fares.
    pub health: Health,
}

/// The verdict on an answer.
pub fn verdict(status: u16, retry_after: Option<Duration>, content: &Content) -> Verdict {
    let is = |fate, demand, health| Verdict {
        fate,
        demand,
        health,
    };
    let again = |not_before| Fate::Again {
        reason: Reason::HttpStatus,
        not_before,
    };
    let plain = |fate| is(fate, Demand::None, Health::Well);
    match status {
        204 | 404 | 410 => plain(Fate::Missing),
        200..=299 => match content {
            Content::Summary(_) => plain(Fate::Exported),
            Content::Nothing => plain(Fate::Missing),
            Content::Empty => plain(Fate::EmptyAgain),
            Content::ErrorObject(_) => plain(Fate::Failed(Reason::ApiError)),
            Content::Other(reason @ (Reason::NotJson | Reason::BodyCut)) => is(
                Fate::Again {
                    reason: *reason,
                    not_before: None,
                },
                Demand::None,
                Health::Sick,
            ),
            Content::Other(reason) => plain(Fate::Failed(*reason)),
        },
        300..=399 => plain(Fate::Failed(Reason::Redirect)),
        401 => is(again(None), Demand::RenewLogin, Health::Well),
        403 => is(
            Fate::Failed(Reason::Forbidden),
            Demand::RenewOldLogin,
            Health::Well,
        ),
        408 => is(again(None), Demand::None, Health::PushBack),
        421 => is(again(None), Demand::Rediscover, Health::Sick),
        429 => is(
            again(retry_after),
            Demand::Pause(retry_after),
            Health::TooMany,
        ),
        501 => plain(Fate::Failed(Reason::HttpStatus)),
        503 => is(again(retry_after), Demand::None, Health::PushBack),
        500..=599 => is(again(None), Demand::None, Health::Sick),
        _ => plain(Fate::Failed(Reason::HttpStatus)),
    }
}

/// The verdict on an attempt that brought no whole answer.
pub fn verdict_without_reply(no_reply: NoReply) -> Verdict {
    match no_reply.reason {
        reason @ Reason::BodyTooLarge => Verdict {
            fate: Fate::Failed(reason),
            demand: Demand::None,
            health: Health::Well,
        },
        reason => {
            let health = match reason {
                _ if !no_reply.was_connected => Health::Away,
                Reason::Timeout => Health::PushBack,
                _ => Health::Sick,
            };
            Verdict {
                fate: Fate::Again {
                    reason,
                    not_before: None,
                },
                demand: Demand::None,
                health,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_fate() {
        use Demand::{None as Nothing, Pause, Rediscover, RenewLogin, RenewOldLogin};
        use Fate::{Exported, Failed, Missing};

        use Health::{PushBack, Sick, TooMany, Well};

        let wait = Some(Duration::from_secs(7));
        let again = |reason, not_before| Fate::Again { reason, not_before };
        let html = || Content::Other(Reason::HttpStatus);
        let object = || Content::ErrorObject(Some("no".to_owned()));
        let cases = [
            (
                200,
                Content::Summary(bytes::Bytes::new()),
                Exported,
                Nothing,
                Well,
            ),
            (200, Content::Nothing, Missing, Nothing, Well),
            (200, Content::Empty, Fate::EmptyAgain, Nothing, Well),
            (200, object(), Failed(Reason::ApiError), Nothing, Well),
            (
                200,
                Content::Other(Reason::NotJson),
                again(Reason::NotJson, None),
                Nothing,
                Sick,
            ),
            (
                200,
                Content::Other(Reason::BodyCut),
                again(Reason::BodyCut, None),
                Nothing,
                Sick,
            ),
            (
                200,
                Content::Other(Reason::WrongStructure),
                Failed(Reason::WrongStructure),
                Nothing,
                Well,
            ),
            (
                200,
                Content::Other(Reason::OtherContact),
                Failed(Reason::OtherContact),
                Nothing,
                Well,
            ),
            (
                200,
                Content::Other(Reason::BodyTooLarge),
                Failed(Reason::BodyTooLarge),
                Nothing,
                Well,
            ),
            (204, Content::Empty, Missing, Nothing, Well),
            (301, html(), Failed(Reason::Redirect), Nothing, Well),
            (302, html(), Failed(Reason::Redirect), Nothing, Well),
            (400, object(), Failed(Reason::HttpStatus), Nothing, Well),
            (
                401,
                html(),
                again(Reason::HttpStatus, None),
                RenewLogin,
                Well,
            ),
            (403, html(), Failed(Reason::Forbidden), RenewOldLogin, Well),
            (404, html(), Missing, Nothing, Well),
            (404, Content::Empty, Missing, Nothing, Well),
            (410, object(), Missing, Nothing, Well),
            (
                408,
                html(),
                again(Reason::HttpStatus, None),
                Nothing,
                PushBack,
            ),
            (418, html(), Failed(Reason::HttpStatus), Nothing, Well),
            (
                421,
                html(),
                again(Reason::HttpStatus, None),
                Rediscover,
                Sick,
            ),
            (
                429,
                html(),
                again(Reason::HttpStatus, wait),
                Pause(wait),
                TooMany,
            ),
            (
                500,
                object(),
                again(Reason::HttpStatus, None),
                Nothing,
                Sick,
            ),
            (501, html(), Failed(Reason::HttpStatus), Nothing, Well),
            (502, html(), again(Reason::HttpStatus, None), Nothing, Sick),
            (
                503,
                html(),
                again(Reason::HttpStatus, wait),
                Nothing,
                PushBack,
            ),
            (504, html(), again(Reason::HttpStatus, None), Nothing, Sick),
            (600, html(), Failed(Reason::HttpStatus), Nothing, Well),
        ];
        for (status, content, fate, demand, health) in cases {
            assert_eq!(
                verdict(status, wait, &content),
                Verdict {
                    fate,
                    demand,
                    health
                },
                "{status} {content:?}"
            );
        }
    }

    #[test]
    fn without_an_answer_all_but_an_oversized_one_is_tried_again() {
        let cases = [
            (Reason::Connection, true, Health::Sick),
            (Reason::Connection, false, Health::Away),
            (Reason::Timeout, true, Health::PushBack),
            (Reason::Timeout, false, Health::Away),
            (Reason::BodyCut, true, Health::Sick),
        ];
        for (reason, was_connected, health) in cases {
            let verdict = verdict_without_reply(NoReply {
                reason,
                status: None,
                was_connected,
            });
            assert_eq!(
                verdict,
                Verdict {
                    fate: Fate::Again {
                        reason,
                        not_before: None
                    },
                    demand: Demand::None,
                    health
                }
            );
        }
        let verdict = verdict_without_reply(NoReply {
            reason: Reason::BodyTooLarge,
            status: Some(200),
            was_connected: true,
        });
        assert_eq!(
            verdict,
            Verdict {
                fate: Fate::Failed(Reason::BodyTooLarge),
                demand: Demand::None,
                health: Health::Well
            }
        );
    }
}
