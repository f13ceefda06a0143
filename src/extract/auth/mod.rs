//! How requests are logged in: the schemes, one file each where there is more to it than a header.
//! Each gives a credential and, when asked again, a new one. Deciding when that has to happen is
//! the fetcher's matter.

mod credential;
mod key;
mod oauth;
mod refusal;
mod scheme;
mod system_user;
mod token;

use reqwest::header::HeaderMap;
use tracing::warn;

pub use self::credential::{Credential, Life, NoLogin, header};
use self::oauth::OAuth;
pub use self::refusal::Refusal;
pub use self::scheme::{OAuthKeys, Scheme, SystemUserKeys};
use self::system_user::SystemUser;
pub use self::token::TokenFlaw;
use crate::extract::api::login_server::LoginServer;
use crate::extract::secret;
use crate::extract::waiting::Stop;

/// Logs in by one scheme, and again when asked again.
#[derive(Debug)]
pub struct Authenticator {
    mechanism: Mechanism,
    stop: Stop,
}

#[derive(Debug)]
enum Mechanism {
    Fixed { scheme: Scheme, headers: HeaderMap },
    OAuth(OAuth),
    SystemUser(SystemUser),
}

impl Authenticator {
    /// Reads the secrets of a scheme. `server` and `tenant` are where schemes log in that do.
    ///
    /// # Errors
    /// Where a secret cannot be had, or is no key.
    pub(crate) fn new(
        scheme: &Scheme,
        server: &LoginServer,
        tenant: &str,
        stop: &Stop,
    ) -> Result<Self, secret::Error> {
        let mechanism = match scheme {
            Scheme::OAuth(keys) => Mechanism::OAuth(OAuth::new(server.clone(), keys, stop)?),
            Scheme::SystemUser(keys) => {
                Mechanism::SystemUser(SystemUser::new(server.clone(), tenant, keys, stop)?)
            }
            fixed => Mechanism::Fixed {
                headers: fixed.headers(stop)?,
                scheme: fixed.clone(),
            },
        };
        Ok(Self {
            mechanism,
            stop: stop.clone(),
        })
    }

    /// Whether logging in is a call to a login server.
    pub fn calls(&self) -> bool {
        !matches!(self.mechanism, Mechanism::Fixed { .. })
    }

    /// The credential. One that someone put down for the job is read again where it was refused,
    /// since whoever put it there may have put a new one.
    ///
    /// # Errors
    /// Where there is none, or no other than the one that was refused.
    pub async fn log_in(&self, refused: Option<&HeaderMap>) -> Result<Credential, NoLogin> {
        match &self.mechanism {
            Mechanism::OAuth(oauth) => oauth.log_in().await,
            Mechanism::SystemUser(system_user) => system_user.log_in().await,
            Mechanism::Fixed { scheme, headers } => {
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
                let headers = self.read_again(scheme).await?;
                if headers == *refused {
                    Err(NoLogin::NoOther)
                } else {
                    Ok(Credential { headers, life })
                }
            }
        }
    }

    /// Reads the secrets of a scheme again, aside: requests in flight do not wait for a program.
    async fn read_again(&self, scheme: &Scheme) -> Result<HeaderMap, NoLogin> {
        let (scheme, stop) = (scheme.clone(), self.stop.clone());
        let read = secret::aside("api.auth", move || scheme.headers(&stop)).await;
        read.inspect_err(|error| warn!("{error}"))
            .map_err(|_| NoLogin::NoOther)
    }
}
