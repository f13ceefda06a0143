//! What can go wrong at the top, and its exit code.

use std::path::PathBuf;

use crate::extract::api::{client, tenant};
use crate::extract::fetcher::hopeless;
use crate::extract::ids::csv;
use crate::extract::{auth, secret};
use crate::{job, load, sandbox, store};

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Published,
    /// Not published.
    NotPublished,
    /// Wrong input of the operator.
    Usage,
    /// Another run is at it.
    Locked,
    /// The API stayed away.
    Unreachable,
    /// The login was refused.
    Login,
    /// The disk said no.
    Storage,
    /// Somebody asked to stop.
    Interrupted,
}

impl Exit {
    /// Every one, in the order of the codes.
    pub const ALL: &[Self] = &[
        Self::Published,
        Self::NotPublished,
        Self::Usage,
        Self::Locked,
        Self::Unreachable,
        Self::Login,
        Self::Storage,
        Self::Interrupted,
    ];

    /// The code that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Published => 0,
            Self::NotPublished => 1,
            Self::Usage => 2,
            Self::Locked => 3,
            Self::Unreachable => 4,
            Self::Login => 5,
            Self::Storage => 6,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for the help and the README.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Published => {
                "published; failures within `max_failed` (each one is in `outcomes`)"
            }
            Self::NotPublished => {
                "not published: too many failures, every answer a refusal, no such tenant, or a defect of this program"
            }
            Self::Usage => "bad arguments, job file or input; nothing was called",
            Self::Locked => "another run of this job is under way",
            Self::Unreachable => {
                "the API stayed unreachable longer than `patience`, gave no answer in all the time allowed, or the tenant is suspended; \
                 the same command goes on"
            }
            Self::Login => "the API refused the login",
            Self::Storage => {
                "output, state or stdout could not be written (disk full, permissions); the same command goes on, where the message says so"
            }
            Self::Interrupted => {
                "interrupted (SIGINT, SIGTERM); answers in flight were stored, the same command goes on"
            }
        }
    }
}

/// Why a command ends without what it was asked for.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error(transparent)]
    Job(#[from] job::Error),
    #[error(transparent)]
    Source(#[from] csv::Error),
    #[error(transparent)]
    Secret(#[from] secret::Error),
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error("`api.ca_file`: cannot read {path}", path = path.display())]
    Certificates {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Sandbox(#[from] sandbox::StartError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Load(#[from] load::Error),
    #[error("{path}: cannot be written", path = path.display())]
    Output {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("standard output cannot be written")]
    StandardOutput(#[source] std::io::Error),
    #[error("the run was published as {dir}, but its summary could not be printed", dir = dir.display())]
    SummaryNotPrinted {
        dir: PathBuf,
        source: std::io::Error,
    },
    #[error("`output.dir`: {path} cannot be written; check the path and its permissions", path = path.display())]
    OutputFolder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("another run of this job is under way ({holder}); it holds {path}", path = path.display())]
    Locked { path: PathBuf, holder: String },
    #[error(
        "the API did not answer as it should for longer than `fetch.patience`; {done} answers of this run are kept"
    )]
    Unreachable { done: u64 },
    #[error("the API refused the login with status {status}{}", if *worked_before { ", though it had worked before" } else { "" })]
    LoginRefused {
        status: u16,
        worked_before: bool,
        hint: &'static str,
    },
    #[error(transparent)]
    NoLogin(auth::Refusal),
    #[error(transparent)]
    Unusable(tenant::Unusable),
    #[error(transparent)]
    Hopeless(#[from] hopeless::Hopeless),
    #[error(
        "nothing was published: {failed} of {distinct} targets failed, more than `output.max_failed` allows"
    )]
    TooManyFailures { failed: u64, distinct: u64 },
    #[error("interrupted; nothing was published, and every answer that came is kept")]
    Interrupted,
    #[error("{path}: about {} will be needed, and {} are free", indicatif::HumanBytes(*needed), indicatif::HumanBytes(*free), path = path.display())]
    NoRoom {
        path: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error(
        "the API did not answer until `fetch.max_duration` or `fetch.max_calls` ended the run, and no answer is stored; nothing was published"
    )]
    NothingFetched,
    #[error("no target has a stored answer to what this job asks; nothing was published")]
    NothingStored,
    #[error("the system gives no thread or event queue")]
    System(#[source] std::io::Error),
    #[error("{dir}: {differences} differences", dir = dir.display())]
    Differs { dir: PathBuf, differences: usize },
    #[error("a defect of this program: a part of the run stopped without saying why")]
    Defect,
}

impl Error {
    /// The exit code that tells it to the shell.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Job(_)
            | Self::Source(_)
            | Self::Secret(_)
            | Self::Client(_)
            | Self::Certificates { .. }
            | Self::Sandbox(_)
            | Self::OutputFolder { .. }
            | Self::Load(load::Error::LatestIsNoLink { .. }) => Exit::Usage,
            Self::Store(_)
            | Self::Output { .. }
            | Self::StandardOutput(_)
            | Self::SummaryNotPrinted { .. }
            | Self::NoRoom { .. } => Exit::Storage,
            Self::Load(error) if error.is_storage() => Exit::Storage,
            Self::Locked { .. } => Exit::Locked,
            Self::Unreachable { .. } | Self::NothingFetched => Exit::Unreachable,
            Self::Unusable(unusable) if unusable.may_pass() => Exit::Unreachable,
            Self::LoginRefused { .. } | Self::NoLogin(_) => Exit::Login,
            Self::Hopeless(hopeless) if matches!(hopeless.status, 401 | 403) => Exit::Login,
            Self::Load(_)
            | Self::TooManyFailures { .. }
            | Self::NothingStored
            | Self::Unusable(_)
            | Self::Hopeless(_)
            | Self::System(_)
            | Self::Differs { .. }
            | Self::Defect => Exit::NotPublished,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// Whether the same command goes on where this one ended, or tries what failed again.
    pub fn is_resumable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::NothingFetched
            | Self::Interrupted
            | Self::Output { .. }
            | Self::TooManyFailures { .. } => true,
            Self::Store(error) => error.is_resumable(),
            Self::Load(error) => error.is_storage(),
            _ => false,
        }
    }

    /// What to do about it, where the message does not say it already.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } | Self::NothingFetched | Self::Interrupted => {
                Some("run the same command again; it goes on where this one ended")
            }
            Self::Output { .. } => Some(MEND),
            Self::Store(error) if error.is_resumable() => Some(MEND),
            Self::Load(error) if error.is_storage() => Some(MEND),
            Self::NoRoom { .. } => Some("make room, or lower `output.keep`; nothing was called"),
            Self::SummaryNotPrinted { .. } => Some(
                "nothing has to be run again; `manifest.json` in that folder is the same summary",
            ),
            Self::NothingStored => Some(
                "answers fit only the `api` settings that they were asked with (address, limit, tables, language, time zone)",
            ),
            Self::LoginRefused { hint, .. } => Some(hint),
            Self::NoLogin(refusal) => Some(refusal.hint()),
            Self::Unusable(unusable) => Some(unusable.hint()),
            Self::Hopeless(hopeless) => Some(hopeless.hint()),
            Self::TooManyFailures { .. } => {
                Some("the same command tries only those again; or raise `output.max_failed`")
            }
            _ => None,
        }
    }
}

const MEND: &str = "mend that and run the same command again; it goes on where this one ended";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_distinct() {
        for (index, exit) in Exit::ALL.iter().enumerate() {
            assert!(
                Exit::ALL[..index]
                    .iter()
                    .all(|other| other.code() != exit.code())
            );
        }
    }
}
