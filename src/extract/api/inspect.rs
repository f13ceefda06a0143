//! Looks into an answer as far as the verdict needs: is it a summary, nothing, an error object, or
//! something else. Runs beside the network thread; keeps nothing.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::contact::{ContactId, Found, Reason};
use crate::extract::api::body::MAX_BODY;
use crate::extract::api::client::Reply;
use crate::gzip::{self, Unpacker};

/// Most characters of the API's own words that are kept.
const MAX_MESSAGE: usize = 300;

/// What tells whether an answer makes rows: the flattener, handed in by the run.
pub type Check = dyn Fn(ContactId, &[u8]) -> Result<Found, Reason> + Send + Sync;

/// What a body holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A summary; the bytes are those that came, still compressed where they were.
    Summary(Bytes),
    /// JSON that says there is no such contact.
    Nothing,
    /// No body at all.
    Empty,
    /// The API's error object, with its message where it has one.
    ErrorObject(Option<String>),
    /// Something else, and what is wrong with it.
    Other(Reason),
}

/// Looks into the body of a reply.
pub fn inspect(
    contact_id: ContactId,
    reply: &Reply,
    unpacker: &mut Unpacker,
    check: &Check,
) -> Content {
    let body = match decode(reply, unpacker) {
        Ok(body) => body,
        Err(reason) => return Content::Other(reason),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Content::Empty;
    }
    if !(200..300).contains(&reply.status) {
        // "No such address" is said by the web server, "no such contact" by the API.
        let error = error_object(body).filter(|error| reply.status != 404 || error.is_marked);
        return error.map_or(Content::Other(Reason::HttpStatus), Content::from);
    }
    match check(contact_id, body) {
        Ok(Found::Summary) => Content::Summary(reply.body.clone()),
        Ok(Found::Nothing) => Content::Nothing,
        Err(Reason::WrongStructure) => {
            error_object(body).map_or(Content::Other(Reason::WrongStructure), Content::from)
        }
        Err(reason) => Content::Other(reason),
    }
}

/// The body, decompressed up to its bound.
///
/// # Errors
/// Where it is damaged or larger: the reason.
pub fn decode<'a>(reply: &'a Reply, unpacker: &'a mut Unpacker) -> Result<&'a [u8], Reason> {
    if !reply.is_gzip || reply.body.is_empty() {
        return Ok(&reply.body);
    }
    unpacker
        .unpack(&reply.body, MAX_BODY)
        .map_err(|error| match error {
            gzip::Error::Damaged => Reason::BodyCut,
            gzip::Error::TooLarge => Reason::BodyTooLarge,
        })
}

/// An error object of the API.
struct ErrorObject {
    /// Whether it says of itself that it is one; objects of the web server around the API do not.
    is_marked: bool,
    message: Option<String>,
}

impl From<ErrorObject> for Content {
    fn from(error: ErrorObject) -> Self {
        Self::ErrorObject(error.message)
    }
}

/// The error object that the body is, if it is one: the carriers of agents, of REST entities, and
/// the serialised exception (vendor's pages on agents, REST and the client's carriers). Older
/// servers leave the message out. Of doubled members the last one counts.
fn error_object(body: &[u8]) -> Option<ErrorObject> {
    let Members(members) =
        serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).ok()?;
    let text = |name| {
        serde_json::from_str::<String>(members.get(name)?.get())
            .ok()
            .filter(|text| !text.is_empty())
    };
    let is_there = |name| members.get(name).is_some_and(|value| value.get() != "null");
    let is_marked = members
        .get("Error")
        .is_some_and(|value| value.get() == "true");
    let message = text("Message").or_else(|| text("ErrorMessage"));
    let is_exception = ["MessageDetail", "ErrorType", "ExceptionType"]
        .into_iter()
        .any(is_there);
    let is_error = is_marked || is_there("ErrorMessage") || (is_there("Message") && is_exception);
    is_error.then(|| ErrorObject {
        is_marked,
        message: message.map(|message| cut(&message)),
    })
}

/// The members that error objects have, each as it was written; no others, of which there may be
/// any number.
#[derive(Default)]
struct Members<'a>(HashMap<&'static str, &'a RawValue>);

impl Members<'_> {
    const NAMES: [&'static str; 6] = [
        "Error",
        "ErrorMessage",
        "ErrorType",
        "ExceptionType",
        "Message",
        "MessageDetail",
    ];
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value()?;
            if let Some(name) = Self::NAMES.into_iter().find(|known| *known == name) {
                self.0.insert(name, value);
            }
        }
        Ok(self)
    }
}

/// The message in one line of bounded length.
fn cut(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn reply(status: u16, body: &[u8], is_gzip: bool) -> Reply {
        Reply {
            status,
            retry_after: None,
            is_gzip,
            body: Bytes::copy_from_slice(body),
        }
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn look(reply: &Reply, found: Result<Found, Reason>) -> Content {
        inspect(
            ContactId::new(1).unwrap(),
            reply,
            &mut Unpacker::default(),
            &move |_, _| found,
        )
    }

    #[test]
    fn errors_are_found_wherever_they_hide() {
        let wrong = Err(Reason::WrongStructure);
        let object = |message: &str| Content::ErrorObject(Some(message.to_owned()));
        let cases = [
            (
                200,
                r#"{"Error":true,"ErrorType":"ArgumentException","Message":"no"}"#,
                wrong,
                object("no"),
            ),
            (
                200,
                r#"{"Message":"The request is invalid.","MessageDetail":"x"}"#,
                wrong,
                object("The request is invalid."),
            ),
            (
                404,
                r#"{"Error":true,"ErrorType":"SoNotFoundException","ErrorMessage":"gone"}"#,
                wrong,
                object("gone"),
            ),
            (
                500,
                r#"{"Message":"m","StackTrace":"s","ExceptionType":"E"}"#,
                wrong,
                object("m"),
            ),
            (400, r#"{"Error":true}"#, wrong, Content::ErrorObject(None)),
            (
                400,
                r#"{"Error":false,"Error":true,"Message":"first","Message":"last"}"#,
                wrong,
                object("last"),
            ),
            (
                400,
                r#"{"Error":true,"Message":"","ErrorMessage":"no"}"#,
                wrong,
                object("no"),
            ),
            (
                400,
                r#"{"Error":true,"Message":{"Text":"x"},"ErrorMessage":"no"}"#,
                wrong,
                object("no"),
            ),
            (
                400,
                r#"{"Error":true,"Message":"cut \ud83d","ErrorMessage":null}"#,
                wrong,
                Content::ErrorObject(None),
            ),
            (
                404,
                r#"{"Message":"No HTTP resource was found","MessageDetail":"x"}"#,
                wrong,
                Content::Other(Reason::HttpStatus),
            ),
            (
                200,
                r#"{"Message":"only a message"}"#,
                wrong,
                Content::Other(Reason::WrongStructure),
            ),
            (500, "<html>", wrong, Content::Other(Reason::HttpStatus)),
            (
                200,
                "<html>",
                Err(Reason::NotJson),
                Content::Other(Reason::NotJson),
            ),
            (200, "null", Ok(Found::Nothing), Content::Nothing),
            (200, " \r\n", Ok(Found::Summary), Content::Empty),
            (
                200,
                "{}",
                Ok(Found::Summary),
                Content::Summary(Bytes::from_static(b"{}")),
            ),
        ];
        for (status, body, found, expected) in cases {
            assert_eq!(
                look(&reply(status, body.as_bytes(), false), found),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn messages_are_one_line_of_bounded_length() {
        let body = format!(r#"{{"Error":true,"Message":"a\nb{}"}}"#, "æ".repeat(1_000));
        let Content::ErrorObject(Some(message)) =
            look(&reply(400, body.as_bytes(), false), Ok(Found::Nothing))
        else {
            panic!("no message")
        };
        assert_eq!(message.chars().count(), 300);
        assert!(message.starts_with("a bæ"));
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_bound() {
        let bomb = gzip(&vec![b' '; MAX_BODY + 1]);
        assert_eq!(
            look(&reply(200, &bomb, true), Ok(Found::Summary)),
            Content::Other(Reason::BodyTooLarge)
        );
        let largest = gzip(&vec![b'x'; MAX_BODY]);
        assert_eq!(
            look(&reply(200, &largest, true), Ok(Found::Summary)),
            Content::Summary(largest.into())
        );
        assert_eq!(
            look(&reply(200, &gzip(b"{}")[..12], true), Ok(Found::Summary)),
            Content::Other(Reason::BodyCut)
        );
    }
}
