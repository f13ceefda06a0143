//! Unpacks a stream of gzip members, and passes over the zero bytes that tapes and block devices
//! leave behind them, as `gzip` does. The content of single answers is unpacked elsewhere.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The content of all members, one after the other.
pub(super) struct Gunzip<R> {
    /// There is always one, but for the moment in which the next takes its place.
    member: Option<GzDecoder<R>>,
    has_ended: bool,
}

impl<R: BufRead> Gunzip<R> {
    /// Begins with the first member.
    pub(super) fn new(input: R) -> Self {
        Self {
            member: Some(GzDecoder::new(input)),
            has_ended: false,
        }
    }

    /// What the members are read from.
    pub(super) fn input(&self) -> &R {
        self.member.as_ref().expect(ALWAYS).get_ref()
    }

    /// What the members are read from.
    pub(super) fn input_mut(&mut self) -> &mut R {
        self.member.as_mut().expect(ALWAYS).get_mut()
    }

    /// Goes on to the next member, or notes that there is none.
    fn begin_next(&mut self) -> io::Result<()> {
        self.has_ended = !skip_zeros(self.input_mut())?;
        if !self.has_ended {
            let input = self.member.take().expect(ALWAYS).into_inner();
            self.member = Some(GzDecoder::new(input));
        }
        Ok(())
    }
}

const ALWAYS: &str = "there is always a member";

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended {
            let size = self.member.as_mut().expect(ALWAYS).read(buffer)?;
            if size > 0 || buffer.is_empty() {
                return Ok(size);
            }
            self.begin_next()?;
        }
        Ok(0)
    }
}

/// Passes over zero bytes; false where nothing follows them.
fn skip_zeros(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let next = buffer.iter().position(|byte| *byte != 0);
        let zeros = next.unwrap_or(buffer.len());
        input.consume(zeros);
        if next.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(content: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(bytes: &[u8], buffer: usize) -> Result<String, io::Error> {
        let input = BufReader::with_capacity(buffer, Cursor::new(bytes.to_vec()));
        let mut text = String::new();
        Gunzip::new(input).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn members_and_the_zeros_between_and_after_them_are_read() {
        let zeros = vec![0; 10_000];
        let cases = [
            (packed("a\n"), "a\n"),
            ([packed("a\n"), packed("b")].concat(), "a\nb"),
            ([packed("a"), packed(""), packed("b")].concat(), "ab"),
            ([packed("a"), zeros.clone()].concat(), "a"),
            (
                [packed("a"), zeros.clone(), packed("b"), vec![0]].concat(),
                "ab",
            ),
        ];
        for (bytes, expected) in cases {
            for buffer in [1, 7, 100_000] {
                assert_eq!(unpacked(&bytes, buffer).unwrap(), expected);
            }
        }
    }

    #[test]
    fn anything_else_after_a_member_is_an_error() {
        let whole = packed("abc");
        let cut = whole[..whole.len() - 6].to_vec();
        for bytes in [
            [whole.clone(), b"x".to_vec()].concat(),
            [whole.clone(), vec![0, 0, b'x']].concat(),
            [whole, cut.clone()].concat(),
            [cut.clone(), vec![0; 2]].concat(),
            cut,
            vec![0; 20],
        ] {
            assert!(unpacked(&bytes, 100).is_err(), "{bytes:?}");
        }
    }
}
