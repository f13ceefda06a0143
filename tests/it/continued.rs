//! Runs, their numbers and the clock: which run is gone on with and for how long, what a budget
//! leaves to its later starts, and clocks and states that went back or ahead.

use rustix::process::{Pid, Signal, kill_process};

use crate::mock::{Answer, Mock};
use crate::support::Job;

/// A server that withholds the answers of contacts from this id on until it is told.
fn withholding(from: i64) -> Mock {
    Mock::answering(move |request| {
        let answer = Answer::summary(request.contact_id);
        if request.contact_id >= from {
            answer.held()
        } else {
            answer
        }
    })
}

/// A job of four contacts whose run was cut off after two answers.
fn cut_off(mock: &Mock) -> Job {
    let job = Job::against(mock).ids(1..=4);
    job.cut_off(mock, 4);
    mock.release();
    job
}

#[test]
fn a_run_is_gone_on_with_for_some_time_after_its_last_answer() {
    for (resume_within, hours, goes_on) in [
        ("12h", 11, true),
        ("12h", 13, false),
        ("20h", 13, true),
        ("1h", 2, false),
    ] {
        let mock = withholding(3);
        let job = cut_off(&mock).with(&format!("fetch.resume_within = \"{resume_within}\""));
        job.let_hours_pass(hours);
        let said = job.run().expect(0).stderr;
        let what = format!("{hours} of {resume_within}: {said}");
        assert_eq!(said.contains("going on with run"), goes_on, "{what}");
        // The two that were answered are asked for again by a new run alone.
        assert_eq!(mock.calls(), if goes_on { 6 } else { 8 }, "{what}");
        let closed = job.stored("SELECT count(*) FROM runs WHERE state = 'closed'");
        assert_eq!(closed == 0, goes_on, "{what}");
    }
}

#[test]
fn a_run_that_waited_long_counts_from_its_last_answer() {
    let mock = withholding(3);
    let job = Job::against(&mock).ids(1..=4);
    let child = job.start_with(&[]);
    mock.wait_for_calls(4);
    // Both answers are stored, and nothing more comes before it is interrupted.
    let stored = || {
        let state = job.state();
        let sql = "SELECT count(*) FROM responses";
        state.query_row(sql, [], |row| row.get::<_, i64>(0)) == Ok(2)
    };
    let began = std::time::Instant::now();
    while !stored() {
        assert!(began.elapsed().as_secs() < 60, "nothing is stored");
        std::thread::yield_now();
    }
    let at = "SELECT answered_at - started_at FROM runs";
    let before = job.stored(at);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    job.finish(child).expect(130);
    assert_eq!((job.stored(at), before > 0), (before, true));
}

#[test]
fn nights_that_fail_too_often_are_not_one_endless_run() {
    // The third contact fails until the fourth night.
    let mock = Mock::scripted([(3, vec![Answer::status(400); 3])]);
    let job = Job::against(&mock);
    for night in 1..=3 {
        job.run().expect(1);
        assert_eq!(mock.calls(), 3 * night, "all of them are asked for anew");
        job.let_hours_pass(24);
    }
    job.run().expect(0);
    assert_eq!(mock.calls(), 12);
    let manifest = job.export().manifest();
    let instant = |member: &str| {
        manifest[member]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
    };
    let (oldest, started) = (
        instant("oldest_fetched_at").unwrap(),
        instant("started_at").unwrap(),
    );
    assert!(oldest >= started, "{oldest} {started}");
}

#[test]
fn a_clock_that_was_set_back_makes_no_failure_one_of_an_earlier_run() {
    let mock = Mock::always_for(3, Answer::status(400));
    let job = Job::against(&mock);
    job.run().expect(1);
    // As it stands where the clock was set back by an hour in the middle of the run.
    job.state()
        .execute_batch("UPDATE endings SET ended_at = ended_at - 3600000000")
        .unwrap();
    job.run()
        .expect(1)
        .says(&["error: nothing was published: 1 of 3 targets failed"]);
    job.state()
        .execute_batch("UPDATE runs SET started_at = started_at + 3600000000")
        .unwrap();
    job.run()
        .expect(1)
        .says(&["error: nothing was published: 1 of 3 targets failed"]);
    assert!(!job.path("exports/latest").exists());
}

#[test]
fn answers_from_the_future_are_not_young() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).with("fetch.max_age = \"1d\"");
    job.run().expect(0);
    job.run().expect(0);
    assert_eq!(mock.calls(), 3, "young ones are not asked for");
    // The clock was a month ahead for that night.
    job.let_hours_pass(-30 * 24);
    job.run().expect(0);
    assert_eq!(mock.calls(), 6);
    job.run().expect(0);
    assert_eq!(mock.calls(), 6, "and it is right again");
}

#[test]
fn a_budget_of_calls_is_one_for_all_starts_of_a_run() {
    let mock = withholding(5);
    let job = Job::against(&mock)
        .ids(1..=20)
        .with("fetch.max_calls = 10")
        .with("fetch.max_in_flight = 2");
    job.cut_off(&mock, 6);
    mock.release();
    job.run().expect(0);
    assert_eq!(mock.calls(), 10);
    let manifest = job.export().manifest();
    assert_eq!(manifest["calls"]["attempts"], 10);
    // Two of the ten were given up in flight.
    assert_eq!(manifest["outcomes"]["exported"], 8);
}

#[test]
fn a_run_that_has_used_up_its_budget_publishes_what_it_has_and_names_the_flag() {
    for (used, arguments, flag) in [
        (
            "attempts = 10",
            ["--max-calls", "10"],
            "`fetch.max_calls` (--max-calls)",
        ),
        (
            "fetch_seconds = 60",
            ["--max-duration", "1m"],
            "`fetch.max_duration` (--max-duration)",
        ),
    ] {
        let mock = withholding(3);
        let job = Job::against(&mock).ids(1..=4);
        job.cut_off_with(&arguments, &mock, 4);
        mock.release();
        // As it stands where the last answer came and the program died before it was published.
        let sql = format!("UPDATE runs SET {used}");
        job.state().execute_batch(&sql).unwrap();
        job.run_with(&arguments)
            .expect(0)
            .says(&["WARN this run has ", flag]);
        assert_eq!(mock.calls(), 4, "nothing is left");
        let outcomes = &job.export().manifest()["outcomes"];
        assert_eq!(
            (&outcomes["exported"], &outcomes["pending"]),
            (&2.into(), &2.into())
        );
    }
}

#[test]
fn a_state_that_was_restored_does_not_point_latest_back() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    job.run().expect(0);
    // A copy that was taken just after the run was published and before that was noted.
    job.state()
        .execute_batch("UPDATE runs SET state = 'open', ended_at = NULL")
        .unwrap();
    std::fs::copy(job.path("exports/state.sqlite"), job.path("copy")).unwrap();
    job.run().expect(0);
    job.run().expect(0);
    let (newest, runs) = (job.latest(), job.runs());
    assert_eq!(runs.len(), 3);
    std::fs::copy(job.path("copy"), job.path("exports/state.sqlite")).unwrap();
    job.run_with(&["--plan"]).expect(0);
    assert_eq!((job.latest(), job.runs()), (newest.clone(), runs.clone()));
    // The next night is a run of its own, whatever its number.
    job.run().expect(0);
    assert_ne!(job.latest(), newest);
    assert!(runs.iter().all(|run| job.runs().contains(run)));
    assert_eq!(job.runs().len(), 4);
}
