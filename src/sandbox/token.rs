//! Signatures of the simulated login server: the keys it signs with, the tokens it issues (flawed
//! ones on demand), and the check of a signed system user token. Which of them are wanted, and by
//! whom, is left to the login.

use std::fmt::Write;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

/// How the token of a system user is wrong. A client must refuse each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Issued by someone else.
    Issuer,
    /// Meant for another serial number.
    Audience,
    /// For another tenant.
    Tenant,
    /// No longer valid.
    Expired,
    /// Not valid yet.
    NotYetValid,
    /// Signed with nothing: `alg` is `none`.
    Unsigned,
    /// Signed with the public key as a shared secret: `alg` is `HS256`.
    SharedSecret,
    /// Changed after it was signed.
    Signature,
    /// Signed with a key that is not published.
    UnknownKey,
}

/// An RSA key that signs tokens.
pub(super) struct SigningKey {
    pair: KeyPair,
    kid: String,
}

impl SigningKey {
    /// A new one; none where the system gives no randomness.
    pub(super) fn generate() -> Option<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let fingerprint = digest::digest(
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            pair.public_key().as_ref(),
        );
        let mut kid = String::with_capacity(40);
        for byte in fingerprint.as_ref() {
            write!(kid, "{byte:02X}").expect("writing to a String cannot fail");
        }
        Some(Self { pair, kid })
    }

    /// The public part, as a JWKS document lists it.
    pub(super) fn jwk(&self) -> Value {
        let RsaPublicKeyComponents { n, e } =
            RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e),
        })
    }

    /// A token with these claims, flawed in its signature where that is the flaw.
    pub(super) fn token(&self, claims: &Value, flaw: Option<Flaw>) -> String {
        if flaw == Some(Flaw::UnknownKey)
            && let Some(unpublished) = Self::generate()
        {
            return unpublished.token(claims, None);
        }
        let unsigned = |algorithm: &str| {
            let header = json!({"typ": "JWT", "alg": algorithm, "kid": self.kid, "x5t": self.kid});
            format!("{}.{}", encoded(&header), encoded(claims))
        };
        let (signed, signature) = match flaw {
            Some(Flaw::Unsigned) => (unsigned("none"), Vec::new()),
            Some(Flaw::SharedSecret) => {
                let signed = unsigned("HS256");
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.pair.public_key().as_ref());
                let signature = hmac::sign(&key, signed.as_bytes()).as_ref().to_vec();
                (signed, signature)
            }
            Some(Flaw::Signature) => (unsigned("RS256"), self.sign(b"something else")),
            // The signature is right: what is wrong, if anything, are the claims or the key.
            Some(
                Flaw::Issuer
                | Flaw::Audience
                | Flaw::Tenant
                | Flaw::Expired
                | Flaw::NotYetValid
                | Flaw::UnknownKey,
            )
            | None => {
                let signed = unsigned("RS256");
                let signature = self.sign(signed.as_bytes());
                (signed, signature)
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        sign(&self.pair, message)
    }
}

fn sign(pair: &KeyPair, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &signature::RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )
    .expect("a whole key signs into a buffer of its own length");
    signature
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Why a signed system user token is refused; the names are those of the login's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denial {
    #[error("Denied: the signed system token is malformed")]
    Malformed,
    #[error("Denied: the system user token is unknown")]
    Unknown,
    #[error("InvalidTimestamp: the stamp is too far from the server's time")]
    Stamp,
    #[error("InvalidSignature: the signature does not match the application's key")]
    Signature,
}

/// What a signed system user token is held against.
pub(super) struct Expected<'a> {
    pub(super) system_user_token: &'a str,
    pub(super) now: Timestamp,
    /// How far its stamp may be from now, either way.
    pub(super) tolerance: SignedDuration,
}

/// The public half of an application's key.
pub(super) struct AppKey(UnparsedPublicKey<Vec<u8>>);

impl AppKey {
    /// Takes the public half of a private key; none where the PEM holds no RSA key.
    pub(super) fn from_private_pem(pem: &str) -> Option<Self> {
        let private = EncodingKey::from_rsa_pem(pem.as_bytes()).ok()?;
        let pair = KeyPair::from_der(private.as_bytes()).ok()?;
        let public = AsDer::as_der(pair.public_key()).ok()?;
        Some(Self(UnparsedPublicKey::new(
            &signature::RSA_PKCS1_2048_8192_SHA256,
            public.as_ref().to_vec(),
        )))
    }

    /// Checks `{token}.{stamp}.{signature}`. The name of an application may hold dots, so it is
    /// split from the right.
    pub(super) fn check(&self, signed: &str, expected: &Expected<'_>) -> Result<(), Denial> {
        let (data, signature) = signed.rsplit_once('.').ok_or(Denial::Malformed)?;
        let (system_user_token, stamp) = data.rsplit_once('.').ok_or(Denial::Malformed)?;
        let signature = STANDARD.decode(signature).map_err(|_| Denial::Malformed)?;
        self.0
            .verify(data.as_bytes(), &signature)
            .map_err(|_| Denial::Signature)?;
        let stamped = instant(stamp).ok_or(Denial::Malformed)?;
        if expected.now.duration_since(stamped).abs() > expected.tolerance {
            return Err(Denial::Stamp);
        }
        if system_user_token == expected.system_user_token {
            Ok(())
        } else {
            Err(Denial::Unknown)
        }
    }
}

/// Reads a stamp: twelve digits, `yyyyMMddHHmm` in UTC.
fn instant(stamp: &str) -> Option<Timestamp> {
    let all_digits = stamp.len() == 12 && stamp.bytes().all(|byte| byte.is_ascii_digit());
    let civil = all_digits.then(|| DateTime::strptime("%Y%m%d%H%M", stamp).ok())??;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

/// Signs a system user token as an application does; for the tests of the login.
#[cfg(test)]
pub(super) fn sign_as_app(pem: &str, data: &str) -> String {
    let pair = KeyPair::from_der(
        EncodingKey::from_rsa_pem(pem.as_bytes())
            .unwrap()
            .as_bytes(),
    )
    .unwrap();
    format!("{data}.{}", STANDARD.encode(sign(&pair, data.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::DEMO_PRIVATE_KEY;

    #[test]
    fn signed_tokens_are_checked_in_every_part() {
        let key = AppKey::from_private_pem(DEMO_PRIVATE_KEY).unwrap();
        let expected = Expected {
            system_user_token: "My App 2.0-a1b2c3",
            now: "2026-11-22T02:10:59Z".parse().unwrap(),
            tolerance: SignedDuration::from_mins(5),
        };
        let sign = |data: &str| sign_as_app(DEMO_PRIVATE_KEY, data);
        let check = |signed: &str| key.check(signed, &expected);
        for stamp in ["202611220210", "202611220206", "202611220215"] {
            assert_eq!(
                check(&sign(&format!("My App 2.0-a1b2c3.{stamp}"))),
                Ok(()),
                "{stamp}"
            );
        }
        for stamp in ["202611220205", "202611220217", "202511220210"] {
            assert_eq!(
                check(&sign(&format!("My App 2.0-a1b2c3.{stamp}"))),
                Err(Denial::Stamp),
                "{stamp}"
            );
        }
        let good = sign("My App 2.0-a1b2c3.202611220210");
        assert_eq!(
            check(&good.replace("a1b2c3", "a1b2c4")),
            Err(Denial::Signature)
        );
        assert_eq!(
            check(&good.replace("202611220210", "202611220211")),
            Err(Denial::Signature)
        );
        assert_eq!(
            check(&sign("Other App-a1b2c3.202611220210")),
            Err(Denial::Unknown)
        );
        for malformed in [
            "",
            "a.b",
            "a.202611220210.!!",
            &sign("My App 2.0-a1b2c3"),
            &sign("My App 2.0-a1b2c3.20261122021"),
        ] {
            assert_eq!(check(malformed), Err(Denial::Malformed), "{malformed}");
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_no_key() {
        assert!(AppKey::from_private_pem("-----BEGIN NOTHING-----").is_none());
    }
}
