//! Why a command ends without what it was asked for, and what follows from that: exit code, whether
//! the same command goes on, and a hint. The stages own their messages; what each of their errors
//! means for the process is said here alone.

mod exit;
mod not_ours;

use std::path::PathBuf;

use indicatif::HumanBytes;

pub use self::exit::Exit;
pub use self::not_ours::NotOurs;
use crate::extract::api::{tenant, transport};
use crate::extract::fetcher::hopeless;
use crate::extract::ids;
use crate::extract::{auth, secret};
use crate::flatten::HashKey;
use crate::guards;
use crate::{job, load, sandbox, store};

/// Why a command ends without what it was asked for.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error(transparent)]
    Job(#[from] job::Error),
    #[error(transparent)]
    Source(#[from] ids::Error),
    #[error(transparent)]
    Secret(#[from] secret::Error),
    #[error(
        "{place}: `privacy.key`: the key has fewer than {} bytes, and could be found by trying; \
         make one with: openssl rand -hex 32",
        HashKey::SHORTEST
    )]
    ShortHashKey { place: String },
    #[error(transparent)]
    Client(#[from] transport::Error),
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
    #[error(
        "the run was published as {dir}, but its summary could not be printed",
        dir = dir.display()
    )]
    SummaryNotPrinted {
        dir: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "`output.dir`: {path} cannot be written; check the path and its permissions",
        path = path.display()
    )]
    OutputFolder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}:{line}: no contact id and day; mend that line", path = path.display())]
    Forgotten { path: PathBuf, line: u64 },
    #[error("what is to be forgotten has to be contact ids, and all of it; nothing was forgotten")]
    NoContactId,
    #[error("{path}: holds no state of this job, so there is nothing to forget", path = path.display())]
    NothingToForget { path: PathBuf },
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
    #[error(
        "another run of this job is under way ({holder}); it holds {path}",
        path = path.display()
    )]
    Locked { path: PathBuf, holder: String },
    #[error(
        "the API did not answer as it should for longer than `fetch.patience` (at last: {cause}); \
         {done} answers of this run are kept"
    )]
    Unreachable { done: u64, cause: String },
    #[error("the server's certificate is not accepted ({cause})")]
    Untrusted { cause: String },
    #[error(
        "the API refused the login with status {status}{}",
        if *worked_before { ", though it had worked before" } else { "" }
    )]
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
        "nothing was published: {failed} of {distinct} targets failed, \
         more than `output.max_failed` allows"
    )]
    TooManyFailures { failed: u64, distinct: u64 },
    #[error("nothing was called: {0}")]
    UnbelievableList(guards::UnbelievableList),
    #[error("nothing was published: {stop}")]
    UnbelievableExport {
        stop: guards::UnbelievableExport,
        /// Whether the server was away, so that this says nothing of the contacts.
        was_away: bool,
    },
    #[error("interrupted; nothing was published, and every answer that came is kept")]
    Interrupted,
    #[error("interrupted; the checks that are left were not made")]
    CheckInterrupted,
    #[error(
        "{path}: about {} will be needed, and {} are free",
        HumanBytes(*needed),
        HumanBytes(*free),
        path = path.display()
    )]
    NoRoom {
        path: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error(
        "the API did not answer until `fetch.max_duration` or `fetch.max_calls` ended the run, \
         and no answer is stored; nothing was published"
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

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// The exit code that tells it to the shell.
    pub exit: Exit,
    /// Whether the same command goes on where this one ended, or tries what failed again.
    pub goes_on: bool,
    /// What to do about it, where the message does not say it already.
    pub hint: Option<&'static str>,
}

impl Consequence {
    /// The message says it all, and the same command would fail again.
    const fn ends(exit: Exit) -> Self {
        Self {
            exit,
            goes_on: false,
            hint: None,
        }
    }

    /// The same command would fail again, until this is done.
    const fn needs(exit: Exit, hint: &'static str) -> Self {
        Self {
            exit,
            goes_on: false,
            hint: Some(hint),
        }
    }

    /// The same command goes on.
    const fn goes_on(exit: Exit, hint: &'static str) -> Self {
        Self {
            exit,
            goes_on: true,
            hint: Some(hint),
        }
    }
}

const AGAIN: &str = "run the same command again; it goes on where this one ended";
const MEND: &str = "mend that and run the same command again; it goes on where this one ended";

impl Error {
    /// What follows from it.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Job(_)
            | Self::Source(_)
            | Self::Secret(_)
            | Self::ShortHashKey { .. }
            | Self::Client(_)
            | Self::Certificates { .. }
            | Self::Sandbox(_)
            | Self::OutputFolder { .. }
            | Self::NotOurs(_)
            | Self::Forgotten { .. }
            | Self::NoContactId
            | Self::NothingToForget { .. }
            | Self::UnbelievableList(_) => Consequence::ends(Exit::Usage),
            Self::Locked { .. } => Consequence::ends(Exit::Locked),
            Self::Store(error) => of_store(error),
            Self::Load(error) => of_load(error),
            Self::Output { .. } => Consequence::goes_on(Exit::Storage, MEND),
            Self::StandardOutput(_) => Consequence::ends(Exit::Storage),
            Self::SummaryNotPrinted { .. } => Consequence::needs(
                Exit::Storage,
                "nothing has to be run again; `manifest.json` in that folder is the same summary",
            ),
            Self::NoRoom { .. } => Consequence::needs(
                Exit::Storage,
                "make room, or lower `output.keep`; nothing was called",
            ),
            Self::Unreachable { .. }
            | Self::NothingFetched
            | Self::UnbelievableExport { was_away: true, .. } => {
                Consequence::goes_on(Exit::Unreachable, AGAIN)
            }
            Self::Untrusted { .. } => Consequence::needs(
                Exit::Unreachable,
                "name the file with the certificate of its authority in `api.ca_file`; where it is \
                 said to have expired or not to be valid yet, check this machine's clock",
            ),
            Self::Unusable(unusable) => of_unusable(*unusable),
            Self::LoginRefused { hint, .. } => Consequence::needs(Exit::Login, hint),
            Self::NoLogin(refusal) => Consequence::needs(Exit::Login, refusal.hint()),
            Self::Hopeless(hopeless) => of_hopeless(*hopeless),
            Self::TooManyFailures { .. } => Consequence::goes_on(
                Exit::NotPublished,
                "the same command tries only those again; or raise `output.max_failed`",
            ),
            Self::UnbelievableExport {
                was_away: false, ..
            } => Consequence::needs(
                Exit::NotPublished,
                "`latest` stays as it was, and every answer is kept; look at the cause, or, where \
                 the export is right, run the same command with --accept, which calls nothing",
            ),
            Self::NothingStored => Consequence::needs(
                Exit::NotPublished,
                "answers fit only the `api` settings that they were asked with \
                 (address, limit, tables, language, time zone)",
            ),
            Self::System(_) | Self::Differs { .. } | Self::Defect => {
                Consequence::ends(Exit::NotPublished)
            }
            Self::CheckInterrupted => Consequence::ends(Exit::Interrupted),
            Self::Interrupted => Consequence::goes_on(Exit::Interrupted, AGAIN),
        }
    }
}

/// Where the file system is at fault, the same command goes on once it is mended; the other
/// messages say what to do.
fn of_store(error: &store::Error) -> Consequence {
    match error {
        store::Error::Sqlite { .. } | store::Error::Create { .. } => {
            Consequence::goes_on(Exit::Storage, MEND)
        }
        store::Error::OtherPlace { .. }
        | store::Error::Unclean { .. }
        | store::Error::Changed { .. } => Consequence::ends(Exit::Usage),
        store::Error::Newer { .. }
        | store::Error::Foreign { .. }
        | store::Error::Damaged { .. }
        | store::Error::Body { .. }
        | store::Error::Orphan { .. }
        | store::Error::Gone { .. } => Consequence::ends(Exit::Storage),
    }
}

fn of_load(error: &load::Error) -> Consequence {
    match error {
        load::Error::Storage { .. }
        | load::Error::Access { .. }
        | load::Error::NoSymlinks { .. } => Consequence::goes_on(Exit::Storage, MEND),
        load::Error::LatestIsNoLink { .. } => Consequence::ends(Exit::Usage),
        load::Error::Columns { .. }
        | load::Error::OtherColumns { .. }
        | load::Error::Encode { .. }
        | load::Error::Decode { .. }
        | load::Error::Taken { .. }
        | load::Error::NoExport { .. }
        | load::Error::Manifest { .. }
        | load::Error::NewerManifest { .. } => Consequence::ends(Exit::NotPublished),
    }
}

fn of_unusable(unusable: tenant::Unusable) -> Consequence {
    let exit = if unusable.may_pass() {
        Exit::Unreachable
    } else {
        Exit::NotPublished
    };
    Consequence::needs(exit, unusable.hint())
}

fn of_hopeless(hopeless: hopeless::Hopeless) -> Consequence {
    let exit = match hopeless.status {
        401 | 403 => Exit::Login,
        _ => Exit::NotPublished,
    };
    Consequence::needs(exit, hopeless.hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_goes_on_where_only_the_file_system_stands_in_the_way() {
        let path = || PathBuf::from("state.sqlite");
        let refused = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let storage = load::Error::Storage {
            action: "write",
            path: path(),
            source: refused(),
        };
        let create = store::Error::Create {
            path: path(),
            source: refused(),
        };
        let damaged = store::Error::Damaged {
            path: path(),
            source: None,
        };
        let cases: [(Error, Exit, bool); 6] = [
            (storage.into(), Exit::Storage, true),
            (create.into(), Exit::Storage, true),
            (damaged.into(), Exit::Storage, false),
            (
                store::Error::Foreign { path: path() }.into(),
                Exit::Storage,
                false,
            ),
            (
                load::Error::LatestIsNoLink { path: path() }.into(),
                Exit::Usage,
                false,
            ),
            (
                load::Error::Taken { path: path() }.into(),
                Exit::NotPublished,
                false,
            ),
        ];
        for (error, exit, goes_on) in cases {
            let expected = Consequence {
                exit,
                goes_on,
                hint: goes_on.then_some(MEND),
            };
            assert_eq!(error.consequence(), expected, "{error:?}");
        }
    }
}
