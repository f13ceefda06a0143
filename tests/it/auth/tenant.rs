//! Where the tenant is and whether it can be used.

use std::time::Duration;

use superoffice_export::sandbox::SimulatedTenantState;

use super::*;
use crate::mock::{Answer, Mock};

#[test]
fn every_state_is_used_waited_for_or_given_up() {
    let sandbox = sandbox(|_| {});
    let cases = [
        (SimulatedTenantState::Running, 0, ""),
        (SimulatedTenantState::OnlineMaintenance, 0, ""),
        (
            SimulatedTenantState::Unknown,
            4,
            "its state is Unknown (an incident, or no such tenant in this environment)",
        ),
        (
            SimulatedTenantState::Provisioning,
            4,
            "its state is Provisioning",
        ),
        (
            SimulatedTenantState::OfflineMaintenance,
            4,
            "its state is OfflineMaintenance",
        ),
        (
            SimulatedTenantState::Suspended,
            4,
            "error: the tenant cannot be used; its state is Suspended",
        ),
        (
            SimulatedTenantState::MigrationPending,
            4,
            "error: the tenant cannot be used; its state is MigrationPending",
        ),
        (
            SimulatedTenantState::Deleted,
            1,
            "error: the tenant cannot be used; its state is Deleted",
        ),
        (SimulatedTenantState::Deleting, 1, "its state is Deleting"),
        (
            SimulatedTenantState::DeleteFailed,
            1,
            "its state is DeleteFailed",
        ),
        (
            SimulatedTenantState::ProvisioningFailed,
            1,
            "its state is ProvisioningFailed",
        ),
    ];
    for (state, code, message) in cases {
        tenant(&sandbox).set_state(state);
        let job = system_user(&sandbox).with("fetch.patience = \"100ms\"");
        let run = job.run().expect(code);
        assert!(run.stderr.contains(message), "{state:?}: {}", run.stderr);
    }
    assert_eq!(
        sandbox.requests(),
        6,
        "only a tenant that can be used is asked"
    );
}

#[test]
fn a_tenant_that_moves_is_found_again() {
    let sandbox = sandbox_with(
        ServerSettings {
            latency: Duration::from_millis(5),
            ..ServerSettings::default()
        },
        |_| {},
    );
    let job = system_user(&sandbox)
        .ids(1..=1_500)
        .with("fetch.max_in_flight = 8")
        .with("fetch.max_attempts = 1");
    let child = job.start_with(&[]);
    while sandbox.requests() < 50 {
        std::thread::yield_now();
    }
    tenant(&sandbox).move_to("localhost");
    job.finish(child).expect(0);
    assert_eq!(job.export().manifest()["outcomes"]["exported"], 1_500);
    assert_eq!(
        (tenant(&sandbox).state_requests(), tenant(&sandbox).logins()),
        (2, 1)
    );
}

#[test]
fn credentials_are_not_sent_to_a_stranger() {
    let stranger = r#"{"State":"Running","IsRunning":true,
        "Api":"https://online.superoffice.com/Cust00000/api"}"#;
    let mock = Mock::always(Answer::json(200, stranger));
    let job = Job::new("")
        .without("api.base_url")
        .with("api.tenant = \"Cust00000\"")
        .with(&format!("api.environment = \"{}\"", mock.url()))
        .with("api.auth = { scheme = \"bearer\", token = { env = \"TOKEN\" } }")
        .with("api.app_token = { env = \"TOKEN\" }")
        .env("TOKEN", "8A:x");
    let run = job.run().expect(1);
    assert!(
        run.stderr.contains(
            "error: the state endpoint names an API address that no credentials are sent to"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(mock.calls(), 1);
    let asked = &mock.requests()[0];
    assert_eq!(
        (asked.header("authorization"), asked.header("so-apptoken")),
        (None, None),
        "the state is public"
    );
}

#[test]
fn a_tenant_that_is_not_known_is_told() {
    let mock = Mock::always(Answer::status(404));
    let job = Job::new("")
        .without("api.base_url")
        .with("api.tenant = \"Cust1\"")
        .with(&format!("api.environment = \"{}\"", mock.url()));
    let run = job.run().expect(1);
    assert!(
        run.stderr.contains(
            "error: the state endpoint knows no such tenant (status 404)\nhint: check `api.tenant`"
        ),
        "{}",
        run.stderr
    );
}

/// A login host that tells the state by this answer from the second question on; its API refuses
/// contact 2 once, since the tenant had moved.
fn moving(state: Answer) -> Mock {
    Mock::answering(move |request| match (request.contact_id, request.attempt) {
        (0, 1) => {
            let host = request.header("host").unwrap();
            Answer::json(
                200,
                format!(r#"{{"State":"Running","IsRunning":true,"Api":"http://{host}/api"}}"#),
            )
        }
        (0, _) => state.clone(),
        (2, 1) => Answer::status(421),
        (contact_id, _) => Answer::summary(contact_id),
    })
}

#[test]
fn a_page_in_place_of_the_state_does_not_end_a_run_that_has_located_its_tenant() {
    for status in [404, 403] {
        let mock = moving(Answer::new(
            status,
            &[("Content-Type", "text/html")],
            "<html></html>",
        ));
        let job = Job::new("")
            .without("api.base_url")
            .with("api.tenant = \"Cust1\"")
            .with(&format!("api.environment = \"{}\"", mock.url()))
            .with("fetch.requests_per_second = 100000");
        let run = job.run().expect(0);
        assert!(
            run.stderr.contains(&format!(
                "WARN the state endpoint is away: it answered with status {status}"
            )),
            "{}",
            run.stderr
        );
        assert_eq!(job.export().manifest()["outcomes"]["exported"], 3);
    }
}

#[test]
fn the_demo_of_a_system_user_is_one_command() {
    let root = env!("CARGO_MANIFEST_DIR");
    let job = Job::sandbox();
    let arguments = [
        "run",
        &format!("{root}/jobs/demo-system-user.toml"),
        "--dir",
        "out",
        "--source",
        "contacts.csv",
    ];
    let child = job.command().args(arguments).spawn().unwrap();
    let run = job.finish(child).expect(0);
    assert!(
        run.stderr.contains("3 distinct") && run.stderr.contains("1 logins"),
        "{}",
        run.stderr
    );
}
