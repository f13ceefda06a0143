//! The embedded simulated SuperOffice: demo, rehearsal, tests. It serves on loopback only, on a
//! thread of its own, and all it says is invented. This file starts and stops it; what it answers
//! is left to the modules below.

mod archive;
mod calendar;
mod database;
mod dice;
mod faults;
mod guard;
mod gzip;
mod json;
mod login;
mod server;
mod spells;
mod summary;
mod tenant;
mod token;
mod zone;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub use archive::{ArchiveRefusal, ArchiveSettings, ArchiveTable};
pub use database::{MOST_CONTACTS, MOST_NIGHTS};
pub use faults::FaultKind;
pub use tenant::{DEMO_PRIVATE_KEY, SimulatedTenant, SimulatedTenantState, TenantSettings};
pub use token::Flaw;
pub use zone::{SimulatedZone, ZoneTelling};

/// How the simulated server behaves.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens on 127.0.0.1; 0 takes a free port.
    pub port: u16,
    /// Another seed, other contacts.
    pub seed: u64,
    /// How long every answer takes.
    pub latency: Duration,
    /// Share of the requests, 0 to 1, that meet a fault.
    pub faults: f64,
    /// The faults that may occur, each as often as the others.
    pub fault_kinds: Vec<FaultKind>,
    /// How much longer an answer takes that meets [`FaultKind::Slow`].
    pub slow: Duration,
    /// How long it hangs, now and then.
    pub hangs: Duration,
    /// How long it drops every connection, now and then.
    pub drops: Duration,
    /// Share of the contact ids, 0 to 1, that do not exist.
    pub missing: f64,
    /// Number of contact ids at the beginning, the missing ones included; at most
    /// [`MOST_CONTACTS`]. Without one every contact id exists, and
    /// the archives show the first 10,000.
    pub contacts: Option<u32>,
    /// How many nights of changes have passed since the data was made; at most [`MOST_NIGHTS`].
    pub night: u32,
    /// How the archives behave.
    pub archives: ArchiveSettings,
    /// Its base zone.
    pub zone: SimulatedZone,
    /// What it says of that.
    pub zone_telling: ZoneTelling,
    /// A tenant of SuperOffice Online with its login server, served beside the open API.
    pub tenant: Option<TenantSettings>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            latency: Duration::ZERO,
            faults: 0.0,
            fault_kinds: FaultKind::SPOILING.to_vec(),
            slow: Duration::from_secs(2),
            hangs: Duration::ZERO,
            drops: Duration::ZERO,
            missing: 0.02,
            contacts: None,
            night: 0,
            archives: ArchiveSettings::default(),
            zone: SimulatedZone::Norway,
            zone_telling: ZoneTelling::Base,
            tenant: None,
        }
    }
}

/// The answer for a contact of the default seed, as JSON: invented data for benchmarks and
/// rehearsals without a server.
pub fn answer(contact_id: i32, limit: i32) -> Vec<u8> {
    let ServerSettings {
        seed,
        missing,
        zone,
        ..
    } = ServerSettings::default();
    let database = database::Database::new(seed, missing, None, 0);
    let question = summary::SummaryRequest {
        contact_id,
        limit,
        selection: summary::Selection::ALL,
        wall: zone::Wall {
            base: zone,
            asked: Some(zone),
            has_offsets: true,
        },
    };
    summary::answer(&database, question)
}

/// Why the simulated server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or not allowed.
    #[error("sandbox: cannot listen on 127.0.0.1:{port}")]
    Bind {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gave no thread or no event queue.
    #[error("sandbox: cannot start its thread")]
    Thread(#[source] std::io::Error),
    /// No signing key could be made, or the application's key is none.
    #[error("sandbox: cannot make or read an RSA key")]
    Key,
}

/// A running simulated server. Dropping it stops it, and breaks the connections that are open.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    archive_requests: Arc<AtomicU64>,
    tenant: Option<Arc<SimulatedTenant>>,
    /// Dropped to ask the thread to end.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the simulated server.
pub fn start(settings: ServerSettings) -> Result<Sandbox, StartError> {
    let port = settings.port;
    let bind = |source| StartError::Bind { port, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Thread)?;
    // Bound before the thread starts, so that a port that is taken is reported to the caller.
    let listener = listen(&runtime, port).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;

    let requests = Arc::new(AtomicU64::new(0));
    let archive_requests = Arc::new(AtomicU64::new(0));
    let tenant = match settings.tenant.clone() {
        None => None,
        Some(tenant) => {
            let tenant = SimulatedTenant::new(tenant, address.port(), settings.seed);
            Some(Arc::new(tenant.ok_or(StartError::Key)?))
        }
    };
    let counters = [&requests, &archive_requests].map(Arc::clone);
    let router = router(settings, counters, tenant.as_ref());
    let (stop, stopped) = oneshot::channel();
    let serve = move || runtime.block_on(serve(listener, router, stopped));
    let thread = std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(serve)
        .map_err(StartError::Thread)?;
    Ok(Sandbox {
        address,
        requests,
        archive_requests,
        tenant,
        stop: Some(stop),
        thread: Some(thread),
    })
}

fn listen(runtime: &Runtime, port: u16) -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let _entered = runtime.enter();
    TcpListener::from_std(listener)
}

impl Sandbox {
    /// What a job names as `base_url`; the API lives below it, at `/api`.
    pub fn base_url(&self) -> String {
        format!("http://{}/SuperOffice", self.address)
    }

    /// What a job names as `environment`: where state and login are asked.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The tenant and its switches, if one was asked for.
    pub fn tenant(&self) -> Option<&SimulatedTenant> {
        self.tenant.as_deref()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many summaries were asked for so far, whatever came of it.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many pages of archives were asked for so far, whatever came of it.
    pub fn archive_requests(&self) -> u64 {
        self.archive_requests.load(Ordering::Relaxed)
    }

    /// Serves until the process is told to stop.
    pub fn wait(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(?panic, "the sandbox's thread panicked");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop = None;
        self.join();
    }
}

fn router(
    settings: ServerSettings,
    [requests, archive_requests]: [Arc<AtomicU64>; 2],
    tenant: Option<&Arc<SimulatedTenant>>,
) -> Router {
    let shared = Arc::new(server::Shared {
        database: database::Database::new(
            settings.seed,
            settings.missing,
            settings.contacts,
            settings.night,
        ),
        faults: faults::Faults {
            seed: settings.seed,
            share: settings.faults,
            kinds: settings.fault_kinds,
            slow: settings.slow,
        },
        spells: spells::Spells::new(settings.hangs, settings.drops),
        latency: settings.latency,
        zone: settings.zone,
        zone_telling: settings.zone_telling,
        requests,
        archive_requests,
        archives: archive::Archives {
            settings: settings.archives,
            zone: settings.zone,
        },
        gzip: Mutex::new(gzip::Gzip::new()),
    });
    let (open, unguarded) = server::api("/SuperOffice/api");
    let mut router = open.merge(unguarded);
    let mut login = Router::new();
    if let Some(tenant) = tenant {
        let (open, guarded) = server::api(&format!("/{}/api", tenant.settings.context_identifier));
        let guard = axum::middleware::from_fn_with_state(Arc::clone(tenant), guard::guard);
        router = router.merge(open).merge(guarded.route_layer(guard));
        login = login::routes(Arc::clone(tenant));
    }
    router
        .with_state(shared)
        .merge(login)
        .fallback(server::not_found)
}

async fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    tokio::select! {
        served = axum::serve(listener, router) => {
            if let Err(error) = served {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        }
        _ = stopped => {}
    }
}

#[cfg(test)]
mod client;
#[cfg(test)]
mod tests;
