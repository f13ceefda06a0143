//! From a job to its connection: secrets, headers, certificates, and where the API is to be found.
//! Calls nothing.

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::contact::Question;
use crate::error::Error;
use crate::extract::api::body::Bounds;
use crate::extract::api::client::{self, ApiClient};
use crate::extract::api::login_server::LoginServer;
use crate::extract::api::proxy;
use crate::extract::api::tenant::{Tenant, is_loopback};
use crate::extract::api::transport::{self, Transport, http_clients};
use crate::extract::api::zone::{TimeZone, ZoneName};
use crate::extract::auth::{Authenticator, header};
use crate::extract::connection::{ApiAddress, Connection};
use crate::extract::secret::Secret;
use crate::extract::waiting::Stop;
use crate::flatten::{Checker, HashKey};
use crate::hex::hex;
use crate::job::{HashKeySetting, Header, Installation, Job, LoginHost};
use crate::sandbox::{self, Sandbox};
use crate::schema::View;

/// What is asked of the API by this job, where instants are asked for in this zone. No secret is
/// part of it.
pub(crate) fn question(job: &Job, zone: &str) -> Question {
    let headers = job.api.headers.iter().map(|(name, value)| match value {
        // People put secrets into plain headers too: a hash tells as well that a value has changed.
        Header::Text(text) => (name.clone(), Some(hex(&Sha256::digest(text)))),
        Header::Secret(_) => (name.clone(), None),
    });
    Question {
        place: place(job),
        login: job.api.auth.login(),
        limit: job.api.limit.get(),
        members: view(job).select(),
        language: job.api.language.clone(),
        culture: job.api.culture.clone(),
        zone: zone.to_owned(),
        headers: headers.collect(),
        kept: view(job).members(),
    }
}

/// What the client says of that with every request.
fn client_question(job: &Job) -> client::SummaryQuestion {
    client::SummaryQuestion {
        limit: job.api.limit.get(),
        select: view(job).select(),
        language: job.api.language.clone(),
        culture: job.api.culture.clone(),
    }
}

/// The zone that instants are asked for in: that of the job, or else the one that the installation
/// named last as its own.
pub(crate) fn zone(job: &Job, found: Option<String>) -> String {
    match &job.api.time_zone {
        TimeZone::Named(zone) => zone.to_string(),
        TimeZone::Tenant => found.unwrap_or_else(|| ZoneName::utc().to_string()),
    }
}

/// Which SuperOffice is asked. For a tenant that is not the address of its API: tenants move.
pub(crate) fn place(job: &Job) -> String {
    let seed = job.sandbox.seed;
    match &job.api.installation {
        Installation::Sandbox => format!("sandbox {seed}"),
        Installation::BaseUrl(url) => url.to_string(),
        Installation::Tenant {
            tenant,
            login_host: LoginHost::Url(login),
        } => format!("{login} {tenant}"),
        Installation::Tenant {
            tenant,
            login_host: LoginHost::Sandbox,
        } => format!("sandbox {seed} {tenant}"),
    }
}

/// The tables and columns that this job exports.
pub(crate) fn view(job: &Job) -> View {
    job.view()
}

/// The key of the hashes, where the job hashes any column; it is not waited for once somebody asks
/// to stop.
pub(crate) fn hash_key(job: &Job, stop: &Stop) -> Result<Option<Arc<HashKey>>, Error> {
    let setting = job.privacy.key.as_ref();
    let Some(HashKeySetting { secret, place }) = setting.filter(|_| job.privacy.policy.hashes())
    else {
        return Ok(None);
    };
    let key = HashKey::new(secret.read(stop)?.expose_secret().as_bytes());
    let key = key.ok_or_else(|| Error::ShortHashKey {
        place: place.clone(),
    })?;
    Ok(Some(Arc::new(key)))
}

/// The embedded SuperOffice, started where the job asks it.
pub(crate) fn sandbox(job: &Job) -> Result<Option<Sandbox>, Error> {
    let is_asked = matches!(
        job.api.installation,
        Installation::Sandbox
            | Installation::Tenant {
                login_host: LoginHost::Sandbox,
                ..
            }
    );
    Ok(is_asked
        .then(|| sandbox::start(job.sandbox.clone()))
        .transpose()?)
}

/// A connection to the API of the job; reads the secrets, which are not waited for once somebody
/// asks to stop.
pub(crate) fn connect(
    job: &Job,
    sandbox: Option<&Sandbox>,
    stop: &Stop,
) -> Result<Connection, Error> {
    let start = start(job, sandbox)?;
    let http = http_clients(&transport(job, &start, stop)?)?;
    let bounds = Bounds::new(job.fetch.timeout);
    let server = LoginServer {
        http: http.keeping.clone(),
        bounds: bounds.clone(),
        url: start.clone(),
    };
    let (place, tenant) = match &job.api.installation {
        Installation::Sandbox | Installation::BaseUrl(_) => (ApiAddress::Fixed(start), ""),
        Installation::Tenant { tenant, .. } => {
            let located = Tenant {
                server: server.clone(),
                id: tenant.clone(),
                allow_http: job.api.allow_http,
            };
            (ApiAddress::Tenant(located), tenant.as_str())
        }
    };
    let authenticator = Authenticator::new(&job.api.auth, &server, tenant, stop)?;
    let client = ApiClient::new(http, bounds, &client_question(job), &headers(job, stop)?)?;
    let checker = Checker::new(&view(job));
    let check = Arc::new(move |contact_id, body: &[u8]| {
        checker.check(contact_id, body).map_err(Into::into)
    });
    Connection::new(place, authenticator, client, check).map_err(Error::System)
}

/// What is called first: the API itself, or the login host that knows where it is.
fn start(job: &Job, sandbox: Option<&Sandbox>) -> Result<Url, Error> {
    let embedded = |address: fn(&Sandbox) -> String| {
        sandbox
            .and_then(|sandbox| Url::parse(&address(sandbox)).ok())
            .ok_or(Error::Defect)
    };
    match &job.api.installation {
        Installation::BaseUrl(url)
        | Installation::Tenant {
            login_host: LoginHost::Url(url),
            ..
        } => Ok(url.clone()),
        Installation::Sandbox => embedded(|sandbox| format!("{}/api", sandbox.base_url())),
        Installation::Tenant {
            login_host: LoginHost::Sandbox,
            ..
        } => embedded(Sandbox::origin),
    }
}

fn transport(job: &Job, start: &Url, stop: &Stop) -> Result<Transport, Error> {
    let certificates = match &job.api.ca_file {
        Some(path) => {
            let read = std::fs::read(path).map_err(|source| Error::Certificates {
                path: path.clone(),
                source,
            });
            Some(read?)
        }
        None => None,
    };
    let direct = is_loopback(start);
    if !direct && job.api.proxy.is_none() {
        proxy::check_environment(start, |name| std::env::var(name).ok())
            .map_err(transport::Error::from)?;
    }
    let identity = job
        .api
        .client_certificate
        .as_ref()
        .map(|secret: &Secret| secret.read(stop))
        .transpose()?;
    Ok(Transport {
        timeout: job.fetch.timeout,
        proxy: job.api.proxy.clone(),
        certificates,
        identity,
        direct,
        is_plain: is_plain(job, start),
    })
}

/// Whether no request of this job goes by https, whatever it is told on the way.
fn is_plain(job: &Job, start: &Url) -> bool {
    match &job.api.installation {
        Installation::Sandbox
        | Installation::Tenant {
            login_host: LoginHost::Sandbox,
            ..
        } => true,
        Installation::BaseUrl(_) => start.scheme() == "http",
        // It may tell that the API is elsewhere.
        Installation::Tenant {
            login_host: LoginHost::Url(_),
            ..
        } => false,
    }
}

/// The headers of the job, besides those of the question and the login.
fn headers(job: &Job, stop: &Stop) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &job.api.headers {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| transport::Error::Header { key: "api.headers" })?;
        let value = match value {
            Header::Text(text) => text
                .parse()
                .map_err(|_| transport::Error::Header { key: "api.headers" })?,
            Header::Secret(secret) => header(&secret.read(stop)?, secret.key())?,
        };
        headers.insert(name, value);
    }
    if let Some(app_token) = &job.api.app_token {
        headers.insert(
            HeaderName::from_static("so-apptoken"),
            header(&app_token.read(stop)?, app_token.key())?,
        );
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::auth::{NoLogin, Refusal, TokenFlaw};
    use crate::extract::connection::RemoteApi as _;
    use crate::extract::waiting::never;
    use crate::report::log::logged;
    use crate::sandbox::SimulatedTenantState;

    /// The demo job of a system user, asking a sandbox that the test can turn knobs on.
    fn demo() -> (Job, Sandbox) {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/demo-system-user.toml");
        let job = crate::job::read(&path, &[]).unwrap();
        let sandbox = sandbox(&job)
            .unwrap()
            .expect("the demo asks the embedded one");
        (job, sandbox)
    }

    #[test]
    fn keys_that_were_exchanged_are_asked_for_again() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (job, sandbox) = demo();
        let connection = connect(&job, Some(&sandbox), &never()).unwrap();
        let log_in = || runtime.block_on(connection.log_in());
        assert!(log_in().is_ok() && log_in().is_ok());
        sandbox.tenant().unwrap().rotate_key();
        assert!(log_in().is_ok());
        sandbox
            .tenant()
            .unwrap()
            .set_flaw(Some(sandbox::Flaw::UnknownKey));
        assert_eq!(
            log_in(),
            Err(NoLogin::Refused(Refusal::Token(TokenFlaw::UnknownKey)))
        );
        assert_eq!(connection.logins(), 4);
    }

    #[test]
    fn an_outage_of_the_state_endpoint_is_warned_of_once() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (job, sandbox) = demo();
        let connection = connect(&job, Some(&sandbox), &never()).unwrap();
        let warnings = |state, times| {
            sandbox.tenant().unwrap().set_state(state);
            let lines = logged(|| {
                (0..times).for_each(|_| {
                    assert_eq!(
                        runtime.block_on(connection.locate()).is_ok(),
                        state == SimulatedTenantState::Running
                    );
                });
            });
            lines
                .into_iter()
                .filter(|line| line.starts_with("WARN"))
                .count()
        };
        assert_eq!(warnings(SimulatedTenantState::OfflineMaintenance, 3), 1);
        assert_eq!(warnings(SimulatedTenantState::Running, 2), 0);
        assert_eq!(warnings(SimulatedTenantState::Unknown, 3), 1);
    }

    #[test]
    fn secrets_are_not_printed() {
        let (job, sandbox) = demo();
        assert!(headers(&job, &never()).unwrap()["so-apptoken"].is_sensitive());
        let connection = connect(&job, Some(&sandbox), &never()).unwrap();
        assert!(!format!("{connection:?}").contains("demo-client-secret"));
    }
}
