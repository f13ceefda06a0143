//! Reads a job file and the flags of `run` into one [`JobFile`]; every complaint names its line or
//! its flag.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};

use super::lines::{JobLines, line_of};
use super::secrets;
use super::settings::{JobFile, Setting, settings};
use super::values::ValueKind;

/// What is wrong with a job file or a flag.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: cannot read the job file", path = path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}:{line}: {message}", path = path.display())]
    Syntax {
        path: PathBuf,
        line: usize,
        message: String,
    },
    #[error("{path}:{line}: unknown key{key}{hint}", path = path.display())]
    UnknownKey {
        path: PathBuf,
        line: usize,
        /// Its name, quoted; nothing where that may be a secret.
        key: String,
        hint: String,
    },
    #[error("--{flag}: {message}")]
    Flag { flag: &'static str, message: String },
}

/// A key and the text that a flag gives it.
pub type Override = (&'static Setting, String);

/// A job as typed: the file with the flags laid over it.
#[derive(Debug)]
pub(super) struct Typed {
    /// The keys.
    pub(super) file: JobFile,
    /// The same as a table, for the manifest.
    pub(super) table: toml::Table,
    /// The folder that relative paths count from.
    pub(super) folder: PathBuf,
    /// Where things stand in the file.
    pub(super) lines: JobLines,
}

/// Reads the text of a job file.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

/// Parses the text of the job file at this path and lays the flags over it.
pub(super) fn parse(text: &str, path: &Path, overrides: &[Override]) -> Result<Typed, Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let syntax = |error: &toml::de::Error| Error::Syntax {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().lines().collect::<Vec<_>>().join("; "),
    };
    let spanned = DeTable::parse(text).map_err(|error| syntax(&error))?;
    check_keys(spanned.get_ref(), "").map_err(|Misplaced { at, what }| {
        let (path, line) = (path.to_owned(), line_of(text, at));
        match what {
            What::Unknown { key, section } => Error::UnknownKey {
                path,
                line,
                hint: nearest(&key, &section),
                key: if secrets::may_be_shown(&key) {
                    format!(" `{key}`")
                } else {
                    String::new()
                },
            },
            What::OfOtherKind(message) => Error::Syntax {
                path,
                line,
                message,
            },
        }
    })?;
    let mut file: JobFile = toml::from_str(text).map_err(|error| syntax(&error))?;
    let mut table: toml::Table = toml::from_str(text).map_err(|error| syntax(&error))?;
    for (setting, value) in overrides {
        let flag = setting.flag.unwrap_or(setting.key);
        displace(&mut table, setting);
        set(&mut table, setting, flag_value(setting, value)?);
        file = JobFile::deserialize(table.clone()).map_err(|error| Error::Flag {
            flag,
            message: error.message().to_owned(),
        })?;
    }
    Ok(Typed {
        file,
        table,
        folder: folder.to_owned(),
        lines: JobLines::of(path, spanned.get_ref(), text),
    })
}

/// The first thing in a job file that is not where it belongs, and where it stands.
struct Misplaced {
    at: usize,
    what: What,
}

enum What {
    Unknown { key: String, section: String },
    OfOtherKind(String),
}

/// Finds the first key that is not declared, or whose value is of another kind than declared. By
/// hand, since the messages of a derived reader quote the value, which may be a secret that was
/// typed where a table belongs.
fn check_keys(table: &DeTable<'_>, section: &str) -> Result<(), Misplaced> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let path = if section.is_empty() {
            name.to_owned()
        } else {
            format!("{section}.{name}")
        };
        let is_section = settings().any(|setting| setting.section == path);
        let declared = settings().find(|setting| setting.section == section && setting.key == name);
        let expected = match declared {
            Some(setting) => setting.kind,
            None if is_section => ValueKind::Table,
            None => {
                return Err(Misplaced {
                    at: key.span().start,
                    what: What::Unknown {
                        key: name.to_owned(),
                        section: section.to_owned(),
                    },
                });
            }
        };
        let found = value.get_ref();
        if let Some(expected) = refusal(expected, found) {
            let found = kind_of(found);
            return Err(Misplaced {
                at: value.span().start,
                what: What::OfOtherKind(format!("{path}: expected {expected}, found {found}")),
            });
        }
        if let (DeValue::Table(inner), true) = (found, is_section) {
            check_keys(inner, &path)?;
        }
    }
    Ok(())
}

/// What a key of this kind expects, where that is something else than what was found.
fn refusal(kind: ValueKind, found: &DeValue<'_>) -> Option<&'static str> {
    let (is_right, expected) = match kind {
        ValueKind::Text | ValueKind::Path => (matches!(found, DeValue::String(_)), "text"),
        ValueKind::Integer => (matches!(found, DeValue::Integer(_)), "a whole number"),
        ValueKind::Number => (
            matches!(found, DeValue::Integer(_) | DeValue::Float(_)),
            "a number",
        ),
        ValueKind::Boolean => (matches!(found, DeValue::Boolean(_)), "true or false"),
        ValueKind::List => (matches!(found, DeValue::Array(_)), "a list"),
        ValueKind::Table => (matches!(found, DeValue::Table(_)), "a table"),
        ValueKind::Written | ValueKind::Secret => return None,
    };
    (!is_right).then_some(expected)
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a Boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A hint at the key that was probably meant.
fn nearest(key: &str, section: &str) -> String {
    let names: Vec<&str> = if section.is_empty() {
        settings().map(|setting| setting.section).collect()
    } else {
        settings()
            .filter(|setting| setting.section == section)
            .map(|setting| setting.key)
            .collect()
    };
    let close = names
        .iter()
        .map(|name| (strsim::jaro_winkler(key, name), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let elsewhere = settings().find(|setting| setting.key == key);
    match (elsewhere, close) {
        (Some(setting), _) => format!("; it belongs to [{}]", setting.section),
        (None, Some((likeness, name))) if likeness > 0.7 => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// `tenant` and `base_url` exclude each other: a flag for one takes the place of the other.
fn displace(table: &mut toml::Table, setting: &Setting) {
    let other = match (setting.section, setting.key) {
        ("api", "tenant") => "base_url",
        ("api", "base_url") => "tenant",
        _ => return,
    };
    if let Some(toml::Value::Table(api)) = table.get_mut("api") {
        api.remove(other);
    }
}

fn set(table: &mut toml::Table, setting: &Setting, value: toml::Value) {
    let section = table
        .entry(setting.section)
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let toml::Value::Table(section) = section {
        section.insert(setting.key.to_owned(), value);
    }
}

fn flag_value(setting: &Setting, text: &str) -> Result<toml::Value, Error> {
    let invalid = |expected: &str| Error::Flag {
        flag: setting.flag.unwrap_or(setting.key),
        message: format!("expected {expected}"),
    };
    Ok(match setting.kind {
        // Paths in flags count from the current folder, as everywhere on a command line; those in a
        // job from the job file.
        ValueKind::Path if text != "-" => {
            let path = std::path::absolute(text).map_err(|_| invalid("a path"))?;
            toml::Value::String(path.to_string_lossy().into_owned())
        }
        ValueKind::Text | ValueKind::Written | ValueKind::Path => {
            toml::Value::String(text.to_owned())
        }
        ValueKind::Integer => {
            toml::Value::Integer(text.parse().map_err(|_| invalid("a whole number"))?)
        }
        ValueKind::Number => toml::Value::Float(text.parse().map_err(|_| invalid("a number"))?),
        ValueKind::Boolean => {
            toml::Value::Boolean(text.parse().map_err(|_| invalid("true or false"))?)
        }
        ValueKind::List => toml::Value::Array(
            text.split(',')
                .map(|word| toml::Value::String(word.trim().to_owned()))
                .collect(),
        ),
        ValueKind::Secret | ValueKind::Table => return Err(invalid("no flag")),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read_text(text: &str, flags: &[(&str, &str)]) -> Result<Typed, String> {
        let overrides: Vec<Override> = flags
            .iter()
            .map(|(flag, value)| {
                (
                    settings()
                        .find(|setting| setting.flag == Some(flag))
                        .unwrap(),
                    (*value).to_owned(),
                )
            })
            .collect();
        parse(text, Path::new("job.toml"), &overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn complaints_name_line_and_remedy() {
        let cases = [
            (
                "[api]\nlimt = 5",
                "job.toml:2: unknown key `limt`; did you mean `limit`?",
            ),
            (
                "\n[fetsch]\ntimeout = \"1s\"",
                "job.toml:2: unknown key `fetsch`; did you mean `fetch`?",
            ),
            (
                "[fetch]\nlimit = 5",
                "job.toml:2: unknown key `limit`; it belongs to [api]",
            ),
            (
                "[api]\nauth = { scheme = \"basic\", zzz = 1 }",
                "job.toml:2: unknown key `zzz`",
            ),
            (
                "[fetch]\ntimeout = \"soon\"",
                "job.toml:2: expected a duration such as \"30s\", \"500ms\", \"2h\" or \"1h 30m\"",
            ),
            (
                "[fetch]\ntimeout = 30",
                "job.toml:2: expected a duration such as \"30s\", \"500ms\", \"2h\" or \"1h 30m\"",
            ),
            (
                "[output]\nmax_failed = 0.01",
                "job.toml:2: expected a share from \"0%\" to \"100%\"",
            ),
            (
                "[api]\nlimit = -1",
                "job.toml:2: invalid value: integer `-1`, expected u32",
            ),
            ("[api\n", "job.toml:1: "),
        ];
        for (text, expected) in cases {
            let message = read_text(text, &[]).unwrap_err();
            assert!(message.starts_with(expected), "{message:?} for {text:?}");
        }
    }

    #[test]
    fn a_literal_secret_is_refused_without_repeating_it() {
        for text in [
            "[api]\napp_token = \"hunter2\"",
            "[api]\nauth = { scheme = \"basic\", password = \"hunter2\" }",
        ] {
            let message = read_text(text, &[]).unwrap_err();
            assert!(
                message.contains("secrets are never written into the job"),
                "{message}"
            );
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn flags_override_keys() {
        let typed = read_text(
            "[api]\ntenant = \"Cust12345\"\nlimit = 5",
            &[
                ("base-url", "sandbox"),
                ("limit", "7"),
                ("tables", "sales, chats"),
                ("timeout", "1s"),
            ],
        );
        let file = typed.unwrap().file;
        assert_eq!(
            (
                file.api.base_url().as_deref(),
                file.api.tenant(),
                file.api.limit()
            ),
            (Some("sandbox"), None, 7)
        );
        assert_eq!(file.api.tables(), ["sales", "chats"]);
        assert_eq!(file.fetch.timeout(), Duration::from_secs(1));
        assert_eq!(
            read_text("", &[("limit", "many")]).unwrap_err(),
            "--limit: expected a whole number"
        );
        assert_eq!(
            read_text("", &[("timeout", "x")])
                .unwrap_err()
                .split(" such")
                .next(),
            Some("--timeout: expected a duration")
        );
    }
}
