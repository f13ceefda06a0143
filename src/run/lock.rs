//! One run per job: an advisory lock (`flock`) on `state.lock`, another one on the output folder
//! itself, and the folder they lie in. The system drops both with the process, however that ends, so
//! a dead run never blocks the next one.
//!
//! `state.lock` says who holds it, and is what older programs look at; but somebody may remove it
//! while a run is under way. The folder stays. It is locked rather than the state file, on which
//! SQLite has locks of its own: where a network file system makes both kinds one, they would meet.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use jiff::Timestamp;

use super::ours;
use crate::error::Error;
use crate::load::{self, publish};

/// Proves that a run could write to its output folder, and make it where it is missing. Leaves
/// nothing, and takes no lock.
pub(super) fn try_out(dir: &Path) -> Result<(), Error> {
    let nearest = dir
        .ancestors()
        .find(|folder| folder.symlink_metadata().is_ok())
        .unwrap_or(Path::new("."));
    ours::ensure_own_folder(dir)?;
    let name = format!(".check-{}.partial", std::process::id());
    publish::try_out(nearest, &name).map_err(|error| {
        if let load::Error::Storage { source, .. } = error {
            unusable(dir, source)
        } else {
            error.into()
        }
    })
}

/// Proves that the lock could be taken and a run be put into its folder, as far as these are there;
/// takes nothing.
pub(super) fn try_file(dir: &Path) -> Result<(), Error> {
    let path = dir.join(NAME);
    // Also refuses a link, which a run does not follow.
    ours::open_to_read(&path)?;
    ours::ensure_usable(&path)?;
    let runs = publish::folder_of_runs(dir);
    if runs.is_dir() {
        let name = format!(".check-{}.partial", std::process::id());
        publish::try_out(&runs, &name).map_err(|error| match error {
            load::Error::Storage { source, .. } => unusable(&runs, source),
            other => other.into(),
        })?;
    }
    Ok(())
}

fn unusable(dir: &Path, source: std::io::Error) -> Error {
    let nearest = dir.ancestors().find(|folder| folder.exists());
    if let Some(error) = nearest.and_then(|folder| ours::denied(folder, &source)) {
        return error;
    }
    match source.kind() {
        // Not the operator's mistake, and nothing to change in the job.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Output {
            path: dir.to_owned(),
            source,
        },
        _ => Error::OutputFolder {
            path: dir.to_owned(),
            source,
        },
    }
}

/// The locks of a job; they last as long as the value.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    /// None where the file system has no locks for folders.
    _folder: Option<File>,
    /// None where there is no such file and none was to be made.
    _file: Option<File>,
}

/// Makes the output folder where it is missing, and takes its locks. Their holder and the time it
/// took them are written down for whoever comes second.
pub(super) fn take(dir: &Path, now: Timestamp) -> Result<Lock, Error> {
    let unusable = |source| unusable(dir, source);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(unusable)?;
    ours::ensure_own_folder(dir)?;
    let folder = lock_folder(dir)?;
    let path = dir.join(NAME);
    // What keeps this file from being opened would keep any other from being made.
    let mut file = ours::open(&path).map_err(|error| match error {
        Error::Output { source, .. } => unusable(source),
        other => other,
    })?;
    lock(&mut file, &path)?;
    let holder = format!("process {}, since {now:.0}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(|source| Error::Output { path, source })?;
    Ok(Lock {
        _folder: folder,
        _file: Some(file),
    })
}

/// Keeps runs out as long as the value lasts, where there is an output folder already; makes and
/// changes nothing.
pub(crate) fn keep_out(dir: &Path) -> Result<Lock, Error> {
    if !dir.is_dir() {
        return Ok(Lock::default());
    }
    let folder = lock_folder(dir)?;
    let path = dir.join(NAME);
    let mut file = ours::open_to_read(&path)?;
    if let Some(file) = &mut file {
        lock(file, &path)?;
    }
    Ok(Lock {
        _folder: folder,
        _file: file,
    })
}

const NAME: &str = "state.lock";

fn lock_folder(dir: &Path) -> Result<Option<File>, Error> {
    let folder = File::open(dir).map_err(|source| unusable(dir, source))?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(held(dir)),
        // Network file systems lock only what can be written to; the other lock has to do.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Says who holds the folder, as far as `state.lock` tells: what stands in one that nobody holds is
/// about somebody before.
fn held(dir: &Path) -> Error {
    let path = dir.join(NAME);
    if let Ok(Some(mut file)) = ours::open_to_read(&path)
        && let Err(TryLockError::WouldBlock) = file.try_lock_shared()
    {
        return Error::Locked {
            holder: written_in(&mut file),
            path,
        };
    }
    Error::Locked {
        holder: "or a check of it; `state.lock` does not tell".to_owned(),
        path: dir.to_owned(),
    }
}

fn lock(file: &mut File, path: &Path) -> Result<(), Error> {
    let path = path.to_owned();
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::Locked {
            holder: written_in(file),
            path,
        }),
        Err(TryLockError::Error(source)) => Err(Error::Output { path, source }),
    }
}

fn written_in(file: &mut File) -> String {
    let mut holder = String::new();
    // Whoever holds it may not have written its name yet; the message then does without.
    drop(file.read_to_string(&mut holder));
    holder.trim().to_owned()
}
