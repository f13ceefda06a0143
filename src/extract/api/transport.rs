//! How connections are made: certificates, proxy, time-outs, and which connections are kept. What is
//! sent on them is the client's matter.

use std::time::Duration;

use reqwest::{ClientBuilder, Identity, Proxy, Url};
use secrecy::{ExposeSecret as _, SecretString};

use crate::extract::api::certificates::{self, NotCertificates};
use crate::extract::api::proxy::UnusableProxy;

/// How connections are made.
#[derive(Debug, Clone)]
pub struct Transport {
    /// Longest wait for a connection.
    pub timeout: Duration,
    /// Proxy, in place of the environment's.
    pub proxy: Option<Url>,
    /// Certificates to trust besides the system's, as PEM.
    pub certificates: Option<Vec<u8>>,
    /// Certificate and private key of this client, as PEM.
    pub identity: Option<SecretString>,
    /// Whether proxies are left aside, since the server is on this machine.
    pub direct: bool,
    /// Whether all requests go by plain http, and no authority has to be trusted.
    pub is_plain: bool,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("`api.ca_file` {0}")]
    Certificates(NotCertificates),
    #[error(
        "the system has no certificates of authorities to trust; install them (`ca-certificates`), \
         name them by the environment variable SSL_CERT_FILE, or set `api.ca_file`"
    )]
    NoAuthorities,
    #[error(
        "the process may not open as many files as it needs; raise the limit (`ulimit -n`, or \
         LimitNOFILE= of its unit) to 256 or more"
    )]
    TooFewFiles,
    #[error(transparent)]
    Environment(#[from] UnusableProxy),
    #[error("`api.client_certificate` holds no certificate with its private key in PEM")]
    Identity,
    #[error("`api.proxy` cannot be used")]
    Proxy(#[source] reqwest::Error),
    #[error("the HTTP client cannot be made")]
    Build(#[source] reqwest::Error),
    #[error("`{key}` holds characters that no HTTP header can carry")]
    Header { key: &'static str },
}

/// What sends requests: on connections that are kept, or on a new one each time.
#[derive(Debug, Clone)]
pub struct HttpClients {
    /// Keeps connections.
    pub keeping: reqwest::Client,
    /// Keeps none.
    pub fresh: reqwest::Client,
}

/// The one place where HTTP clients are made: no redirects, so that credentials stay with one
/// origin.
///
/// # Errors
/// Where a setting makes no client.
pub fn http_clients(transport: &Transport) -> Result<HttpClients, Error> {
    let keeping = builder(transport)?.build();
    let fresh = builder(transport)?.pool_max_idle_per_host(0).build();
    Ok(HttpClients {
        keeping: keeping.map_err(not_built)?,
        fresh: fresh.map_err(not_built)?,
    })
}

fn builder(transport: &Transport) -> Result<ClientBuilder, Error> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!(
            env!("CARGO_PKG_NAME"),
            "/",
            env!("CARGO_PKG_VERSION")
        ))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(transport.timeout)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_nodelay(true)
        .http1_only()
        .referer(false);
    if let Some(pem) = &transport.certificates {
        let certificates = certificates::read(pem).map_err(Error::Certificates)?;
        builder = builder.tls_certs_merge(certificates);
    }
    if transport.is_plain {
        builder = builder.tls_certs_only([]);
    }
    if let Some(identity) = &transport.identity {
        // What the parser says may quote the key.
        builder = builder.identity(
            Identity::from_pem(identity.expose_secret().as_bytes()).map_err(|_| Error::Identity)?,
        );
    }
    match &transport.proxy {
        Some(proxy) => builder = builder.proxy(Proxy::all(proxy.clone()).map_err(Error::Proxy)?),
        None if transport.direct => builder = builder.no_proxy(),
        None => {}
    }
    Ok(builder)
}

/// That the process has as many files open as it may.
const EMFILE: i32 = rustix::io::Errno::MFILE.raw_os_error();

fn not_built(error: reqwest::Error) -> Error {
    // The library has no other name for it.
    let no_authorities = std::iter::successors(std::error::Error::source(&error), |e| e.source())
        .any(|cause| cause.to_string().contains("No CA certificates"));
    // The files with the certificates may be there, and only not be opened.
    let is_exhausted = || {
        let opened = std::fs::File::open("/dev/null");
        opened.is_err_and(|error| error.raw_os_error() == Some(EMFILE))
    };
    if no_authorities && is_exhausted() {
        Error::TooFewFiles
    } else if no_authorities {
        Error::NoAuthorities
    } else {
        Error::Build(error)
    }
}
