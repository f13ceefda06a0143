//! Why fetching ended. What that makes of the run, and with which exit code, is `run`'s matter.

use crate::extract::api::tenant::Unusable;
use crate::extract::auth::Refusal;
use crate::extract::fetcher::hopeless::Hopeless;

/// Why fetching ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The plan is carried out.
    Complete,
    /// `max_duration` or `max_calls` is reached.
    Budget,
    /// Somebody asked to stop.
    Interrupted,
    /// The server stayed away for longer than `patience`.
    Unreachable,
    /// The login was refused for good.
    LoginRefused {
        /// Status of the refusal.
        status: u16,
        /// Whether the login had worked before.
        worked_before: bool,
    },
    /// The login server refused.
    NoLogin(Refusal),
    /// The server's certificate was not accepted, and nothing was served before.
    Untrusted,
    /// The tenant cannot be used.
    Unusable(Unusable),
    /// The first answers are all one refusal.
    Hopeless(Hopeless),
    /// Answers are no longer taken, since they cannot be stored.
    NotStored,
}
