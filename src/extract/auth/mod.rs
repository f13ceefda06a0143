//! How requests are logged in: the schemes, and the session that holds the current credential. Deciding when a login
//! has to be renewed is the fetcher's matter.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::secret::{self, Secret};

/// A way to log in, with the places of its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// No login.
    None,
    /// User and password (onsite).
    Basic {
        /// User name.
        user: String,
        /// Password.
        password: Secret,
    },
    /// A ticket that someone already has.
    Ticket {
        /// The ticket, sent as it is.
        ticket: Secret,
    },
    /// An access token that someone already has.
    Bearer {
        /// The token.
        token: Secret,
    },
}

impl Scheme {
    /// The headers that log a request in.
    ///
    /// # Errors
    /// Where a secret cannot be had.
    pub fn headers(&self) -> Result<HeaderMap, secret::Error> {
        let authorization = match self {
            Self::None => None,
            Self::Basic { user, password } => {
                use base64::Engine as _;
                let pair = SecretString::from(format!("{user}:{}", password.read()?.expose_secret()));
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair.expose_secret());
                Some(header(&SecretString::from(format!("Basic {encoded}")), password.key())?)
            }
            Self::Ticket { ticket } => Some(prefixed("SOTicket", ticket)?),
            Self::Bearer { token } => Some(prefixed("Bearer", token)?),
        };
        Ok(authorization.into_iter().map(|value| (AUTHORIZATION, value)).collect())
    }
}

fn prefixed(prefix: &str, secret: &Secret) -> Result<HeaderValue, secret::Error> {
    header(&SecretString::from(format!("{prefix} {}", secret.read()?.expose_secret())), secret.key())
}

/// A header value that is never printed.
///
/// # Errors
/// Where the secret holds characters that no header can carry.
pub fn header(secret: &SecretString, key: &'static str) -> Result<HeaderValue, secret::Error> {
    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| secret::Error::NotHeader { key })?;
    value.set_sensitive(true);
    Ok(value)
}
