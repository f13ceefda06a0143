//! Instants and days as ISO 8601 text, for every value that a column can hold.
//!
//! Written out here because a year beyond 9999 is a legal cell and date libraries stop there.

use std::io::{self, Write};

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Writes an instant, in microseconds since 1970, as `2020-09-20T15:54:02.898342Z`.
pub(super) fn write_instant(microseconds: i64, output: &mut impl Write) -> io::Result<()> {
    write_civil(microseconds.div_euclid(MICROSECONDS_PER_DAY), output)?;
    let time = microseconds.rem_euclid(MICROSECONDS_PER_DAY);
    let (seconds, fraction) = (time / 1_000_000, time % 1_000_000);
    write!(
        output,
        "T{:02}:{:02}:{:02}.{fraction:06}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Writes a day, in days since 1970, as `2020-09-20`.
pub(super) fn write_day(days: i32, output: &mut impl Write) -> io::Result<()> {
    write_civil(i64::from(days), output)
}

/// The proleptic Gregorian date. Years are counted from March so that the leap day is the last of
/// its year, and in eras of 400 years, which all have the same number of days.
fn write_civil(days: i64, output: &mut impl Write) -> io::Result<()> {
    const DAYS_PER_ERA: i64 = 146_097;
    const FROM_YEAR_0_MARCH_TO_1970: i64 = 719_468;
    let days = days + FROM_YEAR_0_MARCH_TO_1970;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    if (0..=9999).contains(&year) {
        write!(output, "{year:04}-{month:02}-{day:02}")
    } else {
        // The expanded form of ISO 8601, so that it cannot be mistaken for a common year.
        write!(output, "{year:+07}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Span, civil};
    use proptest::prelude::*;

    use super::*;

    fn instant(microseconds: i64) -> String {
        let mut text = Vec::new();
        write_instant(microseconds, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn instants_and_their_extremes() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_600_617_242_898_342, "2020-09-20T15:54:02.898342Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "+010000-01-01T00:00:00.000000Z"),
            (i64::MAX, "+294247-01-10T04:00:54.775807Z"),
            (i64::MIN, "-290308-12-21T19:59:05.224192Z"),
        ];
        for (microseconds, expected) in cases {
            assert_eq!(instant(microseconds), expected, "{microseconds}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_date_library(days in -719_528_i32..2_932_897) {
            let mut text = Vec::new();
            write_day(days, &mut text).unwrap();
            let expected = civil::date(1970, 1, 1).checked_add(Span::new().days(days)).unwrap();
            prop_assert_eq!(String::from_utf8(text).unwrap(), expected.to_string());
        }

        #[test]
        fn every_value_has_a_text(microseconds: i64, days: i32) {
            prop_assert!(instant(microseconds).ends_with('Z'));
            write_day(days, &mut io::sink()).unwrap();
        }
    }
}
