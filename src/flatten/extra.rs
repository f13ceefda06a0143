//! What no column takes, kept as JSON text exactly as it was written, nested as on the wire.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Fault;
use super::cell::unquote;
use super::key::{Key, Members};
use crate::schema::LEFT_OUT;

/// Deeper than any answer; the bound keeps hostile nesting from exhausting the stack.
const MAX_DEPTH: usize = 64;

/// The members of one object that go to `extra`, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Extra<'a> {
    members: Vec<(Cow<'a, str>, String)>,
}

impl<'a> Extra<'a> {
    /// Keeps a member, given as JSON text. Of doubled members the last one counts, even where it leaves nothing to keep.
    pub(super) fn set(&mut self, key: Key<'a>, json: Option<String>) {
        if self.members.is_empty() && json.is_none() {
            return;
        }
        let name = key.name();
        self.members.retain(|(other, _)| *other != name);
        if let Some(json) = json {
            self.members.push((name, json));
        }
    }

    /// All members as a JSON object; none where there are none.
    pub(super) fn into_json(self) -> Option<String> {
        object(self.members.iter().map(|(name, json)| (name.as_ref(), json.as_str())))
    }
}

/// Whether a member of this name is left out by design.
pub(super) fn is_left_out(name: &str) -> bool {
    LEFT_OUT.iter().any(|(left_out, _)| *left_out == name)
}

/// A value without its nulls and without what is left out by design; none where nothing remains.
///
/// # Errors
/// Where the value is nested too deeply.
pub(super) fn prune(raw: &RawValue) -> Result<Option<String>, Fault> {
    prune_at(raw, 0)
}

fn prune_at(raw: &RawValue, depth: usize) -> Result<Option<String>, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::WrongStructure);
    }
    match raw.get().as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(raw.get()).map_err(|_| Fault::NotJson)?;
            let mut kept = Extra::default();
            for (key, value) in members.0 {
                if !is_left_out(&key.name()) {
                    let json = prune_at(value, depth + 1)?;
                    kept.set(key, json);
                }
            }
            Ok(kept.into_json())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| Fault::NotJson)?;
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                // A place in a list means something: what is empty there stays, as null.
                kept.push(prune_at(item, depth + 1)?.unwrap_or_else(|| "null".to_owned()));
            }
            Ok(kept.iter().any(|item| item != "null").then(|| format!("[{}]", kept.join(","))))
        }
        // Half a surrogate pair would make the whole of `extra` unreadable for most readers of JSON.
        Some(b'"') if serde_json::from_str::<String>(raw.get()).is_err() => Ok(Some(quote(&unquote(raw.get())))),
        _ => Ok(Some(raw.get().to_owned())),
    }
}

fn object<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> Option<String> {
    let mut text = String::new();
    for (name, json) in members {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&quote(name));
        text.push(':');
        text.push_str(json);
    }
    (!text.is_empty()).then(|| text + "}")
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
            ("123456789012345678901234567890", Some("123456789012345678901234567890")),
            ("\"\\u00e6\"", Some("\"\\u00e6\"")),
            (r#"{"A": null, "B": {"C": null}}"#, None),
            (
                r#"{"A": 1, "TableRight": {"Mask": "FULL"}, "B": {"FieldProperties": {}, "C": [1, null]}}"#,
                Some(r#"{"A":1,"B":{"C":[1,null]}}"#),
            ),
            (r#"{"A": 1, "A": 2}"#, Some(r#"{"A":2}"#)),
            (r#"{"A": 1, "A": null}"#, None),
            ("\"cut \\ud83d\"", Some("\"cut \u{FFFD}\"")),
            (r#"{"quo\"te": true}"#, Some(r#"{"quo\"te":true}"#)),
            ("[]", None),
            ("[null]", None),
        ];
        for (json, expected) in cases {
            assert_eq!(pruned(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(prune(serde_json::from_str(&deep).unwrap()).unwrap_err(), Fault::WrongStructure);
    }
}
