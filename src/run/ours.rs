//! Files and folders that must be the job's own. Whoever else may write where the answers lie could
//! put a link there, or other answers: such a place is refused, with the command that mends it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::process::geteuid;

use crate::error::{Error, NotOurs};
use crate::shell;

/// Group and others may write.
const WRITABLE: u32 = 0o022;

/// Refuses a folder that others may write to.
pub(super) fn ensure_own_folder(path: &Path) -> Result<(), Error> {
    match path.metadata() {
        Ok(found) if found.mode() & WRITABLE != 0 => Err(NotOurs::OthersMayWrite {
            path: path.to_owned(),
            command: format!("chmod go-w {}", shell::quoted(path)),
        }
        .into()),
        // A folder that is not there is made with the right mode; what else is wrong with one shows
        // when it is used.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Refuses a link that somebody else put in the place of a file of ours: it may lead anywhere. Who
/// has the state on another disk by a link of their own may do so, and root may do anything.
pub(super) fn ensure_no_foreign_link(path: &Path) -> Result<(), Error> {
    let is_foreign = |found: &Metadata| {
        found.is_symlink() && found.uid() != geteuid().as_raw() && found.uid() != 0
    };
    match path.symlink_metadata() {
        Ok(found) if is_foreign(&found) => Err(link(path)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Opens a small file of ours, or makes it, for its owner alone. No link is followed.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(path);
    opened.map_err(|source| not_opened(path, source))
}

/// Makes a file of ours, in place of one that a dead run may have left.
pub(super) fn make_anew(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Proves that a file of ours, where it is there, can be written to; changes nothing. A link of the
/// operator's own is followed.
pub(super) fn ensure_usable(path: &Path) -> Result<(), Error> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(not_opened(path, source)),
    }
}

/// The same as [`open`] for reading; none where there is no such file.
pub(super) fn open_to_read(path: &Path) -> Result<Option<File>, Error> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(not_opened(path, source)),
    }
}

fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

fn not_opened(path: &Path, source: io::Error) -> Error {
    if path
        .symlink_metadata()
        .is_ok_and(|found| found.is_symlink())
    {
        return link(path);
    }
    denied(path, &source).unwrap_or(Error::Output {
        path: path.to_owned(),
        source,
    })
}

fn link(path: &Path) -> Error {
    let link = NotOurs::Link {
        path: path.to_owned(),
        command: format!("rm {}", shell::quoted(path)),
    };
    link.into()
}

/// That something cannot be used since it is another user's, where that is why.
pub(super) fn denied(path: &Path, source: &io::Error) -> Option<Error> {
    let (owner, us) = (path.metadata().ok()?.uid(), geteuid().as_raw());
    let is_denied = source.kind() == ErrorKind::PermissionDenied;
    (is_denied && owner != us).then(|| {
        let other = NotOurs::OtherUser {
            path: path.to_owned(),
            owner: user(owner),
            us: user(us),
        };
        other.into()
    })
}

/// The name of a user, as far as this machine's own list tells.
fn user(number: u32) -> String {
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&list, number).unwrap_or_else(|| format!("user {number}"))
}

fn name_in(list: &str, number: u32) -> Option<String> {
    let number = number.to_string();
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_by_name() {
        let list = "root:x:0:0:root:/root:/bin/sh\nsuperoffice:x:998:997::/:/bin/false\nodd\n";
        assert_eq!(name_in(list, 0).as_deref(), Some("root"));
        assert_eq!(name_in(list, 998).as_deref(), Some("superoffice"));
        assert_eq!(name_in(list, 997), None);
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [target, name] = ["target", "state.lock"].map(|name| folder.path().join(name));
        std::fs::write(&target, "theirs").unwrap();
        std::os::unix::fs::symlink(&target, &name).unwrap();
        for error in [open(&name).unwrap_err(), open_to_read(&name).unwrap_err()] {
            assert!(
                matches!(error, Error::NotOurs(NotOurs::Link { .. })),
                "{error}"
            );
        }
        std::fs::remove_file(&name).unwrap();
        assert!(open_to_read(&name).unwrap().is_none());
        open(&name).unwrap();
        assert!(open_to_read(&name).unwrap().is_some());
    }
}
