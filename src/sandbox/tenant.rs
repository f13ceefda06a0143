//! One tenant of the simulated SuperOffice Online: what it accepts as a login, and the switches
//! that make logins fail while it runs. The pages of the login server and of the tenant are left to
//! `login` and `guard`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::dice::generator;
use super::token::{AppKey, Flaw, SigningKey};

/// A private key in PEM for the sandbox's application. The whole world knows it: nothing but the
/// sandbox may trust it.
pub const DEMO_PRIVATE_KEY: &str = include_str!("keys/demo-app-private-key.pem");

/// What the tenant knows and accepts. The defaults are the demo's; none of them opens anything but
/// the sandbox.
#[derive(Debug, Clone)]
pub struct TenantSettings {
    /// Its context identifier; the API lives at `{origin}/{context_identifier}/api`.
    pub context_identifier: String,
    /// Client id of the application.
    pub client_id: String,
    /// Client secret of the application, which is its `SO-AppToken` too.
    pub app_token: String,
    /// The application's private key; only its public half is used.
    pub private_key: String,
    /// What stands for the system user.
    pub system_user_token: String,
    /// Refresh token of an ordinary user.
    pub refresh_token: String,
    /// Whether each refresh hands out a new refresh token and ends the old one.
    pub renews_refresh_token: bool,
    /// User of the Basic scheme.
    pub user: String,
    /// Password of the Basic scheme.
    pub password: String,
    /// An `SOTicket` that somebody already has.
    pub ticket: String,
    /// A bearer token that somebody already has.
    pub bearer: String,
    /// Value of the `X-XSRF-TOKEN` header.
    pub xsrf_token: String,
    /// The cookie that must come with it, as `name=value`.
    pub xsrf_cookie: String,
    /// How often a ticket or token opens the API before it expires.
    pub calls_per_credential: Option<u64>,
    /// What `expires_in` says of an access token.
    pub expires_in: Duration,
    /// How far a stamp may be from the server's time.
    pub stamp_tolerance: Duration,
    /// How far the server's clock is ahead.
    pub clock_ahead: SignedDuration,
    /// How long a state may be believed.
    pub state_valid_for: Duration,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            context_identifier: "Cust00000".to_owned(),
            client_id: "demo-client-id".to_owned(),
            app_token: "demo-client-secret".to_owned(),
            private_key: DEMO_PRIVATE_KEY.to_owned(),
            system_user_token: "Sandbox Demo 1.0-aB3dE5gH7j".to_owned(),
            refresh_token: "demo-refresh-token".to_owned(),
            renews_refresh_token: false,
            user: "demo".to_owned(),
            password: "demo-password-æøå:1".to_owned(),
            ticket: "7T:ZGVtby10aWNrZXQ=".to_owned(),
            bearer: "8A:Cust00000.ZGVtby1hY2Nlc3MtdG9rZW4=".to_owned(),
            xsrf_token: "demo-xsrf-token".to_owned(),
            xsrf_cookie: "demo-session=demo-session-value".to_owned(),
            calls_per_credential: None,
            expires_in: Duration::from_hours(1),
            stamp_tolerance: Duration::from_mins(10),
            clock_ahead: SignedDuration::ZERO,
            state_valid_for: Duration::from_mins(10),
        }
    }
}

/// The states of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub enum SimulatedTenantState {
    Unknown,
    Provisioning,
    Running,
    Deleted,
    Suspended,
    OnlineMaintenance,
    OfflineMaintenance,
    ProvisioningFailed,
    Deleting,
    DeleteFailed,
    MigrationPending,
}

impl SimulatedTenantState {
    /// Whether the API can be used.
    pub(super) fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::OnlineMaintenance)
    }
}

/// The tenant while it runs, and its switches.
pub struct SimulatedTenant {
    pub(super) settings: TenantSettings,
    pub(super) app_key: AppKey,
    /// `http://127.0.0.1:{port}`, where state and login are asked.
    pub(super) origin: String,
    port: u16,
    seed: u64,
    now: Mutex<Situation>,
    logins: AtomicU64,
    state_requests: AtomicU64,
}

/// What the switches change.
pub(super) struct Situation {
    pub(super) state: SimulatedTenantState,
    pub(super) key: SigningKey,
    pub(super) flaw: Option<Flaw>,
    pub(super) revoked: bool,
    pub(super) refresh_token: String,
    /// Host that serves the tenant's data.
    host: String,
    /// How often each ticket and token was used.
    uses: HashMap<String, u64>,
}

impl SimulatedTenant {
    /// A tenant that runs; none where no key can be made of the settings or of randomness.
    pub(super) fn new(settings: TenantSettings, port: u16, seed: u64) -> Option<Self> {
        let now = Situation {
            state: SimulatedTenantState::Running,
            key: SigningKey::generate()?,
            flaw: None,
            revoked: false,
            refresh_token: settings.refresh_token.clone(),
            host: "127.0.0.1".to_owned(),
            uses: HashMap::from([(settings.ticket.clone(), 0), (settings.bearer.clone(), 0)]),
        };
        Some(Self {
            app_key: AppKey::from_private_pem(&settings.private_key)?,
            settings,
            origin: format!("http://127.0.0.1:{port}"),
            port,
            seed,
            now: Mutex::new(now),
            logins: AtomicU64::new(0),
            state_requests: AtomicU64::new(0),
        })
    }

    /// Puts the tenant into a state. Where that is not running, its API answers 503.
    pub fn set_state(&self, state: SimulatedTenantState) {
        self.now().state = state;
    }

    /// Makes the tokens of system users wrong from now on, or right again.
    pub fn set_flaw(&self, flaw: Option<Flaw>) {
        self.now().flaw = flaw;
    }

    /// Signs with a new key from now on, and publishes only that.
    pub fn rotate_key(&self) {
        if let Some(key) = SigningKey::generate() {
            self.now().key = key;
        }
    }

    /// Ends all tickets and tokens; a new login is welcome.
    #[cfg(test)]
    pub(super) fn expire_credentials(&self) {
        self.now().uses.clear();
    }

    /// The tenant's administrator revokes the application: nothing is accepted any more, and no
    /// login either.
    pub fn revoke(&self) {
        let mut now = self.now();
        now.revoked = true;
        now.uses.clear();
    }

    /// Moves the tenant to another name of this machine, `localhost` or `127.0.0.1`; the old one
    /// answers 421.
    pub fn move_to(&self, host: &str) {
        host.clone_into(&mut self.now().host);
    }

    /// How many logins and refreshes were asked for, whatever came of them.
    pub fn logins(&self) -> u64 {
        self.logins.load(Ordering::Relaxed)
    }

    /// How often the state was asked for.
    pub fn state_requests(&self) -> u64 {
        self.state_requests.load(Ordering::Relaxed)
    }

    /// Where the tenant's data is now, without `/api`.
    pub fn endpoint(&self) -> String {
        format!(
            "http://{}:{}/{}",
            self.now().host,
            self.port,
            self.settings.context_identifier
        )
    }

    pub(super) fn now(&self) -> MutexGuard<'_, Situation> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clock(&self) -> Timestamp {
        Timestamp::now() + self.settings.clock_ahead
    }

    pub(super) fn count_login(&self) -> u64 {
        self.logins.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn count_state_request(&self) {
        self.state_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A new credential that opens the API, with its prefix.
    pub(super) fn issue(&self, prefix: &str, login: u64) -> String {
        let mut bytes = [0; 32];
        generator(self.seed, login, 6).fill(&mut bytes);
        let credential = format!("{prefix}{}", STANDARD.encode(bytes));
        self.now().uses.insert(credential.clone(), 0);
        credential
    }

    /// Whether the tenant is at that host, as the `Host` header names it.
    pub(super) fn is_at(&self, host: &str) -> bool {
        host.rsplit_once(':')
            .map_or(host, |(name, _)| name)
            .eq_ignore_ascii_case(&self.now().host)
    }

    /// Uses a ticket or token once; false where it is unknown or has expired.
    pub(super) fn use_credential(&self, credential: &str) -> bool {
        let mut now = self.now();
        let most = self.settings.calls_per_credential.unwrap_or(u64::MAX);
        let Some(uses) = now.uses.get_mut(credential).filter(|uses| **uses < most) else {
            return false;
        };
        *uses += 1;
        true
    }
}

impl std::fmt::Debug for SimulatedTenant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SimulatedTenant")
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}
