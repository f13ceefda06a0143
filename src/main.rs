//! Arguments → job → run → exit code; the only printer of errors.

use std::error::Error as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use jiff::Timestamp;
use superoffice_export::check::check;
use superoffice_export::cli::{Cli, RunArgs, SummaryFormat, TablesFormat, Verb};
use superoffice_export::error::{Consequence, Error, Exit};
use superoffice_export::job;
use superoffice_export::load::{Format, manifest_markdown, verify};
use superoffice_export::report::{LogFormat, ProgressMode, Reporter};
use superoffice_export::run::{Finished, Mode, Start, run};
use superoffice_export::sandbox;
use superoffice_export::schema::{View, docs, sql};
use superoffice_export::summary::Summary;
use tokio::sync::watch;

mod signals;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no errors; clap knows which stream they go to.
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Published
            };
            drop(error.print());
            return ExitCode::from(exit.code());
        }
    };
    // A panic is a defect of this program, and ends like one.
    match catch_unwind(AssertUnwindSafe(|| carry_out(&cli.command)))
        .unwrap_or_else(|_| Err(Error::Defect.into()))
    {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            let is_json = match &cli.command {
                Verb::Run(arguments) => arguments.log_format == LogFormat::Json,
                Verb::Check { .. }
                | Verb::Tables { .. }
                | Verb::Verify { .. }
                | Verb::Sandbox { .. } => false,
            };
            print_failure(&failure, is_json);
            ExitCode::from(failure.error.consequence().exit.code())
        }
    }
}

/// Why a command ended without what it was asked for.
struct CommandError {
    error: Error,
    /// Whether the input came from standard input: the same command alone does not bring it back.
    is_piped: bool,
    /// Whether `--fresh` was given and is done with: with it, the same command would begin again,
    /// and pay for every answer twice.
    is_begun: bool,
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self {
            error,
            is_piped: false,
            is_begun: false,
        }
    }
}

fn carry_out(verb: &Verb) -> Result<Exit, CommandError> {
    match verb {
        Verb::Run(arguments) => return run_job(arguments),
        Verb::Check {
            job,
            verbose,
            overrides,
        } => {
            if *verbose {
                Reporter::new(ProgressMode::None, LogFormat::Text, true);
            }
            let stopped = listen_to_signals()?;
            return Ok(check(job, &overrides.0, &stopped, &mut print)?);
        }
        Verb::Tables { job, format } => print_tables(job.as_deref(), *format),
        Verb::Verify { dir } => verify_export(dir),
        Verb::Sandbox {
            port,
            seed,
            latency,
            faults,
        } => {
            let settings = sandbox::ServerSettings {
                port: *port,
                seed: *seed,
                latency: latency.0,
                faults: faults.fraction(),
                ..sandbox::ServerSettings::default()
            };
            let sandbox = sandbox::start(settings).map_err(Error::from)?;
            print(&format!("{}\n", sandbox.base_url()))?;
            sandbox.wait();
            Ok(())
        }
    }?;
    Ok(Exit::Published)
}

/// Turns true at the first signal that asks to stop.
fn listen_to_signals() -> Result<watch::Receiver<bool>, Error> {
    let (stop, stopped) = watch::channel(false);
    signals::listen(stop).map_err(Error::System)?;
    Ok(stopped)
}

fn run_job(arguments: &RunArgs) -> Result<Exit, CommandError> {
    let mut report = Reporter::new(arguments.progress, arguments.log_format, arguments.verbose);
    let job = job::read(&arguments.job, &arguments.overrides.0).map_err(Error::from)?;
    let is_piped = job.is_piped();
    let stopped = listen_to_signals()?;
    let fresh = arguments.fresh;
    let mode = if arguments.offline {
        Mode::Offline
    } else if arguments.plan {
        Mode::Plan { fresh }
    } else {
        Mode::Fetch { fresh }
    };
    let start = Start {
        mode,
        accept: arguments.accept,
    };
    let result = run(&job, start, &stopped, &mut report);
    report.end();
    match result.map_err(|unpublished| CommandError {
        error: unpublished.error,
        is_piped,
        is_begun: fresh && unpublished.run_is_noted,
    })? {
        Finished::Planned(plan) => print(&format!("{plan}\n"))?,
        Finished::Published(summary) => {
            show_summary(&summary, arguments.summary, is_piped, &report)?;
        }
    }
    Ok(Exit::Published)
}

fn show_summary(
    summary: &Summary,
    format: SummaryFormat,
    is_piped: bool,
    report: &Reporter,
) -> Result<(), Error> {
    match format {
        SummaryFormat::Json => {
            let text = summary.json().map_err(|_| Error::Defect)?;
            // The run is out: starting it again would ask for everything anew.
            write_stdout(&text).map_err(|source| Error::SummaryNotPrinted {
                dir: PathBuf::from(&summary.manifest.dir),
                source,
            })
        }
        SummaryFormat::Text => {
            let mut text = summary.text();
            if summary.manifest.outcomes.failed > 0 {
                // A day more than the run is old, so that all its answers are young enough.
                let hours = Timestamp::now()
                    .duration_since(summary.manifest.started_at)
                    .as_hours()
                    + 24;
                let again = if is_piped {
                    format!("the same input with --max-age {hours}h")
                } else {
                    command_line(true, &["--max-age", &format!("{hours}h")])
                };
                text = format!(
                    "{text}  {:>11} {again}  # only those that failed\n",
                    "again"
                );
            }
            report.close(&text);
            Ok(())
        }
    }
}

fn verify_export(dir: &Path) -> Result<(), Error> {
    let verified = verify::verify(dir)?;
    if verified.differences.is_empty() {
        return print(&format!(
            "{}: as its manifest says\n",
            verified.folder.display()
        ));
    }
    for difference in &verified.differences {
        print(&format!("{difference}\n"))?;
    }
    Err(Error::Differs {
        dir: verified.folder,
        differences: verified.differences.len(),
    })
}

/// Prints the tables of a job, or all that there are.
fn print_tables(job: Option<&Path>, format: TablesFormat) -> Result<(), Error> {
    let (view, table_format) = match job {
        Some(path) => {
            let job = job::read(path, &[])?;
            (job.view(), job.format())
        }
        None => (View::all(), Format::Parquet),
    };
    print(&match format {
        TablesFormat::Markdown => docs::markdown(&view) + &manifest_markdown(),
        TablesFormat::Json => docs::json(&view),
        TablesFormat::Sql => sql::views(&view, table_format.files()),
    })
}

/// Prints what was asked for.
fn print(text: &str) -> Result<(), Error> {
    write_stdout(text).map_err(Error::StandardOutput)
}

/// A reader that has gone away, as `head` does, is no error.
fn write_stdout(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// This command for a shell, with more arguments in place of those of the same flag; without
/// `--fresh` where the run that it asked for `is_begun`.
fn command_line(is_begun: bool, more: &[&str]) -> String {
    let mut words = vec![env!("CARGO_PKG_NAME").to_owned()];
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        if more.first() == Some(&word.as_str()) {
            given.next();
        } else if !(is_begun && word == "--fresh")
            && more
                .first()
                .is_none_or(|flag| !word.starts_with(&format!("{flag}=")))
        {
            words.push(word);
        }
    }
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || "-_./:,=%@+".contains(c));
    if is_plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn print_failure(
    CommandError {
        error,
        is_piped,
        is_begun,
    }: &CommandError,
    is_json: bool,
) {
    let Consequence {
        exit,
        goes_on,
        hint,
    } = error.consequence();
    let causes: Vec<_> = std::iter::successors(error.source(), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect();
    let input = (*is_piped && goes_on)
        .then_some("the contact ids came from standard input; give it the same again");
    let begun =
        (*is_begun && goes_on).then_some("leave `--fresh` out of it, which would begin anew");
    let hints: Vec<_> = hint.into_iter().chain(begun).chain(input).collect();
    let again = (!is_piped && goes_on).then(|| command_line(*is_begun, &[]));
    if is_json {
        let hint = (!hints.is_empty()).then(|| hints.join("; "));
        let problem = [vec![error.to_string()], causes].concat().join(": ");
        tracing::error!(exit = exit.code(), hint, again, "{problem}");
        return;
    }
    let lines = |label: &'static str, texts: Vec<String>| {
        texts
            .into_iter()
            .map(move |text| format!("{label}: {text}\n"))
    };
    let hints = hints.into_iter().map(str::to_owned).collect();
    let text: String = lines("error", vec![error.to_string()])
        .chain(lines("caused by", causes))
        .chain(lines("hint", hints))
        .chain(lines("again", again.into_iter().collect()))
        .collect();
    drop(std::io::stderr().write_all(text.as_bytes()));
}
