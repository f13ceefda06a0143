//! What may be a secret in a job: the places that secrets are read from, and headers. Nothing here
//! can be printed with its value, nor complained of by quoting it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::values::{InvalidValue, Value, ValueKind, plain_values};
use crate::extract::secret::Secret;

plain_values! {
    SecretPlace => Secret,
    BTreeMap<String, HeaderSetting> => Table,
}

/// Longest name that is shown: of those in use for headers and keys, none is longer.
const LONGEST_NAME: usize = 40;

/// Whether a name that somebody typed can be shown. One that is no plain word, or has digits in it,
/// may be a secret that stands where a name belongs.
pub(super) fn may_be_shown(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphabetic() || "-_".contains(c);
    name.len() <= LONGEST_NAME && name.chars().all(is_plain)
}

/// Where a secret is to be had; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) enum SecretPlace {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file that only its owner can read.
    File(PathBuf),
    /// A program and its arguments; what it prints is the secret.
    Command(Vec<String>),
}

impl TryFrom<toml::Value> for SecretPlace {
    type Error = InvalidValue;

    // By hand, since a derived message would quote a secret that was typed in its place.
    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        let place = value
            .as_table()
            .filter(|table| table.len() == 1)
            .and_then(|table| {
                let (key, value) = table.iter().next()?;
                match (key.as_str(), value) {
                    ("env", toml::Value::String(name)) => Some(Self::Env(name.clone())),
                    ("file", toml::Value::String(path)) => Some(Self::File(path.into())),
                    ("command", toml::Value::Array(words)) if !words.is_empty() => words
                        .iter()
                        .map(|word| word.as_str().map(str::to_owned))
                        .collect::<Option<_>>()
                        .map(Self::Command),
                    _ => None,
                }
            });
        place.ok_or(InvalidValue {
            expected: "a place to read the secret from, { env = \"NAME\" }, \
                       { file = \"path\" } or { command = [\"program\", \"argument\"] }; \
                       secrets are never written into the job",
        })
    }
}

impl SecretPlace {
    /// The secret of this key; paths count from the folder of the job.
    pub(super) fn secret(self, key: &'static str, folder: &Path) -> Secret {
        match self {
            Self::Env(name) => Secret::Env { key, name },
            Self::File(path) => Secret::File {
                key,
                path: folder.join(path),
            },
            Self::Command(words) => Secret::Command {
                key,
                words,
                folder: folder.to_owned(),
            },
        }
    }
}

/// A request header in the job: plain text, or a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum HeaderSetting {
    /// Plain text.
    Text(String),
    /// A secret.
    Secret(SecretPlace),
}

impl fmt::Debug for HeaderSetting {
    // People put secrets into plain headers too.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("Text(…)"),
            Self::Secret(place) => formatter.debug_tuple("Secret").field(place).finish(),
        }
    }
}

impl<'de> Deserialize<'de> for HeaderSetting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self::Text(text)),
            other => SecretPlace::try_from(other)
                .map(Self::Secret)
                .map_err(serde::de::Error::custom),
        }
    }
}
