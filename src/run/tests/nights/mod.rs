//! Sixty nights in a world that nobody watches: lists that come half-written, servers that are away
//! or lie, clocks that jump, processes that are killed, jobs that change. An oracle that knows what
//! is true looks at what every start left.
//!
//! Store, run and files are the real ones; time and the server are simulated, and the server's
//! answers go through the program's own look into them. The same scripts are played each time;
//! `NIGHTS_CASES` says how many others are played instead, of the seed `NIGHTS_SEED` and the next
//! ones, or from one on that is drawn. Scripts that failed once are in `kept`.

mod answers;
mod export;
mod kept;
mod list;
mod operator;
mod oracle;
mod play;
mod published;
mod quiet;
mod say;
mod scene;
mod script;
mod server;
mod tally;
mod truth;
mod turns;

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::play::play;
use self::tally::Tally;

/// How many scripts are played each time: those of the seeds from 0 on.
const CASES: u64 = 16;

/// Plays the script of a seed. One that fails is shrunk, and told with its seed.
fn play_seed(seed: u64) -> Result<Tally, String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 400,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let tally = RefCell::default();
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&script::script(), |script| {
        tally.replace(play(&script).map_err(TestCaseError::fail)?);
        Ok(())
    });
    match result {
        Ok(()) => Ok(tally.into_inner()),
        Err(failed) => Err(format!("seed {seed}: {failed}")),
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("it is a number"))
}

#[test]
fn nothing_wrong_is_published_in_sixty_nights() {
    let cases = number("NIGHTS_CASES");
    let drawn = cases.map(|_| fastrand::u64(..1_000_000_000));
    let first = number("NIGHTS_SEED").or(drawn).unwrap_or(0);
    let end = first + cases.unwrap_or(CASES);
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    let play_some = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return Ok(());
            }
            match play_seed(seed) {
                Ok(of_seed) => tally.lock().unwrap().add(&of_seed),
                Err(failed) => {
                    next.store(end, Ordering::Relaxed);
                    return Err(failed);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed = std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(play_some)).collect();
        let ends = players.into_iter().map(|player| player.join().unwrap());
        ends.filter_map(Result::err).collect::<Vec<_>>()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let tally = tally.into_inner().unwrap();
    println!("seeds {first}..{end}: {tally:?}");
    let never = tally.never();
    assert!(never.is_empty(), "void, since there was never: {never:?}");
}

#[test]
fn scripts_that_failed_once() {
    for (what, script) in kept::scripts() {
        if let Err(wrong) = play(&script) {
            panic!("{what}: {wrong}");
        }
    }
}
