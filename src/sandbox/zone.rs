//! The zones that the simulated SuperOffice knows, what it says of its own, and how it writes
//! instants in the zone that was asked for. It does as the vendor's fixtures do: fields in base
//! time are moved to the zone asked for, fields in UTC stay there, and without `SO-TimeZone` both
//! are readings of the base zone without an offset.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A zone that the simulated SuperOffice knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimulatedZone {
    /// UTC.
    Utc,
    /// `Europe/Oslo`.
    Norway,
    /// `America/New_York`.
    NewYork,
}

/// What the simulated SuperOffice says when it is asked for its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneTelling {
    /// Its base zone.
    Base,
    /// That no base zone is set; the default one is told.
    Unset,
    /// Nothing of the base zone, by the API's error object; the default one is told.
    DefaultOnly,
    /// Nothing, by the API's error object.
    Refused,
    /// A web page.
    Odd,
    /// That it is not available now.
    Away,
}

/// How a zone is known.
pub(super) struct ZoneNames {
    zone: SimulatedZone,
    /// Its number (vendor's page on HTTP headers).
    pub(super) number: i32,
    /// Its code in SuperOffice (same page).
    pub(super) code: &'static str,
    /// Its name elsewhere.
    name: &'static str,
    /// Its rule (POSIX.1, `TZ`).
    rule: &'static str,
}

#[rustfmt::skip]
const KNOWN: [ZoneNames; 3] = [
    ZoneNames { zone: SimulatedZone::Utc, number: 1, code: "UTC", name: "Etc/UTC", rule: "UTC0" },
    ZoneNames {
        zone: SimulatedZone::Norway, number: 261, code: "NO", name: "Europe/Oslo",
        rule: "CET-1CEST,M3.5.0,M10.5.0/3",
    },
    ZoneNames {
        zone: SimulatedZone::NewYork, number: 460, code: "US-NY", name: "America/New_York",
        rule: "EST5EDT,M3.2.0,M11.1.0",
    },
];

/// Since when a zone has which offset, in seconds; the first one holds for all time before, too.
/// Looked up a hundred times for an answer, so it is laid out once.
type Offsets = Vec<(i64, i32)>;

static OFFSETS: [LazyLock<Offsets>; 3] = [
    LazyLock::new(|| offsets(KNOWN[0].rule)),
    LazyLock::new(|| offsets(KNOWN[1].rule)),
    LazyLock::new(|| offsets(KNOWN[2].rule)),
];

/// 1900-01-01 and 2100-01-01: nothing that is invented lies outside.
const FIRST: i64 = -2_208_988_800;
const LAST: i64 = 4_102_444_800;

fn offsets(rule: &str) -> Offsets {
    let zone = TimeZone::posix(rule).expect("the rule is one of ours");
    let at = |second| Timestamp::from_second(second).expect("a second of these two centuries");
    let first = (FIRST, zone.to_offset(at(FIRST)).seconds());
    let changes = zone.following(at(FIRST));
    let changes = changes.map(|change| (change.timestamp().as_second(), change.offset().seconds()));
    std::iter::once(first)
        .chain(changes.take_while(|(second, _)| *second < LAST))
        .collect()
}

impl SimulatedZone {
    pub(super) fn known(self) -> &'static ZoneNames {
        match self {
            Self::Utc => &KNOWN[0],
            Self::Norway => &KNOWN[1],
            Self::NewYork => &KNOWN[2],
        }
    }

    /// The zone of that code, number or name.
    fn named(text: &str) -> Option<Self> {
        let known = KNOWN.iter().find(|known| {
            known.code.eq_ignore_ascii_case(text)
                || known.name.eq_ignore_ascii_case(text)
                || text.parse() == Ok(known.number)
        });
        known.map(|known| known.zone)
    }

    /// The offset of local time at that second since 1970, in seconds.
    pub(super) fn offset(self, second: i64) -> i32 {
        let offsets = match self {
            Self::Utc => &OFFSETS[0],
            Self::Norway => &OFFSETS[1],
            Self::NewYork => &OFFSETS[2],
        };
        let after = offsets.partition_point(|(since, _)| *since <= second);
        offsets
            .get(after.saturating_sub(1))
            .map_or(0, |(_, offset)| *offset)
    }

    /// The second at which the day began on the wall of this zone that holds `second`.
    pub(super) fn midnight(self, second: i64) -> i64 {
        const DAY: i64 = 86_400;
        let offset = i64::from(self.offset(second));
        let midnight = (second + offset).div_euclid(DAY) * DAY;
        // The clock may have been put forward or back since midnight.
        midnight - i64::from(self.offset(midnight - offset))
    }
}

/// How instants are to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wall {
    /// The zone of the installation.
    pub(super) base: SimulatedZone,
    /// The zone asked for; none without `SO-TimeZone`.
    pub(super) asked: Option<SimulatedZone>,
    /// Whether offsets are written.
    pub(super) has_offsets: bool,
}

impl Wall {
    /// What an `SO-TimeZone` asks of an installation with that base zone: a zone, the word
    /// `includeTZOffset`, or both. None where the zone is not known.
    pub(super) fn asked(base: SimulatedZone, header: Option<&str>) -> Option<Self> {
        let mut wall = Self {
            base,
            asked: header.map(|_| base),
            has_offsets: false,
        };
        for word in header.unwrap_or_default().split(',').map(str::trim) {
            if word.eq_ignore_ascii_case("includeTZOffset") {
                wall.has_offsets = true;
            } else if !word.is_empty() {
                wall.asked = Some(SimulatedZone::named(word)?);
            }
        }
        Some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn zones_have_their_offsets_to_the_second_of_a_change() {
        let cases = [
            (SimulatedZone::Norway, "2020-03-29T00:59:59Z", 3_600),
            (SimulatedZone::Norway, "2020-03-29T01:00:00Z", 7_200),
            (SimulatedZone::Norway, "2020-10-25T00:59:59Z", 7_200),
            (SimulatedZone::Norway, "2020-10-25T01:00:00Z", 3_600),
            (SimulatedZone::Norway, "1850-07-01T00:00:00Z", 3_600),
            (SimulatedZone::NewYork, "2020-03-08T07:00:00Z", -14_400),
            (SimulatedZone::NewYork, "2020-11-01T06:00:00Z", -18_000),
            (SimulatedZone::Utc, "2020-07-01T00:00:00Z", 0),
        ];
        for (zone, instant, offset) in cases {
            assert_eq!(zone.offset(second(instant)), offset, "{zone:?} {instant}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_wall_clock() {
        let cases = [
            (
                SimulatedZone::Norway,
                "2020-09-19T22:00:00Z",
                "2020-09-19T22:00:00Z",
            ),
            (
                SimulatedZone::Norway,
                "2020-09-20T21:59:59Z",
                "2020-09-19T22:00:00Z",
            ),
            // The clock was put forward, and back, since.
            (
                SimulatedZone::Norway,
                "2020-03-29T12:00:00Z",
                "2020-03-28T23:00:00Z",
            ),
            (
                SimulatedZone::Norway,
                "2020-10-25T12:00:00Z",
                "2020-10-24T22:00:00Z",
            ),
            (
                SimulatedZone::NewYork,
                "2020-09-20T03:59:59Z",
                "2020-09-19T04:00:00Z",
            ),
        ];
        for (zone, instant, midnight) in cases {
            assert_eq!(
                zone.midnight(second(instant)),
                second(midnight),
                "{instant}"
            );
        }
    }

    #[test]
    fn a_zone_is_asked_for_by_code_number_or_name() {
        use SimulatedZone::{NewYork, Norway, Utc};

        let cases = [
            (None, Some((None, false))),
            (Some("NO,includeTZOffset"), Some((Some(Norway), true))),
            (Some("261, includeTZOffset"), Some((Some(Norway), true))),
            (Some("Europe/Oslo"), Some((Some(Norway), false))),
            (Some("us-ny,INCLUDETZOFFSET"), Some((Some(NewYork), true))),
            (Some("includeTZOffset"), Some((Some(Norway), true))),
            (Some("utc"), Some((Some(Utc), false))),
            (Some("Atlantis,includeTZOffset"), None),
        ];
        for (header, expected) in cases {
            let wall = Wall::asked(Norway, header);
            let found = wall.map(|wall| (wall.asked, wall.has_offsets));
            assert_eq!(found, expected, "{header:?}");
        }
    }
}
