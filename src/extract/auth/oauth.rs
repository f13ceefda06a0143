//! OAuth: a refresh token that someone got once becomes an access token again and again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use crate::extract::api::login_server::{Away, LoginServer, ServerAnswer};
use crate::extract::auth::credential::{Credential, Life, NoLogin, authorization};
use crate::extract::auth::refusal::Refusal;
use crate::extract::auth::scheme::OAuthKeys;
use crate::extract::secret::{self, Secret};
use crate::extract::waiting::Stop;

/// Where tokens are had (vendor's page on OIDC metadata).
const TOKENS: &str = "login/common/oauth/tokens";

/// Logs in with a refresh token.
#[derive(Debug)]
pub(super) struct OAuth {
    server: LoginServer,
    client_id: String,
    client_secret: SecretString,
    redirect_uri: Option<String>,
    refresh_token: Mutex<SecretString>,
    /// Where the refresh token came from.
    place: Secret,
    stop: Stop,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    refresh_token: Option<String>,
    #[serde(default)]
    expires_in: Value,
    error: Option<String>,
}

impl OAuth {
    pub(super) fn new(
        server: LoginServer,
        keys: &OAuthKeys,
        stop: &Stop,
    ) -> Result<Self, secret::Error> {
        Ok(Self {
            server,
            client_id: keys.client_id.clone(),
            client_secret: keys.client_secret.read(stop)?,
            redirect_uri: keys.redirect_uri.clone(),
            refresh_token: Mutex::new(keys.refresh_token.read(stop)?),
            place: keys.refresh_token.clone(),
            stop: stop.clone(),
        })
    }

    /// Logs in. Where the refresh token is refused, another process may have had a new one in its
    /// place since it was read: it is read once more.
    pub(super) async fn log_in(&self) -> Result<Credential, NoLogin> {
        let refused = match self.exchange().await {
            Err(NoLogin::Refused(Refusal::RefreshToken)) => self.refresh_token(),
            exchanged => return exchanged,
        };
        let renewed = self.place.read_again(&self.stop).await;
        match renewed.inspect_err(|error| warn!("{error}")) {
            Ok(renewed) if renewed.expose_secret() != refused.expose_secret() => {
                self.set_refresh_token(renewed);
                self.exchange().await
            }
            Ok(_) | Err(_) => Err(NoLogin::Refused(Refusal::RefreshToken)),
        }
    }

    /// Gives the refresh token for an access token.
    async fn exchange(&self) -> Result<Credential, NoLogin> {
        let form = self.form(&self.refresh_token());
        let answer = self
            .server
            .post(
                TOKENS,
                "application/x-www-form-urlencoded",
                form.as_bytes().to_vec(),
            )
            .await?;
        let Tokens {
            access_token,
            refresh_token,
            expires_in,
            ..
        } = tokens(&answer)?;
        if let Some(renewed) = refresh_token.filter(|renewed| !renewed.is_empty()) {
            self.keep(SecretString::from(renewed));
        }
        let token = SecretString::from(access_token.unwrap_or_default());
        let headers = authorization("Bearer", &token).ok_or(NoLogin::Away(Away::Unreadable))?;
        Ok(Credential {
            headers,
            life: Life {
                lifetime: lifetime(&expires_in),
                idle: None,
                is_renewable: true,
                can_be_refused: true,
            },
        })
    }

    /// The parameters go in the body: a query would show the secrets to every proxy's log.
    fn form(&self, refresh_token: &SecretString) -> Zeroizing<String> {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("refresh_token", refresh_token.expose_secret()),
            (
                "redirect_uri",
                self.redirect_uri.as_deref().unwrap_or_default(),
            ),
        ];
        let mut form = Zeroizing::new(String::with_capacity(1_024));
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(name);
            form.push('=');
            form.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        }
        form
    }

    fn refresh_token(&self) -> SecretString {
        self.refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A server that hands out a new refresh token may end the old one at once: the new one has to
    /// be there tomorrow.
    fn keep(&self, renewed: SecretString) {
        if renewed.expose_secret() == self.refresh_token().expose_secret() {
            return;
        }
        match self.place.replace(&renewed) {
            Ok(true) => {}
            Ok(false) => warn!(
                "the login server sent a new refresh token; `{}` comes from a place that cannot be \
                 replaced, so the next run may be refused; use {{ file = \"path\" }}",
                self.place.key()
            ),
            Err(error) => warn!(
                "the login server sent a new refresh token, which could not be kept; the next run \
                 may be refused: {error}"
            ),
        }
        self.set_refresh_token(renewed);
    }

    fn set_refresh_token(&self, renewed: SecretString) {
        *self
            .refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = renewed;
    }
}

/// What the answer brings; an access token is there.
fn tokens(answer: &ServerAnswer) -> Result<Tokens, NoLogin> {
    let refused = |tokens: Option<&Tokens>| {
        let code = tokens
            .and_then(|tokens| tokens.error.as_deref())
            .unwrap_or_default();
        NoLogin::Refused(if answer.status == 404 && code.is_empty() {
            Refusal::NoServer { status: 404 }
        } else {
            Refusal::of_oauth(code, answer.status)
        })
    };
    let tokens: Option<Tokens> = answer.json();
    if !answer.is_success() {
        // A server's own failure carries no code of OAuth.
        if answer.status >= 500 && tokens.as_ref().is_none_or(|tokens| tokens.error.is_none()) {
            return Err(NoLogin::Away(Away::Status(answer.status)));
        }
        return Err(refused(tokens.as_ref()));
    }
    let tokens = tokens.ok_or(NoLogin::Away(Away::Unreadable))?;
    match &tokens.access_token {
        Some(token) if !token.is_empty() => Ok(tokens),
        _ => Err(refused(Some(&tokens))),
    }
}

/// `expires_in`, a number or a text of it; nothing where it says nothing sensible.
fn lifetime(expires_in: &Value) -> Option<Duration> {
    let seconds = expires_in
        .as_u64()
        .or_else(|| expires_in.as_str()?.parse().ok())?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(status: u16, body: &str) -> Result<(), NoLogin> {
        tokens(&ServerAnswer::new(status, body)).map(|_| ())
    }

    #[test]
    fn answers_are_tokens_refusals_or_outages() {
        let refused = |refusal| Err(NoLogin::Refused(refusal));
        let cases = [
            (200, r#"{"access_token":"8A:x","expires_in":3600}"#, Ok(())),
            (
                400,
                r#"{"error":"invalid_grant"}"#,
                refused(Refusal::RefreshToken),
            ),
            (
                401,
                r#"{"error":"invalid_client"}"#,
                refused(Refusal::Client),
            ),
            (401, "<html>", refused(Refusal::Unnamed { status: 401 })),
            (404, "<html>", refused(Refusal::NoServer { status: 404 })),
            (
                200,
                r#"{"error":"invalid_grant"}"#,
                refused(Refusal::RefreshToken),
            ),
            (
                200,
                r#"{"access_token":""}"#,
                refused(Refusal::Unnamed { status: 200 }),
            ),
            (200, "<html>", Err(NoLogin::Away(Away::Unreadable))),
            (
                500,
                r#"{"Message":"An error has occurred."}"#,
                Err(NoLogin::Away(Away::Status(500))),
            ),
            (
                500,
                r#"{"error":"invalid_grant"}"#,
                refused(Refusal::RefreshToken),
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(outcome(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_lifetime_is_seconds_above_zero() {
        for (value, seconds) in [
            (json!(3600), Some(3600)),
            (json!("1200"), Some(1200)),
            (json!(0), None),
            (json!(-1), None),
            (Value::Null, None),
        ] {
            assert_eq!(
                lifetime(&value),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
