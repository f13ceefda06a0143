//! The values that job keys take beyond plain text and numbers: durations, shares, secrets.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A duration as typed: `"30s"`, `"500ms"`, `"2h"`, `"1h 30m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Period(pub Duration);

/// A share as typed: `"1%"`, `"0.5%"`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Share(pub f64);

/// A value that could not be read as what the key takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidValue {
    expected: &'static str,
}

impl FromStr for Period {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = InvalidValue {
            expected: "a duration such as \"30s\", \"500ms\", \"2h\" or \"1h 30m\"",
        };
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(invalid);
        }
        while !rest.is_empty() {
            let unit_at = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(|| invalid.clone())?;
            let (number, after) = rest.split_at(unit_at);
            let next = after
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(next);
            let number: u64 = number.parse().map_err(|_| invalid.clone())?;
            let milliseconds: u64 = match unit.trim() {
                "ms" => 1,
                "s" => 1_000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(invalid),
            };
            let part = number.checked_mul(milliseconds).map(Duration::from_millis);
            total = part
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| invalid.clone())?;
            rest = after;
        }
        Ok(Self(total))
    }
}

impl FromStr for Share {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = text
            .trim()
            .strip_suffix('%')
            .and_then(|number| number.trim().parse().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => Ok(Self(percent / 100.0)),
            _ => Err(InvalidValue {
                expected: "a share from \"0%\" to \"100%\"",
            }),
        }
    }
}

impl TryFrom<toml::Value> for Period {
    type Error = InvalidValue;

    // A bare number lacks its unit, as an empty text does.
    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        value.as_str().unwrap_or_default().parse()
    }
}

impl TryFrom<toml::Value> for Share {
    type Error = InvalidValue;

    // A bare number lacks its unit, as an empty text does.
    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        value.as_str().unwrap_or_default().parse()
    }
}

/// Where a secret is to be had; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum SecretPlace {
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
            expected: "a place to read the secret from, { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }; \
                       secrets are never written into the job",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("30s", 30_000),
            ("500ms", 500),
            ("2h", 7_200_000),
            ("1h 30m", 5_400_000),
            ("1m30s", 90_000),
            ("0s", 0),
            ("1d", 86_400_000),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(
                text.parse(),
                Ok(Period(Duration::from_millis(milliseconds))),
                "{text}"
            );
        }
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "2 weeks",
            "1h30",
            "99999999999999999999s",
            "9999999999999999999s",
            "ü",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn shares() {
        assert_eq!("1%".parse(), Ok(Share(0.01)));
        assert_eq!(" 0.5 %".parse(), Ok(Share(0.005)));
        for text in ["1", "%", "101%", "-1%", "NaN%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
