//! Member names and whole objects of an answer, borrowed from its text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::unquote;

/// A member name as it was written, with its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a>(&'a str);

/// All members of an object in order, each value as it was written.
pub(super) struct Members<'a>(pub(super) Vec<(Key<'a>, &'a RawValue)>);

impl<'a> Key<'a> {
    /// The name, borrowed unless it was written with escapes.
    pub(super) fn name(self) -> Cow<'a, str> {
        unquote(self.0)
    }

    /// Whether this name stands there without escapes, as names usually do.
    pub(super) fn is_plainly(self, name: &str) -> bool {
        self.0.get(1..self.0.len() - 1) == Some(name)
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read as written, since serde_json refuses half a surrogate pair in text.
        <&RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}
