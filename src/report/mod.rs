//! What a run tells while it goes: a progress bar, log lines, or nothing; and the closing summary.
//! Everything goes to stderr. How one phase stands is put into words in `phase`, and the log is
//! `log`'s. No stage is known here: they hand in numbers.

pub(crate) mod log;
mod phase;
mod progress;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};
use tracing::{info, warn};

use self::log::CurrentBar;
pub use self::log::LogFormat;
use self::phase::Phase;
pub use self::progress::{Progress, Waiting};

/// How often a plain line tells how a phase stands, as the help of `--progress` promises: rarely
/// enough for the log of a night, often enough to see that something happens.
const PLAIN_EVERY: Duration = Duration::from_secs(30);
/// How often the bar's text is made anew: nobody reads faster, and each time costs a few strings.
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

/// Shows how a run goes.
#[derive(Debug)]
pub struct Reporter {
    display: Display,
    format: LogFormat,
    phase: Option<Phase>,
    was_waiting: Option<Waiting>,
}

#[derive(Debug)]
enum Display {
    Bar(CurrentBar),
    Plain,
    Silent,
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
            (Display::Bar(_) | Display::Plain, false) => tracing::Level::INFO,
        };
        let (in_terminal, bar) = match &display {
            Display::Bar(bar) => (true, bar.clone()),
            Display::Plain | Display::Silent => (false, CurrentBar::default()),
        };
        log::begin(format, level, in_terminal, bar);
        Self {
            display,
            format,
            phase: None,
            was_waiting: None,
        }
    }

    /// Tells how the run ended: in the summary's own lines, or as one line of the log where a
    /// program reads that as JSON.
    pub fn close(&self, summary: &str) {
        match (&self.display, self.format) {
            (Display::Silent, _) => {}
            (_, LogFormat::Json) => info!("{}", summary.trim_end()),
            (_, LogFormat::Text) => drop(std::io::stderr().write_all(summary.as_bytes())),
        }
    }

    /// Begins a phase of so many steps.
    pub(crate) fn begin(&mut self, verb: &'static str, total: Option<u64>) {
        self.end();
        let screen = matches!(self.display, Display::Bar(_)).then(ProgressDrawTarget::stderr);
        let phase = Phase::begin(verb, total, screen);
        self.show(phase.bar.clone());
        self.phase = Some(phase);
    }

    /// Tells how many steps of the phase are done.
    pub(crate) fn advance(&mut self, done: u64) {
        self.tell(done, None);
    }

    /// Tells how fetching stands.
    pub(crate) fn fetching(&mut self, progress: &Progress, cause: &dyn Fn() -> String) {
        self.notice(progress, cause);
        self.tell(progress.done, Some(progress));
    }

    /// Shows the phase, where it was shown long enough ago.
    fn tell(&mut self, done: u64, progress: Option<&Progress>) {
        let Some(phase) = &mut self.phase else { return };
        if let Some(bar) = &phase.bar {
            bar.set_position(done);
        }
        let due = if phase.bar.is_some() {
            BAR_EVERY
        } else {
            PLAIN_EVERY
        };
        if phase.told.elapsed() < due {
            return;
        }
        phase.told = Instant::now();
        match (&phase.bar, &self.display) {
            (Some(bar), _) => bar.set_message(phase.message(bar, progress)),
            (None, Display::Plain) => info!("{}", phase.line(done, progress)),
            (None, Display::Bar(_) | Display::Silent) => {}
        }
    }

    /// Ends the phase; its bar goes away.
    pub fn end(&mut self) {
        self.show(None);
        if let Some(bar) = self.phase.take().and_then(|phase| phase.bar) {
            bar.finish_and_clear();
        }
    }

    /// Has log lines written above this bar.
    fn show(&self, bar: Option<ProgressBar>) {
        if let Display::Bar(current) = &self.display {
            current.set(bar);
        }
    }

    /// Logs when an outage begins and when it ends. A pause is no news: it shows in the bar.
    fn notice(&mut self, progress: &Progress, cause: &dyn Fn() -> String) {
        let is_outage = |waiting: Option<Waiting>| matches!(waiting, Some(Waiting::Outage(_)));
        match (is_outage(self.was_waiting), is_outage(progress.waiting)) {
            (false, true) => warn!(
                "the server does not answer as it should ({}); sending stops, \
                 one request at a time asks whether it is back",
                cause()
            ),
            (true, false) => warn!("the server is back; sending goes on"),
            (false, false) | (true, true) => {}
        }
        self.was_waiting = progress.waiting;
    }
}

impl Display {
    fn bar() -> Self {
        Self::Bar(CurrentBar::default())
    }
}

#[cfg(test)]
mod tests {
    use super::log::logged;
    use super::*;

    fn reporter(display: Display) -> Reporter {
        Reporter {
            display,
            format: LogFormat::Text,
            phase: None,
            was_waiting: None,
        }
    }

    fn no_cause() -> String {
        panic!("nobody asks for a cause outside of an outage")
    }

    #[test]
    fn a_plain_line_comes_when_it_is_due() {
        let progress = Progress {
            done: 10,
            in_flight: 2,
            limit: 8,
            ..Progress::default()
        };
        for (display, expected) in [
            (
                Display::Plain,
                vec!["INFO fetching 10 of 20, 2/8 in flight"],
            ),
            (Display::Silent, vec![]),
        ] {
            let mut reporter = reporter(display);
            reporter.begin("fetching", Some(20));
            let lines = logged(|| {
                reporter.fetching(&progress, &no_cause);
                let phase = reporter.phase.as_mut().unwrap();
                phase.told = phase.told.checked_sub(PLAIN_EVERY).unwrap();
                reporter.fetching(&progress, &no_cause);
                reporter.fetching(&progress, &no_cause);
                reporter.end();
                reporter.fetching(&progress, &no_cause);
            });
            // The pace depends on the machine.
            let without_pace = |line: &String| {
                line.split(", ")
                    .filter(|part| !part.ends_with("/s") && !part.ends_with("left"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            assert_eq!(lines.iter().map(without_pace).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn an_outage_is_two_lines_however_long_it_lasts() {
        let waiting = |waiting| Progress {
            waiting,
            ..Progress::default()
        };
        let seconds = Duration::from_secs;
        let lines = logged(|| {
            let mut reporter = reporter(Display::Silent);
            for at in [
                None,
                Some(Waiting::Pause(seconds(3))),
                None,
                Some(Waiting::Outage(seconds(0))),
                Some(Waiting::Outage(seconds(9))),
            ] {
                reporter.fetching(&waiting(at), &|| "status 503".to_owned());
            }
            reporter.fetching(&waiting(None), &no_cause);
        });
        let expected = [
            "WARN the server does not answer as it should (status 503); sending stops, \
             one request at a time asks whether it is back",
            "WARN the server is back; sending goes on",
        ];
        assert_eq!(lines, expected);
    }
}
