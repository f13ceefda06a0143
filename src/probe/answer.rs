//! An answer, looked into as far as a report may tell of it: its shape, and never what it says.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fact::{Fact, Facts};
use crate::extract::api::inquiry::Inquired;
use crate::extract::api::inspect::decode;
use crate::gzip::Unpacker;

/// Bodies beyond this are not looked into; a page of 5,000 rows takes less.
const LARGEST: usize = 4 << 20;

/// Headers by which servers are known to tell of limits.
const LIMIT_HEADERS: [&str; 7] = [
    "retry-after",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-rate-limit-limit",
];

/// What came.
pub(super) struct ProbeAnswer {
    pub(super) status: u16,
    pub(super) body: Body,
    bytes: usize,
    took: Duration,
    limit_headers: Vec<&'static str>,
}

/// What the body is.
pub(super) enum Body {
    Empty,
    Json(Value),
    Page,
    Other,
    TooLarge,
}

impl ProbeAnswer {
    pub(super) fn of(inquired: &Inquired, took: Duration) -> Self {
        let mut unpacker = Unpacker::default();
        let (bytes, body) = match decode(&inquired.reply, &mut unpacker) {
            Ok(body) => (body.len(), Body::of(body)),
            Err(_) => (inquired.reply.body.len(), Body::Other),
        };
        let mut limit_headers = LIMIT_HEADERS.to_vec();
        limit_headers.retain(|name| inquired.headers.contains_key(*name));
        Self {
            status: inquired.reply.status,
            body,
            bytes,
            took,
            limit_headers,
        }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the server asks to be left alone.
    pub(super) fn asks_for_peace(&self) -> bool {
        self.status == 429 || (self.status == 503 && self.limit_headers.contains(&"retry-after"))
    }

    /// What every answer tells.
    pub(super) fn outline(&self) -> Facts {
        let mut facts = vec![
            ("status", Fact::Count(u64::from(self.status))),
            ("answer", Fact::Word(self.body.word())),
            ("bytes", Fact::count(self.bytes)),
            (
                "milliseconds",
                Fact::Count(u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)),
            ),
        ];
        let limits = self.limit_headers.iter();
        facts.extend(limits.map(|name| ("limit_header", Fact::Word(name))));
        facts
    }

    /// A member of the object that was answered, in any case.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        match &self.body {
            Body::Json(Value::Object(members)) => member(members, name),
            Body::Json(_) | Body::Empty | Body::Page | Body::Other | Body::TooLarge => None,
        }
    }

    /// The list that was answered.
    pub(super) fn list(&self) -> Option<&Vec<Value>> {
        match &self.body {
            Body::Json(Value::Array(list)) => Some(list),
            Body::Json(_) | Body::Empty | Body::Page | Body::Other | Body::TooLarge => None,
        }
    }

    /// The rows of a page of an archive.
    pub(super) fn rows(&self) -> Option<&Vec<Value>> {
        self.member("value")
            .filter(|_| self.is_success())
            .and_then(Value::as_array)
    }
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        match bytes.trim_ascii_start() {
            [] => Self::Empty,
            _ if bytes.len() > LARGEST => Self::TooLarge,
            [b'<', ..] => Self::Page,
            json => serde_json::from_slice(json).map_or(Self::Other, Self::Json),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Page => "a web page",
            Self::Other => "neither JSON nor a web page",
            Self::TooLarge => "more than 4 MiB",
            Self::Json(value) => word(value),
        }
    }
}

/// What a value is, in a word.
pub(super) fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(list) if list.is_empty() => "an empty list",
        Value::Array(_) => "a list",
        Value::Object(members) => match member(members, "Error") {
            Some(Value::Bool(true)) => "the API's error object",
            _ if members.values().all(is_hollow) => "an object with nothing in it",
            _ => "an object",
        },
    }
}

/// Null, 0, false, empty, or made of such.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(is_hollow),
        Value::Object(members) => members.values().all(is_hollow),
    }
}

pub(super) fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut members = members.iter();
    members
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A whole number, written as such, as text, or encoded as in `[I:7]`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let encoded = text
                .strip_prefix("[I:")
                .and_then(|rest| rest.strip_suffix(']'));
            encoded.unwrap_or(text).parse().ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
