//! Arguments → job → run → exit code; the only printer of errors.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use jiff::Timestamp;
use superoffice_export::check::check;
use superoffice_export::cli::{Cli, RunArgs, SummaryFormat, TablesFormat, Verb};
use superoffice_export::error::{Error, Exit};
use superoffice_export::job;
use superoffice_export::load::{Format, manifest_markdown, verify};
use superoffice_export::probe::probe;
use superoffice_export::report::{LogFormat, ProgressMode, Reporter};
use superoffice_export::run::{
    Finished, ForgetOrder, ForgetReport, Mode, Start, forget, last_run_markdown, run,
};
use superoffice_export::sandbox;
use superoffice_export::schema::{View, docs, sql};
use superoffice_export::summary::Summary;
use tokio::sync::watch;

mod failure;
mod signals;

use self::failure::{CommandError, command_line, print_failure};

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
                | Verb::Forget { .. }
                | Verb::Probe { .. }
                | Verb::Tables { .. }
                | Verb::Verify { .. }
                | Verb::Sandbox { .. } => false,
            };
            print_failure(&failure, is_json);
            ExitCode::from(failure.error.consequence().exit.code())
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
        Verb::Forget {
            job,
            ids,
            file,
            dry_run,
        } => {
            let order = ForgetOrder {
                ids,
                file: file.as_deref(),
                dry_run: *dry_run,
            };
            forget_contacts(job, &order)
        }
        Verb::Probe {
            job,
            json,
            overrides,
        } => {
            let stopped = listen_to_signals()?;
            return Ok(probe(job, &overrides.0, *json, &stopped, &mut print)?);
        }
        Verb::Tables { job, format } => print_tables(job.as_deref(), *format),
        Verb::Verify { dir } => verify_export(dir),
        Verb::Sandbox {
            port,
            seed,
            latency,
            faults,
            contacts,
            night,
            hangs,
            drops,
        } => {
            let settings = sandbox::ServerSettings {
                port: *port,
                seed: *seed,
                latency: latency.0,
                faults: faults.fraction(),
                contacts: *contacts,
                night: *night,
                hangs: hangs.0,
                drops: drops.0,
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

fn forget_contacts(job: &Path, order: &ForgetOrder<'_>) -> Result<(), Error> {
    let job = job::read(job, &[])?;
    let stopped = listen_to_signals()?;
    let report = forget(&job, order, &stopped)?;
    let would = if order.dry_run { "would be " } else { "" };
    let ForgetReport {
        named,
        stored,
        runs,
    } = report;
    print(&format!(
        "{named} contacts {would}forgotten; the state held {stored} of them\n"
    ))?;
    for (run, contacts) in runs {
        print(&format!("{run}: {contacts} {would}taken out\n"))?;
    }
    Ok(())
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
        TablesFormat::Markdown => {
            docs::markdown(&view) + &manifest_markdown() + &last_run_markdown()
        }
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
