//! Member names of an answer, borrowed from its text.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::cell::unquote;

/// A member name as it was written, with its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemberName<'a>(&'a str);

impl<'a> MemberName<'a> {
    /// Whether this is the name.
    pub(super) fn is(self, name: &str) -> bool {
        let plain = self.0.get(1..self.0.len() - 1).unwrap_or_default();
        plain == name || (plain.contains('\\') && self.text() == name)
    }

    /// The name with its quotes and escapes.
    pub(super) fn as_written(self) -> &'a str {
        self.0
    }

    /// The name itself, borrowed unless it was written with escapes.
    pub(super) fn text(self) -> Cow<'a, str> {
        unquote(self.0)
    }
}

impl<'de> Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read as written, since serde_json refuses half a surrogate pair in text.
        <&RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}
