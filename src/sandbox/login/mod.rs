//! The pages of the simulated login server: tenant state, metadata, keys, token refresh, and the
//! exchange of a signed system user token for a ticket.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults;
use super::server::decoded_pairs;
use super::tenant::{SimulatedTenant, SimulatedTenantState};
use super::token::{Expected, Flaw};

/// The serial number of the licence, which the tokens are meant for.
const SERIAL: &str = "1000000001";
/// What all names of SuperOffice's own claims begin with.
const IDENTITY: &str = "http://schemes.superoffice.net/identity/";

/// The routes of the login server.
pub(super) fn routes(tenant: Arc<SimulatedTenant>) -> Router {
    Router::new()
        .route("/api/state/{context_identifier}", get(state))
        .route("/login/.well-known/openid-configuration", get(metadata))
        .route("/login/.well-known/jwks", get(keys))
        .route("/login/common/oauth/tokens", post(refresh))
        .route(
            "/Login/api/PartnerSystemUser/Authenticate",
            post(authenticate),
        )
        .route(
            "/login/api/PartnerSystemUser/Authenticate",
            post(authenticate),
        )
        .with_state(tenant)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    faults::json(status, body.to_string())
}

/// How the tenant fares and where it is. Another tenant is in the state `Unknown`.
async fn state(
    State(tenant): State<Arc<SimulatedTenant>>,
    Path(context_identifier): Path<String>,
) -> Response {
    tenant.count_state_request();
    let is_known = context_identifier.eq_ignore_ascii_case(&tenant.settings.context_identifier);
    let state = if is_known {
        tenant.now().state
    } else {
        SimulatedTenantState::Unknown
    };
    let endpoint = is_known.then(|| tenant.endpoint());
    let valid_for =
        SignedDuration::try_from(tenant.settings.state_valid_for).unwrap_or(SignedDuration::ZERO);
    let body = json!({
        "ContextIdentifier": context_identifier,
        "Endpoint": endpoint,
        "State": format!("{state:?}"),
        "IsRunning": state.is_running(),
        "ValidUntil": (tenant.clock() + valid_for).to_string(),
        "Api": endpoint.as_ref().map(|endpoint| format!("{endpoint}/api")),
        "Version": "Release_11.10_2026.02.24-02",
    });
    answer(StatusCode::OK, &body)
}

async fn metadata(State(tenant): State<Arc<SimulatedTenant>>) -> Response {
    let origin = &tenant.origin;
    let body = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/login/common/oauth/authorize"),
        "token_endpoint": format!("{origin}/login/common/oauth/tokens"),
        "jwks_uri": format!("{origin}/login/.well-known/jwks"),
        "scopes_supported": ["openid"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "grant_types_supported": ["implicit", "authorization_code", "refresh_token"],
    });
    answer(StatusCode::OK, &body)
}

async fn keys(State(tenant): State<Arc<SimulatedTenant>>) -> Response {
    let key = tenant.now().key.jwk();
    answer(StatusCode::OK, &json!({"keys": [key]}))
}

/// Exchanges a refresh token for an access token. Parameters come in the body or the query.
async fn refresh(
    State(tenant): State<Arc<SimulatedTenant>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let login = tenant.count_login();
    let form = Form::of(&body, &uri);
    match admit_refresh(&tenant, &headers, &form) {
        Ok(()) => answer(StatusCode::OK, &refreshed(&tenant, login)),
        Err((status, error)) => answer(status, &json!({"error": error})),
    }
}

/// The parameters of a request, as body and query give them.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(body: &[u8], uri: &Uri) -> Self {
        let in_body = String::from_utf8_lossy(body);
        let in_query = decoded_pairs(uri.query().unwrap_or_default());
        Self(decoded_pairs(&in_body).chain(in_query).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Checks client, grant and refresh token; an error is a status and one of OAuth's error codes.
fn admit_refresh(
    tenant: &SimulatedTenant,
    headers: &HeaderMap,
    form: &Form,
) -> Result<(), (StatusCode, &'static str)> {
    let in_form = |name| form.get(name).unwrap_or_default().to_owned();
    let (client_id, client_secret) =
        basic_client(headers).unwrap_or_else(|| (in_form("client_id"), in_form("client_secret")));
    let settings = &tenant.settings;
    if client_id != settings.client_id || client_secret != settings.app_token {
        return Err((StatusCode::UNAUTHORIZED, "invalid_client"));
    }
    if form.get("grant_type") != Some("refresh_token") {
        return Err((StatusCode::BAD_REQUEST, "unsupported_grant_type"));
    }
    let now = tenant.now();
    if now.revoked || form.get("refresh_token") != Some(now.refresh_token.as_str()) {
        return Err((StatusCode::BAD_REQUEST, "invalid_grant"));
    }
    Ok(())
}

/// A new access token, with a new refresh token where the tenant renews it.
fn refreshed(tenant: &SimulatedTenant, login: u64) -> Value {
    let settings = &tenant.settings;
    let access_token = tenant.issue(&format!("8A:{}.", settings.context_identifier), login);
    let mut claims = claims(tenant, None);
    set(&mut claims, "iss", json!(tenant.origin));
    set(&mut claims, "aud", json!(settings.client_id));
    let mut body = json!({
        "token_type": "Bearer",
        "access_token": access_token,
        "expires_in": settings.expires_in.as_secs(),
        "id_token": tenant.now().key.token(&claims, None),
    });
    if settings.renews_refresh_token {
        let renewed = format!("{}-{}", settings.refresh_token, login + 1);
        set(&mut body, "refresh_token", json!(renewed));
        tenant.now().refresh_token = renewed;
    }
    body
}

/// Client id and secret from the Basic scheme, each of them percent-encoded as OAuth wants it.
fn basic_client(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded_pairs(&pair.replacen(':', "=", 1)).next()
}

/// The body of a request for a system user's ticket.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TicketRequest {
    signed_system_token: String,
    application_token: String,
    context_identifier: String,
}

/// Exchanges a signed system user token for a token that holds a ticket.
async fn authenticate(State(tenant): State<Arc<SimulatedTenant>>, body: Bytes) -> Response {
    let login = tenant.count_login();
    let Ok(request) = serde_json::from_slice::<TicketRequest>(&body) else {
        return answer(
            StatusCode::BAD_REQUEST,
            &json!({"Message": "The request is invalid."}),
        );
    };
    if let Err(message) = admit(&tenant, &request) {
        return answer(
            StatusCode::OK,
            &json!({"IsSuccessful": false, "Token": null, "ErrorMessage": message}),
        );
    }
    let ticket = tenant.issue("7T:", login);
    let flaw = tenant.now().flaw;
    let mut claims = claims(&tenant, flaw);
    set(&mut claims, &format!("{IDENTITY}ticket"), json!(ticket));
    let token = tenant.now().key.token(&claims, flaw);
    answer(
        StatusCode::OK,
        &json!({"IsSuccessful": true, "Token": token, "ErrorMessage": null}),
    )
}

/// Checks the application, the tenant and the signature; an error is the message of the answer.
fn admit(tenant: &SimulatedTenant, request: &TicketRequest) -> Result<(), String> {
    let settings = &tenant.settings;
    if tenant.now().revoked {
        return Err("Revoked: the application is not approved for this tenant".to_owned());
    }
    if request.application_token != settings.app_token {
        return Err("Denied: the application token is unknown".to_owned());
    }
    if request.context_identifier != settings.context_identifier {
        return Err("Denied: the tenant is unknown".to_owned());
    }
    let tolerance =
        SignedDuration::try_from(settings.stamp_tolerance).unwrap_or(SignedDuration::MAX);
    let expected = Expected {
        system_user_token: &settings.system_user_token,
        now: tenant.clock(),
        tolerance,
    };
    let checked = tenant
        .app_key
        .check(&request.signed_system_token, &expected);
    checked.map_err(|denial| denial.to_string())
}

/// The claims of a token, wrong where that is the flaw.
fn claims(tenant: &SimulatedTenant, flaw: Option<Flaw>) -> Value {
    let has = |wrong: Flaw| flaw == Some(wrong);
    // A token is valid from a minute before it was issued until five minutes after.
    let shift = i64::from(has(Flaw::NotYetValid)) - i64::from(has(Flaw::Expired));
    let from = tenant.clock().as_second() - 60 + shift * 7_200;
    let issuer = if has(Flaw::Issuer) {
        "Somebody Else"
    } else {
        "SuperOffice AS"
    };
    let audience = if has(Flaw::Audience) {
        "1000000002"
    } else {
        SERIAL
    };
    let context_identifier = if has(Flaw::Tenant) {
        "Cust99999"
    } else {
        &tenant.settings.context_identifier
    };
    let mut claims = json!({
        "iss": issuer,
        "aud": format!("spn:{audience}"),
        "sub": "system",
        "nbf": from,
        "exp": from + 360,
        "iat": (from + 60).to_string(),
    });
    add_identity(&mut claims, context_identifier, &tenant.endpoint());
    claims
}

/// Adds SuperOffice's own claims: which tenant, where it is, and who the system user is.
fn add_identity(claims: &mut Value, context_identifier: &str, endpoint: &str) {
    for (name, value) in [
        ("ctx", context_identifier),
        ("serial", SERIAL),
        ("webapi_url", &format!("{endpoint}/api/")),
        ("netserver_url", &format!("{endpoint}/Remote/Services88/")),
        ("associateid", "3"),
        ("company_name", "Bølgesprett Elektro AS"),
        ("email", "system@bolgesprett.example"),
        ("initials", "SYS"),
        ("is_administrator", "False"),
        ("upn", "system@bolgesprett.example"),
    ] {
        set(claims, &format!("{IDENTITY}{name}"), json!(value));
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
