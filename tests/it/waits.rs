//! Waits without an end of their own: a program that prints no secret, a pipe that nobody writes to.
//! The first signal ends each of them, and whoever waits keeps nobody else from running.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::mock::{Answer, Mock};
use crate::support::Job;

/// Longest wait for something that has to happen.
const PATIENCE: Duration = Duration::from_mins(1);

fn wait_until(child: &mut Child, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "ended before that: {ended:?}");
        assert!(began.elapsed() < PATIENCE, "that does not happen");
        std::thread::yield_now();
    }
}

/// Whether the process takes SIGTERM into its own hands.
fn listens(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & 1 << (15 - 1) != 0)
}

/// Whether the process has a thread of this name.
fn has_thread(process: u32, name: &str) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return false;
    };
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
        .any(|thread| thread.trim_end() == name)
}

fn is_running(process: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

fn fifo(path: &Path) {
    let made = Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

/// Sends one SIGTERM and expects that it is enough.
#[track_caller]
fn interrupt(job: &Job, child: Child) {
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = job.finish(child).expect(130);
    assert!(ended.stderr.contains("interrupted"), "{}", ended.all());
}

/// A program that notes its child and never ends.
const HANGS: &str = "sleep 300 & echo $! > started.new; mv started.new started; wait";

fn hanging(mock: &Mock, script: &str) -> Job {
    let command = format!("{{ command = [\"sh\", \"-c\", \"{script}\"] }}");
    Job::against(mock)
        .with("api.auth.scheme = \"bearer\"")
        .with(&format!("api.auth.token = {command}"))
}

fn noted(job: &Job) -> String {
    let noted = std::fs::read_to_string(job.path("started")).unwrap();
    noted.trim().to_owned()
}

fn expect_end_of(process: &str) {
    let began = Instant::now();
    while is_running(process) {
        assert!(began.elapsed() < PATIENCE, "{process} goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_hangs_ends_with_the_run_and_the_check() {
    let mock = Mock::healthy();
    for verb in ["run", "check"] {
        let job = hanging(&mock, HANGS);
        let mut child = job.command().args([verb, "job.toml"]).spawn().unwrap();
        wait_until(&mut child, || job.path("started").exists());
        interrupt(&job, child);
        expect_end_of(&noted(&job));
    }
    assert_eq!(mock.calls(), 0);
}

#[test]
fn a_program_that_hangs_when_it_is_asked_again_ends_with_the_run() {
    let mock = Mock::answering(|request| match request.call {
        1 => Answer::summary(request.contact_id),
        _ => Answer::status(401),
    });
    let job = hanging(&mock, &format!("mkdir first && echo abc && exit; {HANGS}"));
    let job = job.with("fetch.max_in_flight = 1");
    let mut child = job.start_with(&[]);
    wait_until(&mut child, || job.path("started").exists());
    assert!(mock.calls() > 0);
    interrupt(&job, child);
    expect_end_of(&noted(&job));
}

#[test]
fn a_program_that_fails_is_told_with_its_complaint() {
    let mock = Mock::healthy();
    let job = hanging(&mock, "echo 'vault: token=hunter2 is revoked' >&2; exit 3");
    let said = job.run().expect(2).all();
    let expected = "`api.auth.token`: sh failed (exit status: 3); it said: vault: … is revoked";
    assert!(said.contains(expected), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_ends_with_the_first_signal() {
    let mock = Mock::healthy();
    let source = || Job::against(&mock).with("source.path = \"pipe\"");
    let secret = || {
        Job::against(&mock)
            .with("api.auth.scheme = \"bearer\"")
            .with("api.auth.token = { file = \"pipe\" }")
    };
    for verb in ["run", "check"] {
        for job in [source(), secret()] {
            fifo(&job.path("pipe"));
            // Nobody opens the other end, …
            let mut child = job.command().args([verb, "job.toml"]).spawn().unwrap();
            let process = child.id();
            wait_until(&mut child, || {
                listens(process) && has_thread(process, "waiting")
            });
            interrupt(&job, child);
            // … or somebody does and writes nothing.
            let mut child = job.command().args([verb, "job.toml"]).spawn().unwrap();
            let open = || {
                OpenOptions::new()
                    .write(true)
                    .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
                    .open(job.path("pipe"))
            };
            let process = child.id();
            // Held from the first time on: to let go of it again would end what is read.
            let mut held: Option<File> = None;
            wait_until(&mut child, || {
                if listens(process) {
                    held = held.take().or_else(|| open().ok());
                }
                held.is_some()
            });
            interrupt(&job, child);
            drop(held);
        }
    }
    assert_eq!(mock.calls(), 0);
}

#[test]
fn a_silent_standard_input_holds_no_lock_and_ends_with_the_first_signal() {
    let mock = Mock::healthy();
    let job = Job::against(&mock);
    let start = || {
        let mut command = job.command();
        command.args(["run", "job.toml", "--source", "-"]);
        command.stdin(Stdio::piped()).spawn().unwrap()
    };
    let mut silent = start();
    let process = silent.id();
    wait_until(&mut silent, || {
        listens(process) && has_thread(process, "pipe")
    });
    // Somebody else runs the same job meanwhile.
    job.run().expect(0);
    let input = silent.stdin.take();
    interrupt(&job, silent);
    drop(input);

    // A list that stops in its middle, when the lock is taken.
    let mut stalled = start();
    let process = stalled.id();
    let lines: Vec<_> = (1..100_000).map(|id| format!("{id}\n")).collect();
    let lines = lines.concat();
    let mut input = stalled.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    wait_until(&mut stalled, || {
        let holder = std::fs::read_to_string(job.path("exports/state.lock"));
        holder.is_ok_and(|holder| holder.starts_with(&format!("process {process},")))
    });
    interrupt(&job, stalled);
    drop(input);
    assert_eq!(mock.calls(), 3);
}
