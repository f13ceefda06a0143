//! Jobs as typed: what is refused and in which words, what holds where a key is left out, and what
//! is never shown.

use std::time::Duration;

use super::settings::settings;
use super::*;
use crate::extract::api::zone::TimeZone;
use crate::extract::auth::Scheme;
use crate::extract::fetcher::pace::limiter::Rate;
use crate::extract::secret::Secret;
use crate::load::Format;
use crate::schema;

const LEAST: &str = "[source]\npath = \"ids.csv\"\n[output]\ndir = \"out\"\n[api]\n";

fn checked(text: &str, flags: &[(&str, &str)]) -> Result<Job, String> {
    let overrides: Vec<Override> = flags
        .iter()
        .map(|(flag, value)| {
            (
                settings()
                    .find(|setting| setting.flag == Some(flag))
                    .unwrap(),
                (*value).to_owned(),
            )
        })
        .collect();
    parse(text, Path::new("jobs/job.toml"), &overrides).map_err(|error| error.to_string())
}

/// A job with the least that it needs, and these lines below `[api]`.
fn job(api: &str) -> Job {
    checked(&format!("{LEAST}{api}"), &[]).unwrap()
}

fn refusal(text: &str) -> String {
    checked(text, &[]).unwrap_err()
}

#[test]
fn a_job_needs_a_source_an_output_and_a_place() {
    let cases = [
        (
            "",
            "`api.base_url`: give `tenant` (online) or `base_url` (onsite, or \"sandbox\")",
        ),
        ("[api]\nbase_url = \"sandbox\"", "`source.path`: is missing"),
        (
            "[api]\nbase_url = \"sandbox\"\n[source]\npath = \"ids.csv\"",
            "`output.dir`: is missing",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), format!("jobs/job.toml: {expected}"));
    }
}

/// Expects that this text, followed by the lines of each case, is refused for that key and reason.
#[track_caller]
fn check_refusals(text: &str, cases: &[(&str, &str, &str)]) {
    for (lines, key, problem) in cases {
        assert_eq!(
            refusal(&format!("{text}{lines}")),
            format!("jobs/job.toml: `{key}`: {problem}"),
            "{lines}"
        );
    }
}

#[test]
#[rustfmt::skip]
fn addresses_that_make_no_sense_are_refused() {
    const HOST: &str = "must begin with https:// and name a host, \
                        such as https://crm.example.com/SuperOffice";
    const PLAIN_HTTP: &str = "plain http to another machine would show credentials and data to \
                              everyone between; use https, or set `allow_http = true` in [api]";
    const CREDENTIALS: &str = "must not hold a user or password; they belong in [api.auth]";
    const BOTH: &str = "give `tenant` (online) or `base_url` (onsite), not both";
    const TENANT: &str = "must be a customer id such as Cust12345";
    check_refusals(LEAST, &[
        ("base_url = 'sandbox'\ntenant = 'Cust1'", "api.base_url", BOTH),
        ("base_url = 'crm.example.com'", "api.base_url", HOST),
        ("base_url = ''", "api.base_url", HOST),
        ("base_url = 'ftp://crm.example.com'", "api.base_url", HOST),
        ("base_url = 'http://crm.example.com'", "api.base_url", PLAIN_HTTP),
        ("base_url = 'https://kari:secret@crm.example.com'", "api.base_url", CREDENTIALS),
        (
            "base_url = 'https://crm.example.com/?a=b'",
            "api.base_url",
            "must not hold a query or fragment",
        ),
        ("tenant = ''", "api.tenant", TENANT),
        ("tenant = 'a/../b'", "api.tenant", TENANT),
        (
            "tenant = 'Cust1'\nenvironment = 'http://login.example.com'",
            "api.environment",
            PLAIN_HTTP,
        ),
        ("tenant = 'Cust1'\nenvironment = 'https://'", "api.environment", HOST),
        ("tenant = 'Cust1'\nformerly = 'crm.example.com'", "api.formerly", HOST),
        (
            "tenant = 'Cust1'\nformerly = 'https://kari:secret@crm.example.com'",
            "api.formerly",
            CREDENTIALS,
        ),
    ]);
}

#[test]
#[rustfmt::skip]
fn requests_that_make_no_sense_are_refused() {
    const LIMIT: &str = "must be between 1 and 100000";
    const ZONE: &str =
        "must be \"tenant\", or a name or number such as \"NO\", \"UTC\" or \"261\"";
    const NAME: &str = "one of its names is none that a header can have; \
                        write { Name = \"value\" } or { Name = { env = \"VARIABLE\" } }";
    const PROXY: &str = "must be a URL such as http://proxy.example:8080";
    check_refusals(&format!("{LEAST}base_url = 'sandbox'\n"), &[
        (
            "tables = ['contacts', 'persons']",
            "api.tables",
            "there is no table `persons`; \
             there are contacts, tickets, followups, documents, sales, chats",
        ),
        (
            "tables = []",
            "api.tables",
            "name at least one of contacts, tickets, followups, documents, sales, chats",
        ),
        ("limit = 0", "api.limit", LIMIT),
        ("limit = 100001", "api.limit", LIMIT),
        ("time_zone = ''", "api.time_zone", ZONE),
        ("time_zone = 'NO,includeTZOffset'", "api.time_zone", ZONE),
        ("headers = { 'not a name' = 'x' }", "api.headers", NAME),
        ("proxy = 'nowhere'", "api.proxy", PROXY),
        ("proxy = 'proxy:8080'", "api.proxy", PROXY),
        (
            "proxy = 'http://kari:secret@proxy.example:8080'",
            "api.proxy",
            "must not hold a user or password; \
             give such a proxy by the environment variable HTTPS_PROXY",
        ),
        (
            "auth = { scheme = 'basic', password = { env = 'P' } }",
            "api.auth.user",
            "is missing; scheme \"basic\" needs it",
        ),
        (
            "auth = { scheme = 'basic', user = 'u' }",
            "api.auth.password",
            "is missing; scheme \"basic\" needs it",
        ),
        (
            "auth = { scheme = 'ticket' }",
            "api.auth.ticket",
            "is missing; scheme \"ticket\" needs it",
        ),
        (
            "auth = { scheme = 'bearer' }",
            "api.auth.token",
            "is missing; scheme \"bearer\" needs it",
        ),
    ]);
}

#[test]
#[rustfmt::skip]
fn calls_that_make_no_sense_are_refused() {
    check_refusals(&format!("{LEAST}base_url = 'sandbox'\n[fetch]\n"), &[
        ("max_in_flight = 0", "fetch.max_in_flight", ABOVE_ZERO),
        ("max_attempts = 0", "fetch.max_attempts", ABOVE_ZERO),
        ("requests_per_second = 0.0", "fetch.requests_per_second", ABOVE_ZERO),
        ("requests_per_second = nan", "fetch.requests_per_second", ABOVE_ZERO),
        ("requests_per_second = -1", "fetch.requests_per_second", ABOVE_ZERO),
        ("timeout = '0s'", "fetch.timeout", ABOVE_ZERO),
    ]);
    assert_eq!(ABOVE_ZERO, "must be above zero");
}

#[test]
#[rustfmt::skip]
fn an_input_and_an_output_that_make_no_sense_are_refused() {
    const DELIMITER: &str = "must be one character: \",\", \";\", \"|\" or a tab";
    check_refusals("[api]\nbase_url = 'sandbox'\n[source]\npath = 'x'\n", &[
        ("delimiter = 'ab'\n[output]\ndir = 'out'", "source.delimiter", DELIMITER),
        ("delimiter = ''\n[output]\ndir = 'out'", "source.delimiter", DELIMITER),
        ("max_age = '0s'\n[output]\ndir = 'out'", "source.max_age", ABOVE_ZERO),
        (
            "[output]\ndir = 'y'\nformat = 'xlsx'",
            "output.format",
            "must be \"parquet\" or \"csv\"",
        ),
        ("[output]\ndir = 'y'\nkeep = 0", "output.keep", ABOVE_ZERO),
        (
            "[output]\ndir = 'y'\n[sandbox]\nnight = 1001",
            "sandbox.night",
            "must be a number from 0 to 1000",
        ),
        (
            "[output]\ndir = 'y'\n[sandbox]\ncontacts = 0",
            "sandbox.contacts",
            "must be a number from 1 to 1048576",
        ),
    ]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let cases = [
        ("base_url = \"sandbox\"", None, 32),
        ("base_url = \"https://crm.example.com\"", None, 32),
        ("tenant = \"Cust1\"", Rate::per_second(10.0), 8),
    ];
    for (place, rate, max_in_flight) in cases {
        let job = job(place);
        let fetcher = &job.fetch.fetcher;
        assert_eq!(
            (fetcher.rate, fetcher.max_in_flight.get()),
            (rate, max_in_flight),
            "{place}"
        );
        assert_eq!(
            (fetcher.retry.max_attempts.get(), fetcher.retry.first_delay),
            (6, Duration::from_millis(500))
        );
        assert_eq!(
            (fetcher.patience, job.fetch.timeout, job.fetch.max_age),
            (
                Duration::from_hours(2),
                Duration::from_secs(30),
                Duration::ZERO
            )
        );
        assert_eq!((fetcher.max_duration, fetcher.max_calls), (None, None));
        assert_eq!(
            (
                job.api.limit.get(),
                job.api.language.as_str(),
                &job.api.time_zone
            ),
            (100, "en", &TimeZone::Tenant)
        );
        assert_eq!(job.api.tables.len(), schema::data_tables().count());
        assert_eq!(
            (job.output.keep.get(), job.output.format),
            (14, Format::Parquet)
        );
        let shares = [
            (job.source.max_shrink, "20%"),
            (job.source.max_rejected, "5%"),
            (job.output.max_failed, "1%"),
            (job.output.max_missing, "2%"),
            (job.output.max_loss, "50%"),
        ];
        for (share, expected) in shares {
            assert_eq!(share.to_string(), expected);
        }
        let times = [
            (job.fetch.resume_within, "12h"),
            (job.output.max_stale, "30d"),
            (job.output.forget_after, "7d"),
        ];
        for (time, expected) in times {
            assert_eq!(Period(time).to_string(), expected);
        }
        assert_eq!((job.source.max_age, job.api.formerly), (None, None));
        assert_eq!((job.api.auth, job.api.app_token), (Scheme::None, None));
    }
    let given = job(
        "tenant = \"Cust1\"\n[fetch]\nrequests_per_second = 2.5\nmax_in_flight = 3\n\
         max_duration = \"6h\"\nmax_calls = 9",
    );
    assert_eq!(
        (
            given.fetch.fetcher.rate,
            given.fetch.fetcher.max_in_flight.get()
        ),
        (Rate::per_second(2.5), 3)
    );
    assert_eq!(
        (
            given.fetch.fetcher.max_duration,
            given.fetch.fetcher.max_calls
        ),
        (Some(Duration::from_hours(6)), Some(9))
    );
}

#[test]
fn an_address_ends_in_api_however_it_is_typed() {
    let cases = [
        ("https://crm.example.com", "https://crm.example.com/api"),
        ("https://crm.example.com/", "https://crm.example.com/api"),
        ("https://crm.example.com/api", "https://crm.example.com/api"),
        (
            "https://crm.example.com/SuperOffice",
            "https://crm.example.com/SuperOffice/api",
        ),
        (
            "https://crm.example.com/SuperOffice/api/",
            "https://crm.example.com/SuperOffice/api",
        ),
        (
            "https://crm.example.com/SuperOffice/API//",
            "https://crm.example.com/SuperOffice/API",
        ),
        (
            "https://crm.example.com/Cust1-api",
            "https://crm.example.com/Cust1-api/api",
        ),
        (
            "https://crm.example.com:8443/so",
            "https://crm.example.com:8443/so/api",
        ),
        ("http://localhost:5000", "http://localhost:5000/api"),
        ("http://127.0.0.2", "http://127.0.0.2/api"),
        ("http://[::1]:80/so", "http://[::1]/so/api"),
    ];
    for (typed, expected) in cases {
        let Installation::BaseUrl(url) = job(&format!("base_url = \"{typed}\"")).api.installation
        else {
            panic!("{typed} is no address")
        };
        assert_eq!(url.as_str(), expected, "{typed}");
        let moved = job(&format!("tenant = \"Cust1\"\nformerly = \"{typed}\""));
        assert_eq!(moved.api.formerly, Some(url), "{typed}");
    }
    let moved = job("tenant = \"Cust1\"\nformerly = \"http://crm.example.com/so\"");
    let formerly = moved.api.formerly.expect("nothing is sent there");
    assert_eq!(formerly.as_str(), "http://crm.example.com/so/api");
    let Installation::BaseUrl(url) =
        job("allow_http = true\nbase_url = \"http://crm.example.com\"")
            .api
            .installation
    else {
        panic!("no address")
    };
    assert_eq!(url.scheme(), "http");
}

#[test]
fn an_environment_is_a_login_host() {
    let cases = [
        ("", "https://online.superoffice.com/"),
        ("environment = \"sod\"", "https://sod.superoffice.com/"),
        (
            "environment = \"https://login.example.com/so\"",
            "https://login.example.com/so",
        ),
    ];
    for (environment, expected) in cases {
        let installation = Installation::Tenant {
            tenant: "Cust1".to_owned(),
            login_host: LoginHost::Url(expected.parse().unwrap()),
        };
        assert_eq!(
            job(&format!("tenant = \"Cust1\"\n{environment}"))
                .api
                .installation,
            installation
        );
    }
}

#[test]
fn paths_count_from_the_job_file() {
    let job = job("base_url = \"sandbox\"\nca_file = \"ca.pem\"\napp_token = { file = \"token\" }");
    assert_eq!(job.source.list.place, Place::Path("jobs/ids.csv".into()));
    assert_eq!(job.output.dir, Path::new("jobs/out"));
    assert_eq!(job.api.ca_file.as_deref(), Some(Path::new("jobs/ca.pem")));
    assert_eq!(
        job.api.app_token,
        Some(Secret::File {
            key: "api.app_token",
            path: "jobs/token".into()
        })
    );
    let piped = checked(
        &format!("{LEAST}base_url = \"sandbox\""),
        &[("source", "-"), ("dir", "/exports")],
    )
    .unwrap();
    assert_eq!(
        (piped.source.list.place, piped.output.dir.as_path()),
        (Place::StandardInput, Path::new("/exports"))
    );
}

#[test]
fn tables_come_in_their_own_order() {
    let job = job("base_url = \"sandbox\"\ntables = [\"sales\", \"contacts\", \"sales\"]");
    assert_eq!(
        job.api
            .tables
            .iter()
            .map(|table| table.name)
            .collect::<Vec<_>>(),
        ["contacts", "sales"]
    );
}

#[test]
fn secrets_typed_in_plain_are_refused_and_never_shown() {
    let places = [
        "app_token = \"hunter2\"",
        "app_token = [\"hunter2\"]",
        "app_token = { value = \"hunter2\" }",
        "auth = { scheme = \"ticket\", ticket = \"hunter2\" }",
        "auth = { scheme = \"bearer\", token = \"hunter2\" }",
        "headers = { X-Token = [\"hunter2\"] }",
    ];
    for lines in places {
        let message = refusal(&format!("{LEAST}base_url = \"sandbox\"\n{lines}"));
        assert!(
            message.starts_with(
                "jobs/job.toml:7: expected a place to read the secret from, { env = \"NAME\" }"
            ),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
    let message = refusal(&format!(
        "{LEAST}base_url = \"https://kari:hunter2@crm.example.com\""
    ));
    assert!(!message.contains("hunter2"), "{message}");
}

/// What `api.auth`, `api.headers` and `api.app_token` hold may be a secret, wherever it stands.
#[test]
fn a_secret_in_the_place_of_a_table_or_a_name_is_never_shown() {
    let cases = [
        (
            "auth = \"Basic hunter2\"",
            "api.auth: expected a table, found text",
        ),
        (
            "headers = \"Authorization: hunter2\"",
            "api.headers: expected a table, found text",
        ),
        (
            "auth = [\"basic\", \"u\", \"hunter2\"]",
            "api.auth: expected a table, found a list",
        ),
        (
            "auth = [\"basic\", \"u\", { env = \"hunter2\" }]",
            "api.auth: expected a table, found a list",
        ),
        (
            "headers = [\"hunter2\"]",
            "api.headers: expected a table, found a list",
        ),
        (
            "auth = { scheme = [\"hunter2\"] }",
            "api.auth.scheme: expected text, found a list",
        ),
        (
            "auth = { scheme = \"basic\", user = { name = \"hunter2\" } }",
            "api.auth.user: expected text, found a table",
        ),
        ("auth = { \"Basic hunter2\" = 1 }", "unknown key"),
        ("auth = { hunter2 = true }", "unknown key"),
        ("\"Basic hunter2\" = 1", "unknown key"),
        (
            "headers = { X-Token = 5, X-hunter2 = \"x\" }",
            "expected a place to read the secret from",
        ),
        // Not TOML at all.
        ("auth = Basic hunter2", ""),
        ("auth = hunter2", ""),
        ("auth = \"hunter2", ""),
        ("auth = \"\"\"hunter2", ""),
        ("auth = \"\\hunter2\"", ""),
        ("auth = { scheme = hunter2 }", ""),
        ("auth = { scheme = \"basic\", hunter2 }", ""),
        ("auth = { hunter2 = 1, hunter2 = 2 }", ""),
        ("headers.hunter2 = \"a\"\nheaders.hunter2 = \"b\"", ""),
        ("headers = { \"hunter2\" = \"a\", \"hunter2\" = \"b\" }", ""),
        ("headers = \"x\"\nheaders.hunter2 = \"a\"", ""),
        ("app_token = hunter2\u{0}", ""),
        ("app_token = 2026-hunter2", ""),
    ];
    for (lines, expected) in cases {
        let message = refusal(&format!("{LEAST}base_url = \"sandbox\"\n{lines}"));
        let problem = message.strip_prefix("jobs/job.toml:7: ");
        let problem = problem.or_else(|| message.strip_prefix("jobs/job.toml:8: "));
        assert!(
            problem.is_some_and(|problem| problem.starts_with(expected)),
            "{message} for {lines}"
        );
        assert!(!message.contains("hunter2"), "{message} for {lines}");
    }
    let message = refusal(&format!(
        "{LEAST}base_url = \"sandbox\"\nheaders = {{ \"Authorization: hunter2\" = \"\" }}"
    ));
    assert!(!message.contains("hunter2"), "{message}");
    let message = refusal("api = \"hunter2\"");
    assert_eq!(
        message,
        "jobs/job.toml:1: api: expected a table, found text"
    );
    let message = refusal("[[api]]\nauth = \"hunter2\"");
    assert!(
        message.ends_with("api: expected a table, found a list"),
        "{message}"
    );
}

#[test]
fn neither_debug_nor_the_description_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "hunter2").unwrap();
    let token = folder.path().join("token");
    let job = job(&format!(
        "base_url = \"sandbox\"\napp_token = {{ file = {token:?} }}\n\
         headers = {{ X-Key = \"hunter2\", T0KEN = \"x\", X-Other = {{ env = \"OTHER\" }} }}\n\
         auth = {{ scheme = \"basic\", user = \"u\", \
         password = {{ command = [\"echo\", \"hunter2\"] }} }}"
    ));
    let description = job.description.to_string();
    for shown in [format!("{job:?}"), description.clone()] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert_eq!(
        job.description["api"]["headers"],
        serde_json::json!({ "X-Key": "…", "X-Other": "…", "…": "…" })
    );
    assert_eq!(
        job.description["api"]["app_token"],
        serde_json::json!({ "file": token })
    );
    assert_eq!(job.description["api"]["auth"]["user"], "u");
    assert_eq!(
        job.description["api"]["auth"]["password"],
        serde_json::json!({ "command": ["echo", "…"] })
    );
}

#[test]
fn the_description_is_the_job_with_its_flags() {
    let text = format!("{LEAST}base_url = \"sandbox\"\nlimit = 5");
    let job = checked(&text, &[("limit", "7"), ("max-calls", "3")]).unwrap();
    let expected = serde_json::json!({
        "source": { "path": "ids.csv" },
        "output": { "dir": "out" },
        "api": { "base_url": "sandbox", "limit": 7 },
        "fetch": { "max_calls": 3 },
    });
    assert_eq!(job.description, expected);
}
