//! Logging in, with the real program against the embedded tenant and its login server.

mod check;
mod refusals;
mod renewal;
mod schemes;
mod secrets;
mod tenant;
mod tls;
mod transport;

use superoffice_export::sandbox::{
    DEMO_PRIVATE_KEY, Sandbox, ServerSettings, SimulatedTenant, TenantSettings, start,
};

use crate::support::Job;

/// The embedded SuperOffice with a tenant; no contact is missing.
fn sandbox(change: impl FnOnce(&mut TenantSettings)) -> Sandbox {
    sandbox_with(ServerSettings::default(), change)
}

fn sandbox_with(settings: ServerSettings, change: impl FnOnce(&mut TenantSettings)) -> Sandbox {
    let mut tenant = TenantSettings::default();
    change(&mut tenant);
    start(ServerSettings {
        missing: 0.0,
        tenant: Some(tenant),
        ..settings
    })
    .unwrap()
}

fn tenant(sandbox: &Sandbox) -> &SimulatedTenant {
    sandbox.tenant().unwrap()
}

/// A job for the tenant, without a login.
fn online(sandbox: &Sandbox) -> Job {
    Job::new("")
        .without("api.base_url")
        .with("api.tenant = \"Cust00000\"")
        .with(&format!("api.environment = \"{}\"", sandbox.origin()))
        .with("api.app_token = { env = \"APP_TOKEN\" }")
        .env("APP_TOKEN", "demo-client-secret")
        .with("fetch.requests_per_second = 100000")
        .with("fetch.patience = \"1s\"")
}

/// A job that logs in as the system user.
fn system_user(sandbox: &Sandbox) -> Job {
    online(sandbox)
        .file("key.pem", DEMO_PRIVATE_KEY)
        .env("SYSTEM_USER_TOKEN", "Sandbox Demo 1.0-aB3dE5gH7j")
        .with("api.auth.scheme = \"system-user\"")
        .with("api.auth.system_user_token = { env = \"SYSTEM_USER_TOKEN\" }")
        .with("api.auth.private_key = { file = \"key.pem\" }")
}

/// A job that logs in with a refresh token.
fn oauth(sandbox: &Sandbox) -> Job {
    online(sandbox)
        .without("api.app_token")
        .file("refresh-token", "demo-refresh-token\n")
        .env("CLIENT_SECRET", "demo-client-secret")
        .with("api.auth.scheme = \"oauth\"")
        .with("api.auth.client_id = \"demo-client-id\"")
        .with("api.auth.client_secret = { env = \"CLIENT_SECRET\" }")
        .with("api.auth.refresh_token = { file = \"refresh-token\" }")
}
