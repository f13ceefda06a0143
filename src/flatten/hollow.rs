//! Whether an object says anything at all. Some servers answer for a contact that is not there with
//! a Contact in which every member has its default; it must not become a row. Leaves to `parse`
//! what follows from that.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::extra;
use super::member_name::MemberName;

/// Whether that member of the root object is absent or hollow: null, zero, false, empty, or nothing
/// but such values at any depth. What is left out by design says nothing either.
///
/// Reads the answer a second time, so it is for the few in which nothing else decides.
pub(super) fn is_member_hollow(answer: &str, name: &str) -> bool {
    let member = Deserializer::from_str(answer).deserialize_any(LastOf { name });
    member.is_ok_and(|member| member.is_none_or(is_hollow))
}

/// That member of the root object, as it was written; of doubled ones the last.
pub(super) fn last_member<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let member = Deserializer::from_str(answer).deserialize_any(LastOf { name });
    member.ok().flatten().map(RawValue::get)
}

/// Text that is known to be JSON, and to be nested no deeper than `extra` allows.
fn is_hollow(value: &RawValue) -> bool {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'n' | b'f') => true,
        Some(b'"') => text == "\"\"",
        Some(b'-' | b'0'..=b'9') => is_zero(text),
        Some(b'{' | b'[') => Deserializer::from_str(text)
            .deserialize_any(HollowWithin)
            .unwrap_or(false),
        Some(_) | None => false,
    }
}

/// Told by the digits, since a float would take the smallest numbers for zero.
fn is_zero(number: &str) -> bool {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    mantissa
        .bytes()
        .all(|byte| matches!(byte, b'0' | b'.' | b'-'))
}

/// The last member of this name, as it was written.
struct LastOf<'n> {
    name: &'n str,
}

impl<'de> Visitor<'de> for LastOf<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut last = None;
        while let Some((name, value)) = members.next_entry::<MemberName<'_>, &RawValue>()? {
            if name.is(self.name) {
                last = Some(value);
            }
        }
        Ok(last)
    }
}

/// Whether an object or a list holds nothing that says anything.
struct HollowWithin;

impl<'de> Visitor<'de> for HollowWithin {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        // Of doubled members the last one counts.
        let mut hollow: HashMap<Cow<'_, str>, bool> = HashMap::new();
        while let Some((name, value)) = members.next_entry::<MemberName<'_>, &RawValue>()? {
            if !extra::is_left_out(name) {
                hollow.insert(name.text(), is_hollow(value));
            }
        }
        Ok(hollow.into_values().all(|is_hollow| is_hollow))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all_hollow = true;
        while let Some(item) = items.next_element::<&RawValue>()? {
            all_hollow &= is_hollow(item);
        }
        Ok(all_hollow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_say_nothing_and_all_else_says_something() {
        let cases = [
            ("null", true),
            ("false", true),
            ("true", false),
            (r#""""#, true),
            (r#"" ""#, false),
            ("0", true),
            ("-0.00E+9", true),
            ("0.1e-400", false),
            ("10", false),
            ("{}", true),
            ("[]", true),
            ("[null, [0, {}]]", true),
            ("[null, [0, 1]]", false),
            (r#"{"A": {"B": 0.0, "C": ""}, "D": false}"#, true),
            (r#"{"A": {"B": 0.0, "C": "c"}}"#, false),
            (r#"{"A": "a", "\u0041": null}"#, true),
            (r#"{"A": null, "A": "a"}"#, false),
            (r#"{"TableRight": {"Mask": "FULL"}}"#, true),
            (r#"{"A": {"AtypeIdx": "ContactStreetAddress"}}"#, true),
        ];
        for (json, expected) in cases {
            let answer = format!(r#"{{"Other": 1, "Contact": {json}}}"#);
            assert_eq!(is_member_hollow(&answer, "Contact"), expected, "{json}");
        }
    }

    #[test]
    fn a_member_that_is_absent_says_nothing_and_of_doubled_ones_the_last_one_counts() {
        let cases = [
            ("{}", true),
            (r#"{"Contact": {"A": 1}, "Contact": null}"#, true),
            (r#"{"Contact": null, "Contact": {"A": 1}}"#, false),
        ];
        for (answer, expected) in cases {
            assert_eq!(is_member_hollow(answer, "Contact"), expected, "{answer}");
        }
    }
}
