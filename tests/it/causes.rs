//! Why a server is taken for being away: said when sending stops, and again where the run gives up,
//! in words that name what to mend.

use std::net::TcpListener;

use crate::mock::{Answer, Mock};
use crate::support::Job;

const BEGINS: &str = "WARN the server does not answer as it should (";

/// A job that waits for no server for long.
fn impatient(base_url: &str) -> Job {
    let job = Job::new(base_url).ids(1..=20);
    let job = job.with("fetch.patience = \"1s\"");
    job.with("fetch.timeout = \"1s\"")
}

/// What the run says of the cause, in its warning and in its last words.
fn told(job: &Job) -> [String; 2] {
    let stderr = job.run_with(&["--progress", "none"]).expect(4).stderr;
    let [warning, error] = [BEGINS, "error: "].map(|begin| {
        let line = stderr.lines().find(|line| line.starts_with(begin));
        line.unwrap_or_else(|| panic!("no {begin:?} in {stderr}"))
            .to_owned()
    });
    assert!(warning.contains("); sending stops"), "{warning}");
    [warning, error]
}

fn assert_told(job: &Job, cause: &str) {
    for line in told(job) {
        assert!(line.contains(cause), "{cause:?} is not in {line:?}");
    }
}

#[test]
fn a_connection_that_is_refused_is_told() {
    // Nobody listens any more at a port that was just given back.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_told(&impatient(&address), "Connection refused");
}

#[test]
fn it_is_told_as_well_where_the_zone_was_asked_for_first() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let job = impatient(&address).without("api.time_zone");
    job.run_with(&["--progress", "none"]).expect(4).says(&[
        "WARN the API does not tell its time zone now: no answer came (connection): ",
        "(at last: no answer came (connection): ",
        "Connection refused",
    ]);
}

#[test]
fn a_status_that_everybody_gets_is_told() {
    let mock = Mock::always(Answer::status(503));
    assert_told(&impatient(&mock.url()), "status 503");
}

#[test]
fn silence_is_told() {
    let mock = Mock::always(Answer::never());
    assert_told(&impatient(&mock.url()), "timeout");
}

#[test]
fn connections_that_are_lost_are_told() {
    let mock = Mock::always(Answer::reset());
    assert_told(&impatient(&mock.url()), "connection");
}

#[test]
fn a_proxy_that_wants_a_login_is_told() {
    // A proxy of https is asked for a tunnel, and refuses that.
    let proxy = Mock::always(Answer::status(407));
    let job =
        impatient("https://crm.example.test").with(&format!("api.proxy = \"{}\"", proxy.url()));
    for line in told(&job) {
        assert!(line.contains("proxy authorization required"), "{line:?}");
    }
}
