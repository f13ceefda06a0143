//! The door of the tenant's API: host, state and credentials of a request. Which credentials are
//! good is the tenant's to know.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::faults::{RECYCLING, html, json};
use super::tenant::SimulatedTenant;

const UNAUTHORIZED: &str = r#"{"Message":"Authorization has been denied for this request."}"#;
const WRONG_HOST: &str = "Wrong subdomain used to access tenant";

/// Lets a request through that comes to the right host, at a good time, with a good credential.
pub(super) async fn guard(
    State(tenant): State<Arc<SimulatedTenant>>,
    request: Request,
    next: Next,
) -> Response {
    if !tenant.is_at(text(request.headers(), HOST.as_str())) {
        return (StatusCode::MISDIRECTED_REQUEST, WRONG_HOST).into_response();
    }
    if !tenant.now().state.is_running() {
        return html(StatusCode::SERVICE_UNAVAILABLE, RECYCLING);
    }
    if !is_welcome(&tenant, request.headers()) {
        return json(StatusCode::UNAUTHORIZED, UNAUTHORIZED);
    }
    next.run(request).await
}

/// Whether the credentials of a request are good. The scheme's name ignores case, as the API does.
fn is_welcome(tenant: &SimulatedTenant, headers: &HeaderMap) -> bool {
    let settings = &tenant.settings;
    if tenant.now().revoked {
        return false;
    }
    let Some((scheme, credential)) = text(headers, AUTHORIZATION.as_str()).split_once(' ') else {
        let has_cookie = text(headers, COOKIE.as_str())
            .split(';')
            .any(|cookie| cookie.trim() == settings.xsrf_cookie);
        return text(headers, "X-XSRF-TOKEN") == settings.xsrf_token && has_cookie;
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => STANDARD.decode(credential).is_ok_and(|pair| {
            pair == format!("{}:{}", settings.user, settings.password).as_bytes()
        }),
        "soticket" => {
            text(headers, "SO-AppToken") == settings.app_token
                && credential.starts_with("7T:")
                && tenant.use_credential(credential)
        }
        "bearer" => credential.starts_with("8A:") && tenant.use_credential(credential),
        _ => false,
    }
}

/// The value of a header, empty where it is absent.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
