//! Member names of an answer, borrowed from its text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A member name. Bytes, since a name can hold half of a surrogate pair, which no text can.
#[derive(Debug)]
pub(super) struct Key<'a>(Cow<'a, [u8]>);

impl<'a> Key<'a> {
    /// Whether this is the name.
    pub(super) fn is(&self, name: &str) -> bool {
        *self.0 == *name.as_bytes()
    }

    /// The name as text; half of a surrogate pair becomes U+FFFD.
    pub(super) fn into_text(self) -> Cow<'a, str> {
        match self.0 {
            Cow::Borrowed(name) => String::from_utf8_lossy(name),
            Cow::Owned(name) => Cow::Owned(text(name)),
        }
    }
}

/// Half a surrogate pair stands there in the three bytes that UTF-8 would have for its number.
fn text(mut name: Vec<u8>) -> String {
    for start in 0..name.len().saturating_sub(2) {
        if let Some(half @ [0xED, 0xA0..=0xBF, _]) = name.get_mut(start..start + 3) {
            half.copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8_lossy(&name).into_owned()
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member name")
            }

            fn visit_borrowed_bytes<E>(self, name: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }
        // As text, `serde_json` would refuse half a surrogate pair.
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_and_without_escapes() {
        let cases = [
            (r#""Name""#, "Name"),
            (r#""N\u0061me""#, "Name"),
            (r#""quo\"te\n""#, "quo\"te\n"),
            (r#""\ud83d\ude00æ""#, "😀æ"),
            (r#""\ud83d""#, "\u{FFFD}"),
            (r#""a\ude00\ud83d-\ud83d\ude00""#, "a\u{FFFD}\u{FFFD}-😀"),
            (r#""\uD7FF\uE000""#, "\u{D7FF}\u{E000}"),
            (r#""""#, ""),
        ];
        for (written, name) in cases {
            let key: Key<'_> = serde_json::from_str(written).unwrap();
            assert_eq!(key.is(name), !name.contains('\u{FFFD}'), "{written}");
            assert_eq!(key.into_text(), name, "{written}");
        }
    }
}
