//! Contacts that left the list: their answers stay for some nights, since a list may be wrong, and
//! then go.

use crate::mock::Mock;
use crate::support::Job;

fn kept(job: &Job) -> (i64, i64) {
    (
        job.stored("SELECT count(*) FROM responses"),
        job.stored("SELECT count(*) FROM departed"),
    )
}

/// A job of forty contacts that has published once; the last eight have left the list since.
fn job_without_eight(mock: &Mock, forget_after: &str) -> Job {
    let job = Job::against(mock)
        .ids(1..=40)
        .with(&format!("output.forget_after = \"{forget_after}\""));
    job.run().expect(0);
    job.ids(1..=32)
}

#[test]
fn what_left_the_list_goes_after_three_published_runs() {
    let mock = Mock::healthy();
    let job = job_without_eight(&mock, "0s");
    for _ in 1..=2 {
        job.run().expect(0);
        assert_eq!(kept(&job), (40, 8));
    }
    // What is not published, or made of the store alone, tells nothing of the list.
    job.run_with(&["--offline"]).expect(0);
    job.run_with(&["--plan"]).expect(0);
    job.run_with(&["--max-calls", "0"]).expect(1);
    assert_eq!(kept(&job), (40, 8));
    job.run().expect(0);
    assert_eq!(kept(&job), (32, 0));
    assert_eq!(job.export().rows("outcomes").len(), 32);
}

#[test]
fn what_left_the_list_stays_for_a_week_at_least() {
    let mock = Mock::healthy();
    let job = job_without_eight(&mock, "7d");
    for _ in 1..=4 {
        job.run().expect(0);
        assert_eq!(kept(&job), (40, 8));
    }
    job.let_hours_pass(6 * 24);
    job.run().expect(0);
    assert_eq!(kept(&job), (40, 8));
    job.let_hours_pass(2 * 24);
    job.run().expect(0);
    assert_eq!(kept(&job), (32, 0));
}

#[test]
fn what_is_on_the_list_again_lost_nothing() {
    let mock = Mock::healthy();
    let job = job_without_eight(&mock, "0s");
    job.run().expect(0);
    job.run().expect(0);
    let job = job.ids(1..=40).with("fetch.max_age = \"1d\"");
    let calls = mock.calls();
    job.run().expect(0);
    assert_eq!((mock.calls(), kept(&job)), (calls, (40, 0)));
    // It is counted anew.
    let job = job.ids(1..=32);
    job.run().expect(0);
    job.run().expect(0);
    assert_eq!(kept(&job), (40, 8));
}
