//! One HTTP attempt: building the request, sending it, reading the body within bounds, and looking
//! into it. When to send, and what an answer means for the run, is the fetcher's matter.

pub mod body;
pub mod cause;
pub mod client;
pub mod connection;
pub mod inspect;
mod retry_after;
pub mod tenant;

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use self::client::{NoReply, Reply};
use self::inspect::Content;
use self::tenant::NotLocated;
use super::auth::{Life, NoLogin};
use crate::contact::ContactId;

/// What the fetcher needs of the world: one attempt, and a look into its answer. Scripted in tests.
pub trait Api {
    /// Sends one request.
    fn attempt(&self, contact_id: ContactId) -> impl Future<Output = Result<Reply, NoReply>>;

    /// Looks into the answer.
    fn inspect(&self, contact_id: ContactId, reply: &Reply) -> impl Future<Output = Content>;

    /// Finds out where requests go; gives how long to believe that.
    fn locate(&self) -> impl Future<Output = Result<Option<Duration>, NotLocated>>;

    /// Logs in, or in again; requests go under the new login from then on.
    fn log_in(&self) -> impl Future<Output = Result<Life, NoLogin>>;

    /// Calls to a login server so far.
    fn logins(&self) -> u64;

    /// The time by which answers are dated: the system's, unless it is a simulation.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
