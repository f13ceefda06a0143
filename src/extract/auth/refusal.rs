//! Why a login server refuses, as far as it says so, and what to do about it. Its own words are
//! read, never repeated.

use super::token::TokenFlaw;

/// Why there is no login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error("the login server refused: the application's approval was revoked (Revoked)")]
    Revoked,
    #[error("the login server refused: the application has to be approved again (NeedsReapproval)")]
    NeedsReapproval,
    #[error("the login server refused: what the job logs in with has expired (Expired)")]
    Expired,
    #[error("the login server refused the time of the signature (InvalidTimestamp)")]
    Timestamp,
    #[error("the login server refused the signature (InvalidSignature)")]
    Signature,
    #[error("the login server refused the redirect URI (InvalidRedirectUrl)")]
    RedirectUri,
    #[error("the login server refused the application token")]
    AppToken,
    #[error("the login server refused the tenant")]
    Tenant,
    #[error("the login server refused the system user token")]
    SystemUserToken,
    #[error("the login server refused the client id or the client secret (invalid_client)")]
    Client,
    #[error("the login server refused the refresh token (invalid_grant)")]
    RefreshToken,
    #[error("the login server refused, and named no reason that is known (status {status})")]
    Unnamed { status: u16 },
    #[error("there is no login server at this address (status {status})")]
    NoServer { status: u16 },
    #[error("the login server's answer cannot be trusted: {0}")]
    Token(TokenFlaw),
}

impl Refusal {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Revoked | Self::NeedsReapproval => {
                "an administrator of the tenant has to approve the application; \
                 this makes a new `api.auth.system_user_token`"
            }
            Self::Expired | Self::RefreshToken => {
                "it is unknown, expired or revoked; \
                 log in once by hand to get a new one and put that where the job reads it"
            }
            Self::Timestamp | Self::Token(TokenFlaw::Expired | TokenFlaw::NotYetValid) => {
                "the clocks of this machine and of the login server differ; \
                 set this machine's clock (NTP)"
            }
            Self::Signature => {
                "`api.auth.private_key` does not belong to this application and environment, \
                 or `api.auth.system_user_token` is mistyped"
            }
            Self::RedirectUri => {
                "`api.auth.redirect_uri` must be one that the application is registered with"
            }
            Self::AppToken => {
                "check `api.app_token`: \
                 it is the client secret of the application for this `api.environment`"
            }
            Self::Tenant => {
                "check `api.tenant` and `api.environment`, \
                 and that the tenant approved the application"
            }
            Self::SystemUserToken => {
                "check `api.auth.system_user_token`: \
                 it belongs to one application, one tenant and one environment"
            }
            Self::Client => {
                "check `api.auth.client_id` and `api.auth.client_secret`; \
                 each environment has its own"
            }
            Self::Unnamed { .. } => {
                "check the keys of `api.auth`, `api.app_token`, `api.tenant` and `api.environment`"
            }
            Self::NoServer { .. } => "check `api.environment`",
            Self::Token(TokenFlaw::Tenant) => {
                "`api.auth.system_user_token` belongs to another tenant than `api.tenant`"
            }
            Self::Token(
                TokenFlaw::Header
                | TokenFlaw::UnknownKey
                | TokenFlaw::Signature
                | TokenFlaw::Claims
                | TokenFlaw::Issuer
                | TokenFlaw::Audience
                | TokenFlaw::NoTicket,
            ) => {
                "check `api.environment` \
                 and whatever stands between this machine and the login server"
            }
        }
    }

    /// The refusal that a message of the system user login names.
    pub(super) fn of_message(message: &str, status: u16) -> Self {
        let message = message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        // The names of the login's error codes come first: they are exact.
        if says(&["invalidtimestamp"]) {
            Self::Timestamp
        } else if says(&["invalidsignature"]) {
            Self::Signature
        } else if says(&["needsreapproval"]) {
            Self::NeedsReapproval
        } else if says(&["invalidredirecturl"]) {
            Self::RedirectUri
        } else if says(&["revoked"]) {
            Self::Revoked
        } else if says(&["application token", "applicationtoken"]) {
            Self::AppToken
        } else if says(&[
            "system user token",
            "systemtoken",
            "system token",
            "systemusertoken",
        ]) {
            Self::SystemUserToken
        } else if says(&["tenant", "contextidentifier", "context identifier"]) {
            Self::Tenant
        } else if says(&["timestamp"]) {
            Self::Timestamp
        } else if says(&["signature"]) {
            Self::Signature
        } else if says(&["expired"]) {
            Self::Expired
        } else {
            Self::Unnamed { status }
        }
    }

    /// The refusal that an OAuth error code names (RFC 6749, 5.2).
    pub(super) fn of_oauth(code: &str, status: u16) -> Self {
        match code {
            "invalid_client" | "unauthorized_client" => Self::Client,
            "invalid_grant" => Self::RefreshToken,
            _ => Self::Unnamed { status },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let cases = [
            ("InvalidTimestamp: the stamp is off", Refusal::Timestamp),
            ("Authorization failed: InvalidSignature", Refusal::Signature),
            ("Revoked: not approved", Refusal::Revoked),
            ("NeedsReapproval", Refusal::NeedsReapproval),
            (
                "Denied: the application token is unknown",
                Refusal::AppToken,
            ),
            (
                "Denied: the system user token is unknown",
                Refusal::SystemUserToken,
            ),
            ("Denied: the tenant is unknown", Refusal::Tenant),
            ("The SystemToken has expired", Refusal::SystemUserToken),
            ("Expired", Refusal::Expired),
            ("Denied", Refusal::Unnamed { status: 200 }),
            ("", Refusal::Unnamed { status: 200 }),
        ];
        for (message, expected) in cases {
            assert_eq!(Refusal::of_message(message, 200), expected, "{message}");
        }
    }

    #[test]
    fn oauth_codes_are_told_apart() {
        let cases = [
            ("invalid_client", Refusal::Client),
            ("invalid_grant", Refusal::RefreshToken),
            ("unsupported_grant_type", Refusal::Unnamed { status: 400 }),
        ];
        for (code, expected) in cases {
            assert_eq!(Refusal::of_oauth(code, 400), expected, "{code}");
        }
    }
}
