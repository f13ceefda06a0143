//! Sixty nights in a world that nobody watches: lists that come half-written, servers that are away
//! or lie, clocks that jump, processes that are killed, jobs that change. An oracle that knows what
//! is true looks at what every start left.
//!
//! Store, run and files are the real ones; time and the server are simulated, and the server's
//! answers go through the program's own look into them. `NIGHTS_CASES` says how many scripts are
//! tried, and none are without it; scripts that failed once are in `kept`.

mod answers;
mod export;
mod kept;
mod operator;
mod oracle;
mod play;
mod published;
mod quiet;
mod say;
mod scene;
mod script;
mod tally;
mod truth;

use std::cell::RefCell;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use self::play::play;
use self::tally::Tally;

#[test]
fn nothing_wrong_is_published_in_sixty_nights() {
    let cases = std::env::var("NIGHTS_CASES").ok();
    let Some(cases) = cases.and_then(|cases| cases.parse().ok()) else {
        eprintln!("skipped: NIGHTS_CASES does not say how many scripts to try");
        return;
    };
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 300,
        max_shrink_time: 60_000,
        ..Config::default()
    });
    let tally = RefCell::new(Tally::default());
    let result = runner.run(&script::script(), |script| {
        tally
            .borrow_mut()
            .add(&play(&script).map_err(TestCaseError::fail)?);
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
    let tally = tally.into_inner();
    for what in ["good night", "accepted"] {
        assert!(tally.times(what) > 0, "{what} never came about: {tally:?}");
    }
}

#[test]
fn scripts_that_failed_once() {
    for (what, script) in kept::scripts() {
        if let Err(wrong) = play(&script) {
            panic!("{what}: {wrong}");
        }
    }
}
