//! The ways to log in, as the job names them, with the places of their secrets. How those with a
//! login server use it is told in their own files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

use crate::extract::auth::credential::{header, prefixed};
use crate::extract::secret::{self, Secret};
use crate::extract::waiting::Stop;

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

impl Scheme {
    /// Whose login it is: the scheme, and the user or client where the job names one. Another login
    /// has other rights, so what it was shown is not shown to others.
    pub fn login(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Basic { user, .. } => format!("basic {user}"),
            Self::Ticket { .. } => "ticket".to_owned(),
            Self::Bearer { .. } => "bearer".to_owned(),
            Self::Xsrf { .. } => "xsrf".to_owned(),
            Self::OAuth(keys) => format!("oauth {}", keys.client_id),
            Self::SystemUser(_) => "system-user".to_owned(),
        }
    }
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

    /// Whether a login may use up a secret that is in a file, and put a new one there.
    pub fn uses_up_a_file(&self) -> bool {
        matches!(self, Self::OAuth(keys) if matches!(keys.refresh_token, Secret::File { .. }))
    }

    /// The headers of a scheme whose secrets are all that it needs.
    pub(super) fn headers(&self, stop: &Stop) -> Result<HeaderMap, secret::Error> {
        let mut headers = HeaderMap::new();
        match self {
            Self::Basic { user, password } => {
                let pair =
                    Zeroizing::new(format!("{user}:{}", password.read(stop)?.expose_secret()));
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
                prefixed("SOTicket", &ticket.read(stop)?, ticket.key())?,
            )),
            Self::Bearer { token } => drop(headers.insert(
                AUTHORIZATION,
                prefixed("Bearer", &token.read(stop)?, token.key())?,
            )),
            Self::Xsrf { token, cookie } => {
                headers.insert(
                    HeaderName::from_static("x-xsrf-token"),
                    header(&token.read(stop)?, token.key())?,
                );
                headers.insert(COOKIE, header(&cookie.read(stop)?, cookie.key())?);
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
                "wrong user or password, or a server that takes none (SuperOffice Online never \
                 does); check `api.auth` before the account is locked"
            }
            Self::Ticket { .. } if !has_app_token => {
                "with a ticket, SuperOffice Online wants the application's client secret \
                 too; set `api.app_token`"
            }
            Self::Ticket { .. } => {
                "the ticket is wrong or has expired (it lives six hours after its last \
                 use), or `api.app_token` is not that of its application"
            }
            Self::Bearer { .. } => {
                "the token is wrong, has expired or was revoked; scheme \"oauth\" renews it \
                 by itself"
            }
            Self::Xsrf { .. } => {
                "the browser's session has ended, or token and cookie are of different sessions"
            }
            Self::OAuth(_) => {
                "the login server gave an access token that this API refuses; check \
                 `api.tenant` and the user's rights"
            }
            Self::SystemUser(_) => {
                "the login server gave a ticket that this API refuses; check \
                 `api.app_token` and that the tenant still approves the application"
            }
        }
    }
}
