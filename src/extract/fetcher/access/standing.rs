//! What the API says of a login when asked who is logged in. One pure function.

use crate::extract::api::client::{NoReply, Reply};

/// What the API says of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is good.
    LetIn,
    /// It is refused.
    Refused {
        /// Status of that answer.
        status: u16,
    },
    /// Nothing: older servers have no such page.
    Unsaid,
    /// The server does not do its work now.
    Away,
}

/// What the answer to the question who is logged in says of the login.
pub(super) fn standing(reply: &Result<Reply, NoReply>) -> Standing {
    let Ok(reply) = reply else {
        return Standing::Away;
    };
    match reply.status {
        200..=299 => Standing::LetIn,
        status @ (401 | 403) => Standing::Refused { status },
        408 | 421 | 429 | 500 | 502..=599 => Standing::Away,
        _ => Standing::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contact::Reason;
    use crate::extract::api::client::Reach;

    #[test]
    fn every_answer_has_its_meaning() {
        let refused = |status| Standing::Refused { status };
        let cases = [
            (200, Standing::LetIn),
            (204, Standing::LetIn),
            (302, Standing::Unsaid),
            (400, Standing::Unsaid),
            (401, refused(401)),
            (403, refused(403)),
            (404, Standing::Unsaid),
            (405, Standing::Unsaid),
            (421, Standing::Away),
            (429, Standing::Away),
            (500, Standing::Away),
            (501, Standing::Unsaid),
            (503, Standing::Away),
        ];
        for (status, expected) in cases {
            let reply = Reply {
                status,
                retry_after: None,
                is_gzip: false,
                body: Bytes::new(),
            };
            assert_eq!(standing(&Ok(reply)), expected, "{status}");
        }
        let no_reply = NoReply {
            reason: Reason::Timeout,
            status: None,
            reach: Reach::Sent,
        };
        assert_eq!(standing(&Err(no_reply)), Standing::Away);
    }
}
