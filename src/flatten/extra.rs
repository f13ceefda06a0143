//! What no column takes, kept as JSON text exactly as it was written, nested as on the wire.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::cell::unquote;
use super::fault::Fault;
use super::member_name::MemberName;
use crate::schema::LEFT_OUT;

/// Sixteen times as deep as the deepest member that a column takes (`Contact/Address/Street/City`);
/// the bound keeps hostile nesting from exhausting the stack.
const MAX_DEPTH: usize = 64;

/// Hundreds of times the members of the widest object that is declared (23 of the contact); the
/// bound keeps hostile ones from exhausting the memory.
const MAX_MEMBERS: usize = 10_000;

/// The members of one object that go to `extra`, each as JSON text with its place among them.
#[derive(Debug, Default)]
pub(super) struct Extra<'a> {
    members: HashMap<Cow<'a, str>, (usize, String)>,
    place: usize,
    unknown: usize,
}

impl<'a> Extra<'a> {
    /// Keeps a member, given as JSON text. Of doubled members the last one counts, even where it
    /// leaves nothing to keep.
    pub(super) fn set(&mut self, name: MemberName<'a>, json: Option<String>) {
        if self.members.is_empty() && json.is_none() {
            return;
        }
        self.place += 1;
        match json {
            Some(json) => self.members.insert(name.text(), (self.place, json)),
            None => self.members.remove(&name.text()),
        };
    }

    /// The same for a member that no column takes; a fault where there are too many of them,
    /// doubled ones and nulls included.
    pub(super) fn set_unknown(
        &mut self,
        name: MemberName<'a>,
        json: Option<String>,
    ) -> Result<(), Fault> {
        self.unknown += 1;
        if self.unknown > MAX_MEMBERS {
            return Err(Fault::WrongStructure);
        }
        self.set(name, json);
        Ok(())
    }

    /// All members as a JSON object, in the order in which they came; none where there are none.
    pub(super) fn into_json(self) -> Option<String> {
        let mut members: Vec<_> = self.members.into_iter().collect();
        members.sort_unstable_by_key(|(_, (place, _))| *place);
        let mut text = String::new();
        for (name, (_, json)) in &members {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&quote(name));
            text.push(':');
            text.push_str(json);
        }
        (!text.is_empty()).then(|| text + "}")
    }
}

/// Whether a member of this name is left out by design.
pub(super) fn is_left_out(name: MemberName<'_>) -> bool {
    LEFT_OUT.iter().any(|(left_out, _)| name.is(left_out))
}

/// A value without its nulls and without what is left out by design; none where nothing remains. A
/// fault where it is nested too deeply, or an object in it has too many members.
pub(super) fn prune(raw: &RawValue) -> Result<Option<String>, Fault> {
    prune_at(raw, 0)
}

fn prune_at(raw: &RawValue, depth: usize) -> Result<Option<String>, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::WrongStructure);
    }
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'n') => Ok(None),
        // It is known to be JSON: what goes wrong in it is a bound.
        Some(b'{' | b'[') => Deserializer::from_str(text)
            .deserialize_any(KeptWithin { depth })
            .map_err(|_| Fault::WrongStructure),
        // Half a surrogate pair would make the whole of `extra` unreadable for most readers of
        // JSON.
        Some(b'"') if serde_json::from_str::<String>(text).is_err() => {
            Ok(Some(quote(&unquote(text))))
        }
        _ => Ok(Some(text.to_owned())),
    }
}

/// What is kept of an object or a list at this depth.
struct KeptWithin {
    depth: usize,
}

impl<'de> Visitor<'de> for KeptWithin {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut kept = Extra::default();
        while let Some((name, value)) = members.next_entry::<MemberName<'_>, &RawValue>()? {
            if !is_left_out(name) {
                let json = prune_at(value, self.depth + 1).map_err(A::Error::custom)?;
                kept.set_unknown(name, json).map_err(A::Error::custom)?;
            }
        }
        Ok(kept.into_json())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut text = String::new();
        let mut is_any_kept = false;
        while let Some(item) = items.next_element::<&RawValue>()? {
            let json = prune_at(item, self.depth + 1).map_err(A::Error::custom)?;
            text.push(if text.is_empty() { '[' } else { ',' });
            // A place in a list means something: what is empty there stays, as null.
            text.push_str(json.as_deref().unwrap_or("null"));
            is_any_kept |= json.is_some();
        }
        Ok(is_any_kept.then(|| text + "]"))
    }
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pruned(json: &str) -> Option<String> {
        prune(serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn nulls_and_rights_go_and_all_else_stays_as_written() {
        let cases = [
            ("null", None),
            ("1.10", Some("1.10")),
            (
                "123456789012345678901234567890",
                Some("123456789012345678901234567890"),
            ),
            ("\"\\u00e6\"", Some("\"\\u00e6\"")),
            (r#"{"A": null, "B": {"C": null}}"#, None),
            (
                r#"{"A": 1, "TableRight": {"Mask": "FULL"},
                    "B": {"FieldProperties": {}, "C": [1, null]}}"#,
                Some(r#"{"A":1,"B":{"C":[1,null]}}"#),
            ),
            (r#"{"A": 1, "A": 2}"#, Some(r#"{"A":2}"#)),
            (r#"{"A": 1, "A": null}"#, None),
            ("\"cut \\ud83d\"", Some("\"cut \u{FFFD}\"")),
            (r#"{"quo\"te": true}"#, Some(r#"{"quo\"te":true}"#)),
            ("[]", None),
            ("[null]", None),
            (r#"[null, [], {"A": null}]"#, None),
            (
                r#"[[], 1, "a", {"A": [2]}]"#,
                Some(r#"[null,1,"a",{"A":[2]}]"#),
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(pruned(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(
            prune(serde_json::from_str(&deep).unwrap()).unwrap_err(),
            Fault::WrongStructure
        );
    }

    #[test]
    fn the_number_of_members_is_bounded() {
        let members = |count| {
            format!(
                "{{{}}}",
                (0..count)
                    .map(|number| format!(r#""{number}":1"#))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        };
        let widest = members(MAX_MEMBERS);
        assert_eq!(pruned(&widest), Some(widest));
        assert_eq!(
            prune(serde_json::from_str(&members(MAX_MEMBERS + 1)).unwrap()).unwrap_err(),
            Fault::WrongStructure
        );
    }
}
