//! The fetcher against a scripted API on tokio's paused clock. What every run has to keep is
//! asserted in one place, here.

mod access;
mod attempts;
mod ends;
mod outage;
mod properties;
mod refusals;
mod scenarios;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::queue::queue;
use super::{Channels, End, Fetched, Settings, fetch};
use crate::contact::{Answer, ContactId, Found, Outcome, Planned, Reason};
use crate::extract::api::client::{NoReply, Reach, Reply};
use crate::extract::api::inspect::{Content, inspect};
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::{Life, NoLogin};
use crate::extract::connection::RemoteApi;
use crate::extract::fetcher::retry::RetryPolicy;
use crate::gzip::Unpacker;

/// What the API does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Say {
    /// A summary.
    Summary,
    /// `null`.
    Nothing,
    /// Status 200 without a body.
    Empty,
    /// Status 200 with a web page.
    Page,
    /// This status, with a `Retry-After`, and with the API's own error object.
    Status(u16, Option<Duration>),
    /// Status 404 of some web server.
    NoPage,
    /// Something that is no summary.
    Other,
    /// There is no connection.
    Refuse,
    /// The connection breaks.
    Reset,
    /// The connection, which had served before, is lost before anything of an answer comes.
    Drop,
    /// The server's certificate is not accepted.
    Distrust,
    /// No answer in time.
    Hang,
}

/// One request as the API sees it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    contact_id: i64,
    /// Which request it is for this contact; the first is 1.
    attempt: u32,
    at: Duration,
    /// Requests that are being worked on, without this one.
    working: usize,
    /// The login that it comes under; the first is 1.
    login: u64,
    /// How often its place was asked for.
    located: usize,
    /// Whether it comes on a connection of its own.
    is_on_new_connection: bool,
}

/// An API that does what a function says, after as long as it says.
struct Script<F> {
    react: F,
    start: Instant,
    seen: RefCell<Vec<Seen>>,
    attempts: RefCell<BTreeMap<i64, u32>>,
    under_way: RefCell<BTreeSet<i64>>,
    working: Cell<usize>,
    most_in_flight: Cell<usize>,
    /// What the tenant's state and a login come to; see [`Trial`].
    locate: fn(Duration) -> Result<Option<Duration>, NotLocated>,
    log_in: fn(u64, Duration) -> Result<Life, NoLogin>,
    who_am_i: fn(Duration) -> u16,
    /// When it was asked who is logged in.
    asked_who: RefCell<Vec<Duration>>,
    logins: Cell<u64>,
    located: RefCell<Vec<Duration>>,
}

impl<F: Fn(Seen) -> (Duration, Say)> Script<F> {
    async fn reply(
        &self,
        contact_id: ContactId,
        is_on_new_connection: bool,
    ) -> Result<Reply, NoReply> {
        let id = contact_id.get();
        let attempt = *self
            .attempts
            .borrow_mut()
            .entry(id)
            .and_modify(|attempts| *attempts += 1)
            .or_insert(1);
        let seen = Seen {
            contact_id: id,
            attempt,
            at: self.start.elapsed(),
            working: self.working.get(),
            login: self.logins.get(),
            located: self.located.borrow().len(),
            is_on_new_connection,
        };
        self.seen.borrow_mut().push(seen);
        assert!(
            self.under_way.borrow_mut().insert(id),
            "contact {id} is in flight twice"
        );
        self.most_in_flight
            .set(self.most_in_flight.get().max(self.under_way.borrow().len()));
        let (after, say) = (self.react)(seen);
        let works = usize::from(say == Say::Summary);
        self.working.set(self.working.get() + works);
        sleep(after).await;
        self.working.set(self.working.get() - works);
        self.under_way.borrow_mut().remove(&id);
        let reply = |status, body: &'static str| {
            Ok(Reply {
                status,
                retry_after: None,
                is_gzip: false,
                body: Bytes::from_static(body.as_bytes()),
            })
        };
        match say {
            Say::Summary => reply(200, "{}"),
            Say::Nothing => reply(200, "null"),
            Say::Empty => reply(200, ""),
            Say::Page => reply(200, "<html>"),
            Say::NoPage => reply(404, "<html>"),
            Say::Other => reply(200, "[]"),
            Say::Status(status, retry_after) => Ok(Reply {
                status,
                retry_after,
                is_gzip: false,
                body: Bytes::from_static(br#"{"Error":true,"Message":"no"}"#),
            }),
            Say::Refuse => Err(NoReply {
                reason: Reason::Connection,
                status: None,
                reach: Reach::Nowhere,
            }),
            Say::Reset => Err(NoReply {
                reason: Reason::Connection,
                status: None,
                reach: Reach::Sent,
            }),
            Say::Drop => Err(NoReply {
                reason: Reason::Connection,
                status: None,
                reach: Reach::LostConnection,
            }),
            Say::Distrust => Err(NoReply {
                reason: Reason::Connection,
                status: None,
                reach: Reach::Untrusted,
            }),
            Say::Hang => Err(NoReply {
                reason: Reason::Timeout,
                status: None,
                reach: Reach::Sent,
            }),
        }
    }
}

impl<F: Fn(Seen) -> (Duration, Say)> RemoteApi for Script<F> {
    async fn attempt(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.reply(contact_id, false).await
    }

    async fn attempt_on_new_connection(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.reply(contact_id, true).await
    }

    async fn inspect(&self, contact_id: ContactId, reply: &Reply) -> Content {
        inspect(
            contact_id,
            reply,
            &mut Unpacker::default(),
            &|_, body| match body {
                b"{}" => Ok(Found::Summary),
                b"null" => Ok(Found::Nothing),
                [b'<', ..] => Err(Reason::NotJson),
                _ => Err(Reason::WrongStructure),
            },
        )
    }

    async fn locate(&self) -> Result<Option<Duration>, NotLocated> {
        self.located.borrow_mut().push(self.start.elapsed());
        (self.locate)(self.start.elapsed())
    }

    async fn log_in(&self) -> Result<Life, NoLogin> {
        let life = (self.log_in)(self.logins.get() + 1, self.start.elapsed())?;
        // One that comes at once must not change when requests go out.
        if life.can_be_refused {
            sleep(LOGIN_TAKES).await;
        }
        self.logins.set(self.logins.get() + 1);
        Ok(life)
    }

    async fn who_am_i(&self) -> Result<Reply, NoReply> {
        self.asked_who.borrow_mut().push(self.start.elapsed());
        Ok(Reply {
            status: (self.who_am_i)(self.start.elapsed()),
            retry_after: None,
            is_gzip: false,
            body: Bytes::new(),
        })
    }

    fn logins(&self) -> u64 {
        self.logins.get()
    }
}

const LOGIN_TAKES: Duration = ms(100);

/// A run of the fetcher over the contacts from 1 up to `contacts`.
struct Trial {
    settings: Settings,
    contacts: u32,
    /// Contacts that failed on an earlier night.
    failed_before: std::ops::Range<i64>,
    /// When somebody asks to stop.
    stop_after: Option<Duration>,
    /// When answers are no longer taken.
    deaf_after: Option<Duration>,
    seed: u64,
    /// What the tenant's state is at that time; by default there is none, and the address is fixed.
    locate: fn(Duration) -> Result<Option<Duration>, NotLocated>,
    /// What the login of that number comes to at that time; by default there is one and no other.
    log_in: fn(u64, Duration) -> Result<Life, NoLogin>,
    /// The status that tells who is logged in at that time; by default nobody is.
    who_am_i: fn(Duration) -> u16,
}

/// What a trial comes to.
struct Outcomes {
    fetched: Fetched,
    answers: Vec<Answer<Bytes>>,
    seen: Vec<Seen>,
    took: Duration,
    /// How often the loop went round.
    rounds: usize,
    /// When the tenant's state was asked for.
    located: Vec<Duration>,
    /// When it was asked who is logged in.
    asked_who: Vec<Duration>,
}

fn trial(contacts: u32) -> Trial {
    let settings = Settings {
        rate: None,
        max_in_flight: NonZeroU32::new(8).unwrap(),
        retry: RetryPolicy {
            max_attempts: NonZeroU32::new(6).unwrap(),
            first_delay: Duration::from_millis(500),
        },
        patience: Duration::from_hours(2),
        max_duration: None,
        max_calls: None,
        worked_before: false,
        known_good: Vec::new(),
    };
    Trial {
        settings,
        contacts,
        failed_before: 0..0,
        stop_after: None,
        deaf_after: None,
        seed: 1,
        locate: |_| Ok(None),
        log_in: |number, _| {
            if number == 1 {
                Ok(Life::default())
            } else {
                Err(NoLogin::NoOther)
            }
        },
        who_am_i: |_| 401,
    }
}

impl Trial {
    async fn run(self, react: impl Fn(Seen) -> (Duration, Say)) -> Outcomes {
        fastrand::seed(self.seed);
        let start = Instant::now();
        let api = Script {
            react,
            start,
            seen: RefCell::default(),
            attempts: RefCell::default(),
            under_way: RefCell::default(),
            working: Cell::new(0),
            most_in_flight: Cell::new(0),
            locate: self.locate,
            log_in: self.log_in,
            who_am_i: self.who_am_i,
            asked_who: RefCell::default(),
            logins: Cell::new(0),
            located: RefCell::default(),
        };
        let (pages, plan) = mpsc::channel(2);
        let (sender, mut receiver) = queue(16);
        let (stop, stopped) = watch::channel(false);
        let feed = async {
            let planned = |id| Planned {
                contact_id: ContactId::new(id).unwrap(),
                failed_before: self.failed_before.contains(&id),
            };
            let contacts: Vec<_> = (1..=i64::from(self.contacts)).map(planned).collect();
            for page in contacts.chunks(100) {
                if pages.send(page.to_vec()).await.is_err() {
                    break;
                }
            }
            drop(pages);
        };
        let keep = async {
            let mut answers = Vec::new();
            let deaf_at = start
                + self
                    .deaf_after
                    .unwrap_or(Duration::from_secs(1_000_000_000));
            while let Ok(received) = tokio::time::timeout_at(deaf_at, receiver.receive(16)).await
                && !received.is_empty()
            {
                for answer in received {
                    receiver.stored(answer.body.as_ref());
                    answers.push(answer);
                }
            }
            drop(receiver);
            answers
        };
        let mut rounds = 0;
        let fetched = async {
            let channels = Channels {
                plan,
                answers: &sender,
                stop: stopped,
            };
            let fetched = fetch(&api, &self.settings, channels, &mut |_| rounds += 1).await;
            drop(sender);
            (fetched, start.elapsed())
        };
        let ask = async {
            if let Some(after) = self.stop_after {
                sleep(after).await;
                stop.send_replace(true);
            }
        };
        let ((fetched, took), answers, (), ()) = tokio::join!(fetched, keep, feed, ask);
        let outcomes = Outcomes {
            fetched,
            answers,
            seen: api.seen.into_inner(),
            took,
            rounds,
            located: api.located.into_inner(),
            asked_who: api.asked_who.into_inner(),
        };
        assert!(
            api.most_in_flight.get() <= usize::try_from(self.settings.max_in_flight.get()).unwrap()
        );
        outcomes.check(self.contacts);
        outcomes
    }
}

impl Outcomes {
    /// What holds for every run, however it ends.
    fn check(&self, contacts: u32) {
        let progress = self.fetched.progress;
        let answered: BTreeSet<_> = self
            .answers
            .iter()
            .map(|answer| answer.contact_id.get())
            .collect();
        assert_eq!(
            answered.len(),
            self.answers.len(),
            "a contact has two answers"
        );
        assert_eq!(progress.attempts, u64::try_from(self.seen.len()).unwrap());
        let mut asked = BTreeMap::new();
        self.seen
            .iter()
            .for_each(|seen| *asked.entry(seen.contact_id).or_insert(0) += 1);
        let of_plan = asked.keys().filter(|id| **id <= i64::from(contacts));
        assert_eq!(
            progress.attempts - progress.retries,
            u64::try_from(of_plan.count()).unwrap()
        );
        for answer in &self.answers {
            assert_eq!(
                answer.body.is_some(),
                answer.ending.outcome == Outcome::Exported
            );
            match answer.ending.outcome {
                Outcome::Failed => assert!(answer.ending.error.is_some()),
                Outcome::Pending => assert_ne!(
                    self.fetched.end,
                    End::Complete,
                    "it was tried, and nobody comes back to it"
                ),
                _ => assert_eq!(answer.ending.error, None),
            }
            assert!((1..=asked[&answer.contact_id.get()]).contains(&answer.ending.attempts));
        }
        if self.fetched.end != End::NotStored {
            assert_eq!(
                progress.done,
                u64::try_from(self.answers.len() - self.count(Outcome::Pending)).unwrap()
            );
        }
        if self.fetched.end != End::NotStored {
            let told = asked.keys().filter(|id| answered.contains(id));
            let of_plan = asked.keys().filter(|id| **id <= i64::from(contacts));
            assert_eq!(
                told.count(),
                of_plan.count(),
                "whoever was asked for is told of"
            );
        }
        if self.fetched.end == End::Complete {
            assert_eq!(
                answered,
                (1..=i64::from(contacts)).collect(),
                "a contact has no answer"
            );
        }
    }

    /// How often a contact was asked for.
    fn attempts(&self, contact_id: i64) -> u32 {
        u32::try_from(
            self.seen
                .iter()
                .filter(|seen| seen.contact_id == contact_id)
                .count(),
        )
        .unwrap()
    }

    fn answer(&self, contact_id: i64) -> &Answer<Bytes> {
        self.answers
            .iter()
            .find(|answer| answer.contact_id.get() == contact_id)
            .unwrap()
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.answers
            .iter()
            .filter(|answer| answer.ending.outcome == outcome)
            .count()
    }

    /// When requests went out, for one contact or for all.
    fn times(&self, contact_id: Option<i64>) -> Vec<Duration> {
        self.seen
            .iter()
            .filter(|seen| contact_id.is_none_or(|id| seen.contact_id == id))
            .map(|seen| seen.at)
            .collect()
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
