//! What the control core wants done next. Doing it is the loop's matter, in `mod.rs`.

use std::time::Duration;

use crate::extract::fetcher::access::Chore;
use crate::extract::fetcher::attempt::Send;
use crate::extract::fetcher::end::End;

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this request.
    Send(Send),
    /// Begin this, and go on.
    Begin(Chore),
    /// Wait for an answer or for more of the plan, or until this time.
    Wait(Option<Duration>),
    /// Stop sending.
    Stop(End),
}
