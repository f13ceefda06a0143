//! Reads a secret from where the job says it is. The value lives in a type that cannot be printed and is wiped.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use secrecy::SecretString;

/// Where a secret is to be had, and the job key that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    },
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("`{key}`: the environment variable {name} is not set; set it where the job is started")]
    NoVariable { key: &'static str, name: String },
    #[error("`{key}`: cannot read {path}", path = path.display())]
    Read { key: &'static str, path: PathBuf, source: std::io::Error },
    #[error("`{key}`: {path} can be read by others; run: chmod 600 {path}", path = path.display())]
    Readable { key: &'static str, path: PathBuf },
    #[error("`{key}`: cannot run {program}")]
    Run { key: &'static str, program: String, source: std::io::Error },
    #[error("`{key}`: {program} failed ({status})")]
    Failed { key: &'static str, program: String, status: std::process::ExitStatus },
    #[error("`{key}`: the secret is empty")]
    Empty { key: &'static str },
    #[error("`{key}`: the secret is no UTF-8 text")]
    NotText { key: &'static str },
    #[error("`{key}`: the secret holds characters that no HTTP header can carry, such as a line break in the middle")]
    NotHeader { key: &'static str },
}

impl Secret {
    /// The job key that says where it is.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Env { key, .. } | Self::File { key, .. } | Self::Command { key, .. } => key,
        }
    }

    /// Reads it; line breaks at the end are dropped.
    ///
    /// # Errors
    /// Where it is not there, is empty, or is a file that others can read.
    pub fn read(&self) -> Result<SecretString, Error> {
        let key = self.key();
        let bytes = match self {
            Self::Env { name, .. } => {
                let value = std::env::var_os(name).ok_or_else(|| Error::NoVariable { key, name: name.clone() })?;
                std::os::unix::ffi::OsStringExt::into_vec(value)
            }
            Self::File { path, .. } => read_private(key, path)?,
            Self::Command { words, .. } => run(key, words)?,
        };
        let text = String::from_utf8(bytes).map_err(|_| Error::NotText { key })?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(Error::Empty { key });
        }
        Ok(SecretString::from(text))
    }
}

fn read_private(key: &'static str, path: &std::path::Path) -> Result<Vec<u8>, Error> {
    use std::os::unix::fs::PermissionsExt as _;

    let failed = |source| Error::Read { key, path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::Readable { key, path: path.to_owned() });
    }
    std::fs::read(path).map_err(failed)
}

fn run(key: &'static str, words: &[String]) -> Result<Vec<u8>, Error> {
    let (program, arguments) = words.split_first().ok_or(Error::Empty { key })?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Run { key, program: program.clone(), source })?;
    if !output.status.success() {
        return Err(Error::Failed { key, program: program.clone(), status: output.status });
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn file(content: &str, mode: u32) -> (tempfile::NamedTempFile, Secret) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let secret = Secret::File { key: "api.app_token", path: file.path().to_owned() };
        (file, secret)
    }

    #[test]
    fn a_secret_comes_from_a_private_file_or_a_program() {
        let (_file, secret) = file("s3cret\n", 0o600);
        assert_eq!(secret.read().unwrap().expose_secret(), "s3cret");
        let words = vec!["printf".to_owned(), "s3cret".to_owned()];
        assert_eq!(Secret::Command { key: "k", words }.read().unwrap().expose_secret(), "s3cret");
    }

    #[test]
    fn what_is_missing_empty_or_open_to_others_is_refused() {
        let (_open, readable) = file("s3cret", 0o644);
        let (_empty, empty) = file("\n", 0o600);
        let cases = [
            (readable, "can be read by others"),
            (empty, "is empty"),
            (Secret::File { key: "k", path: "/nonexistent/secret".into() }, "cannot read"),
            (Secret::Env { key: "k", name: "SURELY_NOT_SET_ANYWHERE".to_owned() }, "is not set"),
            (Secret::Command { key: "k", words: vec!["false".to_owned()] }, "failed"),
        ];
        for (secret, expected) in cases {
            let message = secret.read().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
