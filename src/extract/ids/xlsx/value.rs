//! What stands in a cell, and how it reads as text.

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

/// A value as the sheet has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CellValue {
    /// As written, such as `4711` or `4.711E3`.
    Number(String),
    /// A date or time, as days since the beginning of the workbook's time.
    Date(String),
    /// The place of a text among those of the workbook.
    Shared(usize),
    Text(String),
    /// A Boolean, an error such as `#N/A`, or a date written as text: never an id.
    Other(String),
}

/// The number in the digits of a whole one, where it is whole: `4.711E3` is 4711. Else as written,
/// and then no id, however its digits could be grouped.
pub(super) fn number(text: &str) -> (String, bool) {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number.fract() == 0.0 && number.abs() < 1e15 => {
            (format!("{number:.0}"), true)
        }
        _ => (text.trim().to_owned(), false),
    }
}

/// The date or time in words that nobody takes for an id.
pub(super) fn date_text(days: &str, is_from_1904: bool) -> String {
    let shown = || {
        let days: f64 = days.trim().parse().ok()?;
        let first = if is_from_1904 {
            date(1904, 1, 1)
        } else {
            // Excel takes 1900 for a leap year; from March 1900 on this comes out right.
            date(1899, 12, 30)
        };
        let seconds = SignedDuration::try_from_secs_f64((days * 86_400.0).round()).ok()?;
        let moment: DateTime = first.at(0, 0, 0, 0).checked_add(seconds).ok()?;
        Some(if seconds.as_secs() % 86_400 == 0 {
            moment.date().to_string()
        } else {
            moment.to_string()
        })
    };
    shown().unwrap_or_else(|| "a date".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_lose_their_decimals_and_others_stay() {
        let cases = [
            ("4711", "4711", true),
            ("4711.0", "4711", true),
            ("4.711E3", "4711", true),
            ("12345678", "12345678", true),
            ("-3", "-3", true),
            ("1.5", "1.5", false),
            ("1.234", "1.234", false),
            ("1E300", "1E300", false),
            ("NaN", "NaN", false),
            ("", "", false),
        ];
        for (text, expected, is_whole) in cases {
            assert_eq!(number(text), (expected.to_owned(), is_whole));
        }
    }

    #[test]
    fn dates_are_told_as_such() {
        assert_eq!(date_text("45000", false), "2023-03-15");
        assert_eq!(date_text("45000.5", false), "2023-03-15T12:00:00");
        assert_eq!(date_text("43538", true), "2023-03-15");
        assert_eq!(date_text("1E300", false), "a date");
        assert_eq!(date_text("x", false), "a date");
    }
}
