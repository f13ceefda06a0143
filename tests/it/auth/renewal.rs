//! Logins that end while a run goes on.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;

#[test]
fn a_ticket_that_ends_under_64_requests_is_renewed_once() {
    let settings = ServerSettings {
        latency: Duration::from_millis(20),
        ..ServerSettings::default()
    };
    let sandbox = sandbox_with(settings, |tenant| tenant.calls_per_credential = Some(1_000));
    // No contact can afford to lose an attempt.
    let job = system_user(&sandbox)
        .ids(1..=1_500)
        .with("fetch.max_in_flight = 64")
        .with("fetch.max_attempts = 1");
    job.run().expect(0);
    let manifest = job.export().manifest();
    assert_eq!(manifest["outcomes"]["exported"], 1_500);
    assert_eq!(
        (tenant(&sandbox).logins(), &manifest["calls"]["logins"]),
        (2, &2.into())
    );
    let retries = manifest["calls"]["retries"].as_u64().unwrap();
    assert!((1..=64).contains(&retries), "{retries} retries");
}

#[test]
fn the_login_that_the_zone_is_asked_under_serves_the_contacts_too() {
    let sandbox = sandbox(|_| {});
    let job = system_user(&sandbox).without("api.time_zone");
    job.run().expect(0);
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 3);
    assert_eq!(tenant(&sandbox).logins(), 1);
}

#[test]
fn an_access_token_is_renewed_ahead_of_its_end() {
    let settings = ServerSettings {
        latency: Duration::from_millis(20),
        ..ServerSettings::default()
    };
    let sandbox = sandbox_with(settings, |tenant| {
        tenant.expires_in = Duration::from_secs(1);
    });
    let job = oauth(&sandbox).ids(1..=400).with("fetch.max_in_flight = 4");
    job.run().expect(0);
    let manifest = job.export().manifest();
    // 400 requests, four at a time, take two seconds at least.
    assert!(tenant(&sandbox).logins() >= 2);
    assert_eq!(
        (
            &manifest["outcomes"]["exported"],
            &manifest["calls"]["retries"]
        ),
        (&400.into(), &0.into())
    );
}

#[test]
fn a_new_refresh_token_replaces_the_file_it_came_from() {
    let sandbox = sandbox(|tenant| tenant.renews_refresh_token = true);
    let job = oauth(&sandbox);
    for _ in 0..2 {
        let before = std::fs::read_to_string(job.path("refresh-token")).unwrap();
        job.run().expect(0);
        assert_ne!(
            std::fs::read_to_string(job.path("refresh-token")).unwrap(),
            before
        );
        assert_eq!(
            std::fs::metadata(job.path("refresh-token"))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
    }
    assert_eq!(tenant(&sandbox).logins(), 2);
}

#[test]
fn a_new_refresh_token_that_cannot_be_kept_is_told() {
    let sandbox = sandbox(|tenant| tenant.renews_refresh_token = true);
    let job = oauth(&sandbox)
        .with("api.auth.refresh_token = { env = \"REFRESH\" }")
        .env("REFRESH", "demo-refresh-token");
    let run = job.run().expect(0);
    assert!(
        run.stderr.contains(
            "WARN the login server sent a new refresh token; `api.auth.refresh_token` comes from"
        ),
        "{}",
        run.stderr
    );
    let run = job.run().expect(5);
    assert!(
        run.stderr
            .contains("refused the refresh token (invalid_grant)"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_ticket_that_someone_has_is_read_again_when_it_ends() {
    let sandbox = sandbox(|tenant| tenant.calls_per_credential = Some(10));
    // The program that gives it gives the same one again: there is no other.
    let job = Job::new(&tenant(&sandbox).endpoint())
        .ids(1..=20)
        .with("api.auth.scheme = \"bearer\"")
        .with("api.auth.token = { command = [\"sh\", \"-c\", \"echo once >> reads; cat token\"] }")
        .file("token", "8A:Cust00000.ZGVtby1hY2Nlc3MtdG9rZW4=");
    let run = job.run().expect(5);
    assert!(
        run.stderr.contains(
            "error: the API refused the login with status 401, though it had worked before"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(
        std::fs::read_to_string(job.path("reads"))
            .unwrap()
            .lines()
            .count(),
        2
    );
}

/// A server that takes each refresh token once, and a job with a run under way whose access token
/// ends with its first answers.
fn one_use_tokens() -> Sandbox {
    let settings = ServerSettings {
        latency: Duration::from_millis(20),
        ..ServerSettings::default()
    };
    sandbox_with(settings, |tenant| {
        tenant.renews_refresh_token = true;
        tenant.calls_per_credential = Some(40);
    })
}

fn wait_for_requests(sandbox: &Sandbox, requests: u64) {
    let began = std::time::Instant::now();
    while sandbox.requests() < requests {
        assert!(began.elapsed() < Duration::from_mins(1), "nothing is asked");
        std::thread::yield_now();
    }
}

#[test]
fn a_refresh_token_that_another_process_used_up_is_read_again() {
    let sandbox = one_use_tokens();
    let job = oauth(&sandbox).ids(1..=600).with("fetch.max_in_flight = 2");
    let token = format!("{{ file = {:?} }}", job.path("refresh-token"));
    let other = oauth(&sandbox).with(&format!("api.auth.refresh_token = {token}"));
    let mut run = job.start_with(&[]);
    wait_for_requests(&sandbox, 10);
    other.run().expect(0);
    let logins = tenant(&sandbox).logins();
    assert!(
        run.try_wait().unwrap().is_none(),
        "the run has ended before"
    );
    job.finish(run).expect(0);
    assert!(
        tenant(&sandbox).logins() > logins,
        "and needed no other login"
    );
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 600);
}

#[test]
fn a_check_leaves_the_refresh_token_of_a_run_alone() {
    let sandbox = one_use_tokens();
    let job = oauth(&sandbox).ids(1..=200).with("fetch.max_in_flight = 2");
    let check = || {
        let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
        job.finish(child).expect(0)
    };
    let run = job.start_with(&[]);
    wait_for_requests(&sandbox, 10);
    let during = check();
    assert!(
        during.stdout.contains(
            "? login    not tried, since it may use up the refresh token of a run: \
             another run of this job is under way (process "
        ),
        "{}",
        during.all()
    );
    job.finish(run).expect(0);
    let after = check();
    assert!(after.stdout.contains("✓ login"), "{}", after.all());
    let written = job.written();
    job.run().expect(0);
    assert_eq!(job.written(), written, "a check leaves nothing behind");
}
