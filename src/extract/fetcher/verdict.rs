//! A response classifier with a retry decision: what an answer means for its contact, what it asks
//! of the run, and what it says of the server's health. One pure function; every row of the table
//! in `ARCHITECTURE.md` is a row of its test. It has no tuned numbers.

use std::time::Duration;

use crate::contact::Reason;
use crate::extract::api::client::{NoReply, Reach, Via};
use crate::extract::api::inspect::Content;

/// What becomes of a contact after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The answer is a summary.
    Exported,
    /// There is no such contact.
    Missing,
    /// No usable answer, and another attempt would bring none.
    Failed(Reason),
    /// Another attempt; failed with this reason where attempts are used up.
    Again {
        /// Why this attempt failed.
        reason: Reason,
    },
    /// Another attempt, since an answer without a body may be an accident; missing where it stays
    /// empty.
    EmptyAgain,
}

impl Fate {
    /// Why the attempt failed, where it did.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Failed(reason) | Self::Again { reason } => Some(reason),
            Self::Exported | Self::Missing | Self::EmptyAgain => None,
        }
    }
}

/// What an answer asks of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing.
    None,
    /// Send nothing before the time that the server asked for, where it asked for one.
    Pause,
    /// The login was refused.
    RenewLogin,
    /// Access was denied, which an expired login may look like.
    RenewOldLogin,
    /// The tenant is elsewhere.
    Rediscover,
    /// The request is to be sent again, on a new connection.
    Reconnect,
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
    /// The least wait before the server is asked again, where it asked for one (`Retry-After`).
    /// The contact, the next probe of an outage and a pause of all sending keep to it.
    pub not_before: Option<Duration>,
}

impl Verdict {
    fn new(fate: Fate, demand: Demand, health: Health) -> Self {
        Self {
            fate,
            demand,
            health,
            not_before: None,
        }
    }

    /// One that asks nothing of the run, from a server that does its work.
    fn plain(fate: Fate) -> Self {
        Self::new(fate, Demand::None, Health::Well)
    }
}

/// The verdict on an answer.
pub fn verdict(status: u16, retry_after: Option<Duration>, content: &Content) -> Verdict {
    let again = Fate::Again {
        reason: Reason::HttpStatus,
    };
    match status {
        204 | 410 => Verdict::plain(Fate::Missing),
        404 => verdict_on_not_found(content),
        200..=299 => verdict_on_success(content),
        300..=399 => Verdict::plain(Fate::Failed(Reason::Redirect)),
        401 => {
            let reason = Reason::Forbidden;
            Verdict::new(Fate::Again { reason }, Demand::RenewLogin, Health::Well)
        }
        403 => Verdict::new(
            Fate::Failed(Reason::Forbidden),
            Demand::RenewOldLogin,
            Health::Well,
        ),
        408 => Verdict::new(again, Demand::None, Health::PushBack),
        421 => Verdict::new(again, Demand::Rediscover, Health::Sick),
        429 => Verdict {
            not_before: retry_after,
            ..Verdict::new(again, Demand::Pause, Health::TooMany)
        },
        501 => Verdict::plain(Fate::Failed(Reason::HttpStatus)),
        503 => Verdict {
            not_before: retry_after,
            ..Verdict::new(again, Demand::None, Health::PushBack)
        },
        500..=599 => Verdict::new(again, Demand::None, Health::Sick),
        _ => Verdict::plain(Fate::Failed(Reason::HttpStatus)),
    }
}

/// That there is no such contact is the API's to say. Without its own error object some web server
/// says that there is no such page: the API is not where it should be.
fn verdict_on_not_found(content: &Content) -> Verdict {
    match content {
        Content::ErrorObject(_) => Verdict::plain(Fate::Missing),
        Content::Summary(_) | Content::Nothing | Content::Empty | Content::Other(_) => {
            let reason = Reason::HttpStatus;
            Verdict::new(Fate::Again { reason }, Demand::None, Health::Sick)
        }
    }
}

fn verdict_on_success(content: &Content) -> Verdict {
    match content {
        Content::Summary(_) => Verdict::plain(Fate::Exported),
        Content::Nothing => Verdict::plain(Fate::Missing),
        Content::Empty => Verdict::plain(Fate::EmptyAgain),
        Content::ErrorObject(_) => Verdict::plain(Fate::Failed(Reason::ApiError)),
        Content::Other(reason @ (Reason::NotJson | Reason::BodyCut)) => {
            Verdict::new(Fate::Again { reason: *reason }, Demand::None, Health::Sick)
        }
        Content::Other(reason) => Verdict::plain(Fate::Failed(*reason)),
    }
}

/// The verdict on an attempt that brought no whole answer, sent on this connection.
pub fn verdict_without_reply(no_reply: NoReply, via: Via) -> Verdict {
    let reason = no_reply.reason;
    let again = |health| Verdict::new(Fate::Again { reason }, Demand::None, health);
    match (no_reply.reach, via) {
        (Reach::Nowhere | Reach::Untrusted, _) => return again(Health::Away),
        (Reach::LostConnection, Via::AnyConnection) => {
            return Verdict {
                demand: Demand::Reconnect,
                ..again(Health::Sick)
            };
        }
        (Reach::LostConnection, Via::NewConnection) | (Reach::Sent, _) => {}
    }
    match reason {
        Reason::BodyTooLarge => Verdict::plain(Fate::Failed(reason)),
        Reason::Timeout => again(Health::PushBack),
        // All but the first two are said of whole answers only.
        Reason::Connection
        | Reason::BodyCut
        | Reason::NotJson
        | Reason::WrongStructure
        | Reason::OtherContact
        | Reason::ApiError
        | Reason::HttpStatus
        | Reason::Forbidden
        | Reason::Redirect
        | Reason::InvalidId
        | Reason::RaggedRow
        | Reason::Forgotten => again(Health::Sick),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_fate() {
        use Demand::{None as Nothing, Pause, Rediscover, RenewLogin, RenewOldLogin};
        use Fate::{EmptyAgain, Exported, Failed, Missing};
        use Health::{PushBack, Sick, TooMany, Well};
        use Reason::{ApiError, Forbidden, HttpStatus, Redirect};

        let wait = Some(Duration::from_secs(7));
        let again = Fate::Again { reason: HttpStatus };
        let denied = Fate::Again { reason: Forbidden };
        let html = || Content::Other(HttpStatus);
        let object = || Content::ErrorObject(Some("no".to_owned()));
        let summary = Content::Summary(bytes::Bytes::new());
        let cases = [
            (200, summary, Exported, Nothing, Well, None),
            (200, Content::Nothing, Missing, Nothing, Well, None),
            (200, Content::Empty, EmptyAgain, Nothing, Well, None),
            (200, object(), Failed(ApiError), Nothing, Well, None),
            (204, Content::Empty, Missing, Nothing, Well, None),
            (301, html(), Failed(Redirect), Nothing, Well, None),
            (302, html(), Failed(Redirect), Nothing, Well, None),
            (400, object(), Failed(HttpStatus), Nothing, Well, None),
            (401, html(), denied, RenewLogin, Well, None),
            (403, html(), Failed(Forbidden), RenewOldLogin, Well, None),
            (404, object(), Missing, Nothing, Well, None),
            (404, html(), again, Nothing, Sick, None),
            (404, Content::Empty, again, Nothing, Sick, None),
            (410, html(), Missing, Nothing, Well, None),
            (410, object(), Missing, Nothing, Well, None),
            (408, html(), again, Nothing, PushBack, None),
            (418, html(), Failed(HttpStatus), Nothing, Well, None),
            (421, html(), again, Rediscover, Sick, None),
            (429, html(), again, Pause, TooMany, wait),
            (500, object(), again, Nothing, Sick, None),
            (501, html(), Failed(HttpStatus), Nothing, Well, None),
            (502, html(), again, Nothing, Sick, None),
            (503, html(), again, Nothing, PushBack, wait),
            (504, html(), again, Nothing, Sick, None),
            (600, html(), Failed(HttpStatus), Nothing, Well, None),
        ];
        for (status, content, fate, demand, health, not_before) in cases {
            assert_eq!(
                verdict(status, wait, &content),
                Verdict {
                    fate,
                    demand,
                    health,
                    not_before
                },
                "{status} {content:?}"
            );
        }
    }

    #[test]
    fn a_success_with_something_else_in_it_is_tried_again_where_it_was_damaged() {
        let cases = [
            (Reason::NotJson, true, Health::Sick),
            (Reason::BodyCut, true, Health::Sick),
            (Reason::WrongStructure, false, Health::Well),
            (Reason::OtherContact, false, Health::Well),
            (Reason::BodyTooLarge, false, Health::Well),
        ];
        for (reason, is_tried_again, health) in cases {
            let fate = if is_tried_again {
                Fate::Again { reason }
            } else {
                Fate::Failed(reason)
            };
            assert_eq!(
                verdict(200, Some(Duration::from_secs(7)), &Content::Other(reason)),
                Verdict {
                    fate,
                    demand: Demand::None,
                    health,
                    not_before: None
                },
                "{reason}"
            );
        }
    }

    #[test]
    fn without_an_answer_all_but_an_oversized_one_is_tried_again() {
        use Demand::None as Nothing;
        let cases = [
            (Reason::Connection, Reach::Sent, Nothing, Health::Sick),
            (Reason::Connection, Reach::Nowhere, Nothing, Health::Away),
            (Reason::Connection, Reach::Untrusted, Nothing, Health::Away),
            (
                Reason::Connection,
                Reach::LostConnection,
                Demand::Reconnect,
                Health::Sick,
            ),
            (Reason::Timeout, Reach::Sent, Nothing, Health::PushBack),
            (Reason::Timeout, Reach::Nowhere, Nothing, Health::Away),
            (Reason::BodyCut, Reach::Sent, Nothing, Health::Sick),
        ];
        for (reason, reach, demand, health) in cases {
            let no_reply = NoReply {
                reason,
                status: None,
                reach,
            };
            let on_new = verdict_without_reply(no_reply, Via::NewConnection);
            assert_eq!((on_new.demand, on_new.health), (Nothing, health));
            let verdict = verdict_without_reply(no_reply, Via::AnyConnection);
            assert_eq!(
                verdict,
                Verdict {
                    fate: Fate::Again { reason },
                    demand,
                    health,
                    not_before: None
                }
            );
        }
        let oversized = NoReply {
            reason: Reason::BodyTooLarge,
            status: Some(200),
            reach: Reach::Sent,
        };
        let verdict = verdict_without_reply(oversized, Via::AnyConnection);
        assert_eq!(
            verdict,
            Verdict {
                fate: Fate::Failed(Reason::BodyTooLarge),
                demand: Demand::None,
                health: Health::Well,
                not_before: None
            }
        );
    }
}
