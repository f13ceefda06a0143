//! How dates are written: fraction digits, what follows the reading, and the reading itself, which
//! is compared and never told.

use serde_json::Value;

use super::fact::{Fact, Facts};

/// A date as an answer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Up to the seconds.
    pub(super) reading: String,
    fraction: usize,
    suffix: &'static str,
}

impl Written {
    /// None where it is no date, or one of the sentinels that stand for none.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let text = value.as_str()?;
        let (date, time) = text.split_once('T')?;
        let is_sentinel = ["0001", "1753", "1760", "9999"]
            .iter()
            .any(|year| date.starts_with(year));
        if is_sentinel || date.len() != 10 {
            return None;
        }
        let clock = time.get(..8)?;
        let rest = time.get(8..)?;
        let digits = rest.strip_prefix('.').unwrap_or("");
        let fraction = digits.bytes().take_while(u8::is_ascii_digit).count();
        let after = if fraction == 0 {
            rest
        } else {
            digits.get(fraction..)?
        };
        let suffix = match after.as_bytes() {
            [] => "no offset",
            [b'Z'] => "Z",
            [b'+' | b'-', _, _, b':', _, _] => "±hh:mm",
            [b'+' | b'-', ..] => "another offset",
            _ => "something else",
        };
        Some(Self {
            reading: format!("{date}T{clock}"),
            fraction,
            suffix,
        })
    }
}

/// The most fraction digits, and what follows the readings.
pub(super) fn shapes<'a>(dates: impl Iterator<Item = &'a Written>) -> Facts {
    let (mut fraction, mut suffixes, mut count) = (0, Vec::new(), 0);
    for date in dates {
        fraction = fraction.max(date.fraction);
        count += 1;
        if !suffixes.contains(&date.suffix) {
            suffixes.push(date.suffix);
        }
    }
    let mut facts = vec![
        ("dates", Fact::Count(count)),
        ("most_fraction_digits", Fact::count(fraction)),
    ];
    let suffixes = suffixes.into_iter();
    facts.extend(suffixes.map(|suffix| ("offset", Fact::Word(suffix))));
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_are_told_by_their_shape() {
        let shape = |text: &str| {
            Written::of(&json!(text)).map(|written| (written.fraction, written.suffix))
        };
        let cases = [
            ("2026-06-30T15:00:00", Some((0, "no offset"))),
            ("2026-06-30T15:00:00Z", Some((0, "Z"))),
            ("2026-06-30T15:00:00.1234567+02:00", Some((7, "±hh:mm"))),
            ("2026-06-30T15:00:00+0200", Some((0, "another offset"))),
            ("2026-06-30T15:00:00.", Some((0, "something else"))),
            ("0001-01-01T00:00:00", None),
            ("9999-12-31T23:59:59", None),
            ("2026-06-30", None),
            ("2026-06-30Tä", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(shape(text), expected, "{text}");
        }
    }
}
