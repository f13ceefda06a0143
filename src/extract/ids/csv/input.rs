//! From a file or pipe to the bytes of its text: decompressing, decoding UTF-16, and refusing what is no text of
//! ids. Knows nothing of CSV.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use zstd::Decoder;

use super::super::Place;
use super::super::error::Error;
use super::super::raw::Raw;
use super::gunzip::Gunzip;
use super::kind;
use super::lines::{LineRead, Lines};
use super::transcode::Transcoded;

/// Bytes of text looked at before reading begins.
const SAMPLE: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The text of the input, decompressed, with its start read ahead.
pub(super) struct Text {
    content: Chain<Cursor<Vec<u8>>, BufReader<Transcoded<Unpacked>>>,
}

/// The input behind the few bytes that told what it is.
type Packed = Box<BufReader<Chain<Cursor<Vec<u8>>, Raw>>>;

enum Unpacked {
    Plain(Packed),
    Gzip(Box<Gunzip<Packed>>),
    Zstd(Decoder<'static, Packed>),
}

impl Text {
    /// Begins to read the text of the input.
    pub(super) fn open(place: &Place, mut raw: Raw) -> Result<Self, Error> {
        let read_error = |line, source| Error::Read {
            place: place.clone(),
            line,
            source,
        };
        let first = |source| read_error(1, source);
        let mut magic = Vec::new();
        raw.by_ref()
            .take(4)
            .read_to_end(&mut magic)
            .map_err(first)?;
        let unpacked = Unpacked::new(magic, raw).map_err(first)?;
        let mut text = Transcoded::new(unpacked).map_err(first)?;
        let mut sample = Vec::new();
        let bound = u64::try_from(SAMPLE).expect("usize fits in u64");
        if let Err(source) = text.by_ref().take(bound).read_to_end(&mut sample) {
            return Err(read_error(last_line(&sample), source));
        }
        if let Some(found) = kind::not_a_list(&sample) {
            let place = place.clone();
            return Err(Error::Unsupported { place, found });
        }
        let rest = BufReader::with_capacity(BUFFER, text);
        Ok(Self {
            content: Cursor::new(sample).chain(rest),
        })
    }

    /// The start of the text, up to the end of a line unless the text ends there; to be looked at
    /// before anything is read.
    pub(super) fn sample(&self) -> &[u8] {
        let sample = self.content.get_ref().0.get_ref();
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        match sample.iter().rposition(is_line_end) {
            Some(end) if sample.len() >= SAMPLE => sample.get(..=end).unwrap_or_default(),
            Some(_) | None => sample,
        }
    }

    /// The input below.
    pub(super) fn raw(&self) -> &Raw {
        self.content
            .get_ref()
            .1
            .get_ref()
            .input()
            .packed()
            .get_ref()
            .get_ref()
            .1
    }

    /// The input below.
    pub(super) fn raw_mut(&mut self) -> &mut Raw {
        self.content
            .get_mut()
            .1
            .get_mut()
            .input_mut()
            .packed_mut()
            .get_mut()
            .get_mut()
            .1
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer)
    }
}

impl BufRead for Text {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.content.fill_buf()
    }

    fn consume(&mut self, size: usize) {
        self.content.consume(size);
    }
}

impl Unpacked {
    /// Goes by the first bytes, whatever the file is called.
    fn new(magic: Vec<u8>, raw: Raw) -> io::Result<Self> {
        let (is_gzip, is_zstd) = (magic.starts_with(GZIP), magic.starts_with(ZSTD));
        let packed = Cursor::new(magic).chain(raw);
        let packed = Box::new(BufReader::with_capacity(BUFFER, packed));
        Ok(if is_gzip {
            Self::Gzip(Box::new(Gunzip::new(packed)))
        } else if is_zstd {
            Self::Zstd(Decoder::with_buffer(packed)?)
        } else {
            Self::Plain(packed)
        })
    }

    fn packed(&self) -> &Packed {
        match self {
            Self::Plain(packed) => packed,
            Self::Gzip(gunzip) => gunzip.input(),
            Self::Zstd(decoder) => decoder.get_ref(),
        }
    }

    fn packed_mut(&mut self) -> &mut Packed {
        match self {
            Self::Plain(packed) => packed,
            Self::Gzip(gunzip) => gunzip.input_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(packed) => packed.read(buffer),
            Self::Gzip(gunzip) => gunzip.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// The line on which these bytes end.
fn last_line(bytes: &[u8]) -> u64 {
    let mut lines = Lines::new(bytes, Place::StandardInput);
    let mut line = Vec::new();
    while matches!(lines.append_to(&mut line, usize::MAX), Ok(LineRead::Line)) {
        line.clear();
    }
    lines.count().max(1)
}
