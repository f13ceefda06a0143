//! The installation's own time zone: found out before the first contact, asked for, and kept to by
//! days; and what happens where it is not told.

use std::collections::BTreeMap;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use superoffice_export::sandbox::{Sandbox, ServerSettings, SimulatedZone, ZoneTelling, start};

use crate::mock::{Answer, Mock, Request};
use crate::support::{Job, Row};

const BASE: &str = "/api/v1/Agents/TimeZone/GetBaseTimeZoneId";
const DEFAULT: &str = "/api/v1/Agents/TimeZone/GetDefaultTimeZoneInformation";

/// Instants as an installation in Oslo writes them, asked for in its own zone and in UTC, and the
/// day on its wall. Around midnight, and around the changes of the clock.
const INSTANTS: [(&str, &str, &str); 9] = [
    (
        "2020-09-20T00:00:00+02:00",
        "2020-09-19T22:00:00Z",
        "2020-09-20",
    ),
    (
        "2020-09-20T23:59:59.9999999+02:00",
        "2020-09-20T21:59:59.9999999Z",
        "2020-09-20",
    ),
    (
        "2020-09-19T23:59:59+02:00",
        "2020-09-19T21:59:59Z",
        "2020-09-19",
    ),
    (
        "2020-01-15T00:00:00+01:00",
        "2020-01-14T23:00:00Z",
        "2020-01-15",
    ),
    (
        "2020-03-29T00:00:00+01:00",
        "2020-03-28T23:00:00Z",
        "2020-03-29",
    ),
    (
        "2020-03-30T00:00:00+02:00",
        "2020-03-29T22:00:00Z",
        "2020-03-30",
    ),
    (
        "2020-10-25T00:00:00+02:00",
        "2020-10-24T22:00:00Z",
        "2020-10-25",
    ),
    (
        "2020-10-26T00:00:00+01:00",
        "2020-10-25T23:00:00Z",
        "2020-10-26",
    ),
    (
        "2020-12-31T00:00:00+01:00",
        "2020-12-30T23:00:00Z",
        "2020-12-31",
    ),
];

/// The sale and the follow-up of a contact in `INSTANTS`, in the zone that was asked for.
fn dated(request: &Request) -> Answer {
    let number = usize::try_from(request.contact_id).unwrap();
    let (local, utc, _) = INSTANTS[number - 1];
    let date = match request.header("so-timezone") {
        Some("261,includeTZOffset" | "NO,includeTZOffset") => local,
        Some("UTC,includeTZOffset") => utc,
        other => panic!("asked for in {other:?}"),
    };
    let body = json!({
        "Contact": { "ContactId": request.contact_id },
        "Sales": [{ "SaleId": 1, "SaleDate": date }],
        "Followups": [{ "AppointmentId": 1, "Date": date }],
    });
    Answer::json(200, body.to_string())
}

/// An installation in Oslo that answers these questions for its zone so, and no others.
fn in_oslo(answers: [(&'static str, Answer); 2]) -> Mock {
    let answers = BTreeMap::from(answers);
    Mock::answering(move |request| {
        answers
            .get(request.path.as_str())
            .cloned()
            .unwrap_or_else(|| dated(request))
    })
}

/// A job for all of `INSTANTS` that leaves the zone to the installation.
fn job(mock: &Mock) -> Job {
    let contacts = i64::try_from(INSTANTS.len()).unwrap();
    Job::against(mock)
        .without("api.time_zone")
        .ids(1..=contacts)
}

/// The days of sales and follow-ups, contact by contact.
fn days(job: &Job) -> [Vec<Value>; 2] {
    let column = |table, column: &str| {
        let rows = job.export().rows(table);
        rows.iter().map(|row| row[column].clone()).collect()
    };
    [column("sales", "sale_day"), column("followups", "day")]
}

fn refusal() -> Answer {
    Answer::json(403, r#"{"Error":true,"Message":"Access denied."}"#)
}

#[test]
fn a_day_is_that_of_the_installation_s_wall() {
    let mock = in_oslo([(BASE, Answer::json(200, "261")), (DEFAULT, refusal())]);
    let job = job(&mock);
    let run = job.run().expect(0);
    assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
    let expected = INSTANTS.map(|(_, _, day)| Value::from(day)).to_vec();
    assert_eq!(days(&job), [expected.clone(), expected]);
    // One question, before all others.
    let requests = mock.requests();
    assert_eq!(requests.len(), 1 + INSTANTS.len());
    let first = &requests[0];
    assert_eq!(
        (
            first.method.as_str(),
            first.path.as_str(),
            first.body.as_str()
        ),
        ("POST", BASE, "{}")
    );
    job.run_with(&["--offline"]).expect(0);
    assert_eq!(mock.calls(), requests.len(), "an offline run calls nothing");
}

#[test]
fn where_no_base_zone_is_told_the_order_is_followed() {
    let code = || Answer::json(200, r#"{"LocationCode":"NO","TZLocationId":261}"#);
    let local = INSTANTS.map(|(_, _, day)| Value::from(day)).to_vec();
    for base in [
        Answer::json(200, "0"),
        refusal(),
        Answer::status(404),
        Answer::json(200, "[]"),
    ] {
        let mock = in_oslo([(BASE, base), (DEFAULT, code())]);
        let job = job(&mock);
        let run = job.run().expect(0);
        assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
        assert_eq!(days(&job)[0], local);
    }
    let utc = INSTANTS
        .map(|(_, utc, _)| Value::from(utc.split_once('T').unwrap().0))
        .to_vec();
    for default in [
        refusal(),
        Answer::status(404),
        Answer::status(401),
        Answer::json(200, "<html></html>"),
        Answer::json(200, r#"{"LocationCode":{"a":1}}"#),
    ] {
        let mock = in_oslo([(BASE, refusal()), (DEFAULT, default)]);
        let job = job(&mock);
        let run = job.run().expect(0);
        assert!(
            run.stderr.contains(
                "WARN the installation does not tell its time zone; days may be those of UTC; \
                 set `api.time_zone`"
            ),
            "{}",
            run.stderr
        );
        assert_eq!(days(&job)[0], utc);
    }
}

#[test]
fn an_installation_that_is_away_is_waited_for() {
    let mock = Mock::answering(|request| match (request.path.as_str(), request.attempt) {
        (BASE, 1) => Answer::reset(),
        (BASE, 2) => Answer::status(503),
        (BASE, 3) => Answer::new(502, &[("Content-Type", "text/html")], "<html></html>"),
        (BASE, _) => Answer::json(200, "261"),
        _ => dated(request),
    });
    let waiting = job(&mock);
    waiting.run().expect(0);
    assert_eq!(days(&waiting)[0][0], "2020-09-20");
    assert_eq!(mock.calls(), 4 + INSTANTS.len());

    let away = Mock::always(Answer::status(503));
    let given_up = job(&away).with("fetch.patience = \"50ms\"");
    let run = given_up.run().expect(4);
    assert!(
        run.stderr
            .contains("time zone now: it answered with status 503"),
        "{}",
        run.stderr
    );
    assert!(
        away.requests().iter().all(|request| request.path == BASE),
        "no contact is asked for in a zone that is not known"
    );
}

#[test]
fn a_run_with_nothing_to_fetch_does_not_ask() {
    let mock = in_oslo([(BASE, Answer::json(200, "261")), (DEFAULT, refusal())]);
    let job = job(&mock).with("fetch.max_age = \"1h\"");
    job.run().expect(0);
    let calls = mock.calls();
    job.run().expect(0);
    assert_eq!(mock.calls(), calls);
}

#[test]
fn a_login_that_is_refused_costs_one_question() {
    let mock = Mock::always(Answer::status(401));
    let job = job(&mock)
        .with("api.auth = { scheme = \"basic\", user = \"u\", password = { env = \"PASSWORD\" } }")
        .env("PASSWORD", "wrong");
    job.run().expect(5);
    // That, the first contact, and who is logged in: a wrong password sent many times locks its
    // account.
    assert_eq!(mock.calls(), 3);
}

#[test]
fn a_signal_ends_the_wait_for_the_zone() {
    let mock = Mock::always(Answer::never());
    let job = job(&mock);
    let child = job.start_with(&[]);
    mock.wait_for_calls(1);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    job.finish(child).expect(130);
    assert_eq!(mock.calls(), 1);
}

fn sandbox(zone_telling: ZoneTelling) -> Sandbox {
    start(ServerSettings {
        zone: SimulatedZone::Norway,
        zone_telling,
        ..ServerSettings::default()
    })
    .unwrap()
}

#[test]
fn a_check_names_the_zone() {
    let cases = [
        (
            ZoneTelling::Base,
            0,
            "✓ zone     261, as the installation says\n",
        ),
        (
            ZoneTelling::Unset,
            0,
            "✓ zone     NO, as the installation says\n",
        ),
        (
            ZoneTelling::DefaultOnly,
            0,
            "✓ zone     NO, the zone of the user who is logged in; \
             the installation does not tell its own\n",
        ),
        (
            ZoneTelling::Refused,
            0,
            "? zone     the installation does not tell its time zone; \
             days may be those of UTC; set `api.time_zone`\n",
        ),
        (
            ZoneTelling::Odd,
            0,
            "? zone     the installation does not tell its time zone;",
        ),
        (
            ZoneTelling::Away,
            4,
            "✗ zone     the API does not tell its time zone now: it answered with status 503\n           \
             → a run waits for that up to `fetch.patience`",
        ),
    ];
    for (telling, code, expected) in cases {
        let sandbox = sandbox(telling);
        let job = Job::new(&sandbox.base_url()).without("api.time_zone");
        let child = job.command().args(["check", "job.toml"]).spawn().unwrap();
        let finished = job.finish(child).expect(code);
        assert!(finished.stdout.contains(expected), "{}", finished.stdout);
        let is_known = code == 0;
        assert_eq!(finished.stdout.contains("✓ contact"), is_known);
    }
}

#[test]
fn the_sandbox_has_days_of_its_own() {
    let sale_days = |zone: &str| {
        let job = Job::sandbox().ids(1..=60);
        let job = match zone {
            "" => job.without("api.time_zone"),
            zone => job.with(&format!("api.time_zone = \"{zone}\"")),
        };
        job.run().expect(0);
        let rows = job.export().rows("sales");
        let pair = |row: &Row| (row["sale_date"].clone(), row["sale_day"].clone());
        rows.iter().map(pair).collect::<Vec<_>>()
    };
    let (own, oslo, utc) = (sale_days(""), sale_days("NO"), sale_days("UTC"));
    assert_eq!(own, oslo);
    assert!(own.len() > 20, "{} sales", own.len());
    let mut moved = 0;
    for ((own_date, own_day), (utc_date, utc_day)) in own.iter().zip(&utc) {
        // Forever is not moved, and so another instant in each zone.
        if utc_day != "9999-12-31" {
            assert_eq!(own_date, utc_date, "an instant is the same in every zone");
            assert_ne!(
                own_day, utc_day,
                "midnight in Oslo is the day before in UTC"
            );
            moved += 1;
        }
    }
    assert!(moved > 20, "{moved} sales");
}
