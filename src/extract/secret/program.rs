//! A program that prints a secret: run without a terminal, for a while at most, and ended together
//! with all that it started. What it complains of is told in a line, without what may be secret.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::extract::waiting::{Stop, Waited, wait_for};

/// No secret is longer; a program that prints more is the wrong one.
const LONGEST_OUTPUT: u64 = 1 << 20;
/// As much as is told of a complaint.
const LONGEST_COMPLAINT: usize = 200;
/// Words from this length on that have letters and digits look like a token. Set by hand.
const LONG_WORD: usize = 16;
/// An argument that is shorter is no secret, and may be part of any word.
const SHORT_ARGUMENT: usize = 4;

/// How a program ended that was to print a secret.
pub(super) enum Ended {
    /// It printed this.
    Well(Vec<u8>),
    /// It failed, and complained of this.
    Failed(ExitStatus, String),
    /// It was ended since it took too long; it had complained of this.
    Late(String),
    /// It was ended since somebody asked to stop.
    Stopped,
}

/// A program that prints a secret.
pub(super) struct Program<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a [String],
    /// Where it is run.
    pub(super) folder: &'a Path,
}

impl Program<'_> {
    /// Runs it and gives what it prints; after so long it is ended.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub(super) fn run(&self, most: Duration, stop: &Stop) -> io::Result<Ended> {
        let mut child = Command::new(self.name)
            .args(self.arguments)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()?;
        let group = Pid::from_child(&child);
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let collected = collect(&mut child, &complaints)
            .and_then(|output| wait_for(stop, Some(most), move || ended(child, output)));
        let waited = collected.inspect_err(|_| end_all(group))?;
        let complaint = |output: &[u8]| {
            let said = complaints.lock().unwrap_or_else(PoisonError::into_inner);
            told(&said, self.arguments, output)
        };
        Ok(match waited {
            Waited::Done(ended) => {
                let (status, output) = ended?;
                if status.success() {
                    Ended::Well(output)
                } else {
                    Ended::Failed(status, complaint(&output))
                }
            }
            Waited::Late => {
                end_all(group);
                Ended::Late(complaint(&[]))
            }
            Waited::Stopped => {
                end_all(group);
                Ended::Stopped
            }
        })
    }
}

/// Ends every process of the group; there may be none left.
fn end_all(group: Pid) {
    kill_process_group(group, Signal::KILL).unwrap_or_default();
}

type OutputReader = thread::JoinHandle<io::Result<Vec<u8>>>;

/// Reads on threads of their own what the program prints and what it complains of, so that it never
/// waits for a reader.
fn collect(child: &mut Child, complaints: &Arc<Mutex<Vec<u8>>>) -> io::Result<OutputReader> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let complaints = Arc::clone(complaints);
    thread::Builder::new().spawn(move || {
        let mut part = [0; 1024];
        let mut stderr = stderr.expect("it is piped");
        while let Ok(size @ 1..) = stderr.read(&mut part) {
            let mut said = complaints.lock().unwrap_or_else(PoisonError::into_inner);
            // The first line is told; the rest is read so that the program can go on.
            if said.len() < 8 * LONGEST_COMPLAINT {
                said.extend_from_slice(part.get(..size).unwrap_or_default());
            }
        }
    })?;
    thread::Builder::new().spawn(move || {
        let mut output = Vec::new();
        let mut stdout = stdout.expect("it is piped");
        stdout
            .by_ref()
            .take(LONGEST_OUTPUT)
            .read_to_end(&mut output)?;
        io::copy(&mut stdout, &mut io::sink())?;
        Ok(output)
    })
}

/// Waits for the program, and then for its output: what it left running may hold that open, and is
/// not waited for.
fn ended(mut child: Child, output: OutputReader) -> io::Result<(ExitStatus, Vec<u8>)> {
    let group = Pid::from_child(&child);
    let status = child.wait()?;
    end_all(group);
    let output = output.join().map_err(|_| io::ErrorKind::Other)??;
    Ok((status, output))
}

/// The first line of a complaint as it may be told; nothing where there is none.
fn told(complaints: &[u8], arguments: &[String], output: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaints);
    let printed = String::from_utf8_lossy(output);
    let Some(line) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return String::new();
    };
    let secrets = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| argument.len() >= SHORT_ARGUMENT)
        .chain(
            printed
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty()),
        );
    let line = secrets.fold(line.to_owned(), |line, secret| line.replace(secret, "…"));
    let words = line.split_whitespace().scan(false, |is_named, word| {
        let is_secret = *is_named || may_be_secret(word);
        *is_named = names_a_secret(word);
        Some(if is_secret { "…" } else { word })
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(LONGEST_COMPLAINT).collect();
    format!("; it said: {}", shown.escape_debug())
}

/// Whether a word looks like a token or holds one, as in `token=…` or `https://user:password@host`.
fn may_be_secret(word: &str) -> bool {
    let has = |wanted: fn(&char) -> bool| word.chars().any(|c| wanted(&c));
    let is_token = word.len() >= LONG_WORD
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && !word.starts_with('/');
    let is_given = word
        .split_once(['=', ':'])
        .is_some_and(|(name, value)| !value.is_empty() && names_a_secret(&format!("{name}:")));
    is_token || is_given || (word.contains('@') && word.contains(':'))
}

/// Whether the next word is probably a secret, as after `password:`.
fn names_a_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let is_name = word.ends_with([':', '=']) && !word.starts_with('/')
        || matches!(word.as_str(), "bearer" | "basic");
    let names = ["pass", "token", "secret", "key", "auth", "bearer", "basic"];
    is_name && names.iter().any(|name| word.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::waiting::never;

    /// Runs a script of the shell, for so long at most.
    fn run(script: &str, most: Duration) -> Ended {
        let program = Program {
            name: "sh",
            arguments: &["-c".to_owned(), script.to_owned()],
            folder: Path::new("/"),
        };
        program.run(most, &never()).unwrap()
    }

    /// Whether a process of this number is there, other than as one that nobody has waited for.
    fn is_running(process: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{process}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!(
            "sleep 300 & echo $! > {0}.new; mv {0}.new {0}; echo sealed >&2; wait",
            started.display()
        );
        let Ended::Late(said) = run(&script, Duration::from_secs(2)) else {
            panic!("it did not hang");
        };
        assert_eq!(said, "; it said: sealed");
        let process = std::fs::read_to_string(&started).unwrap();
        // The system may take a moment to end it.
        while is_running(process.trim()) {
            thread::yield_now();
        }
    }

    #[test]
    fn what_a_program_leaves_running_is_not_waited_for() {
        let Ended::Well(output) = run("echo abc; sleep 300 &", Duration::from_secs(100)) else {
            panic!("it did not end well");
        };
        assert_eq!(output, b"abc\n");
    }

    #[test]
    fn a_complaint_is_told_without_what_may_be_secret() {
        let cases = [
            ("", ""),
            ("\n  \nvault: sealed\nmore", "; it said: vault: sealed"),
            ("cannot use hunter2", "; it said: cannot use …"),
            ("printed: abc", "; it said: printed: …"),
            ("password: x1", "; it said: password: …"),
            ("use --token=x1", "; it said: use …"),
            ("Authorization: Bearer abc", "; it said: Authorization: … …"),
            ("no https://kari:x1@vault.example/v1", "; it said: no …"),
            (
                "permission denied for hvs.CAESIJ83hd93jd",
                "; it said: permission denied for …",
            ),
            (
                "cat: /run/secrets/superoffice-2026/token: No such file",
                "; it said: cat: /run/secrets/superoffice-2026/token: No such file",
            ),
            ("\u{1b}[2J", "; it said: \\u{1b}[2J"),
        ];
        let arguments = ["-c".to_owned(), "hunter2".to_owned()];
        for (complaint, expected) in cases {
            assert_eq!(
                told(complaint.as_bytes(), &arguments, b"abc\n"),
                expected,
                "{complaint:?}"
            );
        }
        let long = told("x ".repeat(500).as_bytes(), &[], b"");
        assert!(long.len() < LONGEST_COMPLAINT + 20, "{long}");
    }
}
