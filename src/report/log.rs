//! The log: which lines are kept, how they are written, and that they go to stderr, above the bar
//! where there is one. Who logs what is told where it happens.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The bar that is on the screen, if one is: log lines have to go above it.
#[derive(Debug, Clone, Default)]
pub(super) struct CurrentBar(Arc<Mutex<Option<ProgressBar>>>);

impl CurrentBar {
    /// Puts this bar in the place of the one before.
    pub(super) fn set(&self, bar: Option<ProgressBar>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }
}

/// Begins the log of this process. Lines in a terminal do without the time: whoever sits there has
/// a clock.
pub(super) fn begin(format: LogFormat, level: Level, in_terminal: bool, bar: CurrentBar) {
    let lines = fmt::layer()
        .with_target(false)
        .with_ansi(false)
        .with_writer(LogLines { bar });
    let lines = match (format, in_terminal) {
        (LogFormat::Json, _) => lines.json().boxed(),
        (LogFormat::Text, true) => lines.without_time().boxed(),
        (LogFormat::Text, false) => lines.boxed(),
    };
    // The lines of libraries say nothing to the operator, and may hold what must not be logged.
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    // A second log in one process, as in tests, gives way to the first one.
    drop(tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(lines).with(own),
    ));
}

/// Writes log lines to stderr, above the bar where there is one.
#[derive(Debug, Clone)]
struct LogLines {
    bar: CurrentBar,
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &*self.bar.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(|| std::io::stderr().write(bytes)),
            None => std::io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// The log lines of what is done here on this thread: level and text.
#[cfg(test)]
pub(crate) fn logged(act: impl FnOnce()) -> Vec<String> {
    use std::io::{Read as _, Seek as _};

    let mut written = tempfile::tempfile().unwrap();
    let lines = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_target(false)
        .with_ansi(false)
        .without_time();
    tracing::subscriber::with_default(
        lines
            .with_writer(Arc::new(written.try_clone().unwrap()))
            .finish(),
        act,
    );
    let mut text = String::new();
    written.rewind().unwrap();
    written.read_to_string(&mut text).unwrap();
    text.lines()
        .map(|line| line.trim_start().to_owned())
        .collect()
}
