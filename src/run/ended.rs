//! What the end of fetching makes of a run: whether it goes on to an export, or why it does not.

use crate::error::Error;
use crate::extract::fetcher::{End, Fetched};
use crate::job::Job;
use crate::store::Plan;

/// A fetch that lets the run go on; any other end is an error.
pub(super) fn completed(fetched: Fetched, plan: &Plan, job: &Job) -> Result<Fetched, Error> {
    let progress = &fetched.progress;
    let done = progress.done;
    match fetched.end {
        End::Complete => Ok(fetched),
        End::Budget => {
            // Not an export without a single answer, where all the reason for it is that the server
            // gave none.
            let nothing = done == 0 && plan.unanswered == plan.targets;
            if nothing && progress.attempts > 0 {
                Err(Error::NothingFetched)
            } else {
                Ok(fetched)
            }
        }
        end @ (End::Interrupted
        | End::Unreachable
        | End::Untrusted
        | End::LoginRefused { .. }
        | End::NoLogin(_)
        | End::Unusable(_)
        | End::Hopeless(_)
        | End::NotStored) => {
            let cause = fetched.cause;
            Err(ended(&end, Left { done, cause }, job))
        }
    }
}

/// What a run leaves that ended.
pub(super) struct Left {
    /// Contacts with a final answer.
    pub(super) done: u64,
    /// Why the last request brought none.
    pub(super) cause: String,
}

/// What an end makes of the run that came so far.
pub(super) fn ended(end: &End, left: Left, job: &Job) -> Error {
    let Left { done, cause } = left;
    match *end {
        End::Interrupted => Error::Interrupted,
        End::Unreachable => Error::Unreachable { done, cause },
        End::Untrusted => Error::Untrusted { cause },
        End::LoginRefused {
            status,
            worked_before,
        } => Error::LoginRefused {
            status,
            worked_before,
            hint: job.api.auth.hint(job.api.app_token.is_some()),
        },
        End::NoLogin(refusal) => Error::NoLogin(refusal),
        End::Unusable(unusable) => Error::Unusable(unusable),
        End::Hopeless(hopeless) => Error::Hopeless(hopeless),
        End::Complete | End::Budget | End::NotStored => Error::Defect,
    }
}
