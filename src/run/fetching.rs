//! Where fetcher and store meet: one thread talks to the network, one writes the state, bounded
//! queues between them.

use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use crate::contact::{Answer, Calls, Planned};
use crate::error::Error;
use crate::extract::connection::Connection;
use crate::extract::fetcher::queue::{Receiver, queue};
use crate::extract::fetcher::{self, Channels, End, Fetched};
use crate::report::{Progress, Reporter};
use crate::store::{Run, Store};

/// Answers are stored at the latest after this long, after so many, and after so many bytes.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// While they are collected, answers are taken in so often: to wake for each of them costs more
/// than to store it.
const ROUND: Duration = Duration::from_millis(5);
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 4 << 20;
/// Contacts of the plan that are read at once.
const PAGE: u32 = 1_000;

/// Runs the plan: answers go to the store as they come.
pub(super) fn fetch(
    connection: &Connection,
    settings: &fetcher::Settings,
    store: &mut Store,
    run: &Run,
    request_key: i64,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Fetched, Error> {
    let network = runtime()?;
    let storage = runtime()?;
    let (pages, plan) = mpsc::channel(2);
    let (answers, answered) = queue(2 * BATCH);
    let (told, progress) = watch::channel(Progress::default());
    std::thread::scope(|scope| {
        let keep =
            move || storage.block_on(keep(store, run, request_key, pages, answered, &progress));
        let keeper = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn_scoped(scope, keep)
            .map_err(Error::System)?;
        let mut tell = |progress: &Progress| {
            told.send_replace(*progress);
            report.fetching(progress);
        };
        let fetched = network.block_on(fetcher::fetch(
            connection,
            settings,
            Channels {
                plan,
                answers: &answers,
                stop: stop.clone(),
            },
            &mut tell,
        ));
        drop(answers);
        // The keeper's error comes first: it is why answers were no longer taken.
        keeper.join().map_err(|_| Error::Defect)??;
        if fetched.end == End::NotStored {
            Err(Error::Defect)
        } else {
            Ok(fetched)
        }
    })
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::System)
}

/// Hands out the plan page by page and stores answers in batches, until the fetcher is done.
async fn keep(
    store: &mut Store,
    run: &Run,
    request_key: i64,
    pages: mpsc::Sender<Vec<Planned>>,
    mut answered: Receiver,
    progress: &watch::Receiver<Progress>,
) -> Result<(), Error> {
    let began = Instant::now();
    let so_far = |progress: &Progress| Run {
        calls: run.calls
            + Calls {
                attempts: progress.attempts,
                retries: progress.retries,
                logins: progress.logins,
            },
        fetch_seconds: run.fetch_seconds + began.elapsed().as_secs_f64(),
        ..run.clone()
    };
    let mut pages = Some(pages);
    let mut planned = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    let mut deadline = None;
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while let Some(sender) = pages.take() {
            let Ok(place) = sender.try_reserve() else {
                pages = (!sender.is_closed()).then_some(sender);
                break;
            };
            let page = store.planned(request_key, planned, PAGE)?;
            planned += u64::try_from(page.len()).unwrap_or(u64::MAX);
            // The queue closes after the last page.
            if !page.is_empty() {
                place.send(page);
                pages = Some(sender);
            }
        }
        let sender = pages.clone();
        let before = batch.len();
        tokio::select! {
            received = next_answers(&mut answered, &mut batch, deadline, &mut rounds) => {
                if received == Received::Some {
                    deadline = deadline.or(Some(Instant::now() + BATCH_TIME));
                }
                bytes += bodies(batch.get(before..).unwrap_or_default()).map(Bytes::len).sum::<usize>();
                if batch.len() >= BATCH || bytes >= BATCH_BYTES || received != Received::Some {
                    store.record(&so_far(&progress.borrow()), request_key, &batch)?;
                    bodies(&batch).for_each(|body| answered.stored(Some(body)));
                    batch.clear();
                    bytes = 0;
                    deadline = None;
                }
                if received == Received::End {
                    return Ok(());
                }
            }
            place = reserve(sender), if pages.is_some() => if !place { pages = None },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Received {
    Some,
    DeadlinePassed,
    End,
}

fn bodies(batch: &[Answer<Bytes>]) -> impl Iterator<Item = &Bytes> {
    batch.iter().filter_map(|answered| answered.body.as_ref())
}

async fn next_answers(
    answered: &mut Receiver,
    batch: &mut Vec<Answer<Bytes>>,
    deadline: Option<Instant>,
    rounds: &mut Interval,
) -> Received {
    if !batch.is_empty() {
        rounds.tick().await;
    }
    let answers = answered.receive(BATCH - batch.len());
    let answers = match deadline {
        None => answers.await,
        Some(deadline) => match timeout_at(deadline, answers).await {
            Ok(answers) => answers,
            Err(_) => return Received::DeadlinePassed,
        },
    };
    if answers.is_empty() {
        return Received::End;
    }
    batch.extend(answers);
    Received::Some
}

/// Waits for room in the queue of pages; false where nobody takes them any more.
async fn reserve(pages: Option<mpsc::Sender<Vec<Planned>>>) -> bool {
    match pages {
        Some(pages) => pages.reserve().await.is_ok(),
        None => false,
    }
}
