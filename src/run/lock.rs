//! One run per job: an advisory lock on `state.lock`, and the folder it lies in. The system drops
//! the lock with the process, however that ends, so a dead run never blocks the next one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use jiff::Timestamp;

use crate::error::Error;
use crate::load::{self, publish};

/// Proves that a run could write to its output folder, and make it where it is missing. Leaves
/// nothing, and takes no lock.
pub(crate) fn try_out(dir: &Path) -> Result<(), Error> {
    let nearest = dir
        .ancestors()
        .find(|folder| folder.symlink_metadata().is_ok())
        .unwrap_or(Path::new("."));
    let name = format!(".check-{}.partial", std::process::id());
    publish::try_out(nearest, &name).map_err(|error| {
        if let load::Error::Storage { source, .. } = error {
            unusable(dir, source)
        } else {
            error.into()
        }
    })
}

fn unusable(dir: &Path, source: std::io::Error) -> Error {
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

/// Makes the output folder where it is missing, and takes its lock, which lasts as long as the
/// value. Its holder and the time it took it are written there for whoever comes second.
pub(super) fn take(dir: &Path, now: Timestamp) -> Result<File, Error> {
    let unusable = |source| unusable(dir, source);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(unusable)?;
    let path = dir.join("state.lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Whoever holds it may not have written its name yet; the message then does without.
            drop(file.read_to_string(&mut holder));
            return Err(Error::Locked {
                path,
                holder: holder.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(Error::Output { path, source }),
    }
    let holder = format!("process {}, since {now:.0}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(|source| Error::Output { path, source })?;
    Ok(file)
}
