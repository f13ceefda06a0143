//! What a run tells while it goes: a progress bar, log lines, or nothing; and the closing summary. Everything goes to
//! stderr. Knows no stage; they hand in numbers.

use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::{info, warn};
use tracing_subscriber::fmt::MakeWriter;

/// How often a plain line tells how it stands.
const PLAIN_EVERY: Duration = Duration::from_secs(30);
/// How often the bar's text is made anew.
const BAR_EVERY: Duration = Duration::from_millis(100);

/// How progress is shown, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressMode {
    /// A bar in a terminal, else plain lines.
    Auto,
    /// A bar.
    Bar,
    /// A line every 30 seconds.
    Plain,
    /// Only what needs a hand.
    None,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How fetching stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Contacts with a final answer.
    pub done: u64,
    /// Contacts among them that failed.
    pub failed: u64,
    /// Requests sent.
    pub attempts: u64,
    /// Requests among them that were not the first for their contact.
    pub retries: u64,
    /// Logins, the first included.
    pub logins: u64,
    /// Requests in flight.
    pub in_flight: usize,
    /// Requests that may be in flight.
    pub limit: usize,
    /// Why nothing is sent.
    pub waiting: Option<Waiting>,
    /// Times that the server asked for less.
    pub push_backs: u64,
    /// Outages so far.
    pub outages: u64,
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The server asked for a pause (`Retry-After`) that lasts so much longer.
    Pause(Duration),
    /// The server has been away for so long.
    Outage(Duration),
}

/// Shows how a run goes.
#[derive(Debug)]
pub struct Reporter {
    display: Display,
    phase: Option<Phase>,
    was_waiting: Option<Waiting>,
}

#[derive(Debug)]
enum Display {
    Bar(CurrentBar),
    Plain,
    Silent,
}

/// The bar that is on the screen, if one is: log lines have to go above it.
type CurrentBar = Arc<Mutex<Option<ProgressBar>>>;

#[derive(Debug)]
struct Phase {
    verb: &'static str,
    total: Option<u64>,
    began: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Reporter {
    /// A reporter; log lines are written in this format, above the bar where there is one.
    pub fn new(mode: ProgressMode, format: LogFormat, verbose: bool) -> Self {
        let display = match mode {
            ProgressMode::Auto if std::io::stderr().is_terminal() => Display::bar(),
            ProgressMode::Bar => Display::bar(),
            ProgressMode::Auto | ProgressMode::Plain => Display::Plain,
            ProgressMode::None => Display::Silent,
        };
        let level = match (&display, verbose) {
            (_, true) => tracing::Level::DEBUG,
            (Display::Silent, false) => tracing::Level::WARN,
            _ => tracing::Level::INFO,
        };
        let bar = if let Display::Bar(bar) = &display { Arc::clone(bar) } else { CurrentBar::default() };
        let in_terminal = matches!(display, Display::Bar(_));
        let lines = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false).with_writer(LogLines { bar });
        // A second reporter in one process, as in tests, keeps the first one's log.
        let set = match (format, in_terminal) {
            (LogFormat::Json, _) => tracing::subscriber::set_global_default(lines.json().finish()),
            (LogFormat::Text, true) => tracing::subscriber::set_global_default(lines.without_time().finish()),
            (LogFormat::Text, false) => tracing::subscriber::set_global_default(lines.finish()),
        };
        drop(set);
        Self { display, phase: None, was_waiting: None }
    }

    /// Whether nothing but what needs a hand is told.
    pub fn is_silent(&self) -> bool {
        matches!(self.display, Display::Silent)
    }

    /// Tells one thing.
    pub fn say(&self, text: &str) {
        info!("{text}");
    }

    /// Tells one thing that may need a hand.
    pub fn warn(&self, text: &str) {
        warn!("{text}");
    }

    /// Begins a phase of so many steps.
    pub fn begin(&mut self, verb: &'static str, total: Option<u64>) {
        self.end();
        let bar = matches!(self.display, Display::Bar(_)).then(|| phase_bar(verb, total));
        self.show(bar.clone());
        let now = Instant::now();
        self.phase = Some(Phase { verb, total, began: now, told: now, bar });
    }

    /// Tells how many steps of the phase are done.
    pub fn advance(&mut self, done: u64) {
        self.tell(done, String::new);
    }

    /// Tells how fetching stands.
    pub fn fetching(&mut self, progress: &Progress) {
        self.notice(progress);
        self.tell(progress.done, || details(progress));
    }

    fn tell(&mut self, done: u64, details: impl FnOnce() -> String) {
        let Some(phase) = &mut self.phase else { return };
        if let Some(bar) = &phase.bar {
            bar.set_position(done);
        }
        let due = if phase.bar.is_some() { BAR_EVERY } else { PLAIN_EVERY };
        if phase.told.elapsed() < due {
            return;
        }
        phase.told = Instant::now();
        match (&phase.bar, &self.display) {
            (Some(bar), _) => bar.set_message(format!("{:.1}/s{}", bar.per_sec(), details())),
            (None, Display::Plain) => info!("{}{}", phase.line(done), details()),
            (None, _) => {}
        }
    }

    /// Ends the phase; its bar goes away.
    pub fn end(&mut self) {
        self.show(None);
        if let Some(bar) = self.phase.take().and_then(|phase| phase.bar) {
            bar.finish_and_clear();
        }
    }

    fn show(&self, bar: Option<ProgressBar>) {
        if let Display::Bar(current) = &self.display {
            *current.lock().unwrap_or_else(PoisonError::into_inner) = bar;
        }
    }

    /// Logs when an outage begins and ends; pauses show in the bar.
    fn notice(&mut self, progress: &Progress) {
        let is_outage = |waiting: Option<Waiting>| matches!(waiting, Some(Waiting::Outage(_)));
        match (is_outage(self.was_waiting), is_outage(progress.waiting)) {
            (false, true) => warn!("the server does not answer as it should; sending stops, one request at a time asks whether it is back"),
            (true, false) => warn!("the server is back; sending goes on"),
            _ => {}
        }
        self.was_waiting = progress.waiting;
    }
}

impl Display {
    fn bar() -> Self {
        Self::Bar(CurrentBar::default())
    }
}

impl Phase {
    /// How it stands, in words.
    fn line(&self, done: u64) -> String {
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "shown to a person")]
        let rate = done as f64 / seconds;
        let of = self.total.map(|total| format!(" of {}", HumanCount(total))).unwrap_or_default();
        let left = self.total.filter(|_| done > 0).map(|total| {
            #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "shown to a person")]
            let seconds = total.saturating_sub(done) as f64 / rate;
            format!(", {} left", HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
        });
        format!("{} {}{of}, {rate:.1}/s{}", self.verb, HumanCount(done), left.unwrap_or_default())
    }
}

fn phase_bar(verb: &'static str, total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_draw_target(ProgressDrawTarget::stderr());
    let template = if total.is_some() {
        "{prefix:>9} [{wide_bar}] {human_pos}/{human_len}, ETA {eta}, {msg}"
    } else {
        "{prefix:>9} {spinner} {human_pos}, {msg}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(verb);
    bar
}

fn details(progress: &Progress) -> String {
    let waiting = match progress.waiting {
        None => String::new(),
        Some(Waiting::Pause(left)) => format!(", paused {} s more by the server", left.as_secs() + 1),
        Some(Waiting::Outage(since)) => format!(", server away for {} s", since.as_secs()),
    };
    format!(
        ", {} of {} in flight, {} retries, {} failed{waiting}",
        progress.in_flight,
        progress.limit,
        HumanCount(progress.retries),
        HumanCount(progress.failed)
    )
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
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(|| std::io::stderr().write(bytes)),
            None => std::io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
