//! How fetching stands: the numbers that a bar, a line and the summary show. Who counts them is the
//! fetcher's matter.

use std::time::Duration;

/// How fetching stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Contacts with a final answer.
    pub done: u64,
    /// Contacts among them that failed.
    pub failed: u64,
    /// Answers of the API that say what it was asked, probes included: summaries, and that there is
    /// no such contact. None at all means that nobody was there.
    pub served: u64,
    /// Requests sent.
    pub attempts: u64,
    /// Requests among them that were not the first for their contact.
    pub retries: u64,
    /// Calls to a login server, the first login included, and those that ask who is logged in.
    pub logins: u64,
    /// Requests in flight.
    pub in_flight: usize,
    /// Requests that may be in flight.
    pub limit: usize,
    /// Why nothing is sent, where that is so.
    pub waiting: Option<Waiting>,
    /// Requests refused for being too many (429).
    pub refused: u64,
    /// Pauses of all sending that the server asked for.
    pub pauses: u64,
    /// Requests for which the server was short of time or room (408, 503, timeouts).
    pub short: u64,
    /// Times that answers slowed down clearly.
    pub slow_downs: u64,
    /// Outages so far.
    pub outages: u64,
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The server asked for a pause (`Retry-After`) that lasts so much longer.
    Pause(Duration),
    /// The server has been away for so long.
    Outage(Duration),
}
