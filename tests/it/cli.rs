//! What the operator sees when the command, the job or the input is wrong: exit code, message, and
//! that nothing was called or written.

use insta::assert_snapshot;
use superoffice_export::error::Exit;
use superoffice_export::job::settings::settings;

use crate::mock::{Answer, Mock};
use crate::support::{Job, run_program};

/// What a job says that must neither call nor write anything; `adapt` makes a sound one wrong.
#[track_caller]
fn refused(adapt: impl FnOnce(Job) -> Job) -> String {
    refused_with(&[], adapt)
}

#[track_caller]
fn refused_with(arguments: &[&str], adapt: impl FnOnce(Job) -> Job) -> String {
    let mock = Mock::healthy();
    let job = adapt(Job::against(&mock));
    let run = job.run_with(arguments).expect(2);
    assert_eq!(mock.calls(), 0, "something was called");
    assert!(
        !job.path("exports").exists(),
        "something was written: {:?}",
        job.written()
    );
    run.all()
}

#[test]
fn a_job_file_that_is_not_there() {
    let run = run_program(&["run", "nightly.toml"]).expect(2);
    assert_snapshot!(run.all(), @r#"
    exit 2
    --- stderr
    error: nightly.toml: cannot read the job file
    caused by: No such file or directory (os error 2)
    "#);
}

#[test]
fn an_input_that_is_not_there() {
    assert_snapshot!(refused(|job| job.with("source.path = \"missing.csv\"")), @r#"
    exit 2
    --- stderr
    error: ./missing.csv cannot be opened; check `[source] path`
    caused by: No such file or directory (os error 2)
    "#);
}

#[test]
fn an_input_that_is_a_folder() {
    assert_snapshot!(refused(|job| job.with("source.path = \".\"")), @r#"
    exit 2
    --- stderr
    error: ./. is a directory; `[source] path` must name a CSV file
    "#);
}

#[test]
fn an_empty_input() {
    assert_snapshot!(refused(|job| job.csv("\n \n")), @r#"
    exit 2
    --- stderr
    error: ./contacts.csv is empty; it must hold a heading line or one contact id per line
    "#);
}

#[test]
fn an_input_without_a_column_of_ids() {
    assert_snapshot!(refused(|job| job.csv("Navn;Contact ID;Poststed\nBlåbær;7;Tromsø\n")), @r#"
    exit 2
    --- stderr
    error: ./contacts.csv, line 1: no heading is known to mean company ids (`Contact ID` labels a person in SuperOffice); set `[source] column` to the right one of "Navn", "Contact ID", "Poststed"
    "#);
}

#[test]
fn a_column_that_the_input_does_not_have() {
    let job = |job: Job| {
        job.csv("Navn,Kundenr\nBlåbær,7\n")
            .with("source.column = \"Kunde\"")
    };
    assert_snapshot!(refused(job), @r#"
    exit 2
    --- stderr
    error: ./contacts.csv, line 1: there is no column `Kunde`; set `[source] column` to one of "Navn", "Kundenr"
    "#);
}

#[test]
fn two_columns_of_ids() {
    assert_snapshot!(refused(|job| job.csv("contactId,contactId\n7,8\n")), @r#"
    exit 2
    --- stderr
    error: ./contacts.csv, line 1: more than one column fits; set `[source] column` to the exact spelling of the right one, renaming it if need be, of "contactId", "contactId"
    "#);
    assert_snapshot!(refused(|job| job.csv("ContactId,Navn,contactid\n7,x,8\n")), @r#"
    exit 2
    --- stderr
    error: ./contacts.csv, line 1: more than one column fits; set `[source] column` to the exact spelling of the right one, renaming it if need be, of "ContactId", "Navn", "contactid"
    "#);
}

#[test]
fn a_workbook_that_is_damaged() {
    assert_snapshot!(refused(|job| job.csv(b"PK\x03\x04\x14\x00\x06\x00")), @r#"
    exit 2
    --- stderr
    error: ./contacts.csv cannot be read as an Excel workbook: it is no ZIP archive, or a part of it is missing; save it anew as .xlsx, without a password, or as CSV in UTF-8
    "#);
}

#[test]
fn a_key_that_does_not_exist() {
    let text = "[source]\npath = \"contacts.csv\"\n\n[fetch]\nmax_atempts = 3\n";
    assert_snapshot!(refused(|job| job.text_of_job(text)), @r#"
    exit 2
    --- stderr
    error: job.toml:5: unknown key `max_atempts`; did you mean `max_attempts`?
    "#);
}

#[test]
fn a_key_in_the_wrong_section() {
    assert_snapshot!(refused(|job| job.text_of_job("[fetch]\nlimit = 3\n")), @r#"
    exit 2
    --- stderr
    error: job.toml:2: unknown key `limit`; it belongs to [api]
    "#);
}

#[test]
fn a_key_that_is_missing() {
    assert_snapshot!(refused(|job| job.without("output.dir")), @r#"
    exit 2
    --- stderr
    error: job.toml: `output.dir`: is missing
    "#);
    assert_snapshot!(refused(|job| job.without("api.base_url")), @r#"
    exit 2
    --- stderr
    error: job.toml: `api.base_url`: give `tenant` (online) or `base_url` (onsite, or "sandbox")
    "#);
}

#[test]
fn a_duration_that_is_none() {
    assert_snapshot!(refused(|job| job.with("fetch.timeout = \"soon\"")), @r#"
    exit 2
    --- stderr
    error: job.toml:3: expected a duration such as "30s", "500ms", "2h" or "1h 30m"
    "#);
    assert_snapshot!(refused_with(&["--timeout", "30"], |job| job), @r#"
    exit 2
    --- stderr
    error: --timeout: expected a duration such as "30s", "500ms", "2h" or "1h 30m"
    "#);
}

#[test]
fn an_address_without_a_scheme() {
    assert_snapshot!(refused(|job| job.with("api.base_url = \"crm.example.com/SuperOffice\"")), @r#"
    exit 2
    --- stderr
    error: job.toml: `api.base_url`: must begin with https:// and name a host, such as https://crm.example.com/SuperOffice
    "#);
}

#[test]
fn plain_http_to_another_machine() {
    let plain = "api.base_url = \"http://crm.example.com/SuperOffice\"";
    assert_snapshot!(refused(|job| job.with(plain)), @r#"
    exit 2
    --- stderr
    error: job.toml: `api.base_url`: plain http to another machine would show credentials and data to everyone between; use https, or set `allow_http = true` in [api]
    "#);
}

#[test]
fn an_address_with_a_password() {
    let all = refused(|job| job.with("api.base_url = \"https://ola:s3cret@crm.example.com/\""));
    assert!(!all.contains("s3cret"));
    assert_snapshot!(all, @r#"
    exit 2
    --- stderr
    error: job.toml: `api.base_url`: must not hold a user or password; they belong in [api.auth]
    "#);
}

#[test]
fn a_table_that_does_not_exist() {
    assert_snapshot!(refused_with(&["--tables", "sales,persons"], |job| job), @r#"
    exit 2
    --- stderr
    error: job.toml: `api.tables`: there is no table `persons`; there are contacts, tickets, followups, documents, sales, chats
    "#);
}

#[test]
fn a_secret_that_is_not_there() {
    let auth = "api.auth = { scheme = \"bearer\", token = { env = \"SUPEROFFICE_TOKEN\" } }";
    assert_snapshot!(refused(|job| job.with(auth)), @r#"
    exit 2
    --- stderr
    error: `api.auth.token`: the environment variable SUPEROFFICE_TOKEN is not set; set it where the job is started
    "#);
    assert_snapshot!(refused(|job| job.with(auth).env("SUPEROFFICE_TOKEN", "")), @r#"
    exit 2
    --- stderr
    error: `api.auth.token`: the secret is empty
    "#);
    assert_snapshot!(refused(|job| job.with("api.app_token = { file = \"token.txt\" }")), @r#"
    exit 2
    --- stderr
    error: `api.app_token`: cannot read ./token.txt
    caused by: No such file or directory (os error 2)
    "#);
}

#[test]
fn a_secret_that_stands_in_the_job() {
    let all = refused(|job| job.with("api.auth = { scheme = \"bearer\", token = \"s3cret\" }"));
    assert!(!all.contains("s3cret"));
    assert_snapshot!(all, @r#"
    exit 2
    --- stderr
    error: job.toml:1: expected a place to read the secret from, { env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }; secrets are never written into the job
    "#);
}

#[test]
fn a_secret_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;

    let open = |job: Job| {
        let job = job
            .file("token.txt", "s3cret")
            .with("api.app_token = { file = \"token.txt\" }");
        std::fs::set_permissions(
            job.path("token.txt"),
            std::fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        job
    };
    assert_snapshot!(refused(open), @r#"
    exit 2
    --- stderr
    error: `api.app_token`: ./token.txt can be read by others; run: chmod 600 ./token.txt
    "#);
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    // Not by permissions: whoever runs the tests may be allowed everything.
    assert_snapshot!(refused(|job| job.file("file", "").with("output.dir = \"file/exports\"")), @r#"
    exit 2
    --- stderr
    error: `output.dir`: ./file/exports cannot be written; check the path and its permissions
    caused by: Not a directory (os error 20)
    "#);
}

#[test]
fn something_else_where_the_link_to_the_newest_run_goes() {
    let put_file: fn(&Job) = |job| std::fs::write(job.path("exports/latest"), "").unwrap();
    let put_folder: fn(&Job) = |job| std::fs::create_dir(job.path("exports/latest")).unwrap();
    for put in [put_file, put_folder] {
        let mock = Mock::healthy();
        let job = Job::against(&mock);
        std::fs::create_dir(job.path("exports")).unwrap();
        put(&job);
        let refused = "error: [folder]/exports/latest: is not a link, and would be in the way of \
            the one that names the newest run; move it aside\n";
        assert_eq!(
            job.run_with(&["--progress", "none"]).expect(2).stderr,
            refused
        );
        assert_eq!(mock.calls(), 0, "something was called");
        std::fs::rename(job.path("exports/latest"), job.path("aside")).unwrap();
        job.run().expect(0);
        job.run().expect(0);
    }
}

#[test]
fn a_flag_that_does_not_exist() {
    assert_snapshot!(refused_with(&["--max-retries", "3"], |job| job), @r#"
    exit 2
    --- stderr
    error: unexpected argument '--max-retries' found

      tip: a similar argument exists: '--max-rejected'

    Usage: superoffice-export run --max-rejected <VALUE> <JOB>

    For more information, try '--help'.
    "#);
}

#[test]
fn a_second_run_of_the_same_job_keeps_out() {
    let mock = Mock::answering(|request| Answer::summary(request.contact_id).held());
    let job = Job::against(&mock);
    let first = job.start_with(&[]);
    mock.wait_for_calls(1);
    let second = job.run().expect(3);
    let told = second.stderr.replace(&first.id().to_string(), "[pid]");
    assert!(
        told.starts_with("error: another run of this job is under way (process [pid], since 2"),
        "{told}"
    );
    assert!(told.contains("it holds ./exports/state.lock"), "{told}");
    mock.release();
    job.finish(first).expect(0);
    assert_eq!(mock.calls(), 3, "the second run called nothing");
}

#[test]
fn the_help_names_every_exit_code_and_every_flag() {
    let help = run_program(&["--help"]).expect(0);
    assert_eq!(help.stderr, "");
    for exit in Exit::ALL {
        assert!(
            help.stdout
                .contains(&format!("{:>3}  {}", exit.code(), exit.doc())),
            "{}",
            help.stdout
        );
    }
    let help = run_program(&["run", "--help"]).expect(0).stdout;
    for setting in settings() {
        if let Some(flag) = setting.flag {
            assert!(
                help.contains(&format!("--{flag} <")),
                "--{flag} is not in the help"
            );
        }
    }
    assert_eq!(
        run_program(&["--version"]).expect(0).stdout,
        concat!("superoffice-export ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
