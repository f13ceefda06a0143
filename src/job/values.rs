//! The values that job keys take, and how each is typed: plain text and numbers as TOML has them,
//! durations, shares, lists of words. Secrets have a file of their own.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// Text.
    Text,
    /// A value written as text, which says itself what it expects.
    Written,
    /// A path.
    Path,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list of words; separated by commas in a flag.
    List,
    /// A place to read a secret from, which says itself what it expects; never a flag.
    Secret,
    /// A table; never a flag.
    Table,
}

/// A type that a key can be declared with.
pub(super) trait Value {
    /// What a flag of such a key takes.
    const KIND: ValueKind;
    /// What a run works with.
    type Plain;
    /// The value without what only serves to type it.
    fn plain(self) -> Self::Plain;
}

macro_rules! plain_values {
    ($($type:ty => $kind:ident),+ $(,)?) => {$(
        impl Value for $type {
            const KIND: ValueKind = ValueKind::$kind;
            type Plain = Self;
            fn plain(self) -> Self {
                self
            }
        }
    )+};
}

pub(super) use plain_values;

plain_values! {
    String => Text,
    Share => Written,
    PathBuf => Path,
    u32 => Integer,
    u64 => Integer,
    f64 => Number,
    bool => Boolean,
}

/// A duration as typed: `"30s"`, `"500ms"`, `"2h"`, `"1h 30m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Period(pub Duration);

/// For declared defaults.
pub(super) const fn milliseconds(number: u64) -> Period {
    Period(Duration::from_millis(number))
}

/// For declared defaults.
pub(super) const fn seconds(number: u64) -> Period {
    Period(Duration::from_secs(number))
}

/// For declared defaults.
pub(super) const fn hours(number: u64) -> Period {
    Period(Duration::from_hours(number))
}

/// For declared defaults.
pub(super) const fn days(number: u64) -> Period {
    hours(24 * number)
}

impl Value for Period {
    const KIND: ValueKind = ValueKind::Written;
    type Plain = Duration;
    fn plain(self) -> Duration {
        self.0
    }
}

/// The units of a period with their milliseconds, the shortest first.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// In the largest unit that takes a whole number of.
impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_millis();
        let (unit, each) = UNITS
            .into_iter()
            .rfind(|(_, each)| total > 0 && total.is_multiple_of(u128::from(*each)))
            .unwrap_or(("s", 1_000));
        write!(formatter, "{}{unit}", total / u128::from(each))
    }
}

/// A share as typed: `"1%"`, `"0.5%"`. Held in billionths, so that whole numbers are compared with
/// it exactly, to the last of two billion contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Share {
    billionths: u32,
}

/// For declared defaults.
pub(super) const fn percent(number: u32) -> Share {
    Share {
        billionths: number * Share::PERCENT,
    }
}

impl Share {
    const WHOLE: u32 = 1_000_000_000;
    const PERCENT: u32 = Self::WHOLE / 100;

    /// From 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.billionths) / f64::from(Self::WHOLE)
    }

    /// Whether `part` of `whole` is more than this share.
    pub(crate) fn is_exceeded(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(Self::WHOLE) > u128::from(self.billionths) * u128::from(whole)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = f64::from(self.billionths) / f64::from(Self::PERCENT);
        write!(formatter, "{percent}%")
    }
}

/// A list of words.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// For declared defaults.
    pub(super) fn of(words: impl Iterator<Item = &'static str>) -> Self {
        Self(words.map(str::to_owned).collect())
    }
}

impl Value for Words {
    const KIND: ValueKind = ValueKind::List;
    type Plain = Vec<String>;
    fn plain(self) -> Vec<String> {
        self.0
    }
}

/// As in a flag.
impl fmt::Display for Words {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(","))
    }
}

/// A value that could not be read as what the key takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidValue {
    pub(super) expected: &'static str,
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
            let unit = match unit.trim() {
                "min" => "m",
                unit => unit,
            };
            let (_, milliseconds) = UNITS
                .into_iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(|| invalid.clone())?;
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

    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a hundred percent is a whole number from 0 to 10^9"
    )]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent: Option<f64> = text
            .trim()
            .strip_suffix('%')
            .and_then(|number| number.trim().parse().ok());
        let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
        let percent = percent.ok_or(InvalidValue {
            expected: "a share from \"0%\" to \"100%\"",
        })?;
        Ok(Self {
            billionths: (percent * f64::from(Self::PERCENT)).round() as u32,
        })
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
        assert_eq!("1%".parse(), Ok(percent(1)));
        assert_eq!(
            " 0.5 %".parse(),
            Ok(Share {
                billionths: 5_000_000
            })
        );
        for text in ["1", "%", "101%", "-1%", "NaN%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        for text in ["0%", "1%", "2.5%", "0.0000001%", "99.9999999%", "100%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_share_is_compared_exactly() {
        // 0.29 * 100.0 is less than 29.0, and 2^53 + 1 is no f64.
        let cases = [
            ("1%", 1, 100, false),
            ("1%", 2, 100, true),
            ("0%", 0, 0, false),
            ("0%", 1, 5, true),
            ("29%", 29, 100, false),
            ("29%", 30, 100, true),
            ("50%", 9_007_199_254_740_993, 18_014_398_509_481_985, true),
            ("100%", u64::MAX, u64::MAX, false),
        ];
        for (share, part, whole, expected) in cases {
            let share: Share = share.parse().unwrap();
            assert_eq!(
                share.is_exceeded(part, whole),
                expected,
                "{part} of {whole} at {share}"
            );
        }
    }

    #[test]
    fn a_default_is_written_as_it_would_be_typed() {
        let cases = [
            (milliseconds(500), "500ms"),
            (seconds(0), "0s"),
            (seconds(30), "30s"),
            (seconds(90), "90s"),
            (hours(2), "2h"),
            (hours(36), "36h"),
            (days(7), "7d"),
        ];
        for (period, text) in cases {
            assert_eq!(period.to_string(), text);
            assert_eq!(text.parse(), Ok(period));
        }
        assert_eq!(Words::of(["a", "b"].into_iter()).to_string(), "a,b");
    }
}
