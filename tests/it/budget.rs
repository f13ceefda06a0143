//! Nights that end before the list does: coverage, age, and an even walk through the whole list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::mock::{Answer, Mock};
use crate::support::Job;

fn instant(cell: &Value) -> jiff::Timestamp {
    cell.as_str().unwrap().parse().unwrap()
}

#[test]
fn ten_nights_of_a_fifth_reach_every_contact_twice() {
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .ids(1..=50)
        .with("fetch.max_calls = 10")
        .with("fetch.max_in_flight = 3");
    for night in 1..=10 {
        job.run().expect(0);
        let manifest = job.export().manifest();
        let answered = (night * 10).min(50);
        let outcomes = json!({
            "exported": answered,
            "stale": 0,
            "missing": 0,
            "failed": 0,
            "pending": 50 - answered,
            "rejected": 0,
        });
        assert_eq!(
            (&manifest["outcomes"], &manifest["calls"]["attempts"]),
            (&outcomes, &json!(10)),
            "night {night}"
        );
        assert_eq!(manifest["coverage"], f64::from(answered) / 50.0);
        assert_eq!(
            job.export().rows("contacts").len(),
            usize::try_from(answered).unwrap()
        );
    }
    let calls: BTreeMap<_, _> = (1..=50)
        .map(|contact_id| (contact_id, mock.calls_for(contact_id)))
        .collect();
    assert!(calls.values().all(|calls| *calls == 2), "{calls:?}");
}

#[test]
fn contacts_that_always_fail_do_not_keep_others_waiting() {
    let mock = Mock::answering(|request| {
        if request.contact_id % 4 == 0 {
            Answer::status(400)
        } else {
            Answer::summary(request.contact_id)
        }
    });
    let job = Job::against(&mock)
        .ids(1..=20)
        .with("fetch.max_calls = 5")
        .with("output.max_failed = \"100%\"");
    for _ in 1..=8 {
        job.run().expect(0);
    }
    assert!((1..=20).all(|contact_id| mock.calls_for(contact_id) == 2));
}

#[test]
fn contacts_whose_attempts_the_budget_ends_do_not_keep_others_waiting() {
    let mock = Mock::answering(|request| {
        if request.contact_id % 4 == 0 {
            Answer::status(500)
        } else {
            Answer::summary(request.contact_id)
        }
    });
    let job = Job::against(&mock)
        .ids(1..=20)
        .with("fetch.max_calls = 5")
        .with("output.max_failed = \"100%\"");
    let job = job
        .with("fetch.retry_delay = \"1h\"")
        .with("fetch.max_in_flight = 1");
    job.run().expect(0);
    assert_eq!(job.export().outcome(4), "pending http_status 500 after 1");
    assert_eq!(job.export().outcome(6), "pending - - after 0");
    for _ in 2..=8 {
        job.run().expect(0);
    }
    assert!((1..=20).all(|contact_id| mock.calls_for(contact_id) == 2));
    assert_eq!(job.export().rows("contacts").len(), 15);
}

#[test]
fn older_answers_stay_and_say_how_old_they_are() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=4);
    job.run().expect(0);
    let times = |job: &Job| {
        (1..=4)
            .map(|contact_id| job.export().outcome_row(contact_id)["fetched_at"].clone())
            .collect::<Vec<_>>()
    };
    let first = times(&job);
    job.run_with(&["--max-calls", "2"]).expect(0);
    let second = times(&job);
    let kept = first
        .iter()
        .zip(&second)
        .filter(|(first, second)| first == second)
        .count();
    assert_eq!((kept, mock.calls()), (2, 6));
    assert_eq!(job.export().rows("contacts").len(), 4);
    // As instants: their texts have as many digits as they need, which does not sort.
    let oldest = |times: &[Value]| times.iter().map(instant).min().unwrap();
    let told = instant(&job.export().manifest()["oldest_fetched_at"]);
    assert_eq!(told, oldest(&second));
    assert!(told >= oldest(&first));
}

#[test]
fn fetching_ends_when_its_time_is_over() {
    let mock = Mock::healthy();
    // The second call would be due after a second.
    let job = Job::against(&mock)
        .ids(1..=4)
        .with("fetch.requests_per_second = 1");
    job.run_with(&["--max-duration", "900ms"]).expect(0);
    let manifest = job.export().manifest();
    assert_eq!(
        (
            &manifest["outcomes"]["pending"],
            &manifest["coverage"],
            mock.calls()
        ),
        (&json!(3), &json!(0.25), 1)
    );
    assert_eq!(job.export().outcome(4), "pending - - after 0");
    assert_eq!(
        instant(&manifest["oldest_fetched_at"]),
        instant(&job.export().outcome_row(1)["fetched_at"])
    );
}

#[test]
fn a_server_that_is_away_until_the_budget_ends_leaves_nothing_to_publish() {
    let is_back = Arc::new(AtomicBool::new(false));
    let there = Arc::clone(&is_back);
    let mock = Mock::answering(move |request| {
        if there.load(Ordering::SeqCst) {
            Answer::summary(request.contact_id)
        } else {
            Answer::reset()
        }
    });
    let job = Job::against(&mock).ids([1]);
    let away = job.run_with(&["--max-calls", "2"]).expect(4);
    assert!(
        away.stderr.contains(
            "the API did not answer until `fetch.max_duration` or `fetch.max_calls` ended"
        ),
        "{}",
        away.stderr
    );
    assert!(!job.path("exports/latest").exists());
    is_back.store(true, Ordering::SeqCst);
    job.run().expect(0);
    assert_eq!(
        (job.export().outcome(1).as_str(), mock.calls()),
        ("exported - 200 after 1", 3)
    );
}

/// Peak memory of a process, in KiB, as long as it lives.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()
}

/// Plans for so many targets, and says how long that takes; peak memory in KiB, where the system
/// tells it.
#[expect(clippy::print_stdout, reason = "a time is told, not tested")]
fn plan(targets: i64, expected: &str) -> u64 {
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .ids(1..=targets)
        .with("fetch.requests_per_second = 10");
    let began = std::time::Instant::now();
    let mut child = job.start_with(&["--plan"]);
    let mut highest = 0;
    while child.try_wait().unwrap().is_none() {
        highest = peak(child.id()).unwrap_or_default().max(highest);
        std::thread::yield_now();
    }
    let planned = job.finish(child).expect(0);
    assert_eq!((planned.stdout.as_str(), mock.calls()), (expected, 0));
    println!("plan of {targets}: {:.1?}, {highest} KiB", began.elapsed());
    highest
}

#[test]
fn a_plan_of_a_million_targets_takes_no_more_memory_than_a_small_one() {
    let small = plan(
        300_000,
        "300,000 of 300,000 to fetch, about 8 h 20 min at 10/s\n",
    );
    let large = plan(
        1_000_000,
        "1,000,000 of 1,000,000 to fetch, about 27 h 47 min at 10/s\n",
    );
    assert!(large <= small + small / 4, "{small} KiB, then {large} KiB");
}
