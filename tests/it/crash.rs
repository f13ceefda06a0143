//! Runs that are killed at any moment, interrupted, started twice or read while they publish:
//! nothing is lost, nothing is paid for twice, and nobody sees half an export.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use superoffice_export::load::verify::verify;

use crate::mock::{Answer, Mock, summary};
use crate::support::{Job, hold_when};

/// Longest wait for something that has to happen.
const PATIENCE: Duration = Duration::from_mins(1);
/// Contacts of a job that is killed again and again.
const TARGETS: i64 = 160;
/// Jobs that are killed, side by side.
const JOBS: u64 = 10;

/// How often a moment is waited for that may go by unseen.
const TRIES: usize = 40;

fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until this is so, or the process has ended; says whether it was so while the process
/// lived.
fn wait_until(child: &mut Child, is_so: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !is_so() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "what the test waits for does not happen"
        );
        std::thread::yield_now();
    }
    child.try_wait().unwrap().is_none()
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn published(job: &Job) -> Vec<String> {
    names(&job.path("exports/runs"))
        .into_iter()
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// The contacts whose answers are in the state as it is on the disk. A copy is read, so that the
/// crash stays as it is.
fn stored(job: &Job) -> BTreeSet<i64> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["state.sqlite", "state.sqlite-wal"] {
        if job.path("exports").join(name).exists() {
            std::fs::copy(job.path("exports").join(name), copy.path().join(name)).unwrap();
        }
    }
    let Ok(state) = Connection::open_with_flags(
        copy.path().join("state.sqlite"),
        OpenFlags::SQLITE_OPEN_READ_WRITE,
    ) else {
        return BTreeSet::new();
    };
    state
        .prepare("SELECT contact_id FROM responses")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The moment of a kill.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The lock is taken: the state is opened or made, the list is read.
    Locked,
    /// So many more requests were made.
    Calls(usize),
    /// The export is in the making, with so many files.
    Files(usize),
    /// The export has its name.
    Named,
}

impl Moment {
    fn has_come(self, process: u32, job: &Job, mock: &Mock, calls_before: usize) -> bool {
        let folder = job.path("exports/runs");
        match self {
            Self::Locked => {
                let holder = std::fs::read_to_string(job.path("exports/state.lock"));
                holder.is_ok_and(|holder| holder.starts_with(&format!("process {process},")))
            }
            Self::Calls(calls) => mock.calls() >= calls_before + calls,
            Self::Files(files) => names(&folder)
                .iter()
                .any(|name| name.starts_with('.') && names(&folder.join(name)).len() >= files),
            Self::Named => !published(job).is_empty(),
        }
    }
}

/// Kills a job at these moments and lets it end; gives how often it was killed.
fn kill_and_go_on(seed: u64, expected: &BTreeMap<String, Vec<u8>>) -> usize {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .ids(1..=TARGETS)
        .with("fetch.requests_per_second = 50")
        .with("fetch.max_in_flight = 4");
    let mut moments = vec![
        Moment::Locked,
        Moment::Calls(dice.usize(1..20)),
        Moment::Calls(dice.usize(55..90)),
        Moment::Calls(dice.usize(1..60)),
    ];
    moments.extend([
        Moment::Files(0),
        Moment::Files(dice.usize(1..8)),
        Moment::Files(8),
        Moment::Named,
    ]);
    let mut kills = 0;
    // Contacts that were stored before the last start, with the requests made for them until then.
    let mut settled = BTreeMap::new();
    for moment in moments {
        let calls_before = mock.calls();
        let mut child = job.start_with(&[]);
        let process = child.id();
        if wait_until(&mut child, || {
            moment.has_come(process, &job, &mock, calls_before)
        }) {
            send(Signal::KILL, &child);
        }
        kills += usize::from(job.finish(child).code.is_none());
        for (contact_id, calls) in &settled {
            assert_eq!(
                mock.calls_for(*contact_id),
                *calls,
                "contact {contact_id} was stored, and fetched again after {moment:?}"
            );
        }
        settled = stored(&job)
            .into_iter()
            .map(|contact_id| (contact_id, mock.calls_for(contact_id)))
            .collect();
        if !published(&job).is_empty() {
            break;
        }
    }
    let made = published(&job);
    if made.is_empty() {
        job.run().expect(0);
        assert_eq!(published(&job).len(), 1, "seed {seed}");
    } else {
        // It died, or ended, after it was published: that is not made again, and the next export
        // comes beside it.
        job.run_with(&["--offline"]).expect(0);
        assert_eq!(published(&job).len(), 2, "seed {seed}");
        assert!(published(&job).contains(&made[0]), "seed {seed}");
    }
    assert_eq!(&job.export().bytes_of_tables(), expected, "seed {seed}");
    let verified = verify(&job.path("exports")).unwrap();
    assert_eq!(verified.differences, [], "seed {seed}");
    assert_eq!(verified.manifest.outcomes.exported, TARGETS.unsigned_abs());
    kills
}

#[test]
fn killed_at_any_moment_it_ends_as_if_it_was_not() {
    let mock = Mock::healthy();
    let whole = Job::against(&mock).ids(1..=TARGETS);
    whole.run().expect(0);
    assert_eq!(mock.calls(), usize::try_from(TARGETS).unwrap());
    let expected = whole.export().bytes_of_tables();
    assert_eq!(expected.len(), 6);
    let kills = std::thread::scope(|scope| {
        let expected = &expected;
        let jobs: Vec<_> = (1..=JOBS)
            .map(|seed| scope.spawn(move || kill_and_go_on(seed, expected)))
            .collect();
        jobs.into_iter()
            .map(|job| job.join().unwrap())
            .sum::<usize>()
    });
    println!("{kills} kills");
    assert!(kills >= 40, "only {kills} kills");
}

#[test]
fn answers_are_stored_while_others_are_waited_for() {
    let mock = Mock::answering(|request| {
        let answer = Answer::summary(request.contact_id);
        if request.contact_id == 3 {
            answer.held()
        } else {
            answer
        }
    });
    let job = Job::against(&mock);
    let mut child = job.start_with(&[]);
    // Nothing ends and no batch is full: they are stored because time passes.
    assert!(wait_until(&mut child, || job
        .path("exports/state.sqlite")
        .exists()
        && stored(&job).len() == 2));
    send(Signal::KILL, &child);
    assert_eq!(job.finish(child).code, None);
    mock.release();
    job.run().expect(0);
    assert_eq!(
        [1, 2, 3].map(|contact_id| mock.calls_for(contact_id)),
        [1, 1, 2]
    );
}

/// A server that answers four requests, and withholds everything after that.
fn withholding() -> Mock {
    Mock::answering(|request| {
        let answer = Answer::summary(request.contact_id);
        if request.call > 4 {
            answer.held()
        } else {
            answer
        }
    })
}

#[test]
fn the_first_signal_stops_sending_and_stores_what_came() {
    for signal in [Signal::INT, Signal::TERM] {
        let mock = withholding();
        let job = Job::against(&mock)
            .ids(1..=20)
            .with("fetch.max_in_flight = 4");
        let child = job.start_with(&[]);
        mock.wait_for_calls(8);
        send(signal, &child);
        // The four in flight never come: they are waited for, but not for ever.
        let ended = job.finish(child).expect(130);
        assert!(
            ended.stderr.contains("error: interrupted")
                && ended.stderr.contains("the same command again"),
            "{}",
            ended.stderr
        );
        assert_eq!(
            (mock.calls(), stored(&job).len(), published(&job).len()),
            (8, 4, 0)
        );
        mock.release();
        job.run().expect(0);
        assert_eq!(mock.calls(), 24);
    }
}

#[test]
fn answers_in_flight_at_the_signal_are_stored() {
    let mock = withholding();
    let job = Job::against(&mock)
        .ids(1..=8)
        .with("fetch.max_in_flight = 4");
    let child = job.start_with(&[]);
    mock.wait_for_calls(8);
    send(Signal::INT, &child);
    mock.release();
    // Whether the signal or the answers came first: all eight were asked for, and came.
    let ended = job.finish(child);
    assert!(matches!(ended.code, Some(0 | 130)), "{ended:?}");
    if ended.code == Some(130) {
        assert_eq!((stored(&job).len(), published(&job).len()), (8, 0));
        job.run().expect(0);
    }
    assert_eq!(mock.calls(), 8);
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let mock = withholding();
    let job = Job::against(&mock)
        .ids(1..=20)
        .with("fetch.max_in_flight = 4");
    let child = job.start_with(&[]);
    mock.wait_for_calls(8);
    send(Signal::INT, &child);
    send(Signal::TERM, &child);
    let ended = job.finish(child).expect(130);
    assert!(
        !ended.stderr.contains("interrupted"),
        "it does not even say so: {}",
        ended.stderr
    );
    mock.release();
    job.run().expect(0);
}

/// Interrupts a run that has nothing to fetch at this moment; says whether it was caught in it and
/// ended for it, rather than being faster.
fn interrupt_at(moment: Moment, job: &Job, mock: &Mock) -> bool {
    // What the run before left is no sign of this one.
    let runs = job.path("exports/runs");
    let is_partial = |name: &String| name.starts_with('.');
    for left in names(&runs).iter().filter(|name| is_partial(name)) {
        std::fs::remove_dir_all(runs.join(left)).unwrap();
    }
    let before = published(job).len();
    let mut child = job.start_with(&["--max-age", "1h"]);
    let process = child.id();
    let mut is_caught = false;
    if hold_when(&mut child, || moment.has_come(process, job, mock, 0)) {
        // It goes on with the signal waiting for it.
        let is_making = names(&runs).iter().any(is_partial);
        is_caught = is_making == !matches!(moment, Moment::Locked);
        send(Signal::TERM, &child);
        send(Signal::CONT, &child);
    }
    let code = job.finish(child).code;
    assert_eq!(
        published(job).len() - before,
        usize::from(code == Some(0)),
        "{moment:?}: {code:?}"
    );
    assert_eq!(verify(&job.path("exports")).unwrap().differences, []);
    is_caught && code == Some(130)
}

#[test]
fn a_signal_in_any_phase_leaves_no_half_export() {
    let mock = Mock::healthy();
    let job = Job::against(&mock)
        .ids(1..=2_000)
        .with("output.keep = 1000");
    job.run().expect(0);
    let (calls, expected) = (mock.calls(), job.export().bytes_of_tables());
    for moment in [
        Moment::Locked,
        Moment::Files(0),
        Moment::Files(1),
        Moment::Files(5),
        Moment::Files(7),
    ] {
        let is_caught = (0..TRIES).any(|_| interrupt_at(moment, &job, &mock));
        assert!(is_caught, "no signal was caught at {moment:?}");
    }
    job.run_with(&["--max-age", "1h"]).expect(0);
    assert_eq!(
        (mock.calls(), job.export().bytes_of_tables()),
        (calls, expected)
    );
}

#[test]
fn a_signal_while_the_list_is_read_leaves_everything_as_it_was() {
    use std::io::Write as _;
    use std::process::Stdio;

    let mock = Mock::healthy();
    let job = Job::against(&mock).ids(1..=3);
    job.run().expect(0);
    let mut child = job
        .command()
        .args(["run", "job.toml", "--source", "-", "--max-age", "1h"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"contactId\n1\n").unwrap();
    let mut is_asked = false;
    // Lines without end, until nobody reads them any more.
    while input.write_all(&b"1\n".repeat(1_000)).is_ok() {
        if !is_asked && Moment::Locked.has_come(child.id(), &job, &mock, 0) {
            send(Signal::INT, &child);
            is_asked = true;
        }
    }
    job.finish(child).expect(130);
    assert_eq!(
        (published(&job).len(), stored(&job).len()),
        (1, 3),
        "nothing is published, nothing forgotten"
    );
}

#[test]
fn two_runs_of_a_job_exclude_each_other() {
    let mock = withholding();
    let job = Job::against(&mock).ids(1..=8);
    let first = job.start_with(&[]);
    mock.wait_for_calls(8);
    for arguments in [["--offline"].as_slice(), &["--fresh"], &[]] {
        let second = job.run_with(arguments).expect(3);
        let holder = format!(
            "another run of this job is under way (process {}, since 2",
            first.id()
        );
        assert!(
            second.stderr.contains(&holder) && second.stderr.contains("exports/state.lock"),
            "{}",
            second.stderr
        );
    }
    assert_eq!(mock.calls(), 8);
    mock.release();
    job.finish(first).expect(0);
    // The file stays; nobody holds it.
    assert!(job.path("exports/state.lock").exists());
    job.run().expect(0);
}

#[test]
fn a_reader_of_latest_never_sees_a_missing_or_half_export() {
    // Every night answers differ, so that files of two runs never fit together.
    let night = std::sync::Arc::new(AtomicUsize::new(0));
    let tonight = std::sync::Arc::clone(&night);
    let mock = Mock::answering(move |request| {
        let mut answer = summary(request.contact_id);
        answer["Contact"]["Department"] = format!("Natt {}", tonight.load(Ordering::SeqCst)).into();
        Answer::json(200, answer.to_string())
    });
    let job = Job::against(&mock).ids(1..=30).with("output.keep = 2");
    job.run().expect(0);
    let is_over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::SeqCst) {
                let run = std::fs::canonicalize(job.path("exports/latest")).unwrap();
                let verified = verify(&run);
                // A run that has two newer ones may go while it is read, but at once.
                if run.exists() {
                    assert_eq!(verified.unwrap().differences, []);
                    seen.insert(run);
                }
            }
            seen
        });
        for number in 1..=10 {
            night.store(number, Ordering::SeqCst);
            job.run().expect(0);
        }
        is_over.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    assert!(seen.len() > 1, "the reader saw no change");
    let pruned = seen.iter().filter(|run| !run.exists()).count();
    assert!(pruned > 0, "no run that the reader saw was pruned");
    assert_eq!(published(&job).len(), 2);
}
