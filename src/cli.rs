//! The command line. The flags that override job keys come from the declaration of the keys.

use std::path::PathBuf;

use clap::{
    Arg, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand, ValueEnum, value_parser,
};

use crate::error::Exit;
use crate::job::settings::settings;
use crate::job::{Override, Period, Share, ValueKind};
use crate::report::{LogFormat, ProgressMode};
use crate::sandbox::{MOST_CONTACTS, MOST_NIGHTS};

/// Turns a CSV of SuperOffice contact ids into clean tables.
#[derive(Debug, Parser)]
#[command(version, about, after_help = exit_codes())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a job: read, plan, fetch, write, publish.
    Run(Box<RunArgs>),
    /// Try everything that a run needs, and make no export.
    Check {
        /// The job file.
        job: PathBuf,
        /// Log every attempt that failed.
        #[arg(long, short)]
        verbose: bool,
        /// Flags that override job keys.
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Ask an installation what no document says, by some forty calls that only read, and print a
    /// report without any name, text or id of it.
    Probe {
        /// The job file.
        job: PathBuf,
        /// Print the report as JSON, to be sent to the maintainers.
        #[arg(long)]
        json: bool,
        /// Flags that override job keys.
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Take contacts out of the state and of every kept run, and ask for them no more.
    Forget {
        /// The job file.
        job: PathBuf,
        /// Contact ids.
        ids: Vec<i64>,
        /// A CSV of contact ids, in the column that a list of a job would have them in.
        #[arg(long)]
        file: Option<PathBuf>,
        /// Say what would be forgotten, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the tables and their columns: all of them, or those of a job.
    Tables {
        /// The job file.
        job: Option<PathBuf>,
        /// How to print them.
        #[arg(long, value_enum, default_value_t = TablesFormat::Markdown)]
        format: TablesFormat,
    },
    /// Check a published export against its manifest.
    Verify {
        /// The output folder of a job (its latest run) or the folder of a run.
        dir: PathBuf,
    },
    /// Serve an invented SuperOffice on this machine.
    Sandbox {
        /// Port on 127.0.0.1; 0 takes a free one.
        #[arg(long, default_value_t = 8_080)]
        port: u16,
        /// Seed of the invented data.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Wait before each answer, such as 50ms.
        #[arg(long, default_value = "0s")]
        latency: Period,
        /// Share of requests that meet a fault, such as 5%.
        #[arg(long, default_value = "0%")]
        faults: Share,
        /// Number of contact ids at the beginning; without it every contact id exists.
        #[arg(long, value_parser = value_parser!(u32).range(1..=i64::from(MOST_CONTACTS)))]
        contacts: Option<u32>,
        /// How many nights of changes have passed.
        #[arg(long, default_value_t = 0, value_parser = value_parser!(u32).range(..=i64::from(MOST_NIGHTS)))]
        night: u32,
        /// How long it hangs after each 4,000 requests, in turn with --drops.
        #[arg(long, default_value = "0s")]
        hangs: Period,
        /// How long it drops every connection then.
        #[arg(long, default_value = "0s")]
        drops: Period,
    },
}

/// How tables are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TablesFormat {
    /// As the page `TABLES.md`.
    Markdown,
    /// As JSON.
    Json,
    /// As DuckDB views.
    Sql,
}

/// How the closing summary is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    /// For people, on stderr.
    Text,
    /// The manifest, on stdout.
    Json,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are Booleans")]
pub struct RunArgs {
    /// The job file.
    pub job: PathBuf,
    /// Begin a new run, even where one was cut off.
    #[arg(long)]
    pub fresh: bool,
    /// Call nothing: make a new export from the stored answers. Needs no secret; a run that was cut
    /// off stays as it is.
    #[arg(long, conflicts_with_all = ["plan", "fresh"])]
    pub offline: bool,
    /// Print what would be fetched, and stop: nothing is called, no run begins.
    #[arg(long)]
    pub plan: bool,
    /// Accept what a guard would stop, for this run.
    #[arg(long, conflicts_with = "plan")]
    pub accept: bool,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = ProgressMode::Auto)]
    pub progress: ProgressMode,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// How the closing summary is written.
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    pub summary: SummaryFormat,
    /// Log every attempt that failed.
    #[arg(long, short)]
    pub verbose: bool,
    /// Flags that override job keys.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Flags that override job keys, in the order of the declaration.
#[derive(Debug, Default)]
pub struct Overrides(pub Vec<Override>);

impl FromArgMatches for Overrides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = settings().filter_map(|setting| {
            Some((setting, matches.get_one::<String>(setting.flag?)?.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Overrides {
    fn augment_args(command: Command) -> Command {
        settings().fold(command, |command, setting| {
            let Some(flag) = setting.flag else {
                return command;
            };
            let value_name = match setting.kind {
                ValueKind::Path => "PATH",
                ValueKind::Integer | ValueKind::Number => "NUMBER",
                ValueKind::List => "LIST",
                ValueKind::Boolean
                | ValueKind::Text
                | ValueKind::Written
                | ValueKind::Secret
                | ValueKind::Table => "VALUE",
            };
            let help = format!(
                "{} [{}.{}]",
                setting.doc.trim_end_matches('.'),
                setting.section,
                setting.key
            );
            command.arg(
                Arg::new(flag)
                    .long(flag)
                    .value_name(value_name)
                    .help(help)
                    .help_heading("Job keys"),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn exit_codes() -> String {
    let lines = Exit::ALL
        .iter()
        .map(|exit| format!("  {:>3}  {}", exit.code(), exit.doc()));
    format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_key_is_an_override() {
        let cli = Cli::try_parse_from([
            "superoffice-export",
            "run",
            "job.toml",
            "--limit",
            "5",
            "--dir",
            "out",
        ])
        .unwrap();
        let Verb::Run(arguments) = cli.command else {
            panic!("not run")
        };
        let given: Vec<_> = arguments
            .overrides
            .0
            .iter()
            .map(|(setting, value)| (setting.key, value.as_str()))
            .collect();
        assert_eq!(given, [("limit", "5"), ("dir", "out")]);
    }
}
