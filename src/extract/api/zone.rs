//! The time zone in which instants are asked for: a name that `SO-TimeZone` can carry, what a job
//! says of it, what an installation says of its own, and which of these is used. Pure; asking is
//! the client's matter, and waiting for an installation that is away the run's.
//!
//! Dates in SuperOffice are readings of the wall clock of the installation. Asked for in UTC,
//! midnight in Oslo comes back as 22:00 of the day before, and the day is lost; asked for in the
//! installation's own zone, instant and day are both there.

use std::fmt;

use reqwest::header::HeaderValue;
use serde_json::Value;

use crate::contact::Reason;
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::inspect::decode;
use crate::extract::api::login_server::Away;
use crate::gzip::Unpacker;

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

    /// `SO-TimeZone`: the zone, and that offsets are to be written.
    ///
    /// # Panics
    /// Never: see [`Self::new`].
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&format!("{self},includeTZOffset"))
            .expect("the name of a zone is what a header can carry")
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What an installation says of its zone when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneAnswer {
    /// Its zone.
    Found(ZoneName),
    /// It does not tell its base zone, but this one: that of the user who is logged in, or what the
    /// installation has in place of it.
    OfUser(ZoneName),
    /// It does not tell.
    Refused,
    /// The login is not let in.
    LoginRefused,
    /// No answer of the API came.
    Away(Away),
}

/// What one question for the zone is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneReply {
    /// A zone.
    Zone(ZoneName),
    /// There is none.
    Unset,
    /// Anything else that may well be said again.
    Refused,
    /// The login is not let in.
    LoginRefused,
    /// No answer of the API came.
    Away(Away),
}

impl ZoneAnswer {
    /// What the answer for the base zone means by itself; none where the default zone has to be
    /// asked for.
    pub fn of_base(base: &ZoneReply) -> Option<Self> {
        match base {
            ZoneReply::Zone(zone) => Some(Self::Found(zone.clone())),
            ZoneReply::Unset | ZoneReply::Refused => None,
            ZoneReply::LoginRefused => Some(Self::LoginRefused),
            ZoneReply::Away(away) => Some(Self::Away(*away)),
        }
    }

    /// What both answers mean, that for the base zone and then that for the default zone. Where no
    /// base zone is set, the default is all there is.
    pub fn of_both(base: &ZoneReply, default: &ZoneReply) -> Self {
        Self::of_base(base).unwrap_or_else(|| match default {
            ZoneReply::Zone(zone) if *base == ZoneReply::Unset => Self::Found(zone.clone()),
            ZoneReply::Zone(zone) => Self::OfUser(zone.clone()),
            ZoneReply::Unset | ZoneReply::Refused => Self::Refused,
            ZoneReply::LoginRefused => Self::LoginRefused,
            ZoneReply::Away(away) => Self::Away(*away),
        })
    }
}

impl ZoneReply {
    /// Reads the answer to `GetBaseTimeZoneId`: a number, zero where none is set.
    pub fn of_base(reply: &Result<Reply, NoReply>) -> Self {
        Self::read(reply, |value| {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
            number.map(|number| (number > 0).then(|| number.to_string()))
        })
    }

    /// Reads the answer to `GetDefaultTimeZoneInformation`: an object with a `LocationCode`.
    pub fn of_default(reply: &Result<Reply, NoReply>) -> Self {
        Self::read(reply, |value| {
            let code = value.get("LocationCode")?.as_str()?.trim();
            Some((!code.is_empty()).then(|| code.to_owned()))
        })
    }

    /// Reads an answer; `name` finds the zone in a body that is JSON: none where it is not what it
    /// should be, and none in it where no zone is set.
    fn read(
        reply: &Result<Reply, NoReply>,
        name: impl FnOnce(&Value) -> Option<Option<String>>,
    ) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(no_reply) if no_reply.reason == Reason::BodyTooLarge => return Self::Refused,
            Err(no_reply) => return Self::Away(Away::from(*no_reply)),
        };
        let mut unpacker = Unpacker::default();
        let value = match decode(reply, &mut unpacker) {
            Ok(body) => serde_json::from_slice::<Value>(body).ok(),
            Err(Reason::BodyCut) => return Self::Away(Away::Unreadable),
            Err(_) => None,
        };
        match reply.status {
            200..=299 => match value.as_ref().and_then(name) {
                Some(Some(name)) => ZoneName::new(&name).map_or(Self::Refused, Self::Zone),
                Some(None) => Self::Unset,
                None => Self::Refused,
            },
            401 => Self::LoginRefused,
            // Another address, another time, or too fast: it may be answered later.
            status @ (408 | 421 | 425 | 429) => Self::Away(Away::Status(status)),
            // Agents also fail with the API's error object; that may be for good.
            status @ 500..
                if value.is_none_or(|value| value.get("Error") != Some(&Value::Bool(true))) =>
            {
                Self::Away(Away::Status(status))
            }
            _ => Self::Refused,
        }
    }
}

/// The zone in which a run asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneChoice {
    /// The zone.
    pub zone: ZoneName,
    /// What speaks for it.
    pub basis: ZoneBasis,
}

/// What speaks for a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneBasis {
    /// The job names it.
    Named,
    /// The installation says so.
    Found,
    /// The installation does not tell, but had said so before.
    Kept,
    /// The installation does not tell; it is that of the user who is logged in.
    OfUser,
    /// The installation does not tell, and never did.
    Unknown,
}

impl ZoneBasis {
    /// Whether the zone is to be kept for a start that is not told.
    pub fn is_kept(self) -> bool {
        match self {
            Self::Found | Self::OfUser => true,
            Self::Named | Self::Kept | Self::Unknown => false,
        }
    }
}

impl ZoneChoice {
    /// The zone that a job names; none where the installation has to be asked.
    pub fn named(configured: &TimeZone) -> Option<Self> {
        match configured {
            TimeZone::Tenant => None,
            TimeZone::Named(zone) => Some(Self {
                zone: zone.clone(),
                basis: ZoneBasis::Named,
            }),
        }
    }

    /// The zone of an installation that said this, where an earlier start kept that. A zone that was
    /// found stays until another one is found: what a user has for a zone does not displace it.
    ///
    /// # Errors
    /// Where the installation is away.
    pub fn of(answer: &ZoneAnswer, kept: Option<&ZoneName>) -> Result<Self, Away> {
        let (zone, basis) = match (answer, kept) {
            (ZoneAnswer::Away(away), _) => return Err(*away),
            (ZoneAnswer::Found(zone), _) => (zone.clone(), ZoneBasis::Found),
            (ZoneAnswer::OfUser(zone), None) => (zone.clone(), ZoneBasis::OfUser),
            (ZoneAnswer::OfUser(zone), Some(kept)) if zone == kept => {
                (zone.clone(), ZoneBasis::OfUser)
            }
            (
                ZoneAnswer::OfUser(_) | ZoneAnswer::Refused | ZoneAnswer::LoginRefused,
                Some(kept),
            ) => (kept.clone(), ZoneBasis::Kept),
            (ZoneAnswer::Refused | ZoneAnswer::LoginRefused, None) => {
                (ZoneName::utc(), ZoneBasis::Unknown)
            }
        };
        Ok(Self { zone, basis })
    }

    /// What the operator should know; none where all is well.
    pub fn warning(&self) -> Option<String> {
        let zone = &self.zone;
        match self.basis {
            ZoneBasis::Named | ZoneBasis::Found | ZoneBasis::OfUser => None,
            ZoneBasis::Kept => Some(format!(
                "the installation does not tell its time zone; \
                 instants are asked for in {zone}, as it said before"
            )),
            ZoneBasis::Unknown => Some(format!(
                "the installation does not tell its time zone; days may be those of {zone}; \
                 set `api.time_zone`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::extract::api::client::Reach;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            retry_after: None,
            is_gzip: false,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn zone(name: &str) -> ZoneName {
        ZoneName::new(name).unwrap()
    }

    #[test]
    fn the_base_zone_is_a_number_above_zero() {
        let found = |name| ZoneReply::Zone(zone(name));
        let away = |status| ZoneReply::Away(Away::Status(status));
        let error = r#"{"Error":true,"ErrorType":"SoException","Message":"no"}"#;
        let deep = "[".repeat(100_000);
        let cases = [
            (200, "261", found("261")),
            (200, " 1\r\n", found("1")),
            (200, "2147483647", found("2147483647")),
            (200, "0", ZoneReply::Unset),
            (200, "-1", ZoneReply::Unset),
            (200, "2147483648", ZoneReply::Refused),
            (200, "1e400", ZoneReply::Refused),
            (200, "261.5", ZoneReply::Refused),
            (200, "\"NO\"", ZoneReply::Refused),
            (200, "null", ZoneReply::Refused),
            (200, "", ZoneReply::Refused),
            (200, error, ZoneReply::Refused),
            (200, "<html>", ZoneReply::Refused),
            (200, &deep, ZoneReply::Refused),
            (204, "", ZoneReply::Refused),
            (302, "", ZoneReply::Refused),
            (400, error, ZoneReply::Refused),
            (401, "", ZoneReply::LoginRefused),
            (403, error, ZoneReply::Refused),
            (404, "<html>", ZoneReply::Refused),
            (405, "", ZoneReply::Refused),
            (500, error, ZoneReply::Refused),
            (500, "<html>", away(500)),
            (503, "", away(503)),
            (429, "", away(429)),
            (421, "", away(421)),
        ];
        for (status, body, expected) in cases {
            let body_shown = body.get(..40).unwrap_or(body);
            assert_eq!(
                ZoneReply::of_base(&Ok(reply(status, body))),
                expected,
                "{status} {body_shown}"
            );
        }
        for (reason, expected) in [
            (
                Reason::Connection,
                ZoneReply::Away(Away::NoReply(Reason::Connection)),
            ),
            (
                Reason::Timeout,
                ZoneReply::Away(Away::NoReply(Reason::Timeout)),
            ),
            (Reason::BodyTooLarge, ZoneReply::Refused),
        ] {
            let no_reply = NoReply {
                reason,
                status: None,
                reach: Reach::Sent,
            };
            assert_eq!(ZoneReply::of_base(&Err(no_reply)), expected);
        }
    }

    #[test]
    fn the_default_zone_is_a_code() {
        let cases = [
            (
                r#"{"PreferenceId":1,"TZLocationId":261,"LocationCode":"NO","Bias":-60}"#,
                ZoneReply::Zone(zone("NO")),
            ),
            (
                r#"{"LocationCode":" CA-NT "}"#,
                ZoneReply::Zone(zone("CA-NT")),
            ),
            (r#"{"LocationCode":""}"#, ZoneReply::Unset),
            (r#"{"LocationCode":"a,b"}"#, ZoneReply::Refused),
            (r#"{"LocationCode":"Å\n"}"#, ZoneReply::Refused),
            (r#"{"LocationCode":null}"#, ZoneReply::Refused),
            (r#"{"LocationCode":261}"#, ZoneReply::Refused),
            (r#"{"TZLocationId":261}"#, ZoneReply::Refused),
            ("[]", ZoneReply::Refused),
            ("null", ZoneReply::Refused),
        ];
        for (body, expected) in cases {
            assert_eq!(
                ZoneReply::of_default(&Ok(reply(200, body))),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn the_base_zone_comes_first_and_the_default_where_there_is_none() {
        let of = |name| ZoneReply::Zone(zone(name));
        let timeout = Away::NoReply(Reason::Timeout);
        let away = ZoneReply::Away(timeout);
        let cases = [
            (
                of("261"),
                ZoneReply::Refused,
                ZoneAnswer::Found(zone("261")),
            ),
            (ZoneReply::Unset, of("NO"), ZoneAnswer::Found(zone("NO"))),
            (ZoneReply::Refused, of("NO"), ZoneAnswer::OfUser(zone("NO"))),
            (ZoneReply::Unset, ZoneReply::Unset, ZoneAnswer::Refused),
            (ZoneReply::Refused, ZoneReply::Refused, ZoneAnswer::Refused),
            (away.clone(), of("NO"), ZoneAnswer::Away(timeout)),
            (ZoneReply::Unset, away, ZoneAnswer::Away(timeout)),
            (ZoneReply::LoginRefused, of("NO"), ZoneAnswer::LoginRefused),
        ];
        for (base, default, expected) in cases {
            assert_eq!(
                ZoneAnswer::of_both(&base, &default),
                expected,
                "{base:?} {default:?}"
            );
        }
    }

    #[test]
    fn a_zone_that_was_found_stays_until_another_one_is() {
        let found = ZoneAnswer::Found(zone("261"));
        let of_user = ZoneAnswer::OfUser(zone("US-NY"));
        let timeout = Away::NoReply(Reason::Timeout);
        let cases = [
            (&found, None, Some(("261", ZoneBasis::Found))),
            (&found, Some("NO"), Some(("261", ZoneBasis::Found))),
            (&of_user, None, Some(("US-NY", ZoneBasis::OfUser))),
            (&of_user, Some("US-NY"), Some(("US-NY", ZoneBasis::OfUser))),
            (&of_user, Some("NO"), Some(("NO", ZoneBasis::Kept))),
            (
                &ZoneAnswer::Refused,
                None,
                Some(("UTC", ZoneBasis::Unknown)),
            ),
            (
                &ZoneAnswer::Refused,
                Some("NO"),
                Some(("NO", ZoneBasis::Kept)),
            ),
            (
                &ZoneAnswer::LoginRefused,
                None,
                Some(("UTC", ZoneBasis::Unknown)),
            ),
            (
                &ZoneAnswer::LoginRefused,
                Some("NO"),
                Some(("NO", ZoneBasis::Kept)),
            ),
            (&ZoneAnswer::Away(timeout), None, None),
            (&ZoneAnswer::Away(timeout), Some("NO"), None),
        ];
        for (answer, kept, expected) in cases {
            let choice = ZoneChoice::of(answer, kept.map(zone).as_ref());
            let expected = expected.map(|(name, basis)| ZoneChoice {
                zone: zone(name),
                basis,
            });
            assert_eq!(choice, expected.ok_or(timeout), "{answer:?} {kept:?}");
            let Ok(choice) = choice else { continue };
            let is_told = matches!(choice.basis, ZoneBasis::Found | ZoneBasis::OfUser);
            assert_eq!(choice.basis.is_kept(), is_told);
            assert_eq!(choice.warning().is_none(), is_told);
        }
    }

    #[test]
    fn a_zone_that_the_job_names_is_not_asked_for() {
        assert_eq!(ZoneChoice::named(&TimeZone::Tenant), None);
        let choice = ZoneChoice::named(&TimeZone::Named(zone("NO"))).unwrap();
        assert_eq!(
            (choice.zone.0.as_str(), choice.basis),
            ("NO", ZoneBasis::Named)
        );
        assert_eq!((choice.basis.is_kept(), choice.warning()), (false, None));
    }

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
            let header = ZoneName::new(name).unwrap().header();
            assert_eq!(header, format!("{name},includeTZOffset"));
        }
    }
}
