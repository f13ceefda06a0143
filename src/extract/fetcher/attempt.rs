//! One attempt: what is sent, how it went, and, once it is judged, what it means. Words only; what
//! follows from them is decided by the control core and its mechanisms.

use std::time::Duration;

use bytes::Bytes;

use crate::contact::{Answer, ContactId, Ending, Outcome, Reason};
use crate::extract::api::client::{NoReply, Reply, Via};
use crate::extract::api::inspect::Content;
use crate::extract::fetcher::verdict::{Fate, Health, Verdict, verdict, verdict_without_reply};

/// What a request is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Send {
    /// A contact of the plan. Its answer counts, also where it is sent to find out whether the
    /// server is back, since no contact is known to be good.
    Contact(ContactId),
    /// A contact that was exported before, asked for again only to find out whether the server is
    /// back. It costs a call and no contact an attempt, and nothing becomes of its answer.
    Probe(ContactId),
    /// The same, to find out whether the login is good.
    Proof(ContactId),
}

/// How a request is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    /// The login that it is sent under.
    pub(super) login: u64,
    pub(super) via: Via,
}

impl Send {
    /// The contact that is asked for.
    pub(super) fn contact_id(self) -> ContactId {
        match self {
            Self::Contact(contact_id) | Self::Probe(contact_id) | Self::Proof(contact_id) => {
                contact_id
            }
        }
    }
}

/// A request that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) send: Send,
    /// The login that it was sent under.
    pub(super) login: u64,
    pub(super) via: Via,
    /// When it was sent.
    pub(super) at: Duration,
}

/// One attempt as it went.
pub(super) struct Attempt {
    pub(super) sent: Sent,
    /// When it was done.
    pub(super) done: Duration,
    /// When it was done by the wall clock: microseconds since 1970, UTC.
    pub(super) fetched_at: i64,
    pub(super) reply: Result<(Reply, Content), NoReply>,
}

/// A kind of refusal: answers of this status with this meaning are one and the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RefusalKind {
    pub(super) status: u16,
    pub(super) fate: Fate,
}

/// An attempt with its verdict and all that its consequences depend on.
pub(super) struct Judged {
    pub(super) sent: Sent,
    /// When it was done.
    pub(super) done: Duration,
    pub(super) verdict: Verdict,
    /// How many requests were in flight before it was done.
    pub(super) in_flight: usize,
    /// The dice for whatever is scheduled because of it: from 0 to 1.
    pub(super) roll: f64,
    pub(super) reply: Result<(Reply, Content), NoReply>,
    fetched_at: i64,
}

impl Attempt {
    /// Judges it. Whatever `Retry-After` the server sent is cut to `patience` here and nowhere
    /// else: a run does not wait longer for a server that asks for patience than for one that is
    /// away.
    pub(super) fn judge(self, patience: Duration, in_flight: usize, roll: f64) -> Judged {
        let verdict = match &self.reply {
            Ok((reply, content)) => {
                let retry_after = reply.retry_after.map(|wait| wait.min(patience));
                verdict(reply.status, retry_after, content)
            }
            Err(no_reply) => verdict_without_reply(*no_reply, self.sent.via),
        };
        Judged {
            sent: self.sent,
            done: self.done,
            verdict,
            in_flight,
            roll,
            reply: self.reply,
            fetched_at: self.fetched_at,
        }
    }
}

impl Judged {
    /// The contact that was asked for.
    pub(super) fn contact_id(&self) -> ContactId {
        self.sent.send.contact_id()
    }

    /// The refusal that this answer is, where it is one that a server may give to everybody: one
    /// that is final, or for which some web server stands in.
    pub(super) fn refusal(&self) -> Option<RefusalKind> {
        let status = self.reply.as_ref().ok()?.0.status;
        let fate = self.verdict.fate;
        let is_refusal = match fate {
            Fate::Exported | Fate::Failed(Reason::BodyTooLarge) => false,
            Fate::Missing | Fate::Failed(_) | Fate::EmptyAgain => true,
            Fate::Again { reason } => {
                // A server that is well and wants the contact asked for again said 401.
                reason == Reason::NotJson || status == 404 || self.verdict.health == Health::Well
            }
        };
        is_refusal.then_some(RefusalKind { status, fate })
    }

    /// What this attempt says of why the server does not answer as it should.
    pub(super) fn trouble(&self) -> String {
        let status = match &self.reply {
            Ok((reply, _)) => Some(reply.status),
            Err(no_reply) => no_reply.status,
        };
        match (status, self.verdict.fate.reason()) {
            (Some(status), None | Some(Reason::HttpStatus)) => format!("status {status}"),
            (Some(status), Some(reason)) => format!("{reason}, status {status}"),
            (None, reason) => reason.map(|reason| reason.to_string()).unwrap_or_default(),
        }
    }

    /// The answer of this attempt: how it ended, with status, time and words as they came, and with
    /// its body where that is exported.
    pub(super) fn into_answer(self, mut ending: Ending) -> Answer<Bytes> {
        let contact_id = self.contact_id();
        let body;
        (ending.http_status, ending.message, body) = match self.reply {
            Ok((reply, Content::Summary(body))) => (Some(reply.status), None, Some(body)),
            Ok((reply, Content::ErrorObject(message))) => (Some(reply.status), message, None),
            Ok((reply, Content::Nothing | Content::Empty | Content::Other(_))) => {
                (Some(reply.status), None, None)
            }
            Err(no_reply) => (no_reply.status, None, None),
        };
        ending.fetched_at = Some(self.fetched_at);
        Answer {
            contact_id,
            body: body.filter(|_| ending.outcome == Outcome::Exported),
            ending,
        }
    }
}
