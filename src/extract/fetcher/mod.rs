//! Runs the plan: sends with bounded concurrency, applies verdicts, tries again, and hands each
//! contact's answer on once it is final. This file is the loop, the only place that sleeps. What it
//! does next is decided by the control core (`control.rs`, `settle.rs`, `accounting.rs`), which
//! asks one mechanism per file.
//!
//! # What a 429 sets off
//!
//! Six mechanisms answer to a server that refuses requests for being too many. Each looks at
//! another span of time, and a request goes out only where all of them let it.
//!
//! 1. **Pause** (`pace/mod.rs`), for as long as `Retry-After` says: nobody sends anything. It is
//!    the server's own word, so it comes first; `patience` caps it, once, where the attempt is
//!    judged. A 429 without `Retry-After` pauses nothing.
//! 2. **Lower concurrency** (`pace/mod.rs`), from the next request on: AIMD on the number in
//!    flight. It answers a server that has so many slots. One round trip is judged once, so that
//!    64 refusals of one moment are one sign.
//! 3. **Learned rate** (`pace/throttle.rs`), for seconds to a minute: a server that counts requests
//!    refuses at any concurrency, so what it served of late becomes the rate. One refusal by itself
//!    teaches nothing; only those that come close together do.
//! 4. **Backoff** (`retry.rs`), for the refused contact alone: it waits for a jittered delay, and
//!    not less than `Retry-After`, while others go on. Refusals cost it no attempt while nobody
//!    else is served either (`tries.rs`).
//! 5. **Retry budget** (`budget.rs`), for the run: however many contacts wait, their retries stay a
//!    share of the calls. With those of 4 that are due this keeps the refused from crowding out the
//!    new.
//! 6. **Outage** (`outage.rs`), after nothing but refusals for a second or more: where lower pace
//!    does not help, it is not the pace. Sending stops, one probe at a time goes out, and after
//!    `patience` the run ends.
//!
//! In time: the answer is judged (`attempt.rs`, `verdict.rs`: try again, pause, too many), settled
//! step by step (`settle.rs`: 2 and 3, then 6, then 1, then 4), and the next request is chosen
//! (`control.rs`: 6, then 2, then 1 and 3 as one `closed_until`, then 5). An outage is asked before
//! the pace, since its probe is what may go; but the probe keeps to the pace, too.

mod access;
mod accounting;
mod attempt;
mod backlog;
mod budget;
mod control;
mod end;
pub mod hopeless;
mod next;
mod outage;
pub mod pace;
pub mod queue;
mod refusals;
pub mod retry;
mod settings;
mod settle;
mod tries;
pub mod verdict;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hdrhistogram::Histogram;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::access::{Chore, ChoreDone};
use self::attempt::{Attempt, Send, Sending, Sent};
use self::control::Control;
pub use self::end::End;
use self::next::Next;
use self::queue::QueueClosed;
pub use self::settings::Settings;
use crate::contact::{Answer, Planned};
use crate::extract::api::client::Via;
use crate::extract::connection::RemoteApi;
use crate::report::Progress;

/// What a fetch comes to.
#[derive(Debug)]
pub struct Fetched {
    /// Why it ended.
    pub end: End,
    /// How it stood then.
    pub progress: Progress,
    /// Microseconds from request to answer.
    pub latency: Histogram<u64>,
    /// Why the server did not answer as it should, when it last did not.
    pub cause: String,
}

/// How the fetcher is connected to the rest of the run.
#[derive(Debug)]
pub struct Channels<'a> {
    /// Pages of contacts that are to be fetched; closed after the last one.
    pub plan: mpsc::Receiver<Vec<Planned>>,
    /// Where final answers go.
    pub answers: &'a queue::Sender,
    /// Turns true when somebody asks to stop.
    pub stop: watch::Receiver<bool>,
}

/// How long answers in flight are waited for when somebody asked to stop: about as long as whoever
/// pressed Ctrl-C, or a service manager, is willing to wait. Set by hand.
const LAST_CALL: Duration = Duration::from_secs(5);
/// How often progress is told while nothing happens: once a second, as a clock ticks.
const TELL: Duration = Duration::from_secs(1);

/// Takes how it stands, and in an outage, for whoever asks, why the server does not answer.
pub type Tell<'a> = &'a mut dyn FnMut(&Progress, &dyn Fn() -> String);

/// Runs the plan, and tells how it stands by `tell`.
pub async fn fetch<A: RemoteApi>(
    api: &A,
    settings: &Settings,
    channels: Channels<'_>,
    tell: Tell<'_>,
) -> Fetched {
    let Channels {
        mut plan,
        answers,
        mut stop,
    } = channels;
    let start = Instant::now();
    let mut control = Control::new(settings.clone());
    let mut in_flight = FuturesUnordered::new();
    let mut chores = FuturesUnordered::new();
    let end = loop {
        let now = start.elapsed();
        let next = if *stop.borrow() {
            Next::Stop(End::Interrupted)
        } else if answers.is_closed() {
            Next::Stop(End::NotStored)
        } else {
            control.next(now, in_flight.len())
        };
        let wake = match next {
            Next::Send(send) => {
                let sending = control.sent(send, now);
                in_flight.push(one_attempt(api, send, sending, start));
                continue;
            }
            Next::Begin(chore) => {
                chores.push(carry_out(api, chore));
                continue;
            }
            Next::Wait(until) => until.unwrap_or(now + TELL).min(now + TELL),
            Next::Stop(end) => break end,
        };
        // Chores come first, since requests wait for them; then answers, which free a slot.
        tokio::select! {
            biased;
            Some(done) = chores.next(), if !chores.is_empty() => {
                if let Err(end) = control.chore_done(&done, start.elapsed(), fastrand::f64()) {
                    break end;
                }
            }
            Some(attempt) = in_flight.next(), if !in_flight.is_empty() => {
                let count = in_flight.len() + 1;
                if let Err(end) = settle(&mut control, attempt, count, answers).await {
                    break end;
                }
                let progress = control.progress(start.elapsed(), in_flight.len(), api.logins());
                tell(&progress, &|| cause(&control, api));
            }
            changed = stop.changed() => if changed.is_err() {
                break End::Interrupted;
            },
            page = plan.recv(), if control.wants_plan() => control.plan(page),
            () = tokio::time::sleep_until(start + wake) => {
                let progress = control.progress(start.elapsed(), in_flight.len(), api.logins());
                tell(&progress, &|| cause(&control, api));
            }
        }
    };
    let cause_of_the_end = cause(&control, api);
    let closing = Closing {
        end,
        answers,
        stop,
        clock: &|| api.now().as_microsecond(),
    };
    let end = finish(&mut control, &mut in_flight, &mut chores, closing).await;
    let progress = control.progress(start.elapsed(), 0, api.logins());
    tell(&progress, &|| cause_of_the_end.clone());
    Fetched {
        end,
        progress,
        latency: control.into_latency(),
        cause: cause_of_the_end,
    }
}

/// Why the server does not answer as it should: what was made of the last such attempt, and the
/// system's words for it.
fn cause(control: &Control, api: &impl RemoteApi) -> String {
    format!("{}{}", control.trouble, api.cause())
}

/// How fetching comes to its end.
struct Closing<'a> {
    /// Why nothing is sent any more.
    end: End,
    answers: &'a queue::Sender,
    stop: watch::Receiver<bool>,
    /// Gives the time: microseconds since 1970, UTC.
    clock: &'a dyn Fn() -> i64,
}

/// Takes in what is still under way, and hands on what is known of contacts that were only tried.
/// Gives why fetching ended, after all.
async fn finish(
    control: &mut Control,
    in_flight: &mut FuturesUnordered<impl Future<Output = Attempt>>,
    chores: &mut FuturesUnordered<impl Future<Output = ChoreDone>>,
    closing: Closing<'_>,
) -> End {
    let Closing {
        end,
        answers,
        stop,
        clock,
    } = closing;
    let last_answers = async {
        if end == End::NotStored {
            return Err(QueueClosed);
        }
        // Only somebody who waits is in a hurry; otherwise the requests' own time-out bounds it.
        let ends = (end == End::Interrupted).then(|| Instant::now() + LAST_CALL);
        last_call(control, in_flight, answers, Grace { ends, stop }).await
    };
    // A login that is broken off may have used up the token that the next one needs: it ends beside
    // the last answers.
    let last_chores =
        async { while let Ok(Some(_)) = tokio::time::timeout(LAST_CALL, chores.next()).await {} };
    let (mut stored, ()) = tokio::join!(last_answers, last_chores);
    if stored.is_ok() {
        // That they were tried is kept however the run ends, so that no contact which ends it comes
        // first again.
        control.end(clock());
        stored = hand_on(control.take_finished(), answers).await;
    }
    stored.map_or(End::NotStored, |()| end)
}

/// How long the last answers are waited for: until somebody asks to stop, and then a little longer.
struct Grace {
    ends: Option<Instant>,
    stop: watch::Receiver<bool>,
}

impl Grace {
    /// Waits until it is over. May be broken off and asked again.
    async fn over(&mut self) {
        let ends = if let Some(ends) = self.ends {
            ends
        } else {
            drop(self.stop.changed().await);
            *self.ends.insert(Instant::now() + LAST_CALL)
        };
        tokio::time::sleep_until(ends).await;
    }
}

/// Takes in what is still in flight: those answers are paid for. Nothing is sent any more.
async fn last_call(
    control: &mut Control,
    in_flight: &mut FuturesUnordered<impl Future<Output = Attempt>>,
    answers: &queue::Sender,
    mut grace: Grace,
) -> Result<(), QueueClosed> {
    loop {
        tokio::select! {
            biased;
            attempt = in_flight.next() => {
                let Some(attempt) = attempt else { return Ok(()) };
                let count = in_flight.len() + 1;
                // Why the run ends is decided already; what it was that says so is on record.
                drop(control.settle(attempt, count, fastrand::f64()));
                hand_on(control.take_finished(), answers).await?;
            }
            () = grace.over() => return Ok(()),
        }
    }
}

async fn hand_on(finished: Vec<Answer<Bytes>>, answers: &queue::Sender) -> Result<(), QueueClosed> {
    for answer in finished {
        answers.send(answer).await?;
    }
    Ok(())
}

async fn one_attempt<A: RemoteApi>(
    api: &A,
    send: Send,
    sending: Sending,
    start: Instant,
) -> Attempt {
    let contact_id = send.contact_id();
    let at = start.elapsed();
    let reply = match sending.via {
        Via::AnyConnection => api.attempt(contact_id).await,
        Via::NewConnection => api.attempt_on_new_connection(contact_id).await,
    };
    let done = start.elapsed();
    let fetched_at = api.now().as_microsecond();
    let reply = match reply {
        Ok(reply) => {
            let content = api.inspect(contact_id, &reply).await;
            Ok((reply, content))
        }
        Err(no_reply) => Err(no_reply),
    };
    Attempt {
        sent: Sent {
            send,
            login: sending.login,
            via: sending.via,
            at,
        },
        done,
        fetched_at,
        reply,
    }
}

/// Applies the verdict on one attempt; answers that are final go out.
async fn settle(
    control: &mut Control,
    attempt: Attempt,
    in_flight: usize,
    answers: &queue::Sender,
) -> Result<(), End> {
    control.settle(attempt, in_flight, fastrand::f64())?;
    hand_on(control.take_finished(), answers)
        .await
        .map_err(|_| End::NotStored)
}

async fn carry_out<A: RemoteApi>(api: &A, chore: Chore) -> ChoreDone {
    match chore {
        Chore::Locate => ChoreDone::Located(api.locate().await),
        Chore::LogIn => ChoreDone::LoggedIn(api.log_in().await),
        Chore::WhoAmI => ChoreDone::WhoAmI(api.who_am_i().await),
    }
}

#[cfg(test)]
mod tests;
