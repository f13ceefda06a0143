//! Reads a secret from where the job says it is. The value lives in a type that cannot be printed
//! and is wiped.

mod program;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use self::program::{Ended, Program};
use crate::extract::waiting::{self, Stop, Waited, wait_for};
use crate::shell;

/// How long a secret is waited for: long enough for a vault on the other side of the world, and no
/// night is lost to one that hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Where a secret is to be had, and the job key that says so.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// An environment variable.
    Env {
        /// The job key.
        key: &'static str,
        /// The variable's name.
        name: String,
    },
    /// A file that only its owner can read.
    File {
        /// The job key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// What a program prints.
    Command {
        /// The job key.
        key: &'static str,
        /// The program and its arguments.
        words: Vec<String>,
        /// Where it is run.
        folder: PathBuf,
    },
}

/// Why a text is no usable private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKey {
    /// Nothing that looks like one.
    #[error(
        "holds no RSA private key; expected PEM (BEGIN PRIVATE KEY, BEGIN RSA PRIVATE KEY) or .NET XML (RSAKeyValue)"
    )]
    Unrecognised,
    /// It is locked with a password.
    #[error(
        "holds an encrypted private key, which no unattended job can open; decrypt it with: openssl pkey -in KEY -out NEW"
    )]
    Encrypted,
    /// It is the other half.
    #[error("holds a public key or certificate; the private key is needed")]
    Public,
    /// It looks like one, but its parts are missing or do not fit together.
    #[error("holds a damaged RSA private key, or only its public half")]
    Damaged,
    /// The key is sound but not accepted.
    #[error("holds an RSA key that is not accepted; it must have 2048 to 8192 bits")]
    Size,
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("`{key}`: the environment variable {name} is not set; set it where the job is started")]
    NoVariable { key: &'static str, name: String },
    #[error("`{key}`: cannot read {path}", path = path.display())]
    Read {
        key: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{key}`: {path} can be read by others; run: chmod 600 {}", shell::quoted(path), path = path.display())]
    Readable { key: &'static str, path: PathBuf },
    #[error("`{key}`: cannot run {program}")]
    Run {
        key: &'static str,
        program: String,
        source: std::io::Error,
    },
    #[error("`{key}`: {program} failed ({status}){said}")]
    Failed {
        key: &'static str,
        program: String,
        status: std::process::ExitStatus,
        /// What it complained of, as what follows the message.
        said: String,
    },
    #[error(
        "`{key}`: {place} gave no secret within {} s{said}",
        LONGEST_WAIT.as_secs()
    )]
    Late {
        key: &'static str,
        /// The program or the file.
        place: String,
        /// What it complained of, as what follows the message.
        said: String,
    },
    #[error("`{key}`: the system gives no thread to read it")]
    NoThread {
        key: &'static str,
        source: std::io::Error,
    },
    #[error("`{key}`: interrupted while the secret was waited for")]
    Stopped { key: &'static str },
    #[error("`{key}`: cannot replace {path}", path = path.display())]
    Replace {
        key: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{key}` {problem}")]
    NotKey { key: &'static str, problem: NotKey },
    #[error("`{key}`: the secret is empty")]
    Empty { key: &'static str },
    #[error("`{key}`: the secret is no UTF-8 text")]
    NotText { key: &'static str },
    #[error(
        "`{key}`: the secret holds characters that no HTTP header can carry, such as a line break in the middle"
    )]
    NotHeader { key: &'static str },
}

impl fmt::Debug for Secret {
    // People put secrets into the arguments of programs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Secret").field(&self.key()).finish()
    }
}

impl Secret {
    /// The job key that says where it is.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Env { key, .. } | Self::File { key, .. } | Self::Command { key, .. } => key,
        }
    }

    /// Reads it; a byte order mark and line breaks at the end are dropped. It is not waited for once somebody asks to stop.
    ///
    /// # Errors
    /// Where it is not there, is empty, or is a file that others can read.
    pub(crate) fn read(&self, stop: &Stop) -> Result<SecretString, Error> {
        let key = self.key();
        let bytes = match self {
            Self::Env { name, .. } => {
                let value = std::env::var_os(name).ok_or_else(|| Error::NoVariable {
                    key,
                    name: name.clone(),
                })?;
                std::os::unix::ffi::OsStringExt::into_vec(value)
            }
            Self::File { path, .. } => read_private(key, path, stop)?,
            Self::Command { words, folder, .. } => run(key, words, folder, stop)?,
        };
        let bytes = Zeroizing::new(bytes);
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::NotText { key })?;
        // Editors leave the one at the start, and nearly everything the other at the end.
        let text = text.trim_start_matches('\u{feff}');
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(Error::Empty { key });
        }
        Ok(SecretString::from(text))
    }

    /// Reads it again aside, while requests go on. Where somebody asks to stop, it never comes: who
    /// waits for it hears of that by another way.
    ///
    /// # Errors
    /// As when it is read first.
    pub(crate) async fn read_again(&self, stop: &Stop) -> Result<SecretString, Error> {
        let (secret, stop) = (self.clone(), stop.clone());
        aside(self.key(), move || secret.read(&stop)).await
    }

    /// Puts another secret in its place, whole or not at all; false where the place is none that
    /// can be written to.
    ///
    /// # Errors
    /// Where the file cannot be written; the old secret is then still there.
    pub fn replace(&self, secret: &SecretString) -> Result<bool, Error> {
        let Self::File { key, path } = self else {
            return Ok(false);
        };
        let failed = |source| Error::Replace {
            key,
            path: path.clone(),
            source,
        };
        // Through links, so that the file is replaced and not the link to it.
        let path = std::fs::canonicalize(path).map_err(failed)?;
        write_private(&path, secret).map_err(failed)?;
        Ok(true)
    }
}

/// Reads secrets, the first of them of this key, on a thread of its own.
pub(crate) async fn aside<T: Send + 'static>(
    key: &'static str,
    read: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let no_thread = |source| Error::NoThread { key, source };
    let read = waiting::start(read).map_err(no_thread)?.await;
    match read.map_err(|error| no_thread(std::io::Error::other(error)))? {
        Err(Error::Stopped { .. }) => std::future::pending().await,
        read => read,
    }
}

fn write_private(path: &Path, secret: &SecretString) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let partial = folder.join(name);
    // One that a crash left behind may have another mode.
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    File::open(folder)?.sync_all()
}

/// Whether nobody reads the file but its owner and, where that is root, the group of this process:
/// below `/etc` a secret of a service usually is `root:service 0640`, so that the service itself
/// cannot change it.
const fn is_private(mode: u32, is_roots: bool, is_of_our_group: bool) -> bool {
    match mode & 0o077 {
        0 => true,
        0o040 => is_roots && is_of_our_group,
        _ => false,
    }
}

fn is_our_group(group: u32) -> bool {
    let others = rustix::process::getgroups().unwrap_or_default();
    let ours = std::iter::once(rustix::process::getegid()).chain(others);
    ours.map(rustix::process::Gid::as_raw)
        .any(|our| our == group)
}

fn read_private(key: &'static str, path: &Path, stop: &Stop) -> Result<Vec<u8>, Error> {
    use std::os::unix::fs::MetadataExt as _;

    let failed = |source| Error::Read {
        key,
        path: path.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let is_of_our_group = is_our_group(metadata.gid());
    if !is_private(metadata.mode(), metadata.uid() == 0, is_of_our_group) {
        return Err(Error::Readable {
            key,
            path: path.to_owned(),
        });
    }
    if metadata.is_file() {
        return std::fs::read(path).map_err(failed);
    }
    // Nobody may ever write to a pipe.
    let read = {
        let path = path.to_owned();
        move || std::fs::read(path)
    };
    match wait_for(stop, Some(LONGEST_WAIT), read).map_err(failed)? {
        Waited::Done(read) => read.map_err(failed),
        Waited::Late => Err(Error::Late {
            key,
            place: path.display().to_string(),
            said: String::new(),
        }),
        Waited::Stopped => Err(Error::Stopped { key }),
    }
}

fn run(key: &'static str, words: &[String], folder: &Path, stop: &Stop) -> Result<Vec<u8>, Error> {
    let (program, arguments) = words.split_first().ok_or(Error::Empty { key })?;
    let ended = Program {
        name: program,
        arguments,
        folder,
    }
    .run(LONGEST_WAIT, stop);
    // Somebody may have typed the whole command line as the name of the program.
    let named = program.split_whitespace().next().unwrap_or_default();
    let program = named.to_owned();
    match ended {
        Ok(Ended::Well(output)) => Ok(output),
        Ok(Ended::Failed(status, said)) => Err(Error::Failed {
            key,
            program,
            status,
            said,
        }),
        Ok(Ended::Late(said)) => Err(Error::Late {
            key,
            place: program,
            said,
        }),
        Ok(Ended::Stopped) => Err(Error::Stopped { key }),
        Err(source) => Err(Error::Run {
            key,
            program,
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::extract::waiting::never;

    #[test]
    fn a_secret_is_its_owners_or_roots_for_the_group_of_the_service() {
        for (mode, is_roots, is_of_our_group, expected) in [
            (0o600, false, false, true),
            (0o400, true, false, true),
            (0o640, true, true, true),
            (0o440, true, true, true),
            (0o640, true, false, false),
            (0o640, false, true, false),
            (0o660, true, true, false),
            (0o644, true, true, false),
            (0o604, true, true, false),
        ] {
            let found = is_private(0o100_000 | mode, is_roots, is_of_our_group);
            assert_eq!(found, expected, "{mode:o} {is_roots} {is_of_our_group}");
        }
    }

    fn file(content: &str, mode: u32) -> (tempfile::NamedTempFile, Secret) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let secret = Secret::File {
            key: "api.app_token",
            path: file.path().to_owned(),
        };
        (file, secret)
    }

    #[test]
    fn a_secret_comes_from_a_private_file_or_a_program() {
        let (file, secret) = file("s3cret\n", 0o600);
        assert_eq!(secret.read(&never()).unwrap().expose_secret(), "s3cret");
        for marked in ["\u{feff}s3cret", "\u{feff}s3cret\r\n\n", "s3cret"] {
            std::fs::write(file.path(), marked).unwrap();
            let read = secret.read(&never()).unwrap();
            assert_eq!(read.expose_secret(), "s3cret", "{marked:?}");
        }
        let folder = file.path().parent().unwrap().to_owned();
        let words = vec![
            "cat".to_owned(),
            file.path()
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned(),
        ];
        let command = Secret::Command {
            key: "k",
            words,
            folder,
        };
        assert_eq!(command.read(&never()).unwrap().expose_secret(), "s3cret");
        assert!(!command.replace(&"other".into()).unwrap());
    }

    #[test]
    fn a_file_is_replaced_whole_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("token"), folder.path().join("link"));
        std::fs::write(&path, "old").unwrap();
        std::fs::write(folder.path().join(".token.partial"), "left behind").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let secret = Secret::File {
            key: "k",
            path: link.clone(),
        };
        assert!(secret.replace(&"new".into()).unwrap());
        assert_eq!(secret.read(&never()).unwrap().expose_secret(), "new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        std::fs::remove_file(&path).unwrap();
        assert!(secret.replace(&"new".into()).is_err());
    }

    #[test]
    fn what_is_missing_empty_or_open_to_others_is_refused() {
        let (_open, readable) = file("s3cret", 0o644);
        let (_empty, empty) = file("\n", 0o600);
        let cases = [
            (readable, "can be read by others"),
            (empty, "is empty"),
            (
                Secret::File {
                    key: "k",
                    path: "/nonexistent/secret".into(),
                },
                "cannot read",
            ),
            (
                Secret::Env {
                    key: "k",
                    name: "SURELY_NOT_SET_ANYWHERE".to_owned(),
                },
                "is not set",
            ),
            (
                Secret::Command {
                    key: "k",
                    words: vec!["false".to_owned()],
                    folder: "/".into(),
                },
                "failed",
            ),
        ];
        for (secret, expected) in cases {
            let message = secret.read(&never()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
