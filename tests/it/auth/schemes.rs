//! Every scheme opens the tenant.

use super::*;

/// A job for the tenant as an installation of its own.
fn onsite(sandbox: &Sandbox) -> Job {
    Job::new(&tenant(sandbox).endpoint())
}

#[track_caller]
fn check(job: &Job, logins: u64) {
    job.run().expect(0);
    let manifest = job.export().manifest();
    assert_eq!(
        (
            &manifest["outcomes"]["exported"],
            &manifest["calls"]["attempts"]
        ),
        (&3.into(), &3.into())
    );
    assert_eq!(manifest["calls"]["logins"], logins);
}

#[test]
fn a_login_that_someone_already_has_opens_the_api() {
    let sandbox = sandbox(|_| {});
    check(
        &onsite(&sandbox)
            .with("api.auth.scheme = \"basic\"")
            .with("api.auth.user = \"demo\"")
            .with("api.auth.password = { env = \"PASSWORD\" }")
            .env("PASSWORD", "demo-password-æøå:1"),
        0,
    );
    check(
        &onsite(&sandbox)
            .with("api.auth = { scheme = \"ticket\", ticket = { env = \"TICKET\" } }")
            .with("api.app_token = { file = \"app-token\" }")
            .file("app-token", "demo-client-secret\n")
            .env("TICKET", "7T:ZGVtby10aWNrZXQ="),
        0,
    );
    check(
        &onsite(&sandbox)
            .with("api.auth = { scheme = \"bearer\", token = { command = [\"cat\", \"token\"] } }")
            .file("token", "8A:Cust00000.ZGVtby1hY2Nlc3MtdG9rZW4="),
        0,
    );
    check(
        &onsite(&sandbox)
            .with("api.auth.scheme = \"xsrf\"")
            .with("api.auth.token = { env = \"TOKEN\" }")
            .with("api.auth.cookie = { env = \"COOKIE\" }")
            .env("TOKEN", "demo-xsrf-token")
            .env("COOKIE", "demo-session=demo-session-value"),
        0,
    );
}

#[test]
fn a_header_of_the_users_own_may_be_the_login() {
    let sandbox = sandbox(|_| {});
    let headers = "api.headers = { Authorization = { env = \"TICKET\" }, \
        SO-AppToken = { env = \"APP_TOKEN\" } }";
    check(
        &onsite(&sandbox)
            .with(headers)
            .env("TICKET", "SOTicket 7T:ZGVtby10aWNrZXQ=")
            .env("APP_TOKEN", "demo-client-secret"),
        0,
    );
}

#[test]
fn a_system_user_logs_in_once() {
    let sandbox = sandbox(|_| {});
    check(&system_user(&sandbox), 1);
    assert_eq!(
        (tenant(&sandbox).logins(), tenant(&sandbox).state_requests()),
        (1, 1)
    );
}

#[test]
fn a_key_in_xml_will_do() {
    let sandbox = sandbox(|_| {});
    check(
        &system_user(&sandbox).file("key.pem", include_str!("../../data/demo-key.xml")),
        1,
    );
}

#[test]
fn a_refresh_token_logs_in_once() {
    let sandbox = sandbox(|_| {});
    check(&oauth(&sandbox), 1);
    assert_eq!(tenant(&sandbox).logins(), 1);
}

#[test]
fn a_job_without_work_does_not_log_in() {
    let sandbox = sandbox(|_| {});
    let job = system_user(&sandbox).with("fetch.max_age = \"1h\"");
    check(&job, 1);
    job.run().expect(0);
    job.run_with(&["--plan"]).expect(0);
    job.run_with(&["--offline"]).expect(0);
    assert_eq!((tenant(&sandbox).logins(), sandbox.requests()), (1, 3));
}
