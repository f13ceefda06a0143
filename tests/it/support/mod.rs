//! What the themes share: a job in a folder of its own and the program that runs it; what it
//! publishes is read in `export`. The server on the other side is `mock`'s matter.

mod export;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub(crate) use self::export::{Export, Row};
use crate::mock::Mock;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_superoffice-export");

/// A run that takes longer than this hangs.
const LONGEST_RUN: Duration = Duration::from_mins(2);

/// A job file with its input and its output, in a folder of their own that goes away with the
/// value.
pub(crate) struct Job {
    folder: TempDir,
    keys: BTreeMap<String, String>,
    environment: Vec<(String, String)>,
}

impl Job {
    /// A job that asks this mock.
    pub(crate) fn against(mock: &Mock) -> Self {
        Self::new(&mock.url())
    }

    /// A job that asks the embedded SuperOffice.
    pub(crate) fn sandbox() -> Self {
        Self::new("sandbox")
    }

    /// A job that asks this address, with retries that do not wait.
    pub(crate) fn new(base_url: &str) -> Self {
        let job = Self {
            folder: tempfile::tempdir().unwrap(),
            keys: BTreeMap::new(),
            environment: Vec::new(),
        };
        job.with("source.path = \"contacts.csv\"")
            .with("output.dir = \"exports\"")
            .with("fetch.retry_delay = \"1ms\"")
            // No other calls than those for contacts; `without` it, the installation is asked.
            .with("api.time_zone = \"UTC\"")
            .with(&format!("api.base_url = \"{base_url}\""))
            .ids(1..=3)
    }

    /// Sets a key, as in `fetch.max_attempts = 2`.
    pub(crate) fn with(mut self, line: &str) -> Self {
        let (key, value) = line.split_once(" = ").unwrap();
        self.keys.insert(key.to_owned(), value.to_owned());
        std::fs::write(self.path("job.toml"), self.text()).unwrap();
        self
    }

    /// Leaves a key out.
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.keys.remove(key);
        std::fs::write(self.path("job.toml"), self.text()).unwrap();
        self
    }

    /// The job file as it stands here, in place of the keys.
    pub(crate) fn text_of_job(self, text: &str) -> Self {
        std::fs::write(self.path("job.toml"), text).unwrap();
        self
    }

    /// The input: these contacts.
    pub(crate) fn ids(self, ids: impl IntoIterator<Item = i64>) -> Self {
        let text = ids
            .into_iter()
            .fold(String::from("contactId\n"), |text, id| {
                text + &format!("{id}\n")
            });
        self.csv(text)
    }

    /// The input: these bytes.
    pub(crate) fn csv(self, bytes: impl AsRef<[u8]>) -> Self {
        self.file("contacts.csv", bytes)
    }

    /// A file beside the job, readable by its owner alone.
    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        use std::os::unix::fs::PermissionsExt as _;

        std::fs::write(self.path(name), bytes).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    /// An environment variable of the program.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The path of this name in the job's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the job.
    pub(crate) fn run(&self) -> Finished {
        self.run_with(&[])
    }

    /// Runs the job with more arguments.
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Finished {
        self.finish(self.start_with(arguments))
    }

    /// Starts the job; [`Job::finish`] waits for it.
    pub(crate) fn start_with(&self, arguments: &[&str]) -> Child {
        self.command()
            .args(["run", "job.toml"])
            .args(arguments)
            .spawn()
            .unwrap()
    }

    /// The program in the job's folder, with nothing of this environment but what it needs.
    pub(crate) fn command(&self) -> Command {
        let mut command = program(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Waits for the end of a run.
    pub(crate) fn finish(&self, child: Child) -> Finished {
        Finished::new(&wait(child), self.folder.path())
    }

    /// Runs the job until so many requests were made, and interrupts it.
    pub(crate) fn cut_off(&self, mock: &Mock, calls: usize) -> Finished {
        self.cut_off_with(&[], mock, calls)
    }

    /// The same, with more arguments.
    pub(crate) fn cut_off_with(&self, arguments: &[&str], mock: &Mock, calls: usize) -> Finished {
        self.signalled(Signal::INT, arguments, mock, calls)
            .expect(130)
    }

    /// Runs the job until so many requests were made, and kills it.
    pub(crate) fn killed(&self, arguments: &[&str], mock: &Mock, calls: usize) {
        let killed = self.signalled(Signal::KILL, arguments, mock, calls);
        assert_eq!(killed.code, None, "{}", killed.all());
    }

    fn signalled(&self, signal: Signal, arguments: &[&str], mock: &Mock, calls: usize) -> Finished {
        let child = self.start_with(arguments);
        mock.wait_for_calls(calls);
        kill_process(Pid::from_child(&child), signal).unwrap();
        self.finish(child)
    }

    /// The state.
    pub(crate) fn state(&self) -> Connection {
        Connection::open(self.path("exports/state.sqlite")).unwrap()
    }

    /// A number that the state holds.
    #[track_caller]
    pub(crate) fn stored(&self, sql: &str) -> i64 {
        self.state().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Lets so many hours pass since everything that the state holds.
    pub(crate) fn let_hours_pass(&self, hours: i64) {
        let microseconds = hours * 3_600_000_000;
        let sql = format!(
            "UPDATE runs SET started_at = started_at - {microseconds},
                 answered_at = answered_at - {microseconds}, ended_at = ended_at - {microseconds};
             UPDATE responses SET fetched_at = fetched_at - {microseconds};
             UPDATE endings SET ended_at = ended_at - {microseconds};
             UPDATE departed SET since = since - {microseconds};"
        );
        self.state().execute_batch(&sql).unwrap();
    }

    /// The names of the published runs.
    pub(crate) fn runs(&self) -> Vec<String> {
        let Ok(runs) = std::fs::read_dir(self.path("exports/runs")) else {
            return Vec::new();
        };
        let mut names: Vec<_> = runs
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What `latest` leads to.
    pub(crate) fn latest(&self) -> PathBuf {
        std::fs::read_link(self.path("exports/latest")).unwrap()
    }

    /// The export that the run published last.
    pub(crate) fn export(&self) -> Export {
        Export::open(&self.path("exports/latest"))
    }

    /// The names in the output folder; none where there is no such folder.
    pub(crate) fn written(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.path("exports")) else {
            return Vec::new();
        };
        let mut names: Vec<_> = folder
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn text(&self) -> String {
        // Dotted keys, so that any key can be set on a line of its own. The zone comes last: it is
        // ours, and counts as no line of the test's.
        let (ours, others): (Vec<_>, Vec<_>) = self
            .keys
            .iter()
            .partition(|(key, _)| *key == "api.time_zone");
        others
            .iter()
            .chain(&ours)
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect::<Vec<_>>()
            .concat()
    }
}

/// The program in this folder, with nothing of this environment but what it needs.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    let kept = ["PATH", "HOME"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.current_dir(folder).env_clear().envs(kept);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Holds a process where it stands, until it gets `SIGCONT`; it has to live.
fn hold(child: &Child) {
    let process = Pid::from_child(child);
    kill_process(process, Signal::STOP).unwrap();
    let status = format!("/proc/{}/stat", child.id());
    // The letter after the name tells its state: T is stopped, Z is dead.
    while let Ok(status) = std::fs::read_to_string(&status) {
        let rest = status.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if rest.starts_with(['T', 'Z']) {
            break;
        }
        std::thread::yield_now();
    }
}

/// Lets a process go on by small steps until something is so, and holds it there; false where it
/// ended before. It stands still while it is looked at, so that it gets away from nobody who is
/// slow.
pub(crate) fn hold_when(child: &mut Child, is_so: impl Fn() -> bool) -> bool {
    loop {
        hold(child);
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if is_so() {
            return true;
        }
        kill_process(Pid::from_child(child), Signal::CONT).unwrap();
        std::thread::yield_now();
    }
}

/// Runs the program with these arguments alone.
pub(crate) fn run_program(arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    Finished::new(
        &wait(program(folder.path()).args(arguments).spawn().unwrap()),
        folder.path(),
    )
}

/// Waits for the end of a process; one that hangs is ended, and fails the test by its exit code.
fn wait(child: Child) -> Output {
    let process = Pid::from_child(&child);
    let (ended, watch) = mpsc::sync_channel(1);
    let watchdog = std::thread::spawn(move || {
        if watch.recv_timeout(LONGEST_RUN).is_err() {
            kill_process(process, Signal::KILL).unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    ended.send(()).unwrap();
    watchdog.join().unwrap();
    output
}

/// How the program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it told: folder, addresses and times replaced by words.
    pub(crate) stderr: String,
}

impl Finished {
    fn new(output: &Output, folder: &Path) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: stable(&text(&output.stderr), folder),
        }
    }

    /// Fails with all that was said, unless the program ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}", self.all());
        self
    }

    /// Fails with all that was said, unless all of this was.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "not said: {text}\n{}",
                self.all()
            );
        }
        self
    }

    /// Exit code, stdout and stderr, for snapshots.
    pub(crate) fn all(&self) -> String {
        let mut all = format!(
            "exit {}\n",
            self.code
                .map_or("by signal".to_owned(), |code| code.to_string())
        );
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(all, "--- {name}\n{text}").unwrap();
            }
        }
        all
    }
}

/// The text without what differs from run to run: the folder, the mock's port, the time before a
/// log line.
fn stable(text: &str, folder: &Path) -> String {
    let mut stable = String::new();
    for line in text
        .replace(&*folder.to_string_lossy(), "[folder]")
        .split_inclusive('\n')
    {
        let is_time = |word: &str| word.ends_with('Z') && word.parse::<Timestamp>().is_ok();
        let line = line
            .split_once(' ')
            .filter(|(word, _)| is_time(word))
            .map_or(line, |(_, rest)| rest.trim_start());
        let mut parts = line.split("127.0.0.1:");
        stable.push_str(parts.next().unwrap());
        for part in parts {
            write!(
                stable,
                "[mock]{}",
                part.trim_start_matches(|c: char| c.is_ascii_digit())
            )
            .unwrap();
        }
    }
    stable
}

/// The bytes, compressed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
