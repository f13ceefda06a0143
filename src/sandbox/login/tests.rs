//! Logging in as a client does it, and everything that is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::*;
use crate::sandbox::client::{WireAnswer, WireClient};
use crate::sandbox::token::sign_as_app;
use crate::sandbox::{Sandbox, ServerSettings, TenantSettings, start};

const PRINCIPAL: &str = "/Cust00000/api/v1/User/currentPrincipal";
const AUTHENTICATE: &str = "/Login/api/PartnerSystemUser/Authenticate";
const TOKENS: &str = "/login/common/oauth/tokens";

fn serve(change: impl FnOnce(&mut TenantSettings)) -> Sandbox {
    let mut tenant = TenantSettings::default();
    change(&mut tenant);
    start(ServerSettings {
        missing: 0.0,
        tenant: Some(tenant),
        ..ServerSettings::default()
    })
    .unwrap()
}

fn tenant(sandbox: &Sandbox) -> &SimulatedTenant {
    sandbox.tenant().expect("started with one")
}

fn get(sandbox: &Sandbox, target: &str, headers: &str) -> WireAnswer {
    WireClient::of(sandbox)
        .send("GET", target, headers, "")
        .expect("an answer")
}

fn signed_system_token(token: &str) -> String {
    let stamp = Timestamp::now().strftime("%Y%m%d%H%M");
    sign_as_app(
        crate::sandbox::DEMO_PRIVATE_KEY,
        &format!("{token}.{stamp}"),
    )
}

fn log_in(sandbox: &Sandbox, signed: &str, app_token: &str, context_identifier: &str) -> Value {
    let request = json!({
        "SignedSystemToken": signed,
        "ApplicationToken": app_token,
        "ContextIdentifier": context_identifier,
        "ReturnTokenType": "JWT",
    });
    let answer = WireClient::of(sandbox).post(
        AUTHENTICATE,
        "Content-Type: application/json\r\n",
        &request.to_string(),
    );
    assert_eq!(answer.status, 200);
    answer.json()
}

fn log_in_well(sandbox: &Sandbox) -> String {
    let settings = TenantSettings::default();
    let answer = log_in(
        sandbox,
        &signed_system_token(&settings.system_user_token),
        &settings.app_token,
        &settings.context_identifier,
    );
    assert_eq!(
        (&answer["IsSuccessful"], &answer["ErrorMessage"]),
        (&Value::Bool(true), &Value::Null)
    );
    answer["Token"].as_str().expect("a token").to_owned()
}

/// The claims of a token, if a client that checks everything but the tenant accepts it.
fn accepted(sandbox: &Sandbox, token: &str, issuer: &str, audience: &str) -> Option<Value> {
    let keys: JwkSet =
        serde_json::from_slice(&get(sandbox, "/login/.well-known/jwks", "").body).unwrap();
    let kid = decode_header(token)
        .ok()?
        .kid
        .expect("tokens name their key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.validate_nbf = true;
    let key = DecodingKey::from_jwk(keys.find(&kid)?).unwrap();
    decode::<Value>(token, &key, &validation)
        .ok()
        .map(|token| token.claims)
}

fn system_user(sandbox: &Sandbox) -> Option<Value> {
    accepted(
        sandbox,
        &log_in_well(sandbox),
        "SuperOffice AS",
        "spn:1000000001",
    )
}

fn ticket(sandbox: &Sandbox) -> String {
    let claims = system_user(sandbox).expect("a good token");
    let ticket = claims[format!("{IDENTITY}ticket")]
        .as_str()
        .expect("a ticket")
        .to_owned();
    format!(
        "Authorization: SOTicket {ticket}\r\nSO-AppToken: {}\r\n",
        TenantSettings::default().app_token
    )
}

#[test]
fn a_system_user_gets_a_ticket_that_opens_the_tenant() {
    let sandbox = serve(|_| {});
    let metadata = get(&sandbox, "/login/.well-known/openid-configuration", "").json();
    assert_eq!(metadata["issuer"], sandbox.origin());
    assert_eq!(
        metadata["jwks_uri"],
        format!("{}/login/.well-known/jwks", sandbox.origin())
    );
    let claims = system_user(&sandbox).expect("a good token");
    assert_eq!(claims[format!("{IDENTITY}ctx")], "Cust00000");
    assert_eq!(
        claims[format!("{IDENTITY}webapi_url")],
        format!("{}/Cust00000/api/", sandbox.origin())
    );
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(),
        360
    );

    let ticket = ticket(&sandbox);
    assert_eq!(
        get(&sandbox, PRINCIPAL, &ticket).json()["UserType"],
        "SystemUser"
    );
    let summary = WireClient::of(&sandbox).post(
        "/Cust00000/api/v1/Agents/Contact/GetContactSummary",
        &ticket,
        r#"{"ContactId":1,"Limit":1}"#,
    );
    assert_eq!(
        (
            summary.status,
            summary.json()["Contact"]["ContactId"].as_i64()
        ),
        (200, Some(1))
    );
    assert_eq!(tenant(&sandbox).logins(), 2);
}

#[test]
fn every_scheme_opens_the_tenant_and_nothing_else_does() {
    let sandbox = serve(|_| {});
    let basic = |pair: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(pair));
    let ticket = "Authorization: SOTicket 7T:ZGVtby10aWNrZXQ=\r\n";
    let xsrf = "X-XSRF-TOKEN: demo-xsrf-token\r\n";
    for (headers, status) in [
        (format!("{ticket}SO-AppToken: demo-client-secret\r\n"), 200),
        (
            format!(
                "{}SO-AppToken: demo-client-secret\r\n",
                ticket.replace("SOTicket", "soticket")
            ),
            200,
        ),
        (ticket.to_owned(), 401),
        (format!("{ticket}SO-AppToken: other\r\n"), 401),
        (
            format!(
                "{}SO-AppToken: demo-client-secret\r\n",
                ticket.replace("7T:", "7T:x")
            ),
            401,
        ),
        (
            "Authorization: Bearer 8A:Cust00000.ZGVtby1hY2Nlc3MtdG9rZW4=\r\n".to_owned(),
            200,
        ),
        (
            "Authorization: Bearer 7T:ZGVtby10aWNrZXQ=\r\n".to_owned(),
            401,
        ),
        (basic("demo:demo-password-æøå:1"), 200),
        (basic("demo:demo-password"), 401),
        (basic("other:demo-password-æøå:1"), 401),
        (
            format!("{xsrf}Cookie: a=b; demo-session=demo-session-value\r\n"),
            200,
        ),
        (format!("{xsrf}Cookie: demo-session=other\r\n"), 401),
        (xsrf.to_owned(), 401),
        (
            "Cookie: demo-session=demo-session-value\r\n".to_owned(),
            401,
        ),
        ("Authorization: Negotiate x\r\n".to_owned(), 401),
        (String::new(), 401),
    ] {
        assert_eq!(
            get(&sandbox, PRINCIPAL, &headers).status,
            status,
            "{headers:?}"
        );
    }
    assert_eq!(get(&sandbox, "/Cust00000/api", "").status, 200);
    assert_eq!(
        get(&sandbox, "/SuperOffice/api/v1/User/currentPrincipal", "").status,
        200
    );
}

#[test]
fn a_refused_system_user_is_told_why() {
    let sandbox = serve(|_| {});
    let good = signed_system_token(&TenantSettings::default().system_user_token);
    let old = sign_as_app(
        crate::sandbox::DEMO_PRIVATE_KEY,
        "Sandbox Demo 1.0-aB3dE5gH7j.202001010000",
    );
    for (signed, app_token, context_identifier, reason) in [
        (
            old.as_str(),
            "demo-client-secret",
            "Cust00000",
            "InvalidTimestamp",
        ),
        (
            &good.replace("aB3", "aB4"),
            "demo-client-secret",
            "Cust00000",
            "InvalidSignature",
        ),
        (
            &signed_system_token("Other-1"),
            "demo-client-secret",
            "Cust00000",
            "Denied: the system user token",
        ),
        (&good, "other", "Cust00000", "Denied: the application token"),
        (
            &good,
            "demo-client-secret",
            "Cust00001",
            "Denied: the tenant",
        ),
        (
            "nothing",
            "demo-client-secret",
            "Cust00000",
            "Denied: the signed system token",
        ),
    ] {
        let answer = log_in(&sandbox, signed, app_token, context_identifier);
        assert_eq!(
            (&answer["IsSuccessful"], &answer["Token"]),
            (&Value::Bool(false), &Value::Null)
        );
        assert!(
            answer["ErrorMessage"].as_str().unwrap().starts_with(reason),
            "{answer} is not {reason}"
        );
    }
    assert_eq!(
        WireClient::of(&sandbox).post(AUTHENTICATE, "", "{").status,
        400
    );
}

#[test]
fn a_clock_that_is_wrong_refuses_the_stamp() {
    let sandbox = serve(|tenant| tenant.clock_ahead = SignedDuration::from_mins(30));
    let answer = log_in(
        &sandbox,
        &signed_system_token("Sandbox Demo 1.0-aB3dE5gH7j"),
        "demo-client-secret",
        "Cust00000",
    );
    assert!(
        answer["ErrorMessage"]
            .as_str()
            .unwrap()
            .starts_with("InvalidTimestamp")
    );
}

#[test]
fn a_careful_client_refuses_every_flawed_token() {
    let sandbox = serve(|_| {});
    let flaws = [
        Flaw::Issuer,
        Flaw::Audience,
        Flaw::Tenant,
        Flaw::Expired,
        Flaw::NotYetValid,
        Flaw::Unsigned,
        Flaw::SharedSecret,
        Flaw::Signature,
        Flaw::UnknownKey,
    ];
    for flaw in flaws {
        tenant(&sandbox).set_flaw(Some(flaw));
        let accepted = system_user(&sandbox)
            .is_some_and(|claims| claims[format!("{IDENTITY}ctx")] == "Cust00000");
        assert!(!accepted, "{flaw:?}");
    }
    tenant(&sandbox).set_flaw(None);
    assert!(system_user(&sandbox).is_some());
}

#[test]
fn a_rotated_key_is_the_only_one_published() {
    let sandbox = serve(|_| {});
    let token = log_in_well(&sandbox);
    let check =
        |token: &str| accepted(&sandbox, token, "SuperOffice AS", "spn:1000000001").is_some();
    assert!(check(&token));
    tenant(&sandbox).rotate_key();
    assert!(!check(&token));
    assert!(check(&log_in_well(&sandbox)));
}

#[test]
fn a_refresh_token_buys_access_tokens() {
    let sandbox = serve(|_| {});
    let secret = "client_id=demo-client-id&client_secret=demo-client-secret";
    let grant = "grant_type=refresh_token&refresh_token=demo-refresh-token";
    let basic = |pair: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(pair));
    for (target, headers, body) in [
        (
            TOKENS.to_owned(),
            String::new(),
            format!("{secret}&{grant}"),
        ),
        (
            format!("{TOKENS}?{secret}&{grant}"),
            String::new(),
            String::new(),
        ),
        (
            TOKENS.to_owned(),
            basic("demo-client-id:demo-client%2Dsecret"),
            grant.to_owned(),
        ),
    ] {
        let answer = WireClient::of(&sandbox)
            .post(&target, &headers, &body)
            .json();
        assert_eq!(
            (&answer["token_type"], answer["expires_in"].as_i64()),
            (&json!("Bearer"), Some(3600)),
            "{answer}"
        );
        assert!(answer.get("refresh_token").is_none());
        assert!(
            accepted(
                &sandbox,
                answer["id_token"].as_str().unwrap(),
                &sandbox.origin(),
                "demo-client-id"
            )
            .is_some()
        );
        let bearer = format!(
            "Authorization: Bearer {}\r\n",
            answer["access_token"].as_str().unwrap()
        );
        assert_eq!(get(&sandbox, PRINCIPAL, &bearer).status, 200);
    }
    for (body, status, error) in [
        (grant.to_owned(), 401, "invalid_client"),
        (format!("{secret}x&{grant}"), 401, "invalid_client"),
        (format!("{secret}&{grant}x"), 400, "invalid_grant"),
        (
            format!("{secret}&grant_type=password"),
            400,
            "unsupported_grant_type",
        ),
    ] {
        let answer = WireClient::of(&sandbox).post(TOKENS, "", &body);
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (status, &json!(error)),
            "{body}"
        );
    }
}

#[test]
fn a_renewed_refresh_token_ends_the_old_one() {
    let sandbox = serve(|tenant| tenant.renews_refresh_token = true);
    let refresh = |token: &str| {
        let body = format!(
            "client_id=demo-client-id&client_secret=demo-client-secret\
             &grant_type=refresh_token&refresh_token={token}"
        );
        WireClient::of(&sandbox).post(TOKENS, "", &body)
    };
    let renewed = refresh("demo-refresh-token").json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(refresh("demo-refresh-token").status, 400);
    assert_eq!(refresh(&renewed).status, 200);
}

#[test]
fn credentials_expire_after_so_many_calls_and_when_told() {
    let sandbox = serve(|tenant| tenant.calls_per_credential = Some(2));
    let first = ticket(&sandbox);
    let statuses = |ticket: &str| [(); 3].map(|()| get(&sandbox, PRINCIPAL, ticket).status);
    assert_eq!(statuses(&first), [200, 200, 401]);
    let second = ticket(&sandbox);
    assert_eq!(get(&sandbox, PRINCIPAL, &second).status, 200);
    tenant(&sandbox).expire_credentials();
    assert_eq!(get(&sandbox, PRINCIPAL, &second).status, 401);
    assert_eq!(get(&sandbox, PRINCIPAL, &ticket(&sandbox)).status, 200);
}

#[test]
fn a_revoked_application_gets_nothing() {
    let sandbox = serve(|_| {});
    let ticket = ticket(&sandbox);
    tenant(&sandbox).revoke();
    assert_eq!(get(&sandbox, PRINCIPAL, &ticket).status, 401);
    let answer = log_in(
        &sandbox,
        &signed_system_token("Sandbox Demo 1.0-aB3dE5gH7j"),
        "demo-client-secret",
        "Cust00000",
    );
    assert!(
        answer["ErrorMessage"]
            .as_str()
            .unwrap()
            .starts_with("Revoked")
    );
    let grant = "client_id=demo-client-id&client_secret=demo-client-secret\
        &grant_type=refresh_token&refresh_token=demo-refresh-token";
    assert_eq!(
        WireClient::of(&sandbox).post(TOKENS, "", grant).json()["error"],
        "invalid_grant"
    );
}

#[test]
fn the_state_tells_where_the_tenant_is_and_how_it_fares() {
    let sandbox = serve(|_| {});
    let state = |context_identifier: &str| {
        get(&sandbox, &format!("/api/state/{context_identifier}"), "").json()
    };
    let running = state("Cust00000");
    assert_eq!(
        (&running["State"], &running["IsRunning"]),
        (&json!("Running"), &Value::Bool(true))
    );
    assert_eq!(
        running["Api"],
        format!("{}/Cust00000/api", sandbox.origin())
    );
    assert!(
        running["ValidUntil"]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .unwrap()
            > Timestamp::now()
    );
    let unknown = state("Cust00001");
    assert_eq!(
        (&unknown["State"], &unknown["IsRunning"], &unknown["Api"]),
        (&json!("Unknown"), &Value::Bool(false), &Value::Null)
    );
    assert_eq!(tenant(&sandbox).state_requests(), 2);

    let ticket = ticket(&sandbox);
    for (now, status) in [
        (SimulatedTenantState::OfflineMaintenance, 503),
        (SimulatedTenantState::OnlineMaintenance, 200),
        (SimulatedTenantState::Suspended, 503),
        (SimulatedTenantState::Running, 200),
    ] {
        tenant(&sandbox).set_state(now);
        assert_eq!(state("Cust00000")["State"], format!("{now:?}"));
        assert_eq!(get(&sandbox, PRINCIPAL, &ticket).status, status, "{now:?}");
    }
}

#[test]
fn a_tenant_that_moved_answers_at_its_new_host_only() {
    let sandbox = serve(|_| {});
    let ticket = ticket(&sandbox);
    let there = |host: &str| {
        WireClient::named(&sandbox, host)
            .send("GET", PRINCIPAL, &ticket, "")
            .unwrap()
    };
    assert_eq!(
        (there("127.0.0.1").status, there("localhost").status),
        (200, 421)
    );
    tenant(&sandbox).move_to("localhost");
    let refused = there("127.0.0.1");
    assert_eq!(
        (refused.status, refused.body.as_slice()),
        (421, b"Wrong subdomain used to access tenant".as_slice())
    );
    assert_eq!(there("LocalHost").status, 200);
    let api = get(&sandbox, "/api/state/Cust00000", "").json()["Api"].clone();
    assert_eq!(
        api,
        format!("http://localhost:{}/Cust00000/api", sandbox.port())
    );
}

#[test]
fn without_a_tenant_there_is_no_login() {
    let sandbox = start(ServerSettings::default()).unwrap();
    assert!(sandbox.tenant().is_none());
    for path in ["/api/state/Cust00000", "/login/.well-known/jwks", PRINCIPAL] {
        assert_eq!(get(&sandbox, path, "").status, 404, "{path}");
    }
}
