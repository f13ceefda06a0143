//! The time zone in which instants are asked for: a name that `SO-TimeZone` can carry, and what a
//! job says of it.

use std::fmt;

/// What stands in a job for the installation's own zone.
pub const TENANT_ZONE: &str = "tenant";

/// The zone in which instants are asked for, as a job says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeZone {
    /// The base zone of the installation, which is asked for it.
    Tenant,
    /// This one.
    Named(ZoneName),
}

impl TimeZone {
    /// What a text in a job means; none where it is no zone.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case(TENANT_ZONE) {
            Some(Self::Tenant)
        } else {
            ZoneName::new(text).map(Self::Named)
        }
    }
}

/// As it would be typed.
impl fmt::Display for TimeZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant => formatter.write_str(TENANT_ZONE),
            Self::Named(zone) => zone.fmt(formatter),
        }
    }
}

/// A zone as SuperOffice knows it: a name such as `NO`, or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneName(String);

impl ZoneName {
    /// Set by hand: the names of the API have at most seven characters (`US-NY`), those of the
    /// usual databases of zones at most forty.
    const MAX_LENGTH: usize = 64;

    /// The zone of that name; none where a header cannot carry it. A comma would end it there.
    pub fn new(text: &str) -> Option<Self> {
        let is_carried = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && byte != b',');
        let is_zone = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.bytes().all(is_carried)
            && text.trim() == text;
        is_zone.then(|| Self(text.to_owned()))
    }

    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// As `SO-TimeZone` names it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_what_a_header_can_carry() {
        let long = "x".repeat(65);
        let cases = [
            ("tenant", Some(TimeZone::Tenant)),
            ("Tenant", Some(TimeZone::Tenant)),
            ("", None),
            (" NO", None),
            ("NO,includeTZOffset", None),
            ("NO\nx", None),
            ("Å", None),
            (&long, None),
        ];
        for (text, expected) in cases {
            assert_eq!(TimeZone::from_text(text), expected, "{text:?}");
        }
        for name in ["NO", "261", "Europe/Oslo", "W. Europe Standard Time"] {
            let zone = TimeZone::from_text(name).unwrap();
            assert_eq!(zone, TimeZone::Named(ZoneName(name.to_owned())));
            assert_eq!(zone.to_string(), name);
        }
    }
}
