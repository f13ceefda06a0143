//! What the program prints and logs: on which stream, in which form, and what stands there when a
//! stream cannot be written.

use std::fs::File;
use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::Value;

use crate::mock::{Answer, Mock};
use crate::support::{Finished, Job};

/// Runs the program with these arguments and a standard output that takes nothing.
fn into_full(job: &Job, arguments: &[&str]) -> Finished {
    let full = File::options().write(true).open("/dev/full").unwrap();
    job.finish(job.command().args(arguments).stdout(full).spawn().unwrap())
}

#[test]
fn a_summary_that_cannot_be_printed_costs_no_call() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    let ended = into_full(
        &job,
        &["run", "job.toml", "--progress", "none", "--summary", "json"],
    )
    .expect(6);
    let run = job.export().manifest()["run"].as_str().unwrap().to_owned();
    assert_snapshot!(ended.stderr.replace(&run, "[run]"), @r#"
    error: the run was published as [folder]/exports/runs/[run], but its summary could not be printed
    caused by: No space left on device (os error 28)
    hint: nothing has to be run again; `manifest.json` in that folder is the same summary
    "#);
    assert_eq!(mock.calls(), 3);
}

#[test]
fn what_cannot_be_printed_is_told_without_more_ado() {
    let job = Job::sandbox();
    for arguments in [
        &["tables"][..],
        &["run", "job.toml", "--plan", "--progress", "none"],
        &["check", "job.toml"],
    ] {
        let ended = into_full(&job, arguments).expect(6);
        assert_eq!(
            ended.stderr,
            "error: standard output cannot be written\n\
             caused by: No space left on device (os error 28)\n"
        );
    }
}

#[test]
fn a_run_says_once_which_column_the_ids_come_from() {
    let job = Job::sandbox().csv("PrimaryKey,Navn,contactId\n7,x,8\n");
    let told = job.run().expect(0).stderr;
    assert_eq!(
        told.lines()
            .filter(|line| line.contains("ids come from"))
            .collect::<Vec<_>>(),
        ["INFO ids come from the column `contactId`"]
    );
    assert_eq!(job.run_with(&["--progress", "none"]).expect(0).stderr, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Job::sandbox()
        .command()
        .arg("tables")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_list_from_standard_input_has_to_be_given_again() {
    let mock = Mock::always_for(2, Answer::status(400));
    let job = Job::against(&mock).with("output.max_failed = \"0%\"");
    let run = |arguments: &[&str]| {
        let input = File::open(job.path("contacts.csv")).unwrap();
        let arguments = [&["run", "job.toml", "--source", "-"], arguments].concat();
        job.finish(job.command().args(arguments).stdin(input).spawn().unwrap())
    };
    let refused = run(&["--progress", "none"]).expect(1).stderr;
    assert!(
        refused
            .contains("hint: the contact ids came from standard input; give it the same again\n"),
        "{refused}"
    );
    assert!(!refused.contains("again:"), "{refused}");
    let told = run(&["--max-failed", "100%"]).expect(0).stderr;
    assert!(
        told.ends_with("      again the same input with --max-age 24h  # only those that failed\n"),
        "{told}"
    );
    let refused = job.run_with(&["--progress", "none"]).expect(1).stderr;
    assert!(
        refused.ends_with("again: superoffice-export run job.toml --progress none\n"),
        "{refused}"
    );
}

#[test]
fn a_log_for_programs_is_json_line_by_line() {
    let mock = Mock::always_for(2, Answer::status(400));
    let lines = |job: &Job, code, arguments: &[&str]| {
        let arguments = [&["--log-format", "json"], arguments].concat();
        let told = job.run_with(&arguments).expect(code).stderr;
        let lines = told
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
        lines
            .map(|line| {
                (
                    line["level"].as_str().unwrap().to_owned(),
                    line["fields"].clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    let message = |(level, fields): &(String, Value)| {
        format!("{level} {}", fields["message"].as_str().unwrap())
    };
    let job = Job::against(&mock).with("output.max_failed = \"100%\"");
    let told = lines(&job, 0, &["-v"]);
    let starts: Vec<_> = told
        .iter()
        .map(|line| {
            message(line)
                .lines()
                .next()
                .unwrap()
                .split(" run 2")
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        starts,
        [
            "INFO ids come from the column `contactId`",
            "INFO 3 of 3 to fetch",
            "DEBUG contact 2: status 400",
            "INFO"
        ]
    );
    assert!(
        told[3].1["message"]
            .as_str()
            .unwrap()
            .contains("3 distinct, 0 duplicate, 0 rejected\n")
    );

    let job = job.with("output.max_failed = 0.5");
    let told = lines(&job, 2, &[]);
    assert_eq!(
        told.iter().map(message).collect::<Vec<_>>(),
        ["ERROR job.toml:4: expected a share from \"0%\" to \"100%\""]
    );

    let told = lines(
        &job.with("output.max_failed = \"0%\""),
        1,
        &["--progress", "none"],
    );
    let expected = [
        "WARN             1 failed: http_status (such as contact 2)",
        "ERROR nothing was published: 1 of 3 targets failed, more than `output.max_failed` allows",
    ];
    assert_eq!(told.iter().map(message).collect::<Vec<_>>(), expected);
    assert_eq!(told[1].1["exit"], 1);
    assert_eq!(
        told[1].1["hint"],
        "the same command tries only those again; or raise `output.max_failed`"
    );
    assert_eq!(
        told[1].1["again"],
        "superoffice-export run job.toml --log-format json --progress none"
    );
}

#[test]
fn plain_progress_is_lines_of_text() {
    let mock = Mock::always_for(2, Answer::status(400));
    let job = Job::against(&mock).with("output.max_failed = \"100%\"");
    let told = job
        .run_with(&["--progress", "plain", "-v"])
        .expect(0)
        .stderr;
    let (log, summary) = told.split_once("run 2").unwrap();
    assert_eq!(
        log,
        "INFO ids come from the column `contactId`\n\
         INFO 3 of 3 to fetch\n\
         DEBUG contact 2: status 400\n"
    );
    assert!(
        summary.contains("\n      targets 3 distinct, 0 duplicate, 0 rejected\n"),
        "{summary}"
    );
    assert!(!told.contains(['\r', '\u{1b}']), "{told:?}");
}
