//! The API as the fetcher sees it: address, login, client and the look into answers, on the real
//! network. Decoding and checking happen on a thread of their own, beside the one that talks to the
//! network.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use reqwest::Url;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info};

use crate::contact::{ContactId, Reason};
use crate::extract::api::cause::{Cause, listen};
use crate::extract::api::client::{ApiClient, NoReply, Reach, Reply, Route, Via};
use crate::extract::api::inquiry::{Inquired, Inquiry};
use crate::extract::api::inspect::{Check, Content, inspect};
use crate::extract::api::login_server::Away;
use crate::extract::api::tenant::{NotLocated, Tenant};
use crate::extract::api::zone::{ZoneAnswer, ZoneName, ZoneReply};
use crate::extract::auth::{Authenticator, Credential, Life, NoLogin};
use crate::extract::warn_once::WarnOnce;
use crate::gzip::Unpacker;

/// Answers that may wait for a look: more than are in flight as a rule, so that the network thread
/// does not wait. Set by hand.
const QUEUE: usize = 256;

/// What the fetcher needs of the world outside. Scripted in its tests.
pub trait RemoteApi {
    /// Sends one request.
    fn attempt(&self, contact_id: ContactId) -> impl Future<Output = Result<Reply, NoReply>>;

    /// The same, on a connection of its own. Scripted APIs have no connections, so the default sends
    /// it as any other.
    fn attempt_on_new_connection(
        &self,
        contact_id: ContactId,
    ) -> impl Future<Output = Result<Reply, NoReply>> {
        self.attempt(contact_id)
    }

    /// Looks into the answer.
    fn inspect(&self, contact_id: ContactId, reply: &Reply) -> impl Future<Output = Content>;

    /// Finds out where requests go; gives how long to believe that.
    fn locate(&self) -> impl Future<Output = Result<Option<Duration>, NotLocated>>;

    /// Logs in, or in again; requests go under the new login from then on.
    fn log_in(&self) -> impl Future<Output = Result<Life, NoLogin>>;

    /// Asks the installation for its time zone; it is located and logged in to before.
    fn ask_zone(&self) -> impl Future<Output = ZoneAnswer> {
        std::future::ready(ZoneAnswer::Refused)
    }

    /// Asks for instants in this zone from here on. A login that was had to find it out is taken
    /// over by whoever logs in next.
    fn set_zone(&self, _zone: &ZoneName) {}

    /// Asks who is logged in, by which a login is told from a contact that is refused; the status
    /// tells it. By default, for scripted APIs, nobody is.
    fn who_am_i(&self) -> impl Future<Output = Result<Reply, NoReply>> {
        std::future::ready(Ok(Reply {
            status: 401,
            retry_after: None,
            is_gzip: false,
            body: Bytes::new(),
        }))
    }

    /// Why the last request brought no answer, where it did not, in words that follow a message.
    fn cause(&self) -> Cause {
        Cause::default()
    }

    /// Calls to a login server so far, and those to find out who is logged in.
    fn logins(&self) -> u64;

    /// The time by which answers are dated: the system's, unless it is a simulation.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Where the API is.
#[derive(Debug)]
pub enum ApiAddress {
    /// Always there.
    Fixed(Url),
    /// Where the tenant is at the moment.
    Tenant(Tenant),
}

/// A connection to the API.
#[derive(Debug)]
pub struct Connection {
    address: ApiAddress,
    authenticator: Authenticator,
    client: ApiClient,
    destination: Mutex<Destination>,
    logins: AtomicU64,
    tenant_warning: WarnOnce,
    login_warning: WarnOnce,
    zone_warning: WarnOnce,
    cause: Mutex<Cause>,
    inspector: Inspector,
}

/// Where requests go at the moment, what logs them in, and in which zone they ask for instants.
#[derive(Debug)]
struct Destination {
    api: Option<Url>,
    login: Option<Credential>,
    /// UTC until a zone is set.
    zone: ZoneName,
    /// All together; none before address and login are known.
    route: Option<Arc<Route>>,
    /// Whether the login was had for the zone alone, and whoever logs in next takes it over.
    is_handed_on: bool,
}

impl Connection {
    /// A connection; nothing is called yet.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn new(
        address: ApiAddress,
        authenticator: Authenticator,
        client: ApiClient,
        check: Arc<Check>,
    ) -> std::io::Result<Self> {
        let inspector = Inspector::start(check)?;
        Ok(Self {
            address,
            authenticator,
            client,
            destination: Mutex::new(Destination {
                api: None,
                login: None,
                zone: ZoneName::utc(),
                route: None,
                is_handed_on: false,
            }),
            logins: AtomicU64::new(0),
            tenant_warning: WarnOnce::default(),
            login_warning: WarnOnce::default(),
            zone_warning: WarnOnce::default(),
            cause: Mutex::default(),
            inspector,
        })
    }

    /// The address of the API, once it is known.
    pub fn api(&self) -> Option<Url> {
        self.destination().api.clone()
    }

    /// Asks who is logged in; the status tells whether the login is good.
    ///
    /// # Errors
    /// Where no whole answer came.
    pub async fn principal(&self) -> Result<Reply, NoReply> {
        self.client.principal(&*self.route()?).await
    }

    /// Asks what no run does.
    pub(crate) async fn inquire(&self, inquiry: &Inquiry) -> Result<Inquired, NoReply> {
        self.client.inquire(&*self.route()?, inquiry).await
    }

    fn destination(&self) -> MutexGuard<'_, Destination> {
        self.destination
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The fetcher sends nothing before it has located the API and logged in.
    fn route(&self) -> Result<Arc<Route>, NoReply> {
        self.destination().route.clone().ok_or(NoReply {
            reason: Reason::Connection,
            status: None,
            reach: Reach::Nowhere,
        })
    }

    /// The login that was had for the zone alone, once.
    fn handed_on_login(&self) -> Option<Credential> {
        let mut destination = self.destination();
        let is_handed_on = std::mem::take(&mut destination.is_handed_on);
        destination.login.clone().filter(|_| is_handed_on)
    }

    /// Sends one request, and keeps why it brought no answer.
    async fn send(&self, contact_id: ContactId, via: Via) -> Result<Reply, NoReply> {
        let route = self.route()?;
        let attempt = self.client.attempt(&route, contact_id, via);
        let (result, cause) = listen(attempt).await;
        self.keep(cause);
        match &result {
            Ok(reply) if !(200..300).contains(&reply.status) => {
                debug!("contact {contact_id}: status {}", reply.status);
            }
            Err(no_reply) => debug!("contact {contact_id}: {no_reply}"),
            Ok(_) => {}
        }
        result
    }

    fn keep(&self, cause: Cause) {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }

    fn change(&self, change: impl FnOnce(&mut Destination)) {
        let mut destination = self.destination();
        change(&mut destination);
        if let (Some(api), Some(login)) = (&destination.api, &destination.login) {
            let route = self
                .client
                .route(api, &login.headers, destination.zone.header());
            destination.route = Some(Arc::new(route));
        }
    }
}

impl RemoteApi for Connection {
    async fn attempt(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.send(contact_id, Via::AnyConnection).await
    }

    async fn attempt_on_new_connection(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.send(contact_id, Via::NewConnection).await
    }

    async fn inspect(&self, contact_id: ContactId, reply: &Reply) -> Content {
        self.inspector.inspect(contact_id, reply).await
    }

    async fn locate(&self) -> Result<Option<Duration>, NotLocated> {
        let (api, valid_for) = match &self.address {
            ApiAddress::Fixed(url) => (url.clone(), None),
            ApiAddress::Tenant(tenant) => {
                let (located, cause) = listen(tenant.locate(self.api().is_some())).await;
                let located = located
                    .inspect_err(|error| self.tenant_warning.lost(&format!("{error}{cause}")));
                self.keep(cause);
                let located = located?;
                self.tenant_warning.found();
                (located.api, Some(located.valid_for))
            }
        };
        if self.api().as_ref() != Some(&api) {
            if valid_for.is_some() {
                info!("the tenant's API is at {api}");
            }
            self.change(|destination| destination.api = Some(api));
        }
        Ok(valid_for)
    }

    async fn log_in(&self) -> Result<Life, NoLogin> {
        if let Some(credential) = self.handed_on_login() {
            return Ok(credential.life);
        }
        let calls = self.authenticator.calls();
        self.logins.fetch_add(u64::from(calls), Ordering::Relaxed);
        let login = self.destination().login.clone();
        let refused = login.as_ref().map(|login| &login.headers);
        let (credential, cause) = listen(self.authenticator.log_in(refused)).await;
        let credential = credential.inspect_err(|error| {
            if matches!(error, NoLogin::Away(_)) {
                self.login_warning.lost(&format!("{error}{cause}"));
            }
        });
        self.keep(cause);
        let credential = credential?;
        self.login_warning.found();
        if calls {
            info!("logged in{}", if refused.is_some() { " again" } else { "" });
        }
        let life = credential.life;
        self.change(|destination| destination.login = Some(credential));
        Ok(life)
    }

    async fn ask_zone(&self) -> ZoneAnswer {
        let route = match self.route() {
            Ok(route) => route,
            Err(no_reply) => return ZoneAnswer::Away(Away::NoReply(no_reply.reason)),
        };
        let ask = async {
            let base = ZoneReply::of_base(&self.client.base_zone(&route).await);
            if let Some(answer) = ZoneAnswer::of_base(&base) {
                return answer;
            }
            let default = ZoneReply::of_default(&self.client.default_zone(&route).await);
            ZoneAnswer::of_both(&base, &default)
        };
        let (answer, cause) = listen(ask).await;
        if let ZoneAnswer::Away(away) = answer {
            self.zone_warning.lost(&format!(
                "the API does not tell its time zone now: {away}{cause}"
            ));
        }
        self.keep(cause);
        answer
    }

    fn set_zone(&self, zone: &ZoneName) {
        self.change(|destination| {
            destination.zone = zone.clone();
            destination.is_handed_on = destination.login.is_some();
        });
    }

    async fn who_am_i(&self) -> Result<Reply, NoReply> {
        self.logins.fetch_add(1, Ordering::Relaxed);
        let (reply, cause) = listen(self.principal()).await;
        self.keep(cause);
        reply
    }

    fn cause(&self) -> Cause {
        self.cause
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn logins(&self) -> u64 {
        self.logins.load(Ordering::Relaxed)
    }
}

/// The thread that looks into answers.
#[derive(Debug)]
struct Inspector {
    queue: mpsc::Sender<(ContactId, Reply, oneshot::Sender<Content>)>,
}

impl Inspector {
    fn start(check: Arc<Check>) -> std::io::Result<Self> {
        let (queue, mut waiting) =
            mpsc::channel::<(ContactId, Reply, oneshot::Sender<Content>)>(QUEUE);
        std::thread::Builder::new()
            .name("inspect".to_owned())
            .spawn(move || {
                let mut unpacker = Unpacker::default();
                while let Some((contact_id, reply, done)) = waiting.blocking_recv() {
                    // A panic is a defect of this program. It costs its contact, not the night.
                    let content = catch_unwind(AssertUnwindSafe(|| {
                        inspect(contact_id, &reply, &mut unpacker, &*check)
                    }));
                    // Nobody waits for it any more where the run has ended.
                    drop(done.send(content.unwrap_or(Content::Other(Reason::WrongStructure))));
                }
            })?;
        Ok(Self { queue })
    }

    async fn inspect(&self, contact_id: ContactId, reply: &Reply) -> Content {
        let (done, content) = oneshot::channel();
        self.queue
            .send((contact_id, reply.clone(), done))
            .await
            .expect("the thread ends after this");
        content
            .await
            .expect("the thread sends something for every answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Found;

    #[tokio::test]
    async fn a_panic_costs_one_contact() {
        let check = |contact_id: ContactId, _: &[u8]| {
            assert_ne!(contact_id.get(), 2, "this one is a defect");
            Ok(Found::Summary)
        };
        let inspector = Inspector::start(Arc::new(check)).unwrap();
        let reply = Reply {
            status: 200,
            retry_after: None,
            is_gzip: false,
            body: Bytes::from_static(b"{}"),
        };
        for (contact_id, expected) in [
            (1, Content::Summary(reply.body.clone())),
            (2, Content::Other(Reason::WrongStructure)),
            (3, Content::Summary(reply.body.clone())),
        ] {
            assert_eq!(
                inspector
                    .inspect(ContactId::new(contact_id).unwrap(), &reply)
                    .await,
                expected
            );
        }
    }
}
