//! Secrets where they do not belong: what the program says of a job in which somebody typed one.

use crate::support::Job;

/// Runs and checks a job with this line in `[api]`, and looks for the secret in all that is said.
#[track_caller]
fn check(line: &str, expected: &str) {
    let job = Job::new("").text_of_job(&format!(
        "[source]\npath = \"contacts.csv\"\n[output]\ndir = \"exports\"\n\
         [api]\nbase_url = \"http://127.0.0.1:9\"\n{line}\n"
    ));
    for verb in ["run", "check"] {
        let child = job.command().args([verb, "job.toml"]).spawn().unwrap();
        let said = job.finish(child).expect(2).all();
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    assert!(job.written().is_empty());
}

#[test]
fn a_secret_where_a_table_belongs_is_not_shown() {
    check(
        "auth = \"Basic s3cret\"",
        "job.toml:7: api.auth: expected a table, found text",
    );
    check(
        "headers = \"Authorization: Bearer s3cret\"",
        "job.toml:7: api.headers: expected a table, found text",
    );
    check(
        "auth = [\"basic\", \"u\", \"s3cret\"]",
        "job.toml:7: api.auth: expected a table, found a list",
    );
    check(
        "headers = { \"Authorization: s3cret\" = \"\" }",
        "`api.headers`: one of its names is none that a header can have",
    );
    check("app_token = \"s3cret\"", "secrets are never written");
    check("auth = Basic s3cret", "job.toml:7: ");
}
