//! No secret in anything that a run leaves behind or says.

use std::path::Path;

use super::*;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path {
            link if link.is_symlink() => Vec::new(),
            folder if folder.is_dir() => files(&folder),
            file => vec![std::fs::read(file).unwrap()],
        })
        .collect()
}

/// Runs and checks the job in every way, verbosely, and looks for its secrets in all that it says
/// and writes.
#[track_caller]
fn check(job: &Job, code: i32, secrets: &[&str]) {
    let run = job
        .run_with(&["--verbose", "--summary", "json"])
        .expect(code);
    let child = job
        .command()
        .args(["check", "job.toml", "--verbose"])
        .spawn()
        .unwrap();
    let checked = job.finish(child);
    let mut places = files(&job.path("exports"));
    assert!(places.len() > 1, "there is nothing to search");
    places.extend([run.stdout, run.stderr, checked.stdout, checked.stderr].map(String::into_bytes));
    for secret in secrets {
        for place in &places {
            let found = place
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret:?} in {:?}", String::from_utf8_lossy(place));
        }
    }
}

#[test]
fn none_of_a_system_user() {
    // Tickets that end soon, so that logging in again is part of it.
    let sandbox = sandbox(|tenant| tenant.calls_per_credential = Some(50));
    let job = system_user(&sandbox)
        .ids(1..=120)
        .with("api.headers.X-Gateway-Key = { env = \"GATEWAY_KEY\" }")
        .with("api.headers.X-Plain = \"plain-gateway-value\"")
        .env("GATEWAY_KEY", "gateway-key-value");
    let secrets = [
        "demo-client-secret",
        "aB3dE5gH7j",
        "gateway-key-value",
        "plain-gateway-value",
        "SOTicket",
        "7T:",
        // The starts of the key and of every web token.
        "MIIEvwIBADANBgkqhkiG9w0BAQEFAASC",
        "eyJ0eXAi",
    ];
    check(&job, 0, &secrets);
}

#[test]
fn none_of_a_refresh_token_kept_or_not() {
    let sandbox = sandbox(|tenant| tenant.renews_refresh_token = true);
    check(
        &oauth(&sandbox),
        0,
        &["demo-refresh-token", "demo-client-secret", "8A:", "Bearer"],
    );
}

#[test]
fn none_of_a_proxy_that_is_not_there() {
    let job = Job::new("https://crm.example.com")
        .with("fetch.patience = \"0s\"")
        .with("fetch.max_attempts = 1")
        .ids([1]);
    check(
        &job.env("HTTPS_PROXY", "http://gate:s3cret-password@127.0.0.1:1"),
        4,
        &["s3cret-password", "Z2F0ZTpzM2NyZXQ"],
    );
}

#[test]
fn none_of_the_arguments_of_a_program() {
    let sandbox = sandbox(|_| {});
    let job = Job::new(&tenant(&sandbox).endpoint())
        .with("api.auth.scheme = \"ticket\"")
        .with("api.auth.ticket = { command = [\"echo\", \"7T:ZGVtby10aWNrZXQ=\"] }")
        .with("api.app_token = { command = [\"sh\", \"-c\", \"echo demo-client-secret\"] }");
    check(&job, 0, &["ZGVtby10aWNrZXQ", "demo-client-secret"]);
    let described = job.export().manifest()["job"]["api"].clone();
    assert_eq!(
        described["auth"]["ticket"]["command"],
        serde_json::json!(["echo", "…"])
    );
    assert_eq!(
        described["app_token"]["command"],
        serde_json::json!(["sh", "…", "…"])
    );
}

#[test]
fn none_of_a_login_that_is_refused() {
    let sandbox = sandbox(|_| {});
    let job = Job::new(&tenant(&sandbox).endpoint())
        .with(
            "api.auth = { scheme = \"basic\", user = \"demo\", password = { env = \"PASSWORD\" } }",
        )
        .env("PASSWORD", "s3cret-password");
    check(&job, 5, &["s3cret-password", "ZGVtbzpzM2NyZXQ"]);
    let job = system_user(&sandbox).env("APP_TOKEN", "wrong-app-token");
    check(&job, 5, &["wrong-app-token", "aB3dE5gH7j"]);
}
