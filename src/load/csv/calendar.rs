//! Instants and days as ISO 8601 text and back, for every value that a column can hold.
//!
//! Worked out here because a year beyond 9999 is a legal cell and date libraries stop there.

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

fn write_civil(days: i64, output: &mut impl Write) -> io::Result<()> {
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        write!(output, "{year:04}-{month:02}-{day:02}")
    } else {
        // The expanded form of ISO 8601, so that it cannot be mistaken for a common year.
        write!(output, "{year:+07}-{month:02}-{day:02}")
    }
}

/// Reads an instant as [`write_instant`] writes it; none for any other text.
pub(super) fn read_instant(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = time.split_once('.')?;
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (second, fraction) = (number(parts.next()?, 2)?, number(fraction, 6)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let time = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
    // The day of the first instants begins before there are any.
    let days = i128::from(read_civil(date)?) * i128::from(MICROSECONDS_PER_DAY);
    i64::try_from(days + i128::from(time)).ok()
}

/// Reads a day as [`write_day`] writes it; none for any other text.
pub(super) fn read_day(text: &str) -> Option<i32> {
    i32::try_from(read_civil(text)?).ok()
}

fn read_civil(text: &str) -> Option<i64> {
    let (rest, day) = text.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    let year = match (year.strip_prefix('-'), year.strip_prefix('+')) {
        (Some(digits), _) => -long_year(digits)?,
        (None, Some(digits)) => long_year(digits)?,
        (None, None) => number(year, 4)?,
    };
    let date = (year, number(month, 2)?, number(day, 2)?);
    let days = days(date);
    // A month or a day that there is not comes back as another date.
    (civil(days) == date).then_some(days)
}

/// The year of the expanded form. No column holds one of more than seven digits.
fn long_year(digits: &str) -> Option<i64> {
    number(digits, 6).or_else(|| number(digits, 7))
}

/// The number that just so many digits make.
fn number(digits: &str, length: usize) -> Option<i64> {
    let is_number = digits.len() == length && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| {
        digits
            .bytes()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    })
}

const DAYS_PER_ERA: i64 = 146_097;
const FROM_YEAR_0_MARCH_TO_1970: i64 = 719_468;

/// The year, month and day of the proleptic Gregorian calendar. Years are counted from March so
/// that the leap day is the last of its year, and in eras of 400 years, which all have the same
/// number of days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
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
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The reverse: days since 1970 of a date.
fn days((year, month, day): (i64, i64, i64)) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - FROM_YEAR_0_MARCH_TO_1970
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
            assert_eq!(read_instant(expected), Some(microseconds), "{expected}");
        }
    }

    #[test]
    fn what_is_not_written_is_not_read() {
        let days = [
            "",
            "2020-09",
            "2020-09-31",
            "2021-02-29",
            "2020-13-01",
            "2020-00-01",
            "2020-01-00",
            "20-01-01",
            "2020-1-01",
            "+2020-01-01",
            "2020-01-0x",
            "99999999-01-01",
            "+9999999-12-31",
        ];
        for day in days {
            assert_eq!(read_day(day), None, "{day}");
            assert_eq!(
                read_instant(&format!("{day}T00:00:00.000000Z")),
                None,
                "{day}"
            );
        }
        let times = [
            "",
            "T00:00:00Z",
            "T00:00:00.000000",
            "T00:00:00.0000000Z",
            "T24:00:00.000000Z",
            "T00:60:00.000000Z",
            "T00:00:60.000000Z",
            "T00:00.000000Z",
            "T00:00:00:00.000000Z",
            "T-1:00:00.000000Z",
            "T00:00:00.000000+00:00",
        ];
        for time in times {
            assert_eq!(read_instant(&format!("2020-09-20{time}")), None, "{time}");
        }
        assert_eq!(read_instant("+294247-01-10T04:00:54.775808Z"), None);
        assert_eq!(read_instant("-290308-12-21T19:59:05.224191Z"), None);
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
        fn every_value_reads_back(microseconds: i64, days: i32) {
            prop_assert_eq!(read_instant(&instant(microseconds)), Some(microseconds));
            let mut text = Vec::new();
            write_day(days, &mut text).unwrap();
            prop_assert_eq!(read_day(&String::from_utf8(text).unwrap()), Some(days));
        }
    }
}
