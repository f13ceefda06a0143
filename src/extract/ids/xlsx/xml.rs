//! The XML of a part, token by token. Nothing is held of what was read: neither texts nor the
//! elements that are open.

use std::borrow::Cow;
use std::io;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::bounded::Part;

/// Why a workbook cannot be read.
#[derive(Debug)]
pub(super) enum WorkbookFault {
    /// The file gave out.
    Read(io::Error),
    /// It is not as a workbook should be.
    Damaged(&'static str),
}

/// What comes next.
pub(super) enum Token<'a> {
    Open(Element<'a>),
    /// The local name of an element that ends.
    Close(Cow<'a, str>),
    Text(Cow<'a, str>),
    End,
}

/// An element as it begins.
pub(super) struct Element<'a> {
    start: BytesStart<'a>,
    /// It has no content, and no end of its own follows.
    pub(super) is_empty: bool,
}

/// Reads the tokens of a part.
pub(super) struct Xml {
    reader: quick_xml::Reader<Part>,
}

impl Xml {
    pub(super) fn new(part: Part) -> Self {
        let mut reader = quick_xml::Reader::from_reader(part);
        // Checked names are kept for as long as elements are open, however many these are.
        reader.config_mut().check_end_names = false;
        Self { reader }
    }

    /// The next token that says something, in memory that is used again.
    pub(super) fn next<'a>(&mut self, memory: &'a mut Vec<u8>) -> Result<Token<'a>, WorkbookFault> {
        memory.clear();
        self.reader.get_mut().begin_token();
        let event = self.reader.read_event_into(memory).map_err(fault)?;
        Ok(match event {
            Event::Start(start) => Token::Open(Element {
                start,
                is_empty: false,
            }),
            Event::Empty(start) => Token::Open(Element {
                start,
                is_empty: true,
            }),
            Event::End(end) => Token::Close(Cow::Owned(end.local_name().as_ref().to_owned())),
            Event::Text(text) => Token::Text(text.into_inner()),
            Event::CData(text) => Token::Text(text.into_inner()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(fault)?;
                let named = resolve_predefined_entity(&reference).map(str::to_owned);
                let text = character.map(String::from).or(named);
                Token::Text(Cow::Owned(text.unwrap_or_default()))
            }
            // Nothing in them is meant for us.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                Token::Text(Cow::Borrowed(""))
            }
            Event::Eof => Token::End,
        })
    }
}

impl Xml {
    /// Reads the rest of the part, so that it is known to be sound.
    pub(super) fn pass_rest(&mut self) -> Result<(), WorkbookFault> {
        let part = self.reader.get_mut();
        part.pass_rest().map_err(|error| fault(error.into()))
    }
}

impl Element<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.start.local_name().as_ref() == name
    }

    /// An attribute by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.start.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.local_name().as_ref() == name)?;
        let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    }
}

fn fault(error: quick_xml::Error) -> WorkbookFault {
    match error {
        quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::Other => {
            WorkbookFault::Read(io::Error::other(error.to_string()))
        }
        quick_xml::Error::Io(_) => WorkbookFault::Damaged("a part of it cannot be unpacked"),
        _ => WorkbookFault::Damaged("a part of it is no XML"),
    }
}
