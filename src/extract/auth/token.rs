//! The token that a system user's login brings: whether it can be trusted, and the ticket in it.
//! Its signature is checked by `jsonwebtoken`, its claims here. Pure: keys and time are arguments.

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

/// How far the clocks of login server and client may differ.
const LEEWAY: i64 = 5 * 60;
/// Who issues the tokens of system users (vendor's page on validating security tokens).
const ISSUER: &str = "SuperOffice AS";

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TokenFlaw {
    #[error("its token is no JSON Web Token signed with RS256")]
    Header,
    #[error("its token is signed with a key that it does not publish")]
    UnknownKey,
    #[error("the signature of its token is wrong")]
    Signature,
    #[error("the claims of its token cannot be read")]
    Claims,
    #[error("its token is issued by somebody else")]
    Issuer,
    #[error("its token is meant for somebody else")]
    Audience,
    #[error("its token is for another tenant")]
    Tenant,
    #[error("its token is not valid yet")]
    NotYetValid,
    #[error("its token has expired")]
    Expired,
    #[error("its token holds no ticket")]
    NoTicket,
}

/// The claims that matter. Absent ones fail their check.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    aud: Value,
    #[serde(default)]
    nbf: Value,
    #[serde(default)]
    exp: Value,
    #[serde(default, rename = "http://schemes.superoffice.net/identity/ctx")]
    context_identifier: Value,
    #[serde(default, rename = "http://schemes.superoffice.net/identity/serial")]
    serial: Value,
    #[serde(default, rename = "http://schemes.superoffice.net/identity/ticket")]
    ticket: Option<String>,
}

/// The claims of a token that one of these keys signed: the one that the token names, or else any,
/// since names may be left out or differ on either side.
///
/// # Errors
/// [`TokenFlaw::UnknownKey`] where newer keys may tell more, else what is wrong with it.
pub(super) fn verified(token: &str, keys: &JwkSet) -> Result<Claims, TokenFlaw> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFlaw::Header)?;
    if header.alg != Algorithm::RS256 {
        return Err(TokenFlaw::Header);
    }
    let signing = || keys.keys.iter().filter(|key| is_signing(key));
    let named: Vec<_> = signing()
        .filter(|key| header.kid.is_some() && key.common.key_id == header.kid)
        .collect();
    let (candidates, flaw) = if named.is_empty() {
        (signing().collect(), TokenFlaw::UnknownKey)
    } else {
        (named, TokenFlaw::Signature)
    };
    // Claims are checked with messages of their own, below.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    for key in candidates
        .into_iter()
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
    {
        match jsonwebtoken::decode::<Claims>(token, &key, &validation) {
            Ok(token) => return Ok(token.claims),
            Err(error) if matches!(error.kind(), jsonwebtoken::errors::ErrorKind::Json(_)) => {
                return Err(TokenFlaw::Claims);
            }
            Err(_) => {}
        }
    }
    Err(flaw)
}

fn is_signing(key: &Jwk) -> bool {
    matches!(key.algorithm, AlgorithmParameters::RSA(_))
        && key.common.public_key_use != Some(PublicKeyUse::Encryption)
}

/// The ticket, where every claim is as it must be.
pub(super) fn ticket(
    claims: Claims,
    tenant: &str,
    now: Timestamp,
) -> Result<SecretString, TokenFlaw> {
    let now = now.as_second();
    let serial = text(&claims.serial)
        .filter(|serial| !serial.is_empty())
        .ok_or(TokenFlaw::Audience)?;
    let audience = format!("spn:{serial}");
    let checks = [
        (
            text(&claims.iss).as_deref() == Some(ISSUER),
            TokenFlaw::Issuer,
        ),
        (is_meant_for(&claims.aud, &audience), TokenFlaw::Audience),
        (
            text(&claims.context_identifier)
                .is_some_and(|named| named.eq_ignore_ascii_case(tenant)),
            TokenFlaw::Tenant,
        ),
        (
            second(&claims.nbf).is_some_and(|from| from <= now.saturating_add(LEEWAY)),
            TokenFlaw::NotYetValid,
        ),
        (
            second(&claims.exp).is_some_and(|until| now < until.saturating_add(LEEWAY)),
            TokenFlaw::Expired,
        ),
    ];
    if let Some((_, flaw)) = checks.iter().find(|(is_right, _)| !is_right) {
        return Err(*flaw);
    }
    claims
        .ticket
        .map(SecretString::from)
        .ok_or(TokenFlaw::NoTicket)
}

fn is_meant_for(audience: &Value, expected: &str) -> bool {
    match audience {
        Value::String(audience) => audience == expected,
        Value::Array(audiences) => audiences.iter().any(|audience| audience == expected),
        _ => false,
    }
}

/// Text, or a number as text: claims come as either.
fn text(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn second(claim: &Value) -> Option<i64> {
    text(claim)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn claims(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Claims {
        let mut claims = json!({
            "iss": "SuperOffice AS",
            "aud": "spn:1000000001",
            "nbf": NOW - 60,
            "exp": NOW + 300,
            "iat": "1795000000",
            "http://schemes.superoffice.net/identity/ctx": "Cust12345",
            "http://schemes.superoffice.net/identity/serial": "1000000001",
            "http://schemes.superoffice.net/identity/ticket": "7T:abc",
        });
        change(claims.as_object_mut().unwrap());
        serde_json::from_value(claims).unwrap()
    }

    fn checked(claim: &str, value: Value) -> Result<String, TokenFlaw> {
        let claims = claims(|claims| {
            let name = if ["ctx", "serial", "ticket"].contains(&claim) {
                format!("http://schemes.superoffice.net/identity/{claim}")
            } else {
                claim.to_owned()
            };
            if value.is_null() {
                claims.remove(&name)
            } else {
                claims.insert(name, value)
            };
        });
        ticket(claims, "cust12345", Timestamp::from_second(NOW).unwrap())
            .map(|ticket| ticket.expose_secret().to_owned())
    }

    #[test]
    fn every_claim_is_checked() {
        use TokenFlaw::{Audience, Expired, Issuer, NoTicket, NotYetValid, Tenant};

        let good = Ok("7T:abc".to_owned());
        let cases = [
            ("sub", json!("x"), good.clone()),
            ("iss", json!("https://online.superoffice.com"), Err(Issuer)),
            ("iss", Value::Null, Err(Issuer)),
            ("aud", json!("spn:1000000002"), Err(Audience)),
            ("aud", json!("1000000001"), Err(Audience)),
            ("aud", json!(["other", "spn:1000000001"]), good.clone()),
            ("aud", json!([]), Err(Audience)),
            ("serial", json!(1_000_000_001), good.clone()),
            ("serial", json!(""), Err(Audience)),
            ("serial", Value::Null, Err(Audience)),
            ("ctx", json!("Cust99999"), Err(Tenant)),
            ("ctx", Value::Null, Err(Tenant)),
            ("nbf", json!(NOW + 300), good.clone()),
            ("nbf", json!(NOW + 301), Err(NotYetValid)),
            ("nbf", Value::Null, Err(NotYetValid)),
            ("exp", json!(NOW - 299), good.clone()),
            ("exp", json!((NOW - 299).to_string()), good.clone()),
            ("exp", json!(NOW - 300), Err(Expired)),
            ("exp", Value::Null, Err(Expired)),
            ("exp", json!(1e30), Err(Expired)),
            ("ticket", Value::Null, Err(NoTicket)),
        ];
        for (claim, value, expected) in cases {
            assert_eq!(checked(claim, value.clone()), expected, "{claim} {value}");
        }
    }

    /// A published key: public half of this private one, with this name and use.
    fn published(pem: &str, kid: Option<&str>, usage: &str) -> Value {
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap()).unwrap();
        jwk["use"] = json!(usage);
        jwk["kid"] = kid.into();
        jwk
    }

    #[test]
    fn the_key_that_is_named_verifies_a_token_or_else_any() {
        const KEY: &str = include_str!("../../sandbox/keys/demo-app-private-key.pem");
        const OTHER: &str = include_str!("../../../tests/data/other-key.pem");

        let signed = |kid: Option<&str>| {
            let header = jsonwebtoken::Header {
                kid: kid.map(str::to_owned),
                ..jsonwebtoken::Header::new(Algorithm::RS256)
            };
            let key = jsonwebtoken::EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap();
            jsonwebtoken::encode(&header, &json!({ "iss": "SuperOffice AS" }), &key).unwrap()
        };
        let right = |kid| published(KEY, kid, "sig");
        let other = |kid| published(OTHER, kid, "sig");
        let unknown = Err(TokenFlaw::UnknownKey);
        let cases = [
            // The token names the key that signed it, …
            (Some("a"), vec![other(Some("b")), right(Some("a"))], Ok(())),
            (
                Some("a"),
                vec![other(Some("a")), right(Some("b"))],
                Err(TokenFlaw::Signature),
            ),
            // … or one that is not published, or none.
            (Some("c"), vec![other(Some("b")), right(Some("a"))], Ok(())),
            (Some("c"), vec![other(None), right(None)], Ok(())),
            (None, vec![other(Some("b")), right(Some("a"))], Ok(())),
            (None, vec![other(None), right(None)], Ok(())),
            // None of them signed it; newer ones may have.
            (Some("c"), vec![other(Some("b"))], unknown),
            (Some("c"), vec![other(None)], unknown),
            (None, vec![other(Some("b"))], unknown),
            (Some("a"), vec![], unknown),
            (Some("a"), vec![published(KEY, Some("a"), "enc")], unknown),
        ];
        for (kid, keys, expected) in cases {
            let names: Vec<_> = keys.iter().map(|key| key["kid"].clone()).collect();
            let keys: JwkSet = serde_json::from_value(json!({ "keys": keys })).unwrap();
            assert_eq!(
                verified(&signed(kid), &keys).map(drop),
                expected,
                "{kid:?} of {names:?}"
            );
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            "a.b.c",
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
        ] {
            assert_eq!(
                verified(text, &JwkSet::default()).err(),
                Some(TokenFlaw::Header),
                "{text}"
            );
        }
        assert_eq!(
            verified("eyJhbGciOiJSUzI1NiJ9.e30.x", &JwkSet::default()).err(),
            Some(TokenFlaw::UnknownKey)
        );
    }
}
