//! Fail fast: whether a run is hopeless from the start, since its first answers are all one
//! permanent refusal, so that the job is wrong, not the contacts. Pure.

use crate::contact::Reason;
use crate::extract::api::inspect::Content;

/// Answers that have to agree. Set by hand: at ten calls a second the operator is told within five
/// seconds, and a list that begins with so many bad contacts by chance is not to be expected.
/// Scenario `fifty_equal_refusals_are_hopeless` keeps it.
const ANSWERS: u32 = 50;

/// A permanent refusal that the first answers agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the first {ANSWERS} answers were all the same refusal: status {status}{}",
    reason_text(*.reason)
)]
pub struct Hopeless {
    /// Status of those answers.
    pub status: u16,
    /// What is wrong with them.
    pub reason: Reason,
}

fn reason_text(reason: Reason) -> String {
    if reason == Reason::HttpStatus {
        String::new()
    } else {
        format!(" ({reason})")
    }
}

impl Hopeless {
    /// What to check.
    pub fn hint(self) -> &'static str {
        match self.status {
            401 => "check `api.auth` and `api.app_token`",
            403 => "the login may not read contacts; check its rights and `api.app_token`",
            404 => {
                "there is no API at this address; check `api.base_url` (it ends in /api) or \
                 `api.tenant`"
            }
            300..=399 => {
                "the address redirects, which is never followed; put the final address into \
                 `api.base_url`"
            }
            _ if self.reason == Reason::NotJson => {
                "the address answers with a web page; check `api.base_url` and whether a proxy or \
                 login page stands before the API"
            }
            _ => "check `api.base_url` and the request settings in [api]",
        }
    }
}

/// Counts the first answers.
#[derive(Debug, Default)]
pub struct FirstAnswers {
    seen: u32,
    /// The refusal that all answers so far were.
    first: Option<Hopeless>,
    /// Whether an answer was another one, so that the count is over.
    is_over: bool,
}

impl FirstAnswers {
    /// None yet. Where the API worked under the same settings before, a refusal of all is no wrong
    /// job but maintenance, and nothing is counted.
    pub fn new(worked_before: bool) -> Self {
        Self {
            is_over: worked_before,
            ..Self::default()
        }
    }

    /// Whether all answers so far were one refusal; until then a web page is no sign of an outage.
    pub fn undecided(&self) -> bool {
        !self.is_over
    }

    /// Notes an answer; gives the refusal where this one makes it hopeless.
    pub fn note(&mut self, status: u16, content: &Content) -> Option<Hopeless> {
        if self.is_over || matches!(status, 408 | 421 | 429 | 500 | 502..=599) {
            return None;
        }
        let refusal = refusal(status, content);
        if refusal.is_none() || (self.seen > 0 && refusal != self.first) {
            self.is_over = true;
            return None;
        }
        self.first = refusal;
        self.seen += 1;
        (self.seen >= ANSWERS).then_some(refusal).flatten()
    }
}

/// The permanent refusal that an answer is, if it is one.
fn refusal(status: u16, content: &Content) -> Option<Hopeless> {
    let reason = match (status, content) {
        (204 | 410, _)
        | (404, Content::ErrorObject(_))
        | (200..=299, Content::Summary(_) | Content::Nothing | Content::Empty) => {
            return None;
        }
        (200..=299, Content::ErrorObject(_)) => Reason::ApiError,
        (200..=299, Content::Other(reason)) => *reason,
        (300..=399, _) => Reason::Redirect,
        (403, _) => Reason::Forbidden,
        _ => Reason::HttpStatus,
    };
    Some(Hopeless { status, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(answers: &[(u16, Content)]) -> (usize, Option<Hopeless>) {
        let mut first = FirstAnswers::default();
        for (index, (status, content)) in answers.iter().cycle().take(200).enumerate() {
            if let Some(hopeless) = first.note(*status, content) {
                return (index + 1, Some(hopeless));
            }
        }
        (200, None)
    }

    #[test]
    fn fifty_equal_refusals_are_hopeless() {
        let object = || Content::ErrorObject(None);
        let html = || Content::Other(Reason::NotJson);
        let cases = [
            (400, object(), true),
            (403, html(), true),
            (404, html(), true),
            (302, html(), true),
            (200, html(), true),
            (200, object(), true),
            (404, object(), false),
            (410, html(), false),
            (204, Content::Empty, false),
            (200, Content::Nothing, false),
            (503, html(), false),
            (429, html(), false),
        ];
        for (status, content, hopeless) in cases {
            let (count, found) = after(&[(status, content.clone())]);
            assert_eq!(found.is_some(), hopeless, "{status} {content:?}");
            assert_eq!(
                count,
                if hopeless { 50 } else { 200 },
                "{status} {content:?}"
            );
        }
    }

    #[test]
    fn answers_that_differ_are_not() {
        let refused = (400, Content::ErrorObject(None));
        assert_eq!(after(&[refused.clone(), (200, Content::Nothing)]).1, None);
        assert_eq!(
            after(&[refused.clone(), (403, Content::ErrorObject(None))]).1,
            None
        );
        let with_outage = after(&[refused, (503, Content::Empty)]);
        assert_eq!(
            with_outage.0, 99,
            "a sick server's answers do not count either way"
        );
    }
}
