//! What the simulated server can say to a request, and what that means by the design. The program's
//! own verdicts are the fetcher's matter; here they are judged.

use bytes::Bytes;

use crate::contact::Reason;
use crate::extract::api::client::{NoReply, Reach, Reply};

/// What is said to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// The contact as it is.
    Summary,
    /// 404 with the API's own error object.
    OwnNotFound,
    /// 404 with a web page.
    PageNotFound,
    Gone,
    NoContent,
    Null,
    Empty,
    EmptyObject,
    /// A contact of nulls.
    Nulls,
    Forbidden,
    Unauthorized,
    Redirect,
    BadRequest,
    Broken,
    Unavailable,
    TooMany,
    /// 200 with a web page.
    LoginPage,
    /// A summary that ends in its middle.
    Cut,
    OtherContact,
    NoConnection,
    TimesOut,
}

/// What it means for the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Summary,
    /// There is no such contact.
    Missing,
    /// It may not be seen.
    Denied,
    Failure,
}

/// What is said of contacts by their own fault.
pub(super) const SICKNESSES: &[Say] = &[
    Say::BadRequest,
    Say::Broken,
    Say::Cut,
    Say::OtherContact,
    Say::TimesOut,
    Say::Unauthorized,
];

/// What is said to everybody while the server is away.
pub(super) const OUTAGES: &[Say] = &[
    Say::NoConnection,
    Say::TimesOut,
    Say::Broken,
    Say::Unavailable,
    Say::TooMany,
    Say::LoginPage,
    Say::PageNotFound,
    Say::OwnNotFound,
    Say::NoContent,
    Say::Redirect,
    Say::Unauthorized,
];

/// What is said to many by a server that answers, but wrongly.
pub(super) const REFUSALS: &[Say] = &[
    Say::OwnNotFound,
    Say::PageNotFound,
    Say::Gone,
    Say::NoContent,
    Say::Null,
    Say::Empty,
    Say::EmptyObject,
    Say::Forbidden,
    Say::Unauthorized,
    Say::Redirect,
    Say::BadRequest,
    Say::OtherContact,
    Say::Nulls,
];

impl Say {
    pub(super) fn meaning(self) -> Meaning {
        match self {
            Self::Summary => Meaning::Summary,
            Self::OwnNotFound | Self::Gone | Self::NoContent | Self::Null | Self::Empty => {
                Meaning::Missing
            }
            Self::Nulls => Meaning::Missing,
            Self::Forbidden | Self::Unauthorized => Meaning::Denied,
            Self::PageNotFound
            | Self::EmptyObject
            | Self::Redirect
            | Self::BadRequest
            | Self::Broken
            | Self::Unavailable
            | Self::TooMany
            | Self::LoginPage
            | Self::Cut
            | Self::OtherContact
            | Self::NoConnection
            | Self::TimesOut => Meaning::Failure,
        }
    }

    /// Whether it says that the server is away, and nothing of the contact.
    pub(super) fn is_outage(self) -> bool {
        self.meaning() == Meaning::Failure && !self.is_final()
    }

    /// Whether a failure is one that no further attempt would mend.
    pub(super) fn is_final(self) -> bool {
        matches!(
            self,
            Self::Redirect | Self::BadRequest | Self::OtherContact | Self::EmptyObject
        )
    }

    /// As it comes over the wire, where `summary` is that of the contact and `other` that of
    /// another one.
    pub(super) fn reply(self, summary: &str, other: &str) -> Result<Reply, NoReply> {
        const ERROR: &str = r#"{"Error":true,"ErrorType":"SoException","Message":"no"}"#;
        const PAGE: &str = "<html><body>IIS</body></html>";
        let cut = || summary.get(..summary.len() / 2).unwrap_or_default();
        let (status, body) = match self {
            Self::Summary => (200, summary),
            Self::OwnNotFound => (404, ERROR),
            Self::PageNotFound => (404, PAGE),
            Self::Gone => (410, ERROR),
            Self::NoContent => (204, ""),
            Self::Null => (200, "null"),
            Self::Empty => (200, ""),
            Self::EmptyObject => (200, "{}"),
            Self::Nulls => (200, r#"{"Contact":{"ContactId":0,"Name":null},"Sales":[]}"#),
            Self::Forbidden => (403, ERROR),
            Self::Unauthorized => (401, PAGE),
            Self::Redirect => (302, ""),
            Self::BadRequest => (400, ERROR),
            Self::Broken => (500, ERROR),
            Self::Unavailable => (503, PAGE),
            Self::TooMany => (429, PAGE),
            Self::LoginPage => (200, PAGE),
            Self::Cut => (200, cut()),
            Self::OtherContact => (200, other),
            Self::NoConnection => return Err(no_reply(Reason::Connection, Reach::Nowhere)),
            Self::TimesOut => return Err(no_reply(Reason::Timeout, Reach::Sent)),
        };
        Ok(Reply {
            status,
            retry_after: None,
            is_gzip: false,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }
}

fn no_reply(reason: Reason, reach: Reach) -> NoReply {
    NoReply {
        reason,
        status: None,
        reach,
    }
}
