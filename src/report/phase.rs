//! One phase of a run: how it stands, as a bar or in a line. The same details follow the counts of
//! both. What matters most comes first, since a narrow terminal cuts off the rest. When to show it
//! is the reporter's matter.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress::{Progress, Waiting};

/// A phase of so many steps.
#[derive(Debug)]
pub(super) struct Phase {
    verb: &'static str,
    total: Option<u64>,
    began: Instant,
    /// When it was last shown.
    pub(super) told: Instant,
    pub(super) bar: Option<ProgressBar>,
}

impl Phase {
    /// A phase that begins now, with a bar where there is something to draw on.
    pub(super) fn begin(
        verb: &'static str,
        total: Option<u64>,
        screen: Option<ProgressDrawTarget>,
    ) -> Self {
        let now = Instant::now();
        Self {
            verb,
            total,
            began: now,
            told: now,
            bar: screen.map(|screen| bar(verb, total, screen)),
        }
    }

    /// The details that follow the counts of the bar.
    pub(super) fn message(&self, bar: &ProgressBar, progress: Option<&Progress>) -> String {
        details(bar.per_sec(), self.total.map(|_| bar.eta()), progress)
    }

    /// How it stands now, in a line.
    pub(super) fn line(&self, done: u64, progress: Option<&Progress>) -> String {
        self.line_after(self.began.elapsed(), done, progress)
    }

    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "shown to a person"
    )]
    fn line_after(&self, time: Duration, done: u64, progress: Option<&Progress>) -> String {
        let rate = done as f64 / time.as_secs_f64().max(0.001);
        let left = self.total.map(|total| {
            Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / rate)
                .unwrap_or(Duration::MAX)
        });
        let of = self
            .total
            .map(|total| format!(" of {}", HumanCount(total)))
            .unwrap_or_default();
        format!(
            "{} {}{of}{}",
            self.verb,
            HumanCount(done),
            details(rate, left, progress)
        )
    }
}

/// The bar of a phase. Its message is cut at the edge of the screen; the rest has a fixed width.
fn bar(verb: &'static str, total: Option<u64>, screen: ProgressDrawTarget) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_draw_target(screen);
    let template = if total.is_some() {
        "{prefix} [{bar:16}] {human_pos}/{human_len}{wide_msg}"
    } else {
        "{prefix} {spinner} {human_pos}{wide_msg}"
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(verb);
    bar
}

/// The details, each behind a comma; those that are nothing are left out.
fn details(rate: f64, left: Option<Duration>, progress: Option<&Progress>) -> String {
    let mut details = match progress.and_then(|progress| progress.waiting) {
        Some(waiting) => vec![reason(waiting)],
        None => pace(rate, left),
    };
    if let Some(progress) = progress {
        details.extend(counted(progress.failed, "failed"));
        details.push(format!(
            "{}/{} in flight",
            progress.in_flight, progress.limit
        ));
        details.extend(counted(progress.retries, "retries"));
    }
    details.iter().flat_map(|detail| [", ", detail]).collect()
}

/// Why nothing is sent.
fn reason(waiting: Waiting) -> String {
    match waiting {
        Waiting::Pause(left) => format!("server asks to wait {} s", left.as_secs() + 1),
        Waiting::Outage(since) => format!("server away for {} s", since.as_secs()),
    }
}

/// How fast it goes, and how long it will take; nothing where nothing is done yet.
fn pace(rate: f64, left: Option<Duration>) -> Vec<String> {
    let rate = if rate >= 100.0 {
        format!("{rate:.0}/s")
    } else if rate > 0.0 {
        format!("{rate:.1}/s")
    } else {
        return Vec::new();
    };
    let left = left.map(|left| format!("{:#} left", HumanDuration(left)));
    std::iter::once(rate).chain(left).collect()
}

fn counted(count: u64, word: &str) -> Option<String> {
    (count > 0).then(|| format!("{} {word}", HumanCount(count)))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    const PROGRESS: Progress = Progress {
        done: 2_007,
        failed: 0,
        attempts: 2_040,
        retries: 0,
        logins: 1,
        served: 2_007,
        in_flight: 31,
        limit: 32,
        waiting: None,
        refused: 0,
        pauses: 0,
        short: 0,
        slow_downs: 0,
        outages: 0,
    };

    #[test]
    fn details_leave_out_what_is_nothing() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let waiting = |waiting| Progress {
            waiting: Some(waiting),
            in_flight: 1,
            ..PROGRESS
        };
        let cases = [
            (0.0, None, None, ""),
            (0.0, seconds(0), Some(PROGRESS), ", 31/32 in flight"),
            (9.96, None, None, ", 10.0/s"),
            (
                1_170.1,
                seconds(3),
                Some(PROGRESS),
                ", 1170/s, 3s left, 31/32 in flight",
            ),
            (
                9.4,
                seconds(100_000),
                Some(Progress {
                    failed: 1_200,
                    ..PROGRESS
                }),
                ", 9.4/s, 28h left, 1,200 failed, 31/32 in flight",
            ),
            (
                9.4,
                seconds(90),
                Some(Progress {
                    retries: 5,
                    ..PROGRESS
                }),
                ", 9.4/s, 2m left, 31/32 in flight, 5 retries",
            ),
            (
                9.4,
                seconds(1),
                Some(waiting(Waiting::Pause(Duration::from_millis(1_500)))),
                ", server asks to wait 2 s, 1/32 in flight",
            ),
            (
                9.4,
                seconds(1),
                Some(waiting(Waiting::Outage(Duration::from_secs(75)))),
                ", server away for 75 s, 1/32 in flight",
            ),
        ];
        for (rate, left, progress, expected) in cases {
            assert_eq!(details(rate, left, progress.as_ref()), expected);
        }
    }

    #[test]
    fn a_line_says_how_a_phase_stands() {
        let minute = Duration::from_mins(1);
        let fetching = Phase::begin("fetching", Some(5_000), None);
        assert_eq!(
            fetching.line_after(minute, 0, Some(&PROGRESS)),
            "fetching 0 of 5,000, 31/32 in flight"
        );
        assert_eq!(
            fetching.line_after(minute, 1_200, Some(&PROGRESS)),
            "fetching 1,200 of 5,000, 20.0/s, 3m left, 31/32 in flight"
        );
        assert_eq!(
            fetching.line_after(Duration::ZERO, 5_000, None),
            "fetching 5,000 of 5,000, 5000000/s, 0s left"
        );
        assert_eq!(
            Phase::begin("reading", None, None).line_after(minute, 60_000, None),
            "reading 60,000, 1000/s"
        );
        assert_eq!(
            Phase::begin("writing", Some(0), None).line_after(minute, 0, None),
            "writing 0 of 0"
        );
    }

    #[test]
    fn a_bar_fits_into_a_terminal() {
        let failing = Progress {
            failed: 123_456,
            retries: 654_321,
            waiting: Some(Waiting::Outage(Duration::from_hours(2))),
            ..PROGRESS
        };
        let cases = [
            (
                80,
                5_000,
                2_007,
                1_170.1,
                Some(PROGRESS),
                "fetching [======>         ] 2,007/5,000, 1170/s, 3s left, 31/32 in flight",
            ),
            (
                80,
                1_000_000,
                123_456,
                9.8,
                Some(PROGRESS),
                "fetching [=>              ] 123,456/1,000,000, 9.8/s, 3s left, 31/32 in flight",
            ),
            (
                80,
                1_000_000,
                999_999,
                9.8,
                Some(failing),
                "fetching [===============>] 999,999/1,000,000, server away for 7200 s, 123,456 f",
            ),
            (
                60,
                1_000_000,
                0,
                0.0,
                Some(failing),
                "fetching [                ] 0/1,000,000, server away for 720",
            ),
            (
                80,
                5_000,
                5_000,
                0.0,
                None,
                "fetching [================] 5,000/5,000",
            ),
        ];
        for (width, total, done, rate, progress, expected) in cases {
            let screen = Screen {
                width,
                lines: Arc::default(),
            };
            let lines = Arc::clone(&screen.lines);
            let phase = Phase::begin(
                "fetching",
                Some(total),
                Some(ProgressDrawTarget::term_like(Box::new(screen))),
            );
            let bar = phase.bar.as_ref().unwrap();
            bar.set_position(done);
            bar.set_message(details(
                rate,
                Some(Duration::from_secs(3)),
                progress.as_ref(),
            ));
            bar.tick();
            let drawn = lines.lock().unwrap().clone();
            assert!(
                drawn
                    .iter()
                    .all(|line| line.chars().count() <= usize::from(width)),
                "{drawn:?}"
            );
            assert_eq!(drawn.last().map(|line| line.trim_end()), Some(expected));
        }
    }

    /// A terminal that remembers what was drawn.
    #[derive(Debug)]
    struct Screen {
        width: u16,
        lines: Arc<Mutex<Vec<String>>>,
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            self.width
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            if !text.trim().is_empty() {
                self.lines.lock().unwrap().push(text.to_owned());
            }
            Ok(())
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }
}
