//! From a file or pipe to the bytes of its text: opening, decompressing, byte order mark. Knows
//! nothing of CSV.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::Error;
use super::{Place, records};

/// Bytes of text looked at before reading begins.
const SAMPLE: u64 = 64 * 1024;
const BUFFER: usize = 64 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const ZIP: &[u8] = b"PK\x03\x04";
const UTF_8: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>, Error> {
    let place = || Place::Path(path.to_owned());
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.is_dir(), file)));
    match opened {
        Ok((true, _)) => Err(Error::Directory { place: place() }),
        Ok((false, file)) => Ok(Box::new(file)),
        Err(source) => Err(Error::Open {
            place: place(),
            source,
        }),
    }
}

/// The start of the text, decompressed and without byte order mark, and what follows it.
pub(super) fn text(
    place: &Place,
    mut input: Box<dyn Read + Send>,
) -> Result<(Vec<u8>, impl io::BufRead + Send + use<>), Error> {
    let read_error = |line, source| Error::Read {
        place: place.clone(),
        line,
        source,
    };
    let mut magic = Vec::new();
    input
        .by_ref()
        .take(4)
        .read_to_end(&mut magic)
        .map_err(|source| read_error(1, source))?;
    let is_gzip = magic.starts_with(GZIP);
    let is_zstd = magic.starts_with(ZSTD);
    let raw = Cursor::new(magic).chain(input);
    let mut text: Box<dyn Read + Send> = if is_gzip {
        Box::new(MultiGzDecoder::new(raw))
    } else if is_zstd {
        Box::new(zstd::Decoder::new(raw).map_err(|source| read_error(1, source))?)
    } else {
        Box::new(raw)
    };
    let mut sample = Vec::new();
    if let Err(source) = text.by_ref().take(SAMPLE).read_to_end(&mut sample) {
        return Err(read_error(records::lines_in(&sample), source));
    }
    let unsupported = |found| {
        Err(Error::Unsupported {
            place: place.clone(),
            found,
        })
    };
    if sample.starts_with(ZIP) {
        return unsupported("a ZIP archive or an Excel workbook");
    }
    if UTF_16.iter().any(|mark| sample.starts_with(mark)) {
        return unsupported("UTF-16 text");
    }
    if sample.starts_with(UTF_8) {
        sample.drain(..UTF_8.len());
    }
    Ok((sample, BufReader::with_capacity(BUFFER, text)))
}
