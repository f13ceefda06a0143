//! What logs a request in: the headers, how long they are good, and why there are none. Getting
//! them is the schemes' matter, and when to get new ones the fetcher's.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use crate::extract::api::login_server::Away;
use crate::extract::auth::refusal::Refusal;
use crate::extract::secret;

/// The headers that log a request in, and how long they do.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The headers.
    pub headers: HeaderMap,
    /// How long they are good.
    pub life: Life,
}

/// How long a credential is good, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Life {
    /// From the moment it was had.
    pub lifetime: Option<Duration>,
    /// From the moment it was last used.
    pub idle: Option<Duration>,
    /// Whether a new one can be asked of a login server.
    pub is_renewable: bool,
    /// Whether there is anything that a server could refuse.
    pub can_be_refused: bool,
}

/// Why there is no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLogin {
    /// The login server did not do its work.
    #[error("the login server is away: {0}")]
    Away(#[from] Away),
    /// The login server said no.
    #[error(transparent)]
    Refused(Refusal),
    /// There is no other than the one that was refused.
    #[error("there is no other login than the one that was refused")]
    NoOther,
}

pub(super) fn prefixed(
    prefix: &str,
    secret: &SecretString,
    key: &'static str,
) -> Result<HeaderValue, secret::Error> {
    header(
        &SecretString::from(format!("{prefix} {}", secret.expose_secret())),
        key,
    )
}

/// A header value that is never printed.
///
/// # Errors
/// Where the secret holds characters that no header can carry.
pub fn header(secret: &SecretString, key: &'static str) -> Result<HeaderValue, secret::Error> {
    let mut value = HeaderValue::from_str(secret.expose_secret())
        .map_err(|_| secret::Error::NotHeader { key })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header of a credential that a server gave; none where it holds characters that no header can
/// carry.
pub(super) fn authorization(prefix: &str, credential: &SecretString) -> Option<HeaderMap> {
    let value = prefixed(prefix, credential, "").ok()?;
    Some(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}
