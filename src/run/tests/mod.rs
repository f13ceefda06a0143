//! Nights in a world of their own: simulated time and a simulated API, real store and files.

#[expect(
    clippy::similar_names,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "the oracle reads better that way"
)]
mod nights;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep};

use super::{Finished, Mode, Start, Unpublished, World, run_in};
use crate::contact::{ContactId, Reason};
use crate::error::Error;
use crate::extract::api::client::{NoReply, Reach, Reply};
use crate::extract::api::inspect::Content;
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::{Life, NoLogin};
use crate::extract::connection::RemoteApi;
use crate::extract::ids::Reader;
use crate::job::{self, Job};
use crate::report::{LogFormat, ProgressMode, Reporter};
use crate::summary::Summary;

const FETCH: Mode = Mode::Fetch { fresh: false };
const HOUR: Duration = Duration::from_hours(1);
const CONTACTS: u64 = 10;

/// 2026-11-22T02:00:00Z: the first night begins.
const EPOCH: Timestamp = Timestamp::constant(1_795_312_800, 0);

/// A job of ten contacts, on a clock that jumps to whatever is waited for.
struct Simulation {
    folder: TempDir,
    runtime: Runtime,
    start: Instant,
    /// The API does not answer before this instant.
    away_until: Cell<Timestamp>,
    asked: RefCell<Vec<i64>>,
}

impl Simulation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<_> = (1..=CONTACTS).map(|id| id.to_string()).collect();
        let list = format!("contactId\n{}\n", ids.join("\n"));
        std::fs::write(folder.path().join("ids.csv"), list).unwrap();
        let job = "
            [source]
            path = \"ids.csv\"
            [api]
            base_url = \"sandbox\"
            [fetch]
            max_age = \"30h\"
            patience = \"4h\"
            [output]
            dir = \"out\"";
        std::fs::write(folder.path().join("job.toml"), job).unwrap();
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let start = runtime.block_on(async { Instant::now() });
        Self {
            folder,
            runtime,
            start,
            away_until: Cell::new(EPOCH),
            asked: RefCell::default(),
        }
    }

    fn time(&self) -> Timestamp {
        let _entered = self.runtime.enter();
        EPOCH + self.start.elapsed()
    }

    /// Lets time pass until so long after the first night began.
    fn wait_until(&self, since_epoch: Duration) {
        self.runtime
            .block_on(async { advance(since_epoch.saturating_sub(self.start.elapsed())).await });
    }

    fn job(&self) -> Job {
        job::read(&self.folder.path().join("job.toml"), &[]).unwrap()
    }

    fn run(&self, mode: Mode) -> Result<Finished, Unpublished> {
        let job = self.job();
        let (_going, stop) = watch::channel(false);
        let world = World {
            hash_key: None,
            clock: &|| self.time(),
            ids: Reader::open(&job.source.list).unwrap(),
            api: Some(self),
            stop: &stop,
            runtime: Some(&self.runtime),
        };
        let mut report = Reporter::new(ProgressMode::None, LogFormat::Text, false);
        let start = Start {
            mode,
            accept: false,
        };
        run_in(world, &job, start, &mut report)
    }

    fn publish(&self) -> Summary {
        match self.run(FETCH).unwrap() {
            Finished::Published(summary) => *summary,
            Finished::Planned(plan) => panic!("only planned: {plan}"),
        }
    }

    /// The contacts that were asked for since this was asked last.
    fn asked(&self) -> usize {
        self.asked.take().len()
    }
}

impl RemoteApi for &Simulation {
    async fn attempt(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.asked.borrow_mut().push(contact_id.get());
        sleep(Duration::from_millis(50)).await;
        if self.time() < self.away_until.get() {
            return Err(NoReply {
                reason: Reason::Connection,
                status: None,
                reach: Reach::Nowhere,
            });
        }
        Ok(Reply {
            status: 200,
            retry_after: None,
            is_gzip: false,
            body: Bytes::from(format!(r#"{{"Contact":{{"ContactId":{contact_id}}}}}"#)),
        })
    }

    async fn inspect(&self, _: ContactId, reply: &Reply) -> Content {
        Content::Summary(reply.body.clone())
    }

    async fn locate(&self) -> Result<Option<Duration>, NotLocated> {
        Ok(None)
    }

    async fn log_in(&self) -> Result<Life, NoLogin> {
        Ok(Life {
            lifetime: None,
            idle: None,
            is_renewable: false,
            can_be_refused: false,
        })
    }

    fn logins(&self) -> u64 {
        0
    }

    fn now(&self) -> Timestamp {
        self.time()
    }
}

#[test]
fn nights_pass_on_a_simulated_clock() {
    let simulation = Simulation::new();
    // An answer lasts 30 hours, so each is paid for every other night.
    for (night, asked) in [(0, 10), (1, 0), (2, 10), (3, 0)] {
        simulation.wait_until(24 * HOUR * night);
        let began = simulation.time();
        let manifest = simulation.publish().manifest;
        assert_eq!(simulation.asked(), asked, "night {night}");
        assert_eq!(manifest.run, began.strftime("%Y%m%dT%H%M%SZ").to_string());
        assert_eq!(manifest.started_at, began);
        assert_eq!(manifest.ended_at, simulation.time());
        assert_eq!(manifest.outcomes.exported, CONTACTS);
        let fetched_at = EPOCH + 24 * HOUR * (night / 2 * 2);
        let oldest = manifest.oldest_fetched_at.unwrap();
        let age = oldest.duration_since(fetched_at).unsigned_abs();
        assert!(age < HOUR, "night {night}: {oldest}");
    }
}

#[test]
fn an_outage_is_waited_out_on_the_same_clock() {
    let simulation = Simulation::new();
    simulation.away_until.set(EPOCH + 3 * HOUR);
    let Summary {
        manifest, progress, ..
    } = simulation.publish();
    assert_eq!(progress.map(|progress| progress.outages), Some(1));
    assert_eq!(manifest.outcomes.exported, CONTACTS);
    assert!(manifest.oldest_fetched_at.unwrap() >= EPOCH + 3 * HOUR);
}

#[test]
fn what_ends_without_an_export_says_whether_the_run_is_on_record() {
    let simulation = Simulation::new();
    let Unpublished {
        error,
        run_is_noted,
    } = simulation.run(Mode::Offline).unwrap_err();
    assert!(matches!(error, Error::NothingStored), "{error}");
    assert!(!run_is_noted, "nothing is stored, so nothing began");

    let plan = simulation.run(Mode::Plan { fresh: false }).unwrap();
    assert!(matches!(plan, Finished::Planned(_)), "{plan:?}");

    simulation.away_until.set(EPOCH + 9 * HOUR);
    let Unpublished {
        error,
        run_is_noted,
    } = simulation.run(Mode::Fetch { fresh: true }).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(run_is_noted);

    // The next start goes on with it, under the name of the first.
    simulation.wait_until(10 * HOUR);
    assert_eq!(simulation.publish().manifest.run, "20261122T020000Z");
    assert!(
        Path::new(&simulation.job().output.dir)
            .join("latest")
            .exists()
    );
}
