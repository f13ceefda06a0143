//! How the API is called, as the job says. What is made of it is the control core's matter.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::contact::ContactId;
use crate::extract::fetcher::pace::limiter::Rate;
use crate::extract::fetcher::retry::RetryPolicy;

/// How the API is called.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Most requests per second.
    pub rate: Option<Rate>,
    /// Most requests in flight.
    pub max_in_flight: NonZeroU32,
    /// How often and how soon a contact is tried again.
    pub retry: RetryPolicy,
    /// How long an outage is waited out.
    pub patience: Duration,
    /// Fetching ends after this long.
    pub max_duration: Option<Duration>,
    /// Fetching ends after this many calls.
    pub max_calls: Option<u64>,
    /// Whether an answer of this place to this login is kept from any earlier run: then what the API
    /// refuses to everybody is no wrong job.
    pub worked_before: bool,
    /// Contacts that were had in an earlier run: where they cannot be had again, the fault is the
    /// server's. A few of them, since one alone may be gone since.
    pub known_good: Vec<ContactId>,
}
