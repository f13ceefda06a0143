//! Arguments → job → run → exit code; the only printer of errors.

use std::error::Error as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use jiff::Timestamp;
use superoffice_export::check::check;
use superoffice_export::cli::{Cli, RunArgs, SummaryFormat, TablesFormat, Verb};
use superoffice_export::error::{Error, Exit};
use superoffice_export::job;
use superoffice_export::load::verify;
use superoffice_export::report::{LogFormat, ProgressMode, Reporter};
use superoffice_export::run::{Done, Options, run};
use superoffice_export::sandbox;
use superoffice_export::schema::{docs, sql};
use tokio::sync::watch;

mod signals;

fn main() -> ExitCode {
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no errors; clap knows which stream they go to.
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Published };
            drop(error.print());
            return ExitCode::from(exit.code());
        }
    };
    // A panic is a defect of this program, and ends like one.
    match catch_unwind(AssertUnwindSafe(|| carry_out(&mut cli.command))).unwrap_or(Err(Error::Defect)) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            print_error(&error, &cli.command);
            ExitCode::from(error.exit().code())
        }
    }
}

fn carry_out(verb: &mut Verb) -> Result<Exit, Error> {
    match verb {
        Verb::Run(arguments) => run_job(arguments),
        Verb::Check { job, verbose, overrides } => {
            if *verbose {
                Reporter::new(ProgressMode::None, LogFormat::Text, true);
            }
            return check(job, &overrides.0, &mut print);
        }
        Verb::Tables { format } => print(&match format {
            TablesFormat::Markdown => docs::markdown(),
            TablesFormat::Json => docs::json(),
            TablesFormat::Sql => sql::all_views(),
        }),
        Verb::Verify { dir } => verify_export(dir),
        Verb::Sandbox { port, seed, latency, faults } => {
            let settings =
                sandbox::Settings { port: *port, seed: *seed, latency: latency.0, faults: faults.0, ..sandbox::Settings::default() };
            let sandbox = sandbox::start(settings)?;
            print(&format!("{}\n", sandbox.base_url()))?;
            sandbox.wait();
            Ok(())
        }
    }?;
    Ok(Exit::Published)
}

fn run_job(arguments: &mut RunArgs) -> Result<(), Error> {
    let job = job::read(&arguments.job, &arguments.overrides.0)?;
    let mut report = Reporter::new(arguments.progress, arguments.log_format, arguments.verbose);
    let (stop, stopped) = watch::channel(false);
    signals::listen(stop).map_err(Error::System)?;
    let mut options = Options { fresh: arguments.fresh, offline: arguments.offline, plan_only: arguments.plan };
    let result = run(&job, &mut options, &stopped, &mut report);
    arguments.fresh = options.fresh;
    report.end();
    match (result?, arguments.summary) {
        (Done::Planned(plan), _) => print(&format!("{plan}\n")),
        (Done::Published(summary), SummaryFormat::Json) => print(&summary.manifest.to_json().map_err(|_| Error::Defect)?),
        (Done::Published(summary), SummaryFormat::Text) if !report.is_silent() => {
            let mut text = summary.text();
            if summary.manifest.outcomes.failed > 0 {
                // A day more than the run is old, so that all its answers are young enough.
                let hours = Timestamp::now().duration_since(summary.manifest.started_at).as_hours() + 24;
                let again = command_line(arguments.fresh, &["--max-age", &format!("{hours}h")]);
                text = format!("{text}  {:>11} {again}  # only those that failed\n", "again");
            }
            drop(std::io::stderr().write_all(text.as_bytes()));
            Ok(())
        }
        (Done::Published(_), SummaryFormat::Text) => Ok(()),
    }
}

fn verify_export(dir: &Path) -> Result<(), Error> {
    let verified = verify::verify(dir)?;
    if verified.differences.is_empty() {
        return print(&format!("{}: as its manifest says\n", verified.folder.display()));
    }
    for difference in &verified.differences {
        print(&format!("{difference}\n"))?;
    }
    Err(Error::Differs { dir: verified.folder, differences: verified.differences.len() })
}

/// Prints what was asked for. A reader that has gone away, as `head` does, is no error.
fn print(text: &str) -> Result<(), Error> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Output { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

/// This command for a shell, with more arguments in place of those of the same flag. Without `--fresh` where that is done
/// with: the run would begin again, and pay for every answer twice.
fn command_line(fresh: bool, more: &[&str]) -> String {
    let mut words = vec![env!("CARGO_PKG_NAME").to_owned()];
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        if more.first() == Some(&word.as_str()) {
            given.next();
        } else if (fresh || word != "--fresh") && more.first().is_none_or(|flag| !word.starts_with(&format!("{flag}="))) {
            words.push(word);
        }
    }
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:,=%@+".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn print_error(error: &Error, verb: &Verb) {
    let fresh = matches!(verb, Verb::Run(arguments) if arguments.fresh);
    let causes = std::iter::successors(error.source(), |cause| (*cause).source()).map(|cause| format!("caused by: {cause}\n"));
    let hint = error.hint().map(|hint| format!("hint: {hint}\n"));
    let is_done_with = !fresh && std::env::args().any(|word| word == "--fresh");
    let note = if is_done_with { "  # without --fresh, which would begin anew" } else { "" };
    let again = error.is_resumable().then(|| format!("again: {}{note}\n", command_line(fresh, &[])));
    let text: String = [format!("error: {error}\n")].into_iter().chain(causes).chain(hint).chain(again).collect();
    drop(std::io::stderr().write_all(text.as_bytes()));
}
