//! What is refused, by whom, and what the operator is told: exit code, message and hint.

use jiff::SignedDuration;
use superoffice_export::sandbox::Flaw;

use super::*;

/// The run ends with exit 5, this message and this hint, and nothing is published.
#[track_caller]
fn check(job: &Job, message: &str, hint: &str) {
    let run = job.run().expect(5);
    assert!(
        run.stderr.contains(&format!("error: {message}")),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("\nhint: ") && run.stderr.contains(hint),
        "{}",
        run.stderr
    );
    assert!(!job.path("exports/latest").exists());
}

#[test]
fn a_system_user_is_told_what_is_wrong() {
    let sandbox = sandbox(|_| {});
    let job = || system_user(&sandbox);
    check(
        &job().env("SYSTEM_USER_TOKEN", "Other App-1234567890"),
        "the login server refused the system user token",
        "api.auth.system_user_token",
    );
    check(
        &job().env("APP_TOKEN", "other"),
        "the login server refused the application token",
        "`api.app_token`",
    );
    tenant(&sandbox).revoke();
    check(
        &job(),
        "the login server refused: the application's approval was revoked (Revoked)",
        "has to approve",
    );
    assert_eq!(sandbox.requests(), 0);
}

#[test]
fn a_wrong_key_and_a_wrong_clock_are_told_apart() {
    let other = TenantSettings {
        private_key: include_str!("../../data/other-key.pem").to_owned(),
        ..Default::default()
    };
    let sandbox_of_another = sandbox(|tenant| *tenant = other);
    check(
        &system_user(&sandbox_of_another),
        "the login server refused the signature (InvalidSignature)",
        "`api.auth.private_key`",
    );
    for minutes in [-30, 30] {
        let sandbox = sandbox(|tenant| tenant.clock_ahead = SignedDuration::from_mins(minutes));
        check(
            &system_user(&sandbox),
            "the login server refused the time of the signature (InvalidTimestamp)",
            "clock (NTP)",
        );
    }
}

#[test]
fn every_flaw_of_a_token_is_refused() {
    let sandbox = sandbox(|_| {});
    let flaws = [
        (Flaw::Issuer, "its token is issued by somebody else"),
        (Flaw::Audience, "its token is meant for somebody else"),
        (Flaw::Tenant, "its token is for another tenant"),
        (Flaw::Expired, "its token has expired"),
        (Flaw::NotYetValid, "its token is not valid yet"),
        (
            Flaw::Unsigned,
            "its token is no JSON Web Token signed with RS256",
        ),
        (
            Flaw::SharedSecret,
            "its token is no JSON Web Token signed with RS256",
        ),
        (Flaw::Signature, "the signature of its token is wrong"),
        (
            Flaw::UnknownKey,
            "its token is signed with a key that it does not publish",
        ),
    ];
    for (flaw, message) in flaws {
        tenant(&sandbox).set_flaw(Some(flaw));
        check(
            &system_user(&sandbox),
            &format!("the login server's answer cannot be trusted: {message}"),
            "",
        );
    }
    assert_eq!(sandbox.requests(), 0, "no ticket of such a token was used");
}

#[test]
fn oauth_tells_client_and_refresh_token_apart() {
    let sandbox = sandbox(|_| {});
    check(
        &oauth(&sandbox).env("CLIENT_SECRET", "other"),
        "the login server refused the client id or the client secret",
        "client_secret",
    );
    check(
        &oauth(&sandbox).file("refresh-token", "other"),
        "the login server refused the refresh token (invalid_grant)",
        "log in once by hand",
    );
}

#[test]
fn a_login_that_the_api_refuses_is_tried_once() {
    let sandbox = sandbox(|_| {});
    let job = || Job::new(&tenant(&sandbox).endpoint()).ids(1..=100);
    let refused = "the API refused the login with status 401\n";
    check(&job(), refused, "set `api.auth`");
    let basic =
        "api.auth = { scheme = \"basic\", user = \"demo\", password = { env = \"PASSWORD\" } }";
    check(
        &job().with(basic).env("PASSWORD", "wrong"),
        refused,
        "wrong user or password",
    );
    let ticket = "api.auth = { scheme = \"ticket\", ticket = { env = \"TICKET\" } }";
    check(
        &job().with(ticket).env("TICKET", "7T:ZGVtby10aWNrZXQ="),
        refused,
        "set `api.app_token`",
    );
    let with_token = "api.app_token = { env = \"APP_TOKEN\" }";
    check(
        &job()
            .with(ticket)
            .env("TICKET", "7T:old")
            .with(with_token)
            .env("APP_TOKEN", "demo-client-secret"),
        refused,
        "has expired",
    );
}

#[test]
fn secrets_that_cannot_be_had_end_the_job_before_anything_is_called() {
    let sandbox = sandbox(|_| {});
    let cases = [
        (
            system_user(&sandbox).file("key.pem", "no key"),
            "`api.auth.private_key` holds no RSA private key",
        ),
        (
            system_user(&sandbox).file("key.pem", include_str!("../../data/small-key.pem")),
            "it must have 2048 to 8192 bits",
        ),
        (
            system_user(&sandbox).env("APP_TOKEN", ""),
            "`api.app_token`: the secret is empty",
        ),
        (
            oauth(&sandbox).with("api.auth.refresh_token = { env = \"NOT_SET\" }"),
            "the environment variable NOT_SET is not set",
        ),
    ];
    for (job, message) in cases {
        let run = job.run().expect(2);
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert!(job.written().is_empty());
    }
    assert_eq!(
        (tenant(&sandbox).logins(), tenant(&sandbox).state_requests()),
        (0, 0)
    );
}
