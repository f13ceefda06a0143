//! Instants and how the API writes them: sentinels, seven fraction digits or none, `Z` or the
//! offset of the tenant's zone.

use std::fmt;

use fastrand::Rng;
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::sandbox::dice::falls_into;

/// "Unknown" in the words of the API.
pub(super) const UNKNOWN: &str = "\"0001-01-01T00:00:00Z\"";
/// "Forever" in the words of the API.
pub(super) const FOREVER: &str = "\"9999-12-31T23:59:59Z\"";

/// 2026-06-30T15:00:00Z: nothing is newer, so that an answer never depends on the clock.
const NEWEST: i64 = 1_782_831_600;
const DAY: i64 = 86_400;

/// A moment of the past, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(i64);

impl Moment {
    /// Some moment of the last three years.
    pub(super) fn recent(rng: &mut Rng) -> Self {
        Self(NEWEST - rng.i64(0..1_095 * DAY))
    }

    /// A moment of up to so many days before.
    pub(super) fn before(self, rng: &mut Rng, days: i64) -> Self {
        Self(self.0 - rng.i64(60..days * DAY))
    }

    /// A moment of up to so many seconds later.
    pub(super) fn after(self, rng: &mut Rng, seconds: i64) -> Self {
        Self(self.0 + rng.i64(1..=seconds))
    }

    /// In UTC, with seven fraction digits now and then.
    pub(super) fn in_utc(self, rng: &mut Rng) -> MomentText {
        MomentText {
            seconds: self.0,
            offset: None,
            fraction: fraction(rng),
        }
    }

    /// In the tenant's zone, with seven fraction digits now and then.
    pub(super) fn in_zone(self, rng: &mut Rng) -> MomentText {
        MomentText {
            seconds: self.0,
            offset: Some(self.zone_hours()),
            fraction: fraction(rng),
        }
    }

    /// Midnight of its day in the tenant's zone, as a date without a time of day is sent.
    pub(super) fn midnight_in_zone(self) -> MomentText {
        let hours = self.zone_hours();
        let local = self.0 + i64::from(hours) * 3600;
        MomentText {
            seconds: self.0 - local.rem_euclid(DAY),
            offset: Some(hours),
            fraction: None,
        }
    }

    /// Summer time by whole months; the days around the change do not matter here.
    fn zone_hours(self) -> i8 {
        if (4..=9).contains(&civil(self.0, 0).month()) {
            2
        } else {
            1
        }
    }
}

/// A moment as it stands in the answer, between quotes.
pub(super) struct MomentText {
    seconds: i64,
    offset: Option<i8>,
    fraction: Option<u32>,
}

impl fmt::Display for MomentText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = civil(self.seconds, self.offset.unwrap_or(0));
        formatter.write_str("\"")?;
        digits::<4>(formatter, civil.year())?;
        for (separator, number) in [
            ("-", civil.month()),
            ("-", civil.day()),
            ("T", civil.hour()),
            (":", civil.minute()),
            (":", civil.second()),
        ] {
            formatter.write_str(separator)?;
            digits::<2>(formatter, number)?;
        }
        if let Some(fraction) = self.fraction {
            formatter.write_str(".")?;
            digits::<7>(formatter, fraction)?;
        }
        match self.offset {
            None => formatter.write_str("Z\""),
            Some(hours) => write!(formatter, "+{hours:02}:00\""),
        }
    }
}

/// Writes a number with leading zeros; `{:02}` takes several times as long, and an answer holds a
/// hundred of them.
fn digits<const WIDTH: usize>(
    formatter: &mut fmt::Formatter<'_>,
    number: impl TryInto<u32>,
) -> fmt::Result {
    let mut number = number.try_into().map_err(|_| fmt::Error)?;
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).expect("a digit is below 10");
        number /= 10;
    }
    formatter.write_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
}

fn fraction(rng: &mut Rng) -> Option<u32> {
    falls_into(rng, 0.3).then(|| rng.u32(0..10_000_000))
}

fn civil(seconds: i64, offset_hours: i8) -> jiff::civil::DateTime {
    let timestamp =
        Timestamp::from_second(seconds).expect("a moment lies within three decades of today");
    Offset::constant(offset_hours).to_datetime(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_api_does() {
        let written = |seconds, offset, fraction| {
            MomentText {
                seconds,
                offset,
                fraction,
            }
            .to_string()
        };
        assert_eq!(written(NEWEST, None, None), "\"2026-06-30T15:00:00Z\"");
        assert_eq!(
            written(NEWEST, Some(2), Some(42)),
            "\"2026-06-30T17:00:00.0000042+02:00\""
        );
        assert_eq!(
            Moment(NEWEST).midnight_in_zone().to_string(),
            "\"2026-06-30T00:00:00+02:00\""
        );
        // 23:30 in UTC is already the next day in Oslo.
        assert_eq!(
            Moment(NEWEST + 8 * 3600 + 1800)
                .midnight_in_zone()
                .to_string(),
            "\"2026-07-01T00:00:00+02:00\""
        );
        assert_eq!(
            Moment(NEWEST - 180 * DAY).midnight_in_zone().to_string(),
            "\"2026-01-01T00:00:00+01:00\""
        );
    }
}
