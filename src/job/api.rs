//! `[api]`, checked: what is asked of which SuperOffice, and by which way. Which one that is has a
//! file of its own, and so has the login.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use reqwest::Url;
use reqwest::header::HeaderName;

use super::secrets::HeaderSetting;
use super::settings::ApiSection;
use super::{Installation, Problem, auth, wrong};
use crate::extract::api::zone::TimeZone;
use crate::extract::auth::Scheme;
use crate::extract::secret::Secret;
use crate::schema::{self, MAX_ITEMS, Table};

/// The SuperOffice that is asked, and what for.
#[derive(Debug)]
pub(crate) struct ApiSettings {
    /// Which one it is.
    pub(crate) installation: Installation,
    /// Most items per list.
    pub(crate) limit: NonZeroU32,
    /// The data tables asked for, in the order of the declaration.
    pub(crate) tables: Vec<&'static Table>,
    /// `SO-Language` and `Accept-Language`.
    pub(crate) language: String,
    /// `SO-Culture`.
    pub(crate) culture: Option<String>,
    /// Time zone in which instants are asked for.
    pub(crate) time_zone: TimeZone,
    /// Address that the installation had before.
    pub(crate) formerly: Option<Url>,
    /// `SO-AppToken`.
    pub(crate) app_token: Option<Secret>,
    /// More request headers.
    pub(crate) headers: Vec<(String, Header)>,
    /// How to log in.
    pub(crate) auth: Scheme,
    /// Whether plain http to another machine is accepted.
    pub(crate) allow_http: bool,
    /// Proxy, in place of the environment's.
    pub(crate) proxy: Option<Url>,
    /// Certificates to trust besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Certificate and private key of this client.
    pub(crate) client_certificate: Option<Secret>,
}

/// The value of an additional request header.
pub(crate) enum Header {
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

impl ApiSection {
    pub(super) fn resolve(
        &self,
        installation: Installation,
        folder: &Path,
    ) -> Result<ApiSettings, Problem> {
        let app_token = self
            .app_token()
            .map(|place| place.secret("api.app_token", folder));
        let auth = self.auth().unwrap_or_default();
        Ok(ApiSettings {
            auth: auth::scheme(&auth, app_token.as_ref(), &installation, folder)?,
            installation,
            limit: limit(self.limit())?,
            tables: tables(&self.tables())?,
            language: self.language(),
            culture: self.culture(),
            time_zone: time_zone(&self.time_zone())?,
            formerly: self.former_address()?,
            app_token,
            headers: headers(self.headers().unwrap_or_default(), folder)?,
            allow_http: self.allow_http(),
            proxy: self.proxy().as_deref().map(proxy).transpose()?,
            ca_file: self.ca_file().map(|path| folder.join(path)),
            client_certificate: self
                .client_certificate()
                .map(|place| place.secret("api.client_certificate", folder)),
        })
    }
}

fn limit(number: u32) -> Result<NonZeroU32, Problem> {
    let is_taken = usize::try_from(number).is_ok_and(|number| number <= MAX_ITEMS);
    NonZeroU32::new(number)
        .filter(|_| is_taken)
        .ok_or_else(|| wrong("api.limit", format!("must be between 1 and {MAX_ITEMS}")))
}

fn time_zone(text: &str) -> Result<TimeZone, Problem> {
    TimeZone::from_text(text).ok_or_else(|| {
        wrong(
            "api.time_zone",
            "must be \"tenant\", or a name or number such as \"NO\", \"UTC\" or \"261\"",
        )
    })
}

fn tables(names: &[String]) -> Result<Vec<&'static Table>, Problem> {
    let known: Vec<_> = schema::data_tables().map(|table| table.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(wrong(
            "api.tables",
            format!(
                "there is no table `{unknown}`; there are {}",
                known.join(", ")
            ),
        ));
    }
    if names.is_empty() {
        return Err(wrong(
            "api.tables",
            format!("name at least one of {}", known.join(", ")),
        ));
    }
    Ok(schema::data_tables()
        .filter(|table| names.iter().any(|name| name == table.name))
        .collect())
}

fn headers(
    section: BTreeMap<String, HeaderSetting>,
    folder: &Path,
) -> Result<Vec<(String, Header)>, Problem> {
    section
        .into_iter()
        .map(|(name, value)| {
            if HeaderName::from_str(&name).is_err() {
                // It may be a whole header line, secret included.
                return Err(wrong(
                    "api.headers",
                    "one of its names is none that a header can have; \
                     write { Name = \"value\" } or { Name = { env = \"VARIABLE\" } }",
                ));
            }
            let value = match value {
                HeaderSetting::Text(text) => Header::Text(text),
                HeaderSetting::Secret(place) => Header::Secret(place.secret("api.headers", folder)),
            };
            Ok((name, value))
        })
        .collect()
}

fn proxy(text: &str) -> Result<Url, Problem> {
    let url = Url::parse(text).ok().filter(Url::has_host).ok_or_else(|| {
        wrong(
            "api.proxy",
            "must be a URL such as http://proxy.example:8080",
        )
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "api.proxy",
            "must not hold a user or password; \
             give such a proxy by the environment variable HTTPS_PROXY",
        ));
    }
    Ok(url)
}
