//! A job: the TOML file and the flags as typed ([`settings`]), checked section by section into what
//! a run uses ([`Job`], which mirrors the file). What the values of a section have to be is checked
//! in the file of that section. Reads no secret and calls nothing.

mod api;
mod auth;
mod description;
mod fetch;
mod file;
mod installation;
mod lines;
mod output;
mod privacy;
mod sandbox;
mod secrets;
pub mod settings;
mod source;
mod values;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use self::api::{ApiSettings, Header};
pub(crate) use self::fetch::FetchSettings;
pub use self::file::Override;
use self::file::Typed;
pub(crate) use self::installation::{Installation, LoginHost};
pub(crate) use self::output::OutputSettings;
pub(crate) use self::privacy::{HashKeySetting, PrivacySettings};
pub(crate) use self::source::SourceSettings;
pub(crate) use self::values::ValueKind;
pub use self::values::{Period, Share};
use crate::extract::ids::Place;
use crate::load::Format;
pub(crate) use crate::load::Readers;
use crate::schema::View;

/// A checked job: what a run uses, section by section.
#[derive(Debug)]
pub struct Job {
    /// Where the contact ids come from.
    pub(crate) source: SourceSettings,
    /// The SuperOffice that is asked, and what for.
    pub(crate) api: ApiSettings,
    /// How it is called.
    pub(crate) fetch: FetchSettings,
    /// Where the export goes.
    pub(crate) output: OutputSettings,
    /// What leaves the house.
    pub(crate) privacy: PrivacySettings,
    /// The embedded SuperOffice, where it is the one that is asked.
    pub(crate) sandbox: crate::sandbox::ServerSettings,
    /// The job for the manifest: every key as typed, secrets by the place they come from.
    pub(crate) description: serde_json::Value,
}

impl Job {
    /// The tables and columns that it exports.
    pub fn view(&self) -> View {
        View::of(self.api.tables.iter().map(|table| table.name)).under(&self.privacy.policy)
    }

    /// The format of the tables.
    pub fn format(&self) -> Format {
        self.output.format
    }

    /// Whether the contact ids come by a pipe, so that another start needs them again.
    pub fn is_piped(&self) -> bool {
        self.source.list.place == Place::StandardInput
    }
}

/// What is wrong with a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key or flag cannot be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A key is missing, or its value makes no sense.
    #[error("{path}{line}: {problem}", path = path.display(), line = problem.line())]
    Key {
        /// The job file.
        path: PathBuf,
        /// What is wrong with which key.
        problem: Problem,
    },
}

/// A key that is missing, or whose value makes no sense.
#[derive(Debug)]
pub struct Problem {
    /// The key, with its section.
    key: &'static str,
    /// What is wrong and what to write instead.
    text: String,
    /// The line in the job file, where it is told.
    line: Option<usize>,
}

impl Problem {
    fn line(&self) -> String {
        self.line.map(|line| format!(":{line}")).unwrap_or_default()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`: {}", self.key, self.text)
    }
}

/// Reads a job file, lays the flags over it and checks the whole.
pub fn read(path: &Path, overrides: &[Override]) -> Result<Job, Error> {
    parse(&file::read(path)?, path, overrides)
}

/// Checks the text of the job file at this path, with the flags laid over it. Reads nothing.
pub fn parse(text: &str, path: &Path, overrides: &[Override]) -> Result<Job, Error> {
    let typed = file::parse(text, path, overrides)?;
    resolve(&typed).map_err(|problem| Error::Key {
        path: path.to_owned(),
        problem,
    })
}

/// Checks section by section. Where SuperOffice is comes first: defaults hang on it.
fn resolve(typed: &Typed) -> Result<Job, Problem> {
    let Typed {
        file,
        table,
        folder,
        lines,
    } = typed;
    let installation = file.api.installation()?;
    Ok(Job {
        source: file.source.resolve(folder)?,
        output: file.output.resolve(folder)?,
        fetch: file.fetch.resolve(&installation)?,
        sandbox: file.sandbox.resolve(&installation)?,
        privacy: file.privacy.resolve(folder, lines)?,
        api: file.api.resolve(installation, folder)?,
        description: description::describe(table),
    })
}

fn wrong(key: &'static str, text: impl Into<String>) -> Problem {
    Problem {
        key,
        text: text.into(),
        line: None,
    }
}

fn required<T>(value: Option<T>, key: &'static str) -> Result<T, Problem> {
    value.ok_or_else(|| wrong(key, "is missing"))
}

fn above_zero(number: u32, key: &'static str) -> Result<NonZeroU32, Problem> {
    NonZeroU32::new(number).ok_or_else(|| wrong(key, ABOVE_ZERO))
}

fn above_zero_time(time: Duration, key: &'static str) -> Result<Duration, Problem> {
    if time.is_zero() {
        return Err(wrong(key, ABOVE_ZERO));
    }
    Ok(time)
}

const ABOVE_ZERO: &str = "must be above zero";

#[cfg(test)]
mod tests;
