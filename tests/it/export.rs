//! What a run publishes: counts, files, formats and the requests behind them, when nothing goes wrong.

use crate::mock::Mock;
use crate::support::Job;

#[test]
fn every_target_is_exported_with_one_call() {
    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=20);
    job.run().expect(0);
    assert_eq!(mock.calls(), 20);
    let export = job.export();
    assert_eq!(export.rows("contacts").len(), 20);
    assert_eq!(export.outcome(20), "exported - 200 after 1");
}
