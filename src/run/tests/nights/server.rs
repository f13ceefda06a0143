//! The server of the simulation, as one start sees it: it says what is true, or what its trouble has
//! it say, and everything is noted.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::say::Say;
use super::scene::{Said, Scene};
use super::truth::{Asked, summary, version};
use crate::connect;
use crate::contact::ContactId;
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::inspect::{self, Content};
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::{Life, NoLogin};
use crate::extract::connection::RemoteApi;
use crate::flatten::Checker;
use crate::gzip::Unpacker;
use crate::job::Job;

/// How long the server takes: with a few requests in flight a night lasts longer than the second
/// after which answers are stored.
const LATENCY: Duration = Duration::from_millis(300);
/// How long one waits for an answer that does not come.
const TIME_OUT: Duration = Duration::from_secs(30);

/// The API as one start sees it.
pub(super) struct Api<'a> {
    scene: &'a Scene,
    asked: Asked,
    /// Whether the server can say who is logged in.
    knows_logins: bool,
    /// Whether the next request is to prove that the login is good, for want of that.
    is_proof_due: Cell<bool>,
    checker: Arc<Checker>,
    unpacker: RefCell<Unpacker>,
}

impl<'a> Api<'a> {
    pub(super) fn new(scene: &'a Scene, asked: Asked, knows_logins: bool, job: &Job) -> Self {
        Self {
            scene,
            asked,
            knows_logins,
            is_proof_due: Cell::new(false),
            checker: Arc::new(Checker::new(&connect::view(job))),
            unpacker: RefCell::default(),
        }
    }
}

impl Api<'_> {
    async fn ask(&self, contact_id: i64, is_probe: bool) -> Result<Reply, NoReply> {
        let (scene, asked) = (self.scene, self.asked);
        let is_probe = is_probe | self.is_proof_due.take();
        if is_probe {
            scene.count("probe");
        }
        scene.send();
        sleep(LATENCY).await;
        let trouble = scene.say_to_everybody();
        let say = trouble.unwrap_or_else(|| scene.truth.borrow().say(contact_id, asked));
        if say == Say::TimesOut {
            sleep(TIME_OUT).await;
        }
        let version = version(scene.now());
        scene.said.borrow_mut().push(Said {
            contact_id,
            asked,
            say,
            version,
            at: scene.now(),
            by_clock: scene.clock().as_microsecond(),
            run: 0,
            is_lost: false,
            is_probe,
            is_trouble: trouble.is_some(),
        });
        let other = summary(contact_id + 1, version, asked);
        say.reply(&summary(contact_id, version, asked), &other)
    }
}

impl RemoteApi for Api<'_> {
    async fn attempt(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.ask(contact_id.get(), false).await
    }

    async fn attempt_on_new_connection(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.ask(contact_id.get(), true).await
    }

    async fn inspect(&self, contact_id: ContactId, reply: &Reply) -> Content {
        let checker = Arc::clone(&self.checker);
        let check =
            move |contact_id, body: &[u8]| checker.check(contact_id, body).map_err(Into::into);
        inspect::inspect(contact_id, reply, &mut self.unpacker.borrow_mut(), &check)
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

    async fn who_am_i(&self) -> Result<Reply, NoReply> {
        sleep(LATENCY).await;
        let say = match self.scene.say_to_everybody() {
            Some(say) => say,
            None if self.knows_logins => Say::Empty,
            None => {
                self.is_proof_due.set(true);
                Say::PageNotFound
            }
        };
        say.reply("{}", "{}")
    }

    fn logins(&self) -> u64 {
        0
    }

    fn now(&self) -> Timestamp {
        self.scene.clock()
    }
}
