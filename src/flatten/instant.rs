//! Dates and times as the API writes them, made into instants and days. Pure; the rules are those
//! of `TABLES.md`.

use jiff::civil::{Date, Time};
use jiff::fmt::temporal::Pieces;

/// Years up to this one mean "unknown" (1760-01-01 in the database, year 1 on the wire; vendor's
/// release notes of 7.0).
const LAST_UNKNOWN_YEAR: i16 = 1760;

/// A date and time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WallClock {
    date: Date,
    time: Time,
    offset_seconds: Option<i32>,
}

/// Reads ISO 8601 text: a date, then perhaps a time with up to nine fraction digits, then perhaps
/// an offset.
pub(super) fn parse(text: &str) -> Option<WallClock> {
    // The name of a zone in brackets would need a database of zones.
    let pieces = Pieces::parse(text)
        .ok()
        .filter(|pieces| pieces.time_zone_annotation().is_none())?;
    Some(WallClock {
        date: pieces.date(),
        time: pieces.time().unwrap_or(Time::midnight()),
        offset_seconds: pieces.to_numeric_offset().map(jiff::tz::Offset::seconds),
    })
}

impl WallClock {
    /// Whether the text said which zone its clock is in.
    pub(super) fn has_offset(self) -> bool {
        self.offset_seconds.is_some()
    }

    /// Microseconds since 1970, UTC; none where the year means "unknown".
    pub(super) fn instant(self) -> Option<i64> {
        let local = i64::from(self.day()?) * 86_400 + seconds(self.time);
        let utc = local - i64::from(self.offset_seconds.unwrap_or(0));
        // "For ever" stays in year 9999, in whatever zone it was written.
        let second = if utc > LAST_SECOND { local } else { utc };
        Some(second * 1_000_000 + i64::from(self.time.subsec_nanosecond()) / 1_000)
    }

    /// Days since 1970 of the calendar day as written; none where the year means "unknown".
    pub(super) fn day(self) -> Option<i32> {
        let known = self.date.year() > LAST_UNKNOWN_YEAR;
        let hours = self
            .date
            .duration_since(Date::constant(1970, 1, 1))
            .as_hours();
        known.then(|| i32::try_from(hours / 24).ok()).flatten()
    }
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

fn seconds(time: Time) -> i64 {
    i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_documented_shape_is_read() {
        let day = 86_400_000_000;
        // text, instant, day, has an offset
        let cases = [
            (
                "2020-09-20T17:54:02.8983424+02:00",
                Some(1_600_617_242_898_342),
                Some(18_525),
                true,
            ),
            (
                "2020-09-20T15:54:02.898342999Z",
                Some(1_600_617_242_898_342),
                Some(18_525),
                true,
            ),
            (
                "2020-09-20T15:54:02",
                Some(1_600_617_242_000_000),
                Some(18_525),
                false,
            ),
            (
                "2020-09-20T10:54:02-0500",
                Some(1_600_617_242_000_000),
                Some(18_525),
                true,
            ),
            ("2020-09-20", Some(18_525 * day), Some(18_525), false),
            ("1969-12-31T23:59:59.9999999Z", Some(-1), Some(-1), true),
            (
                "2020-09-20T00:30:00+02:00",
                Some(18_525 * day - 5_400_000_000),
                Some(18_525),
                true,
            ),
            ("0001-01-01T00:00:00", None, None, false),
            ("0001-01-01T01:00:00+01:00", None, None, true),
            ("1760-12-31T23:59:59Z", None, None, true),
            (
                "1761-01-01T00:00:00Z",
                Some(-76_335 * day),
                Some(-76_335),
                true,
            ),
            (
                "9999-12-31T23:59:59Z",
                Some(253_402_300_799_000_000),
                Some(2_932_896),
                true,
            ),
            (
                "9999-12-31T23:59:59+01:00",
                Some(253_402_297_199_000_000),
                Some(2_932_896),
                true,
            ),
            (
                "9999-12-31T23:59:59-01:00",
                Some(253_402_300_799_000_000),
                Some(2_932_896),
                true,
            ),
        ];
        for (text, instant, day, has_offset) in cases {
            let clock = parse(text).unwrap_or_else(|| panic!("{text} is not read"));
            assert_eq!(
                (clock.instant(), clock.day(), clock.has_offset()),
                (instant, day, has_offset),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            " ",
            "yesterday",
            "2020-13-01",
            "2020-02-30",
            "2020-09-20T25:00:00",
            "20:00",
            "12",
            "2020-09-20T1",
            "2020-09-20T12:00[Europe/Oslo]",
            "9".repeat(99).as_str(),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+0-9TtZz:. ]{0,40}|.*") {
            if let Some(clock) = parse(&text) {
                clock.instant();
                clock.day();
            }
        }

        #[test]
        fn fractions_are_cut_and_offsets_taken_off(
            (year, month, day) in (1_761_i16..=9_998, 1_i8..=12, 1_i8..=28),
            (hour, minute) in (0..24, 0..60),
            nanosecond in 0_u32..1_000_000_000,
            digits in 0_usize..=9,
            offset in -840_i64..=840,
        ) {
            let fraction = format!("{nanosecond:09}");
            let fraction = fraction.get(..digits).unwrap();
            let dot = if digits > 0 { "." } else { "" };
            let sign = if offset < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
            let date = format!("{year:04}-{month:02}-{day:02}");
            let clock = format!("{date}T{hour:02}:{minute:02}:07{dot}{fraction}");
            let micros: i64 = format!("{fraction:0<6}").get(..6).unwrap().parse().unwrap();
            let bare = parse(&clock).unwrap().instant().unwrap();
            let with_offset = parse(&format!("{clock}{sign}{hours:02}:{minutes:02}")).unwrap();
            prop_assert_eq!(bare.rem_euclid(1_000_000), micros);
            prop_assert_eq!(with_offset.instant().unwrap(), bare - offset * 60_000_000);
            prop_assert_eq!(with_offset.day(), parse(&clock).unwrap().day());
        }
    }
}
