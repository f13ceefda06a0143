//! What an operator is told who hears nothing otherwise: a list that is old, a night that shows less
//! than the one before; and nothing at all in a good night.

use std::time::{Duration, SystemTime};

use crate::mock::{Answer, Mock, Switch};
use crate::support::Job;

fn quiet(job: &Job, arguments: &[&str]) -> String {
    job.run_with(&[&["--progress", "none"], arguments].concat())
        .expect(0)
        .stderr
}

#[test]
fn a_list_that_nobody_writes_any_more_is_told() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).with("source.max_age = \"36h\"");
    let written = |hours: u64| {
        let time = SystemTime::now() - Duration::from_hours(hours);
        let list = std::fs::File::options()
            .append(true)
            .open(job.path("contacts.csv"));
        list.unwrap().set_modified(time).unwrap();
    };
    written(35);
    assert_eq!(quiet(&job, &[]), "");
    written(37);
    let told = quiet(&job, &[]);
    assert!(
        told.starts_with("WARN ./contacts.csv: last written 2"),
        "{told}"
    );
    assert!(told.contains("longer ago than `source.max_age`"), "{told}");
    assert!(told.ends_with("did its writer run?\n"), "{told}");
    assert_eq!((told.lines().count(), job.runs().len()), (1, 2));
}

#[test]
fn a_night_that_shows_less_says_so_in_a_line() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=40);
    assert_eq!(quiet(&job, &[]), "");
    assert_eq!(quiet(&job, &[]), "", "a good night");
    // The list grew by more than the budget of a night.
    let job = job.ids(1..=80).with("fetch.max_calls = 20");
    assert_eq!(
        quiet(&job, &[]),
        "WARN published, but 20 contacts are pending, stale or failed, and 0 were in the last \
         export\n"
    );
    assert_eq!(
        quiet(&job, &[]),
        "",
        "as many as are filled in the next night"
    );
}

#[test]
fn contacts_that_fail_are_told_by_number_where_they_are_many() {
    let trouble = Switch::default();
    let mock = Mock::troubled(&trouble, |id| (id % 4 == 0).then(|| Answer::status(400)));
    let job = Job::against(&mock)
        .with("output.max_failed = \"50%\"")
        .with("fetch.max_in_flight = 1");
    let job = job.ids(1..=40);
    assert_eq!(quiet(&job, &[]), "");
    trouble.turn_on();
    assert_eq!(quiet(&job, &[]), "", "ten are within what may happen");
    trouble.turn_off();
    let job = job.ids(1..=44);
    assert_eq!(quiet(&job, &[]), "");
    trouble.turn_on();
    assert_eq!(
        quiet(&job, &[]),
        "WARN published, but 11 contacts are pending, stale or failed, and 0 were in the last \
         export\n"
    );
    assert_eq!(quiet(&job, &[]), "", "no worse than the night before");
}
