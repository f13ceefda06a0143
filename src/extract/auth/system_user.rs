//! The system user: signs its token with the application's key, exchanges that for a web token,
//! checks it, and uses the ticket in it (vendor's pages on the server-to-server flow).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::extract::api::login_server::{Away, LoginServer, ServerAnswer};
use crate::extract::auth::credential::{Credential, Life, NoLogin, authorization};
use crate::extract::auth::key::PrivateKey;
use crate::extract::auth::refusal::Refusal;
use crate::extract::auth::scheme::SystemUserKeys;
use crate::extract::auth::token::{TokenFlaw, ticket, verified};
use crate::extract::secret;
use crate::extract::waiting::Stop;

const AUTHENTICATE: &str = "Login/api/PartnerSystemUser/Authenticate";
const JWKS: &str = "login/.well-known/jwks";
/// A ticket lives six hours after its last use; it is given up a little earlier.
const IDLE: Duration = Duration::from_mins(6 * 60 - 5);

/// Logs in as the system user of a tenant.
#[derive(Debug)]
pub(super) struct SystemUser {
    server: LoginServer,
    tenant: String,
    /// What stands for the system user.
    token: SecretString,
    private_key: PrivateKey,
    app_token: SecretString,
    /// The keys that the server published when it was last asked.
    published: Mutex<Option<JwkSet>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AuthenticateRequest<'a> {
    signed_system_token: &'a str,
    application_token: &'a str,
    context_identifier: &'a str,
    return_token_type: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AuthenticateResponse {
    is_successful: Option<bool>,
    token: Option<String>,
    error_message: Option<String>,
}

impl SystemUser {
    pub(super) fn new(
        server: LoginServer,
        tenant: &str,
        keys: &SystemUserKeys,
        stop: &Stop,
    ) -> Result<Self, secret::Error> {
        let private_key = PrivateKey::parse(keys.private_key.read(stop)?.expose_secret());
        Ok(Self {
            server,
            tenant: tenant.to_owned(),
            token: keys.system_user_token.read(stop)?,
            private_key: private_key.map_err(|problem| secret::Error::NotKey {
                key: keys.private_key.key(),
                problem,
            })?,
            app_token: keys.app_token.read(stop)?,
            published: Mutex::new(None),
        })
    }

    pub(super) async fn log_in(&self) -> Result<Credential, NoLogin> {
        let signed = signed_token(
            self.token.expose_secret(),
            &self.private_key,
            Timestamp::now(),
        );
        let request = AuthenticateRequest {
            signed_system_token: signed.expose_secret(),
            application_token: self.app_token.expose_secret(),
            context_identifier: &self.tenant,
            return_token_type: "JWT",
        };
        let body = serde_json::to_vec(&request).map_err(|_| NoLogin::Away(Away::Unreadable))?;
        let answer = self
            .server
            .post(AUTHENTICATE, "application/json", body)
            .await?;
        let token = token(&answer)?;
        let claims = match verified(token.expose_secret(), &self.published().unwrap_or_default()) {
            // The keys may have changed, or were never asked for.
            Err(TokenFlaw::UnknownKey) => verified(token.expose_secret(), &self.ask_keys().await?),
            known => known,
        };
        let ticket = claims.and_then(|claims| ticket(claims, &self.tenant, Timestamp::now()));
        let ticket = ticket.map_err(|flaw| NoLogin::Refused(Refusal::Token(flaw)))?;
        let headers = authorization("SOTicket", &ticket)
            .ok_or(NoLogin::Refused(Refusal::Token(TokenFlaw::NoTicket)))?;
        Ok(Credential {
            headers,
            life: Life {
                lifetime: None,
                idle: Some(IDLE),
                is_renewable: true,
                can_be_refused: true,
            },
        })
    }

    fn published(&self) -> Option<JwkSet> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn ask_keys(&self) -> Result<JwkSet, NoLogin> {
        let answer = self.server.get(JWKS).await?;
        if !answer.is_success() {
            return Err(NoLogin::Away(Away::Status(answer.status)));
        }
        let keys: JwkSet = answer.json().ok_or(NoLogin::Away(Away::Unreadable))?;
        *self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }
}

/// `{token}.{stamp}.{signature}`, stamped with this minute. The stamp ages, so each login signs
/// anew.
fn signed_token(system_user_token: &str, key: &PrivateKey, now: Timestamp) -> SecretString {
    let data = format!("{system_user_token}.{}", now.strftime("%Y%m%d%H%M"));
    let signature = STANDARD.encode(key.sign(data.as_bytes()));
    SecretString::from(format!("{data}.{signature}"))
}

/// The web token of an answer.
fn token(answer: &ServerAnswer) -> Result<SecretString, NoLogin> {
    let said: Option<AuthenticateResponse> = answer.json();
    match said {
        Some(AuthenticateResponse {
            is_successful: Some(true),
            token: Some(token),
            ..
        }) if answer.is_success() && !token.is_empty() => Ok(SecretString::from(token)),
        Some(AuthenticateResponse {
            is_successful: None,
            error_message: None,
            ..
        })
        | None
            if answer.status >= 500 =>
        {
            Err(NoLogin::Away(Away::Status(answer.status)))
        }
        None if answer.is_success() => Err(NoLogin::Away(Away::Unreadable)),
        None if answer.status == 404 => Err(NoLogin::Refused(Refusal::NoServer { status: 404 })),
        said => {
            let message = said.and_then(|said| said.error_message).unwrap_or_default();
            Err(NoLogin::Refused(Refusal::of_message(
                &message,
                answer.status,
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 3] = [
        include_str!("../../sandbox/keys/demo-app-private-key.pem"),
        include_str!("../../../tests/data/demo-key-pkcs1.pem"),
        include_str!("../../../tests/data/demo-key.xml"),
    ];

    /// Made with: printf %s 'My App 2.0-a1b2c3d4e5.202611220210' | openssl dgst -sha256 -sign KEY |
    /// base64 -w0
    const SIGNATURE: &str = concat!(
        "MEHyvG7+hvIG/b/goBSjT0hXorHv5zVPdBvsIVwE1YZaeNm/0DJIAV6fmqcyiL/x4Yx52X/WVzFoyqLLwln9pc",
        "QcqF44vBkhiDS/er56Z9JUj1338JAqJbPR/dP4Ogj23vpKdBLzJsKCZHDhP01lgjgi03CSkuWkmrkfzBbOjH6R",
        "AclKxdPfmzwx92yb5p0CKcZ6zL5NZJx9uqQakD7lZnJe7qo3MSvt3AHorrROJQ3DCyQjSdQ9/O29jn44NR0tKo",
        "MqcQMpUSwW5g5+YO2LZyQBmvfo2adYOBjzP8fFk+mZjQ44CCyVO6b4gsUn4sFGS34q0gPlImRTazDqaRshxQ==",
    );

    #[test]
    fn a_signed_token_is_exactly_this() {
        let now: Timestamp = "2026-11-22T03:10:59+01:00".parse().unwrap();
        for key in KEYS {
            let signed = signed_token(
                "My App 2.0-a1b2c3d4e5",
                &PrivateKey::parse(key).unwrap(),
                now,
            );
            assert_eq!(
                signed.expose_secret(),
                format!("My App 2.0-a1b2c3d4e5.202611220210.{SIGNATURE}")
            );
        }
    }

    #[test]
    fn answers_are_tokens_refusals_or_outages() {
        let refused = |refusal| Err(NoLogin::Refused(refusal));
        let away = |away| Err(NoLogin::Away(away));
        let cases = [
            (
                200,
                r#"{"IsSuccessful":true,"Token":"x","ErrorMessage":null}"#,
                Ok(()),
            ),
            (
                200,
                r#"{"IsSuccessful":true,"Token":""}"#,
                refused(Refusal::Unnamed { status: 200 }),
            ),
            (
                200,
                r#"{"IsSuccessful":false,"Token":"x","ErrorMessage":"Revoked"}"#,
                refused(Refusal::Revoked),
            ),
            (
                200,
                r#"{"Token":"x"}"#,
                refused(Refusal::Unnamed { status: 200 }),
            ),
            (
                400,
                r#"{"IsSuccessful":false,"ErrorMessage":"InvalidTimestamp"}"#,
                refused(Refusal::Timestamp),
            ),
            (
                500,
                r#"{"IsSuccessful":false,"ErrorMessage":"InvalidSignature"}"#,
                refused(Refusal::Signature),
            ),
            (
                500,
                r#"{"Message":"An error has occurred."}"#,
                away(Away::Status(500)),
            ),
            (401, "", refused(Refusal::Unnamed { status: 401 })),
            (404, "<html>", refused(Refusal::NoServer { status: 404 })),
            (200, "<html>", away(Away::Unreadable)),
        ];
        for (status, body, expected) in cases {
            assert_eq!(
                token(&ServerAnswer::new(status, body)).map(|_| ()),
                expected,
                "{status} {body}"
            );
        }
    }
}
