//! Instants and how the API writes them: sentinels, seven fraction digits or none, `Z` or an
//! offset. Which zone they are written in is a matter of the field and of what was asked for.

use std::fmt;

use fastrand::Rng;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::sandbox::dice::falls_into;
use crate::sandbox::zone::{SimulatedZone, Wall};

/// 2026-06-30T15:00:00Z: nothing is newer but what later nights bring, so that an answer never
/// depends on the clock.
const NEWEST: i64 = 1_782_831_600;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// A moment of the past, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Moment {
    /// Some moment of the last three years.
    pub(super) fn recent(rng: &mut Rng) -> Self {
        Self(NEWEST - rng.i64(0..1_095 * DAY))
    }

    /// A moment of the night of that number, or of the day before it; no other night has it.
    pub(super) fn of_night(rng: &mut Rng, night: u32) -> Self {
        Self(NEWEST + i64::from(night) * DAY - rng.i64(0..DAY))
    }

    /// So many seconds before.
    pub(super) fn before(self, seconds: i64) -> Self {
        Self(self.0 - seconds)
    }

    /// A moment of up to so many seconds later.
    pub(super) fn after(self, rng: &mut Rng, seconds: i64) -> Self {
        Self(self.0 + rng.i64(1..=seconds))
    }

    /// As a field in UTC is written, with seven fraction digits now and then.
    pub(super) fn utc_field(self, rng: &mut Rng, wall: Wall) -> MomentText {
        let zone = wall.asked.map_or(wall.base, |_| SimulatedZone::Utc);
        self.on(wall, zone, fraction(rng))
    }

    /// As a field in base time is written, with seven fraction digits now and then.
    pub(super) fn base_field(self, rng: &mut Rng, wall: Wall) -> MomentText {
        self.on(wall, wall.asked.unwrap_or(wall.base), fraction(rng))
    }

    /// Midnight of its day on the wall of the installation, as a field in base time is written
    /// that holds a date without a time of day.
    pub(super) fn day_field(self, wall: Wall) -> MomentText {
        let midnight = Self(wall.base.midnight(self.0));
        midnight.on(wall, wall.asked.unwrap_or(wall.base), None)
    }

    /// As the archives write it: a reading of that zone without fraction and offset.
    pub(super) fn bare(self, zone: SimulatedZone) -> MomentText {
        MomentText {
            seconds: self.0,
            offset: zone.offset(self.0),
            suffix: Suffix::None,
            fraction: None,
        }
    }

    fn on(self, wall: Wall, zone: SimulatedZone, fraction: Option<u32>) -> MomentText {
        let offset = zone.offset(self.0);
        MomentText {
            seconds: self.0,
            offset,
            suffix: Suffix::of(wall, offset),
            fraction,
        }
    }
}

/// "Unknown" in the words of the API: the first moment of its calendar, which is moved to the zone
/// asked for where that does not lead before it.
pub(super) fn unknown(wall: Wall) -> String {
    let offset = standard_offset(wall);
    let hour = (offset / 3_600).max(0);
    format!("\"0001-01-01T{hour:02}:00:00{}\"", Suffix::of(wall, offset))
}

/// "Forever" in the words of the API, which is not moved.
pub(super) fn forever(wall: Wall) -> String {
    let suffix = Suffix::of(wall, standard_offset(wall));
    format!("\"9999-12-31T23:59:59{suffix}\"")
}

/// The offset asked for in winter; none without `SO-TimeZone`.
fn standard_offset(wall: Wall) -> i32 {
    let winter = NEWEST - 180 * DAY;
    wall.asked.map_or(0, |zone| zone.offset(winter))
}

/// What follows a reading of the clock.
enum Suffix {
    None,
    Utc,
    /// Seconds.
    Offset(i32),
}

impl Suffix {
    fn of(wall: Wall, offset: i32) -> Self {
        match (wall.has_offsets, offset) {
            (false, _) => Self::None,
            (true, 0) => Self::Utc,
            (true, offset) => Self::Offset(offset),
        }
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Utc => formatter.write_str("Z"),
            Self::Offset(offset) => {
                let sign = if *offset < 0 { "-" } else { "+" };
                let minutes = offset.abs() / 60;
                formatter.write_str(sign)?;
                digits::<2>(formatter, minutes / 60)?;
                formatter.write_str(":")?;
                digits::<2>(formatter, minutes % 60)
            }
        }
    }
}

/// A moment as it stands in the answer, between quotes.
pub(super) struct MomentText {
    seconds: i64,
    /// Of the reading, in seconds.
    offset: i32,
    suffix: Suffix,
    fraction: Option<u32>,
}

impl fmt::Display for MomentText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = civil(self.seconds, self.offset);
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
        self.suffix.fmt(formatter)?;
        formatter.write_str("\"")
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

fn civil(seconds: i64, offset: i32) -> DateTime {
    let timestamp =
        Timestamp::from_second(seconds).expect("a moment lies within three decades of today");
    let offset = Offset::from_seconds(offset).expect("no zone is a day ahead or behind");
    offset.to_datetime(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How moments are written that are asked for in these words, of an installation in Oslo.
    fn wall(header: Option<&str>) -> Wall {
        Wall::asked(SimulatedZone::Norway, header).unwrap()
    }

    /// The columns of the table of field kinds: no header, UTC, the zone of the installation, and a
    /// zone west of it.
    const HEADERS: [Option<&str>; 4] = [
        None,
        Some("UTC, includeTZOffset"),
        Some("NO, includeTZOffset"),
        Some("US-NY, includeTZOffset"),
    ];

    #[test]
    fn every_kind_of_field_is_written_as_the_api_does() {
        let moment = Moment(NEWEST + 8 * 3_600 + 1_800);
        let winter = Moment(NEWEST - 180 * DAY);
        let text = |moment: Moment, wall: Wall| {
            [
                moment.on(wall, wall.asked.unwrap_or(wall.base), Some(42)),
                moment.day_field(wall),
            ]
            .map(|text| text.to_string())
        };
        // 23:30 in UTC is already the next day in Oslo.
        let expected = [
            ["\"2026-07-01T01:30:00.0000042\"", "\"2026-07-01T00:00:00\""],
            [
                "\"2026-06-30T23:30:00.0000042Z\"",
                "\"2026-06-30T22:00:00Z\"",
            ],
            [
                "\"2026-07-01T01:30:00.0000042+02:00\"",
                "\"2026-07-01T00:00:00+02:00\"",
            ],
            [
                "\"2026-06-30T19:30:00.0000042-04:00\"",
                "\"2026-06-30T18:00:00-04:00\"",
            ],
        ];
        for (header, expected) in HEADERS.into_iter().zip(expected) {
            assert_eq!(text(moment, wall(header)), expected, "{header:?}");
        }
        assert_eq!(
            winter.day_field(wall(HEADERS[2])).to_string(),
            "\"2026-01-01T00:00:00+01:00\""
        );
    }

    #[test]
    fn fields_in_utc_stay_there_once_a_zone_is_asked_for() {
        let written = |header| {
            let mut rng = Rng::with_seed(1);
            let text = Moment(NEWEST).utc_field(&mut rng, wall(header)).to_string();
            text.get(..20).unwrap().to_owned()
        };
        let expected = [
            "\"2026-06-30T17:00:00",
            "\"2026-06-30T15:00:00",
            "\"2026-06-30T15:00:00",
            "\"2026-06-30T15:00:00",
        ];
        assert_eq!(HEADERS.map(written), expected);
    }

    #[test]
    fn sentinels_change_with_the_zone() {
        let expected = [
            ("\"0001-01-01T00:00:00\"", "\"9999-12-31T23:59:59\""),
            ("\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\""),
            (
                "\"0001-01-01T01:00:00+01:00\"",
                "\"9999-12-31T23:59:59+01:00\"",
            ),
            (
                "\"0001-01-01T00:00:00-05:00\"",
                "\"9999-12-31T23:59:59-05:00\"",
            ),
        ];
        for (header, (first, last)) in HEADERS.into_iter().zip(expected) {
            assert_eq!(unknown(wall(header)), first);
            assert_eq!(forever(wall(header)), last);
        }
    }
}
