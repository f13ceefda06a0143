//! Which SuperOffice is asked: `tenant`, `environment` and `base_url` of `[api]`, checked into one
//! place. Whether an address is safe to send credentials to is decided here.

use reqwest::Url;

use super::settings::ApiSection;
use super::{Problem, wrong};
use crate::extract::api::tenant::is_loopback;

/// The SuperOffice that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Installation {
    /// The embedded one.
    Sandbox,
    /// One at an address that ends in `/api`.
    BaseUrl(Url),
    /// An online tenant, whose address the state endpoint of the login host tells.
    Tenant {
        /// The customer's id.
        tenant: String,
        /// Where state and logins are asked.
        login_host: LoginHost,
    },
}

/// Where the state of a tenant and logins are asked: the `environment` of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoginHost {
    /// At the embedded SuperOffice.
    Sandbox,
    /// At this address.
    Url(Url),
}

impl ApiSection {
    /// The place that `tenant` or `base_url` names.
    pub(super) fn installation(&self) -> Result<Installation, Problem> {
        match (self.base_url(), self.tenant()) {
            (Some(_), Some(_)) => Err(wrong(
                "api.base_url",
                "give `tenant` (online) or `base_url` (onsite), not both",
            )),
            (None, None) => Err(wrong(
                "api.base_url",
                "give `tenant` (online) or `base_url` (onsite, or \"sandbox\")",
            )),
            (Some(base_url), None) if base_url == "sandbox" => Ok(Installation::Sandbox),
            (Some(base_url), None) => {
                let url = checked_url(&base_url, "api.base_url", self.allow_http())?;
                Ok(Installation::BaseUrl(api_of(url)))
            }
            (None, Some(tenant)) if is_customer_id(&tenant) => Ok(Installation::Tenant {
                tenant,
                login_host: self.login_host()?,
            }),
            (None, Some(_)) => Err(wrong(
                "api.tenant",
                "must be a customer id such as Cust12345",
            )),
        }
    }

    /// The address that the installation had before, as `base_url` would give it. Nothing is sent
    /// there, so plain http does no harm.
    pub(super) fn former_address(&self) -> Result<Option<Url>, Problem> {
        let typed = self.formerly();
        let url = typed.map(|url| checked_url(&url, "api.formerly", true));
        Ok(url.transpose()?.map(api_of))
    }

    fn login_host(&self) -> Result<LoginHost, Problem> {
        let environment = self.environment();
        let is_word =
            !environment.is_empty() && environment.chars().all(|c| c.is_ascii_alphanumeric());
        let url = match environment.as_str() {
            "sandbox" => return Ok(LoginHost::Sandbox),
            word if is_word => format!("https://{word}.superoffice.com"),
            url => url.to_owned(),
        };
        checked_url(&url, "api.environment", self.allow_http()).map(LoginHost::Url)
    }
}

/// The address of the API, however much of it was typed.
fn api_of(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = if path.to_ascii_lowercase().ends_with("/api") {
        path.to_owned()
    } else {
        format!("{path}/api")
    };
    url.set_path(&path);
    url
}

fn is_customer_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A URL that credentials can be sent to.
fn checked_url(text: &str, key: &'static str, allow_http: bool) -> Result<Url, Problem> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            wrong(
                key,
                "must begin with https:// and name a host, \
                 such as https://crm.example.com/SuperOffice",
            )
        })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            key,
            "must not hold a user or password; they belong in [api.auth]",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(key, "must not hold a query or fragment"));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err(wrong(
            key,
            "plain http to another machine would show credentials and data to everyone between; \
             use https, or set `allow_http = true` in [api]",
        ));
    }
    Ok(url)
}
