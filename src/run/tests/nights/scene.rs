//! The world of a script: true time and the job's clock, the server, and the moments at which a
//! start is killed or asked to stop. It notes everything that the server said.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::{Instant, advance};

use super::say::Say;
use super::script::Moment;
use super::tally::Tally;
use super::truth::{Asked, Truth};
use crate::load::publish;
use crate::run::tests::EPOCH;

/// What the server said to a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) contact_id: i64,
    pub(super) asked: Asked,
    pub(super) say: Say,
    /// The contact's version at that time.
    pub(super) version: u64,
    /// When it was, by true time.
    pub(super) at: Duration,
    /// When it was by the job's clock: microseconds since 1970.
    pub(super) by_clock: i64,
    /// The run in which it was asked; 0 where none was noted.
    pub(super) run: i64,
    /// Whether it died with its process, which had not stored it yet.
    pub(super) is_lost: bool,
    /// Whether it was asked to find out whether the server is there, or the login good.
    pub(super) is_probe: bool,
    /// Whether the server said so because it is troubled.
    pub(super) is_trouble: bool,
}

/// What troubles the server at last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trouble {
    /// It says this to everybody until then.
    Until(Duration, Say),
    /// It says this to so many more.
    More(u8, Say),
}

/// Something that happens when so many requests were sent in a start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    Outage {
        say: Say,
        minutes: u16,
    },
    Refusal {
        say: Say,
        answers: u8,
    },
    /// The clock is wrong by so many hours from now on.
    Clock {
        hours: i16,
    },
}

/// What is to happen in a start.
#[derive(Debug, Clone, Default)]
pub(super) struct Plot {
    pub(super) turns: Vec<(u8, Turn)>,
    pub(super) kill: Option<Moment>,
    pub(super) stop: Option<Moment>,
}

/// How a killed process ends, instead of by its own end.
pub(super) struct Killed;

pub(super) struct Scene {
    folder: TempDir,
    pub(super) runtime: Runtime,
    start: Instant,
    pub(super) truth: RefCell<Truth>,
    pub(super) said: RefCell<Vec<Said>>,
    /// How wrong the clock is.
    pub(super) wrong: Cell<SignedDuration>,
    pub(super) trouble: Cell<Option<Trouble>>,
    pub(super) plot: RefCell<Plot>,
    requests: Cell<u8>,
    clock_readings: Cell<u8>,
    latest_before: RefCell<Option<String>>,
    runs_before: RefCell<BTreeSet<String>>,
    /// What came about.
    pub(super) tally: RefCell<Tally>,
    pub(super) stop: watch::Sender<bool>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let runtime = runtime.unwrap();
        let start = runtime.block_on(async { Instant::now() });
        // Files that only have to outlive a simulated crash are quicker in memory.
        let in_memory = tempfile::tempdir_in("/dev/shm");
        let folder = in_memory.or_else(|_| tempfile::tempdir()).unwrap();
        Self {
            folder,
            runtime,
            start,
            truth: RefCell::default(),
            said: RefCell::default(),
            wrong: Cell::default(),
            trouble: Cell::new(None),
            plot: RefCell::default(),
            requests: Cell::new(0),
            clock_readings: Cell::new(0),
            latest_before: RefCell::default(),
            runs_before: RefCell::default(),
            tally: RefCell::default(),
            stop: watch::Sender::new(false),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn output(&self) -> PathBuf {
        self.folder().join("out")
    }

    /// A copy of the state as the killed process left it.
    pub(super) fn copy_of_state(&self) -> PathBuf {
        self.folder().join("killed")
    }

    /// True time, since the first night began.
    pub(super) fn now(&self) -> Duration {
        let _entered = self.runtime.enter();
        self.start.elapsed()
    }

    pub(super) fn wait(&self, time: Duration) {
        self.runtime.block_on(async { advance(time).await });
    }

    /// What the job's clock shows.
    pub(super) fn clock(&self) -> Timestamp {
        EPOCH + self.now() + self.wrong.get()
    }

    /// Begins a start, in which this is to happen.
    pub(super) fn begin(&self, plot: Plot) {
        self.plot.replace(plot);
        self.requests.set(0);
        self.clock_readings.set(0);
        self.latest_before.replace(publish::latest(&self.output()));
        let runs = publish::published(&self.output()).unwrap();
        self.runs_before.replace(runs.into_iter().collect());
        self.stop.send_replace(false);
    }

    /// What the job sees when it looks at the clock.
    pub(super) fn read_clock(&self) -> Timestamp {
        self.clock_readings
            .set(self.clock_readings.get().saturating_add(1));
        self.reach(Moment::Clock(self.clock_readings.get()));
        // A start may also make good what an earlier one did not come to.
        let latest = publish::latest(&self.output());
        let is_older = |run| self.runs_before.borrow().contains(run);
        if latest.as_ref().is_none_or(is_older) {
            self.latest_before.replace(latest);
        } else {
            self.reach(Moment::Published);
            self.reach(Moment::BeforeLatest);
        }
        self.clock()
    }

    fn reach(&self, moment: Moment) {
        let mut plot = self.plot.borrow_mut();
        if plot.stop.take_if(|stop| *stop == moment).is_some() {
            self.stop.send_replace(true);
            self.count("asked to stop");
        }
        if plot.kill.take_if(|kill| *kill == moment).is_some() {
            if moment == Moment::BeforeLatest {
                self.take_latest_back();
            }
            self.keep_state();
            self.count(match moment {
                Moment::Clock(_) => "killed between steps",
                Moment::Request(_) => "killed at a request",
                Moment::Published => "killed when published",
                Moment::BeforeLatest => "killed before latest",
            });
            resume_unwind(Box::new(Killed));
        }
    }

    fn take_latest_back(&self) {
        match &*self.latest_before.borrow() {
            Some(run) => publish::point_latest(&self.output(), run).unwrap(),
            None => std::fs::remove_file(self.output().join(publish::LATEST)).unwrap(),
        }
    }

    /// Copies the state with its log, which a process that ends well tidies away.
    fn keep_state(&self) {
        let copy = self.copy_of_state();
        std::fs::create_dir_all(&copy).unwrap();
        for name in ["state.sqlite", "state.sqlite-wal"] {
            let from = self.output().join(name);
            if from.exists() {
                std::fs::copy(from, copy.join(name)).unwrap();
            }
        }
    }

    /// Puts that copy in the place of the state.
    pub(super) fn leave_state_as_killed(&self) {
        let copy = self.copy_of_state();
        for name in ["state.sqlite", "state.sqlite-wal"] {
            if copy.join(name).exists() {
                std::fs::rename(copy.join(name), self.output().join(name)).unwrap();
            }
        }
    }

    pub(super) fn count(&self, what: &'static str) {
        self.tally.borrow_mut().count(what);
    }

    pub(super) fn requests(&self) -> u8 {
        self.requests.get()
    }

    pub(super) fn send(&self) {
        let number = self.requests.get().saturating_add(1);
        self.requests.set(number);
        let mut plot = self.plot.borrow_mut();
        let due: Vec<_> = plot
            .turns
            .extract_if(.., |(after, _)| *after < number)
            .collect();
        drop(plot);
        for (_, turn) in due {
            self.turn(turn);
        }
        self.reach(Moment::Request(number));
    }

    pub(super) fn turn(&self, turn: Turn) {
        match turn {
            Turn::Clock { hours } => {
                self.count(if hours < 0 {
                    "clock set back"
                } else {
                    "clock set ahead"
                });
                // By a little more than hours, so that no two answers bear the same time.
                let days = i64::try_from(self.now().as_secs() / 86_400).unwrap();
                let wrong = SignedDuration::from_hours(hours.into());
                self.wrong
                    .set(wrong + SignedDuration::from_micros(days + 1));
            }
            Turn::Refusal { say, answers } => self.trouble.set(Some(Trouble::More(answers, say))),
            Turn::Outage { say, minutes } => {
                let end = self.now() + Duration::from_mins(minutes.into());
                self.trouble.set(Some(Trouble::Until(end, say)));
            }
        }
    }

    /// Whether the server works, as far as is known before it is asked.
    pub(super) fn is_well(&self) -> bool {
        match self.trouble.get() {
            None => true,
            Some(Trouble::Until(end, _)) => end <= self.now(),
            Some(Trouble::More(answers, _)) => answers == 0,
        }
    }

    /// What the troubled server says to everybody, if it is.
    pub(super) fn say_to_everybody(&self) -> Option<Say> {
        match self.trouble.get() {
            Some(Trouble::Until(end, say)) if self.now() < end => {
                self.count("outage");
                Some(say)
            }
            Some(Trouble::More(answers @ 1.., say)) => {
                self.count("refusal");
                self.trouble.set(Some(Trouble::More(answers - 1, say)));
                Some(say)
            }
            _ => None,
        }
    }
}
