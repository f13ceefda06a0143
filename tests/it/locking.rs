//! One run per job, whatever somebody does to its files meanwhile; and who may look on.

use crate::mock::{Answer, Mock};
use crate::support::Job;

fn withholding() -> Mock {
    Mock::answering(|request| Answer::summary(request.contact_id).held())
}

#[test]
fn a_lock_that_is_removed_by_hand_lets_no_second_run_in() {
    let mock = withholding();
    let job = Job::against(&mock);
    let first = job.start_with(&[]);
    mock.wait_for_calls(3);
    std::fs::remove_file(job.path("exports/state.lock")).unwrap();
    for arguments in [["--offline"].as_slice(), &["--fresh"], &[]] {
        let second = job.run_with(arguments).expect(3);
        let told = "another run of this job is under way (or a check of it; \
                    `state.lock` does not tell); it holds ./exports";
        assert!(second.stderr.contains(told), "{}", second.all());
        assert!(!job.path("exports/state.lock").exists());
    }
    // Nor one that somebody put in its place, with another name in it.
    std::fs::write(job.path("exports/state.lock"), "process 1, since then").unwrap();
    let second = job.run().expect(3);
    assert!(!second.stderr.contains("process 1"), "{}", second.all());
    assert_eq!(mock.calls(), 3);
    mock.release();
    job.finish(first).expect(0);
    job.run().expect(0);
}
