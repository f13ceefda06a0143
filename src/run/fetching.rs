//! Where fetcher and store meet: one thread talks to the network, one writes the state. Bounded
//! queues between them give back-pressure, so that a slow disk slows down the calls.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};

use super::storage_policy::StoragePolicy;
use crate::contact::{Answer, Calls, KeptMembers, Planned};
use crate::error::Error;

use crate::extract::connection::RemoteApi;
use crate::extract::fetcher::queue::{Receiver, queue};
use crate::extract::fetcher::{self, Channels, End, Fetched};
use crate::report::{Progress, Reporter};
use crate::store::{QuestionId, Run, Store};

/// Answers are stored at the latest after this long: what a crash may cost, besides what is in
/// flight, is a second.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// Answers are stored at the latest when there are so many. At a thousand answers a second this and
/// [`BATCH_TIME`] come to the same.
const BATCH: usize = 1_000;
/// Answers are stored at the latest when their bodies take so many bytes: half of what the queue
/// lets wait, so that the fetcher goes on while they are stored.
const BATCH_BYTES: usize = 4 << 20;
/// While answers are collected, they are taken in so often: to wake for each of them costs more
/// than to store it.
const ROUND: Duration = Duration::from_millis(5);
/// Contacts of the plan that are read at once: a query is worth it, and a page takes 16 KB.
const PAGE: u32 = 1_000;
/// Pages of the plan that wait for the fetcher, so that it never waits for one.
const PAGES: usize = 2;

/// What it takes to carry out the plan.
pub(super) struct Fetching<'a, A> {
    pub(super) api: &'a A,
    pub(super) settings: &'a fetcher::Settings,
    pub(super) store: &'a mut Store,
    /// The run as it stands before.
    pub(super) run: &'a Run,
    pub(super) question: QuestionId,
    /// What of an answer is stored.
    pub(super) kept: &'a KeptMembers,
    pub(super) stop: &'a watch::Receiver<bool>,
}

impl<A: RemoteApi> Fetching<'_, A> {
    /// Carries out the plan: answers go to the store as they come. Fetcher and store share the
    /// runtime, where there is one. Gives what it came to, and the run with all that was called.
    pub(super) fn carry_out(
        self,
        runtime: Option<&Runtime>,
        report: &mut Reporter,
    ) -> Result<(Fetched, Run), Error> {
        let (pages, plan) = mpsc::channel(PAGES);
        let (answers, answered) = queue(2 * BATCH);
        let (told, progress) = watch::channel(Progress::default());
        let keeper = Keeper {
            store: self.store,
            run: self.run,
            question: self.question,
            policy: StoragePolicy::of(self.kept),
            progress,
        };
        let keep = keeper.keep(Pages::new(pages), answered);
        // The keeper ends when `answers` is dropped, together with this.
        let fetch = async move {
            let mut tell = |progress: &Progress, cause: &dyn Fn() -> String| {
                told.send_replace(*progress);
                report.fetching(progress, cause);
            };
            let channels = Channels {
                plan,
                answers: &answers,
                stop: self.stop.clone(),
            };
            fetcher::fetch(self.api, self.settings, channels, &mut tell).await
        };
        let (fetched, kept) = match runtime {
            Some(runtime) => runtime.block_on(async { tokio::join!(fetch, keep) }),
            None => on_two_threads(fetch, keep)?,
        };
        // The keeper's error comes first: it is why answers were no longer taken.
        let time = kept?;
        if fetched.end == End::NotStored {
            return Err(Error::Defect);
        }
        let run = so_far(self.run, &fetched.progress, time);
        Ok((fetched, run))
    }
}

/// Fetches on this thread, and stores on another one.
fn on_two_threads(
    fetch: impl Future<Output = Fetched>,
    keep: impl Future<Output = Result<Duration, Error>> + Send,
) -> Result<(Fetched, Result<Duration, Error>), Error> {
    let network = runtime()?;
    let storage = runtime()?;
    std::thread::scope(|scope| {
        let keeper = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn_scoped(scope, move || storage.block_on(keep))
            .map_err(Error::System)?;
        let fetched = network.block_on(fetch);
        let kept = keeper.join().map_err(|_| Error::Defect)?;
        Ok((fetched, kept))
    })
}

/// A runtime of this thread's own.
pub(super) fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::System)
}

/// The run after so much more was called, in so much more time.
fn so_far(run: &Run, progress: &Progress, time: Duration) -> Run {
    let calls = Calls {
        attempts: progress.attempts,
        retries: progress.retries,
        logins: progress.logins,
    };
    Run {
        calls: run.calls + calls,
        fetch_seconds: run.fetch_seconds + time.as_secs_f64(),
        ..run.clone()
    }
}

/// The side of the store.
struct Keeper<'a> {
    store: &'a mut Store,
    run: &'a Run,
    question: QuestionId,
    policy: StoragePolicy,
    progress: watch::Receiver<Progress>,
}

impl Keeper<'_> {
    /// Hands out the plan page by page and stores answers in batches, until the fetcher is done.
    /// Gives how long that took.
    async fn keep(mut self, mut pages: Pages, mut answered: Receiver) -> Result<Duration, Error> {
        let began = Instant::now();
        let mut batch = Batch::new();
        loop {
            pages.hand_out(|after| Ok(self.store.planned(after, PAGE)?))?;
            tokio::select! {
                received = batch.collect(&mut answered) => {
                    if received != Received::Some || batch.is_full() {
                        let run = so_far(self.run, &self.progress.borrow(), began.elapsed());
                        self.record(&run, &batch.answers)?;
                        batch.clear(&answered);
                    }
                    if received == Received::End {
                        return Ok(began.elapsed());
                    }
                }
                () = pages.room(), if pages.are_left() => {}
            }
        }
    }
}

impl Keeper<'_> {
    /// Stores answers, without what the job does not keep.
    fn record(&mut self, run: &Run, answers: &[Answer<Bytes>]) -> Result<(), Error> {
        match self.policy.apply(answers)? {
            None => self.store.record(run, self.question, answers)?,
            Some(answers) => self.store.record(run, self.question, &answers)?,
        }
        Ok(())
    }
}

/// The plan on its way to the fetcher.
struct Pages {
    /// None after the last page: that closes the queue.
    queue: Option<mpsc::Sender<Vec<Planned>>>,
    /// Contacts handed out so far.
    handed_out: u64,
}

impl Pages {
    fn new(queue: mpsc::Sender<Vec<Planned>>) -> Self {
        Self {
            queue: Some(queue),
            handed_out: 0,
        }
    }

    /// Whether there may be more to hand out.
    fn are_left(&self) -> bool {
        self.queue.is_some()
    }

    /// Fills the queue; `read` gives the page after so many contacts.
    fn hand_out(&mut self, read: impl Fn(u64) -> Result<Vec<Planned>, Error>) -> Result<(), Error> {
        while let Some(queue) = self.queue.take() {
            let Ok(place) = queue.try_reserve() else {
                // Full; or nobody takes pages any more, and then there is nothing left to do.
                self.queue = (!queue.is_closed()).then_some(queue);
                break;
            };
            let page = read(self.handed_out)?;
            self.handed_out += u64::try_from(page.len()).unwrap_or(u64::MAX);
            if !page.is_empty() {
                place.send(page);
                self.queue = Some(queue);
            }
        }
        Ok(())
    }

    /// Waits until the queue has room, or nobody takes pages any more.
    async fn room(&self) {
        if let Some(queue) = &self.queue {
            drop(queue.reserve().await);
        }
    }
}

/// What came of waiting for answers.
#[derive(Debug, PartialEq, Eq)]
enum Received {
    /// More of them.
    Some,
    /// The time to store what is there.
    DeadlinePassed,
    /// The fetcher is done.
    End,
}

/// Answers that are stored together.
struct Batch {
    answers: Vec<Answer<Bytes>>,
    /// Bytes of their bodies.
    bytes: usize,
    /// When they are stored at the latest; none while there are none.
    deadline: Option<Instant>,
    rounds: Interval,
}

impl Batch {
    fn new() -> Self {
        let mut rounds = interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            answers: Vec::with_capacity(BATCH),
            bytes: 0,
            deadline: None,
            rounds,
        }
    }

    fn is_full(&self) -> bool {
        self.answers.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    /// Waits for answers, and takes in as many as there is room for. May be broken off: nothing is
    /// lost.
    async fn collect(&mut self, answered: &mut Receiver) -> Received {
        if !self.answers.is_empty() {
            self.rounds.tick().await;
        }
        let answers = answered.receive(BATCH - self.answers.len());
        let answers = match self.deadline {
            None => answers.await,
            Some(deadline) => match timeout_at(deadline, answers).await {
                Ok(answers) => answers,
                Err(_) => return Received::DeadlinePassed,
            },
        };
        if answers.is_empty() {
            return Received::End;
        }
        self.bytes += bodies(&answers).map(Bytes::len).sum::<usize>();
        self.answers.extend(answers);
        self.deadline
            .get_or_insert_with(|| Instant::now() + BATCH_TIME);
        Received::Some
    }

    /// Forgets what is stored now, and gives back its room in the queue.
    fn clear(&mut self, answered: &Receiver) {
        bodies(&self.answers).for_each(|body| answered.stored(Some(body)));
        self.answers.clear();
        self.bytes = 0;
        self.deadline = None;
    }
}

fn bodies(answers: &[Answer<Bytes>]) -> impl Iterator<Item = &Bytes> {
    answers.iter().filter_map(|answer| answer.body.as_ref())
}
