//! Text in UTF-16 becomes UTF-8 on its way, where a byte order mark says that it is UTF-16; all
//! other text passes as it is. A surrogate without its other half becomes U+FFFD, which is in no
//! id.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

const BUFFER: usize = 32 * 1024;

/// The text of an input.
pub(super) struct Transcoded<R> {
    input: R,
    /// None where the text passes as it is, or has ended.
    decoder: Option<Decoder>,
    /// Text that was not given out yet, and how much of it was.
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Transcoded<R> {
    /// Goes by the first two bytes.
    pub(super) fn new(mut input: R) -> io::Result<Self> {
        let mut mark = Vec::new();
        input.by_ref().take(2).read_to_end(&mut mark)?;
        let encoding: Option<&Encoding> = match mark.as_slice() {
            [0xff, 0xfe] => Some(UTF_16LE),
            [0xfe, 0xff] => Some(UTF_16BE),
            _ => None,
        };
        Ok(Self {
            input,
            ready: if encoding.is_some() { Vec::new() } else { mark },
            decoder: encoding.map(Encoding::new_decoder_without_bom_handling),
            given: 0,
        })
    }

    /// What the text is made of.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// What the text is made of.
    pub(super) fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// Decodes some more, until there is text or the input has ended.
    fn decode(&mut self) -> io::Result<()> {
        while let Some(decoder) = self
            .decoder
            .as_mut()
            .filter(|_| self.given >= self.ready.len())
        {
            let mut bytes = Vec::with_capacity(BUFFER);
            let most = u64::try_from(BUFFER).unwrap_or(u64::MAX);
            self.input.by_ref().take(most).read_to_end(&mut bytes)?;
            let is_last = bytes.len() < BUFFER;
            let room = decoder.max_utf8_buffer_length(bytes.len());
            self.ready.clear();
            self.ready.resize(room.unwrap_or(BUFFER * 4), 0);
            let (_, _, written, _) = decoder.decode_to_utf8(&bytes, &mut self.ready, is_last);
            self.ready.truncate(written);
            self.given = 0;
            if is_last {
                self.decoder = None;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_plain = self.decoder.is_none();
        if self.given >= self.ready.len() {
            if is_plain {
                return self.input.read(buffer);
            }
            self.decode()?;
        }
        let mut rest = self.ready.get(self.given..).unwrap_or_default();
        let size = rest.read(buffer)?;
        self.given += size;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(to_bytes)
            .collect()
    }

    fn decoded(bytes: &[u8]) -> String {
        let mut text = Vec::new();
        let mut transcoded = Transcoded::new(bytes).unwrap();
        // A byte at a time, as a slow reader takes them.
        let mut one = [0];
        while transcoded.read(&mut one).unwrap() == 1 {
            text.push(one[0]);
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn both_orders_of_utf_16_are_read_and_other_text_passes() {
        let long = "contactId;Navn\r\n1;Bølge 🎉 株式会社\r\n".repeat(5_000);
        for text in ["", "a", "contactId\n11\n", &long] {
            assert_eq!(decoded(&utf_16(text, u16::to_le_bytes)), text);
            assert_eq!(decoded(&utf_16(text, u16::to_be_bytes)), text);
            assert_eq!(decoded(text.as_bytes()), text);
        }
    }

    #[test]
    fn half_a_character_is_replaced() {
        let half = |units: &[u16]| -> String {
            let bytes = [0xfeff_u16]
                .iter()
                .chain(units)
                .flat_map(|unit| unit.to_le_bytes());
            decoded(&bytes.collect::<Vec<_>>())
        };
        assert_eq!(half(&[0x31, 0xd83c, 0x32]), "1\u{fffd}2");
        assert_eq!(half(&[0x31, 0xdf89, 0x32]), "1\u{fffd}2");
        assert_eq!(half(&[0x31, 0xd83c]), "1\u{fffd}");
        assert_eq!(decoded(b"\xff\xfe1\x002"), "1\u{fffd}");
    }
}
