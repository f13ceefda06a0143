//! How requests are logged in: the schemes, one file each where there is more to it than a header.
//! Each gives a credential and, when asked again, a new one. Deciding when that has to happen is
//! the fetcher's matter.

mod key;
mod oauth;
mod refusal;
pub mod server;
mod system_user;
mod token;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::warn;

use self::oauth::OAuth;
pub use self::refusal::Refusal;
use self::server::{Away, LoginServer};
use self::system_user::SystemUser;
pub use self::token::TokenFlaw;
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
    /// A browser's session.
    Xsrf {
        /// The `XSRF-TOKEN`.
        token: Secret,
        /// The session cookie.
        cookie: Secret,
    },
    /// A refresh token that someone got once.
    OAuth(OAuthKeys),
    /// The system user of a tenant.
    SystemUser(SystemUserKeys),
}

/// What OAuth needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of OAuth")]
pub struct OAuthKeys {
    pub client_id: String,
    pub client_secret: Secret,
    pub refresh_token: Secret,
    pub redirect_uri: Option<String>,
}

/// What the system user needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemUserKeys {
    /// What stands for the system user.
    pub system_user_token: Secret,
    /// The application's RSA key.
    pub private_key: Secret,
    /// The application's client secret, which is `SO-AppToken` too.
    pub app_token: Secret,
}

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

/// Logs in by one scheme, and again when asked again.
#[derive(Debug)]
pub struct Authenticator {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Fixed { scheme: Scheme, headers: HeaderMap },
    OAuth(OAuth),
    SystemUser(SystemUser),
}

impl Authenticator {
    /// Reads the secrets of a scheme. `server` and `tenant` are where schemes log in that do.
    ///
    /// # Errors
    /// Where a secret cannot be had, or is no key.
    pub fn new(scheme: &Scheme, server: &LoginServer, tenant: &str) -> Result<Self, secret::Error> {
        let kind = match scheme {
            Scheme::OAuth(keys) => Kind::OAuth(OAuth::new(server.clone(), keys)?),
            Scheme::SystemUser(keys) => {
                Kind::SystemUser(SystemUser::new(server.clone(), tenant, keys)?)
            }
            fixed => Kind::Fixed {
                headers: fixed.headers()?,
                scheme: fixed.clone(),
            },
        };
        Ok(Self { kind })
    }

    /// Whether logging in is a call to a login server.
    pub fn calls(&self) -> bool {
        !matches!(self.kind, Kind::Fixed { .. })
    }

    /// The credential. One that someone put down for the job is read again where it was refused,
    /// since whoever put it there may have put a new one.
    ///
    /// # Errors
    /// Where there is none, or no other than the one that was refused.
    pub async fn log_in(&self, refused: Option<&HeaderMap>) -> Result<Credential, NoLogin> {
        match &self.kind {
            Kind::OAuth(oauth) => oauth.log_in().await,
            Kind::SystemUser(system_user) => system_user.log_in().await,
            Kind::Fixed { scheme, headers } => {
                let life = Life {
                    can_be_refused: *scheme != Scheme::None,
                    ..Life::default()
                };
                let Some(refused) = refused else {
                    return Ok(Credential {
                        headers: headers.clone(),
                        life,
                    });
                };
                let headers = scheme
                    .headers()
                    .inspect_err(|error| warn!("{error}"))
                    .map_err(|_| NoLogin::NoOther)?;
                if headers == *refused {
                    Err(NoLogin::NoOther)
                } else {
                    Ok(Credential { headers, life })
                }
            }
        }
    }
}

impl Scheme {
    /// Its name in a job.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic { .. } => "basic",
            Self::Ticket { .. } => "ticket",
            Self::Bearer { .. } => "bearer",
            Self::Xsrf { .. } => "xsrf",
            Self::OAuth(_) => "oauth",
            Self::SystemUser(_) => "system-user",
        }
    }

    /// The headers of a scheme whose secrets are all that it needs.
    fn headers(&self) -> Result<HeaderMap, secret::Error> {
        let mut headers = HeaderMap::new();
        match self {
            Self::Basic { user, password } => {
                let pair = Zeroizing::new(format!("{user}:{}", password.read()?.expose_secret()));
                headers.insert(
                    AUTHORIZATION,
                    prefixed(
                        "Basic",
                        &STANDARD.encode(pair.as_bytes()).into(),
                        password.key(),
                    )?,
                );
            }
            Self::Ticket { ticket } => drop(headers.insert(
                AUTHORIZATION,
                prefixed("SOTicket", &ticket.read()?, ticket.key())?,
            )),
            Self::Bearer { token } => drop(headers.insert(
                AUTHORIZATION,
                prefixed("Bearer", &token.read()?, token.key())?,
            )),
            Self::Xsrf { token, cookie } => {
                headers.insert(
                    HeaderName::from_static("x-xsrf-token"),
                    header(&token.read()?, token.key())?,
                );
                headers.insert(COOKIE, header(&cookie.read()?, cookie.key())?);
            }
            Self::None | Self::OAuth(_) | Self::SystemUser(_) => {}
        }
        Ok(headers)
    }

    /// What to check where the API refuses the login.
    pub fn hint(&self, has_app_token: bool) -> &'static str {
        match self {
            Self::None => "the API wants a login; set `api.auth`",
            Self::Basic { .. } => {
                "wrong user or password, or a server that takes none (SuperOffice Online never does); check `api.auth` before the account is locked"
            }
            Self::Ticket { .. } if !has_app_token => {
                "with a ticket, SuperOffice Online wants the application's client secret too; set `api.app_token`"
            }
            Self::Ticket { .. } => {
                "the ticket is wrong or has expired (it lives six hours after its last use), or `api.app_token` is not that of its application"
            }
            Self::Bearer { .. } => {
                "the token is wrong, has expired or was revoked; scheme \"oauth\" renews it by itself"
            }
            Self::Xsrf { .. } => {
                "the browser's session has ended, or token and cookie are of different sessions"
            }
            Self::OAuth(_) => {
                "the login server gave an access token that this API refuses; check `api.tenant` and the user's rights"
            }
            Self::SystemUser(_) => {
                "the login server gave a ticket that this API refuses; check `api.app_token` and that the tenant still approves the application"
            }
        }
    }
}

fn prefixed(
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
fn authorization(prefix: &str, credential: &SecretString) -> Option<HeaderMap> {
    let value = prefixed(prefix, credential, "").ok()?;
    Some(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}
