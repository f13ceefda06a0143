//! Runs the plan: sends with bounded concurrency, applies verdicts, tries again, and hands each
//! contact's answer on once it is final. The only place that sleeps. What is decided is decided
//! elsewhere: verdict, retry, pace, budget, outage, hopeless.

mod access;
pub mod budget;
pub mod hopeless;
pub mod outage;
pub mod pace;
pub mod queue;
pub mod retry;
mod state;
mod tries;
pub mod verdict;

use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hdrhistogram::Histogram;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::state::{Next, State};
use crate::contact::{ContactId, Planned};
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::inspect::Content;
use crate::extract::api::tenant::{NotLocated, Unusable};
use crate::extract::auth::{Life, NoLogin, Refusal};
use crate::extract::connection::RemoteApi;
use crate::extract::fetcher::hopeless::Hopeless;
use crate::extract::fetcher::pace::limiter::Rate;
use crate::extract::fetcher::retry::RetryPolicy;
use crate::report::Progress;

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
}

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
    /// The tenant cannot be used.
    Unusable(Unusable),
    /// The first answers are all one refusal.
    Hopeless(Hopeless),
    /// Answers are no longer taken, since they cannot be stored.
    NotStored,
}

/// What a fetch comes to.
#[derive(Debug)]
pub struct Fetched {
    /// Why it ended.
    pub end: End,
    /// How it stood then.
    pub progress: Progress,
    /// Microseconds from request to answer.
    pub latency: Histogram<u64>,
}

/// What has to be known before requests can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chore {
    /// Where the API is.
    Locate,
    /// A login.
    LogIn,
}

/// What a chore came to.
enum Done {
    Located(Result<Option<Duration>, NotLocated>),
    LoggedIn(Result<Life, NoLogin>),
}

/// How long answers in flight are waited for when somebody asked to stop.
const LAST_CALL: Duration = Duration::from_secs(5);
/// How often progress is told while nothing happens.
const TELL: Duration = Duration::from_secs(1);

/// Runs the plan: pages of contacts come in by `plan`, answers go out by `answers`, and `stop`
/// turns true when somebody asks to stop.
pub async fn fetch<A: RemoteApi>(
    api: &A,
    settings: &Settings,
    mut plan: mpsc::Receiver<Vec<Planned>>,
    answers: &queue::Sender,
    mut stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(&Progress),
) -> Fetched {
    let start = Instant::now();
    let mut state = State::new(settings.clone());
    let mut in_flight = FuturesUnordered::new();
    let mut chores = FuturesUnordered::new();
    let mut plan_open = true;
    let end = loop {
        let now = start.elapsed();
        let next = if *stop.borrow() {
            Next::Stop(End::Interrupted)
        } else if answers.is_closed() {
            Next::Stop(End::NotStored)
        } else {
            state.next(now, in_flight.len(), plan_open)
        };
        let wake = match next {
            Next::Send(contact_id) => {
                let login = state.sent(contact_id, now);
                in_flight.push(one_attempt(api, contact_id, login, start));
                continue;
            }
            Next::Begin(chore) => {
                chores.push(carry_out(api, chore));
                continue;
            }
            Next::Wait(until) => until.unwrap_or(now + TELL),
            Next::Plan => now + TELL,
            Next::Stop(end) => break end,
        };
        tokio::select! {
            biased;
            Some(done) = chores.next(), if !chores.is_empty() => if let Err(end) = state.done(&done, start.elapsed(), fastrand::f64()) {
                break end;
            },
            Some((attempt, contact_id)) = in_flight.next(), if !in_flight.is_empty() => {
                let count = in_flight.len() + 1;
                match settle(&mut state, attempt, contact_id, count, answers).await {
                    Ok(()) => tell(&state.progress(start.elapsed(), in_flight.len(), api.logins())),
                    Err(end) => break end,
                }
            }
            changed = stop.changed() => if changed.is_err() { break End::Interrupted },
            page = plan.recv(), if plan_open && matches!(next, Next::Plan) => match page {
                Some(page) => state.plan(page),
                None => plan_open = false,
            },
            () = tokio::time::sleep_until(start + wake.min(now + TELL)) => tell(&state.progress(start.elapsed(), in_flight.len(), api.logins())),
        }
    };
    // A login that is broken off may have used up the token that the next one needs: it ends beside
    // the last answers.
    let last_chores =
        async { while let Ok(Some(_)) = tokio::time::timeout(LAST_CALL, chores.next()).await {} };
    let (mut end, ()) = tokio::join!(
        last_call(&mut state, &mut in_flight, answers, end, &mut stop),
        last_chores
    );
    if end == End::Budget {
        // That they were tried is kept, so that the next night does not begin with them again.
        for answer in state.unfinished() {
            if answers.send(answer).await.is_err() {
                end = End::NotStored;
                break;
            }
        }
    }
    let progress = state.progress(start.elapsed(), 0, api.logins());
    tell(&progress);
    Fetched {
        end,
        progress,
        latency: state.into_latency(),
    }
}

/// Takes in what is still in flight: those answers are paid for. Nothing is sent any more.
async fn last_call(
    state: &mut State,
    in_flight: &mut FuturesUnordered<impl Future<Output = (Attempt, ContactId)>>,
    answers: &queue::Sender,
    end: End,
    stop: &mut watch::Receiver<bool>,
) -> End {
    if end == End::NotStored {
        return end;
    }
    // Only somebody who waits is in a hurry; otherwise the requests' own time-out bounds it.
    let mut deadline = (end == End::Interrupted).then(|| Instant::now() + LAST_CALL);
    loop {
        let hurry = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => drop(stop.changed().await),
            }
        };
        tokio::select! {
            biased;
            settled = in_flight.next() => {
                let Some((attempt, contact_id)) = settled else { return end };
                let count = in_flight.len() + 1;
                if let Ok(Some(answer)) = state.settle(contact_id, attempt, count, fastrand::f64())
                    && answers.send(answer).await.is_err()
                {
                    return End::NotStored;
                }
            }
            () = hurry => match deadline {
                Some(_) => return end,
                None => deadline = Some(Instant::now() + LAST_CALL),
            },
        }
    }
}

/// One attempt as it went.
struct Attempt {
    /// The login that it was sent under.
    login: u64,
    sent: Duration,
    done: Duration,
    /// When it was done: microseconds since 1970, UTC.
    at: i64,
    reply: Result<(Reply, Content), NoReply>,
}

async fn one_attempt<A: RemoteApi>(
    api: &A,
    contact_id: ContactId,
    login: u64,
    start: Instant,
) -> (Attempt, ContactId) {
    let sent = start.elapsed();
    let reply = api.attempt(contact_id).await;
    let done = start.elapsed();
    let at = jiff::Timestamp::now().as_microsecond();
    let reply = match reply {
        Ok(reply) => {
            let content = api.inspect(contact_id, &reply).await;
            Ok((reply, content))
        }
        Err(no_reply) => Err(no_reply),
    };
    (
        Attempt {
            login,
            sent,
            done,
            at,
            reply,
        },
        contact_id,
    )
}

/// Applies the verdict on one attempt; an answer that is final goes out.
async fn settle(
    state: &mut State,
    attempt: Attempt,
    contact_id: ContactId,
    in_flight: usize,
    answers: &queue::Sender,
) -> Result<(), End> {
    match state.settle(contact_id, attempt, in_flight, fastrand::f64())? {
        Some(answer) => answers.send(answer).await.map_err(|_| End::NotStored),
        None => Ok(()),
    }
}

async fn carry_out<A: RemoteApi>(api: &A, chore: Chore) -> Done {
    match chore {
        Chore::Locate => Done::Located(api.locate().await),
        Chore::LogIn => Done::LoggedIn(api.log_in().await),
    }
}

#[cfg(test)]
mod tests;
