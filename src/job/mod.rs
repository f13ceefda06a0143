//! A job: the TOML file and the flags as typed ([`settings::JobFile`]), checked into what a run
//! uses ([`Job`]). Reads no secret and calls nothing.

mod auth;
mod description;
pub mod file;
pub mod settings;
pub mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

use self::file::{Override, Typed};
use self::settings::{ApiSection, HeaderValue, default};
use self::values::{Period, SecretPlace, Share};
use crate::extract::api::tenant::is_loopback;
use crate::extract::auth::Scheme;
use crate::extract::fetcher;
use crate::extract::fetcher::pace::limiter::Rate;
use crate::extract::fetcher::retry::RetryPolicy;
use crate::extract::ids::csv::{Place as SourcePlace, Source};
use crate::extract::secret::Secret;
use crate::load::Format;
use crate::sandbox;
use crate::schema::{self, MAX_ITEMS, Table};

/// A checked job: what a run uses.
#[derive(Debug)]
pub struct Job {
    /// Where the contact ids come from.
    pub source: Source,
    /// The SuperOffice that is asked, and what for.
    pub api: Api,
    /// How it is called.
    pub fetch: fetcher::Settings,
    /// Answers younger than this are not fetched again.
    pub max_age: Duration,
    /// Longest wait for a whole answer.
    pub timeout: Duration,
    /// Where the export goes.
    pub output: Output,
    /// The embedded SuperOffice, where it is the one that is asked.
    pub sandbox: sandbox::ServerSettings,
    /// The job for the manifest: every key as typed, secrets by the place they come from.
    pub description: serde_json::Value,
}

/// The SuperOffice that is asked, and what for.
#[derive(Debug)]
pub struct Api {
    /// Where it is.
    pub place: Place,
    /// Most items per list.
    pub limit: NonZeroU32,
    /// The data tables asked for, in the order of the declaration.
    pub tables: Vec<&'static Table>,
    /// `SO-Language` and `Accept-Language`.
    pub language: String,
    /// `SO-Culture`.
    pub culture: Option<String>,
    /// Time zone of `SO-TimeZone`.
    pub time_zone: String,
    /// `SO-AppToken`.
    pub app_token: Option<Secret>,
    /// More request headers.
    pub headers: Vec<(String, Header)>,
    /// How to log in.
    pub auth: Scheme,
    /// Whether plain http to another machine is accepted.
    pub allow_http: bool,
    /// Proxy, in place of the environment's.
    pub proxy: Option<Url>,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificate and private key of this client.
    pub client_certificate: Option<Secret>,
}

/// The value of an additional request header.
pub enum Header {
    /// Plain text.
    Text(String),
    /// A secret.
    Secret(Secret),
}

impl fmt::Debug for Header {
    // People put secrets into plain headers too.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("Text(…)"),
            Self::Secret(secret) => formatter.debug_tuple("Secret").field(secret).finish(),
        }
    }
}

/// Where SuperOffice is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The embedded one.
    Sandbox,
    /// An address ending in `/api`.
    BaseUrl(Url),
    /// An online tenant, whose address the state endpoint of the login host tells.
    Tenant {
        /// The customer's id.
        tenant: String,
        /// Where state and logins are asked.
        environment: Environment,
    },
}

/// Where the state of a tenant and logins are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// The embedded SuperOffice.
    Sandbox,
    /// A login host.
    Host(Url),
}

/// Where the export goes.
#[derive(Debug)]
pub struct Output {
    /// Folder of the exports and of the state.
    pub dir: PathBuf,
    /// Format of the tables.
    pub format: Format,
    /// Published runs kept.
    pub keep: NonZeroU32,
    /// Share of failed targets above which nothing is published.
    pub max_failed: f64,
}

/// What is wrong with a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key or flag cannot be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A key is missing, or its value makes no sense.
    #[error("{path}: `{key}`: {problem}", path = path.display())]
    Key {
        /// The job file.
        path: PathBuf,
        /// The key, with its section.
        key: &'static str,
        /// What is wrong and what to write instead.
        problem: String,
    },
}

/// Reads a job file, lays the flags over it and checks the whole.
///
/// # Errors
/// Where a key or flag is unknown, missing or makes no sense.
pub fn read(path: &Path, overrides: &[Override]) -> Result<Job, Error> {
    parse(&file::read(path)?, path, overrides)
}

/// Checks the text of the job file at this path, with the flags laid over it. Reads nothing.
///
/// # Errors
/// Where a key or flag is unknown, missing or makes no sense.
pub fn parse(text: &str, path: &Path, overrides: &[Override]) -> Result<Job, Error> {
    let typed = file::parse(text, path, overrides)?;
    resolve(typed).map_err(|(key, problem)| Error::Key {
        path: path.to_owned(),
        key,
        problem,
    })
}

type Problem = (&'static str, String);

fn resolve(typed: Typed) -> Result<Job, Problem> {
    let Typed {
        file,
        table,
        folder,
    } = typed;
    let path_of = |path: PathBuf| folder.join(path);
    let place = place(&file.api)?;
    let is_tenant = matches!(place, Place::Tenant { .. });
    let source_path = required(file.source.path, "source.path")?;
    let dir = path_of(required(file.output.dir, "output.dir")?);
    let format = or_default(file.output.format, "output", "format");
    let rate = match file.fetch.requests_per_second {
        Some(rate) => Some(
            Rate::per_second(rate)
                .ok_or(("fetch.requests_per_second", "must be above zero".to_owned()))?,
        ),
        None if is_tenant => Rate::per_second(10.0),
        None => None,
    };
    let max_in_flight = file
        .fetch
        .max_in_flight
        .unwrap_or(if is_tenant { 8 } else { 32 });
    Ok(Job {
        source: Source {
            place: if source_path.as_os_str() == "-" {
                SourcePlace::StandardInput
            } else {
                SourcePlace::Path(path_of(source_path))
            },
            column: file.source.column,
            delimiter: file
                .source
                .delimiter
                .as_deref()
                .map(delimiter)
                .transpose()?,
        },
        fetch: fetcher::Settings {
            rate,
            max_in_flight: non_zero(max_in_flight, "fetch.max_in_flight")?,
            retry: RetryPolicy {
                max_attempts: non_zero(
                    file.fetch
                        .max_attempts
                        .unwrap_or_else(|| default("fetch", "max_attempts")),
                    "fetch.max_attempts",
                )?,
                first_delay: period(file.fetch.retry_delay, "fetch", "retry_delay"),
            },
            patience: period(file.fetch.patience, "fetch", "patience"),
            max_duration: file.fetch.max_duration.map(|Period(duration)| duration),
            max_calls: file.fetch.max_calls,
        },
        max_age: period(file.fetch.max_age, "fetch", "max_age"),
        timeout: Some(period(file.fetch.timeout, "fetch", "timeout"))
            .filter(|timeout| !timeout.is_zero())
            .ok_or(("fetch.timeout", "must be above zero".to_owned()))?,
        output: Output {
            dir,
            format: Format::from_word(&format)
                .ok_or_else(|| ("output.format", "must be \"parquet\" or \"csv\"".to_owned()))?,
            keep: non_zero(
                file.output
                    .keep
                    .unwrap_or_else(|| default("output", "keep")),
                "output.keep",
            )?,
            max_failed: file
                .output
                .max_failed
                .unwrap_or_else(|| default::<Share>("output", "max_failed"))
                .0,
        },
        sandbox: sandbox::ServerSettings {
            seed: file
                .sandbox
                .seed
                .unwrap_or_else(|| default("sandbox", "seed")),
            latency: period(file.sandbox.latency, "sandbox", "latency"),
            faults: file
                .sandbox
                .faults
                .unwrap_or_else(|| default::<Share>("sandbox", "faults"))
                .0,
            tenant: sandbox_tenant(&place),
            ..sandbox::ServerSettings::default()
        },
        api: api(file.api, place, &folder)?,
        description: description::describe(&table),
    })
}

fn api(section: ApiSection, place: Place, folder: &Path) -> Result<Api, Problem> {
    let app_token = section
        .app_token
        .map(|place| secret(place, "api.app_token", folder));
    let auth = auth::scheme(
        section.auth.unwrap_or_default(),
        app_token.as_ref(),
        &place,
        folder,
    )?;
    Ok(Api {
        place,
        limit: limit(section.limit.unwrap_or_else(|| default("api", "limit")))?,
        tables: tables(section.tables)?,
        language: or_default(section.language, "api", "language"),
        culture: section.culture,
        time_zone: or_default(section.time_zone, "api", "time_zone"),
        app_token,
        headers: headers(section.headers.unwrap_or_default(), folder)?,
        auth,
        allow_http: section.allow_http.unwrap_or(false),
        proxy: section.proxy.as_deref().map(proxy).transpose()?,
        ca_file: section.ca_file.map(|path| folder.join(path)),
        client_certificate: section
            .client_certificate
            .map(|place| secret(place, "api.client_certificate", folder)),
    })
}

/// The tenant of the embedded SuperOffice, where that is the one that is asked.
fn sandbox_tenant(place: &Place) -> Option<sandbox::TenantSettings> {
    match place {
        Place::Tenant {
            tenant,
            environment: Environment::Sandbox,
        } => Some(sandbox::TenantSettings {
            context_identifier: tenant.clone(),
            ..sandbox::TenantSettings::default()
        }),
        _ => None,
    }
}

fn place(api: &ApiSection) -> Result<Place, Problem> {
    match (&api.base_url, &api.tenant) {
        (Some(_), Some(_)) => Err((
            "api.base_url",
            "give `tenant` (online) or `base_url` (onsite), not both".to_owned(),
        )),
        (None, None) => Err((
            "api.base_url",
            "give `tenant` (online) or `base_url` (onsite, or \"sandbox\")".to_owned(),
        )),
        (Some(base_url), None) if base_url == "sandbox" => Ok(Place::Sandbox),
        (Some(base_url), None) => {
            let mut url = checked_url(base_url, "api.base_url", api.allow_http.unwrap_or(false))?;
            let path = url.path().trim_end_matches('/');
            let path = if path.to_ascii_lowercase().ends_with("/api") {
                path.to_owned()
            } else {
                format!("{path}/api")
            };
            url.set_path(&path);
            Ok(Place::BaseUrl(url))
        }
        (None, Some(tenant)) => {
            let plain = !tenant.is_empty() && tenant.chars().all(|c| c.is_ascii_alphanumeric());
            if !plain {
                return Err((
                    "api.tenant",
                    "must be a customer id such as Cust12345".to_owned(),
                ));
            }
            let environment: String = api
                .environment
                .clone()
                .unwrap_or_else(|| default("api", "environment"));
            Ok(Place::Tenant {
                tenant: tenant.clone(),
                environment: self::environment(&environment, api.allow_http.unwrap_or(false))?,
            })
        }
    }
}

fn environment(name: &str, allow_http: bool) -> Result<Environment, Problem> {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric());
    let host = match name {
        "sandbox" => return Ok(Environment::Sandbox),
        word if is_word && !word.is_empty() => format!("https://{word}.superoffice.com"),
        url => url.to_owned(),
    };
    checked_url(&host, "api.environment", allow_http).map(Environment::Host)
}

/// A URL that credentials can be sent to.
fn checked_url(text: &str, key: &'static str, allow_http: bool) -> Result<Url, Problem> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| {
        (
            key,
            "must begin with https:// and name a host, such as https://crm.example.com/SuperOffice"
                .to_owned(),
        )
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            key,
            "must not hold a user or password; they belong in [api.auth]".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err((key, "must not hold a query or fragment".to_owned()));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err((key, "plain http to another machine would show credentials and data to everyone between; use https, or set `allow_http = true` in [api]".to_owned()));
    }
    Ok(url)
}

fn tables(names: Option<Vec<String>>) -> Result<Vec<&'static Table>, Problem> {
    let Some(names) = names else {
        return Ok(schema::data_tables().collect());
    };
    let known: Vec<_> = schema::data_tables().map(|table| table.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err((
            "api.tables",
            format!(
                "there is no table `{unknown}`; there are {}",
                known.join(", ")
            ),
        ));
    }
    if names.is_empty() {
        return Err((
            "api.tables",
            format!("name at least one of {}", known.join(", ")),
        ));
    }
    Ok(schema::data_tables()
        .filter(|table| names.iter().any(|name| name == table.name))
        .collect())
}

fn proxy(text: &str) -> Result<Url, Problem> {
    let url = Url::parse(text).ok().filter(Url::has_host);
    let url = url.ok_or_else(|| {
        (
            "api.proxy",
            "must be a URL such as http://proxy.example:8080".to_owned(),
        )
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            "api.proxy",
            "must not hold a user or password; give such a proxy by the environment variable HTTPS_PROXY".to_owned(),
        ));
    }
    Ok(url)
}

fn headers(
    section: BTreeMap<String, HeaderValue>,
    folder: &Path,
) -> Result<Vec<(String, Header)>, Problem> {
    section
        .into_iter()
        .map(|(name, value)| {
            if reqwest::header::HeaderName::from_str(&name).is_err() {
                return Err(("api.headers", format!("`{name}` is no header name")));
            }
            let value = match value {
                HeaderValue::Text(text) => Header::Text(text),
                HeaderValue::Secret(place) => Header::Secret(secret(place, "api.headers", folder)),
            };
            Ok((name, value))
        })
        .collect()
}

fn secret(place: SecretPlace, key: &'static str, folder: &Path) -> Secret {
    match place {
        SecretPlace::Env(name) => Secret::Env { key, name },
        SecretPlace::File(path) => Secret::File {
            key,
            path: folder.join(path),
        },
        SecretPlace::Command(words) => Secret::Command {
            key,
            words,
            folder: folder.to_owned(),
        },
    }
}

fn delimiter(text: &str) -> Result<u8, Problem> {
    match text.as_bytes() {
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' || *byte == b'\t' => Ok(*byte),
        _ => Err((
            "source.delimiter",
            "must be one character: \",\", \";\", \"|\" or a tab".to_owned(),
        )),
    }
}

fn required<T>(value: Option<T>, key: &'static str) -> Result<T, Problem> {
    value.ok_or_else(|| (key, "is missing".to_owned()))
}

fn non_zero(number: u32, key: &'static str) -> Result<NonZeroU32, Problem> {
    NonZeroU32::new(number).ok_or_else(|| (key, "must be above zero".to_owned()))
}

fn limit(number: u32) -> Result<NonZeroU32, Problem> {
    let is_taken = usize::try_from(number).is_ok_and(|number| number <= MAX_ITEMS);
    NonZeroU32::new(number)
        .filter(|_| is_taken)
        .ok_or_else(|| ("api.limit", format!("must be between 1 and {MAX_ITEMS}")))
}

fn period(value: Option<Period>, section: &str, key: &str) -> Duration {
    value.unwrap_or_else(|| default::<Period>(section, key)).0
}

fn or_default(value: Option<String>, section: &str, key: &str) -> String {
    value.unwrap_or_else(|| default(section, key))
}

#[cfg(test)]
mod tests;
