//! Bodies as they are kept: gzip where they came as gzip, else zstd. The first bytes tell which;
//! JSON begins with neither.

use std::borrow::Cow;
use std::fmt;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use crate::gzip::{self, Unpacker};

/// Fast, since bodies are small and many.
const LEVEL: i32 = 1;

/// No body is larger than this when unpacked. The client reads no more than a quarter of it, so that
/// only a damaged file gets there, and is told as one.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Packs and unpacks bodies, keeping its working memory.
#[derive(Default)]
pub(super) struct Bodies {
    compressor: Option<Compressor<'static>>,
    decompressor: Option<Decompressor<'static>>,
    unpacker: Unpacker,
    unpacked: Vec<u8>,
}

impl fmt::Debug for Bodies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bodies")
    }
}

impl Bodies {
    pub(super) fn pack<'b>(&mut self, body: &'b [u8]) -> io::Result<Cow<'b, [u8]>> {
        if body.starts_with(&gzip::MAGIC) {
            return Ok(Cow::Borrowed(body));
        }
        match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(checking_compressor()?),
        }
        .compress(body)
        .map(Cow::Owned)
    }

    pub(super) fn unpack(&mut self, packed: &[u8]) -> io::Result<&[u8]> {
        if packed.starts_with(&gzip::MAGIC) {
            return self
                .unpacker
                .unpack(packed, MAX_BODY)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error));
        }
        // What the frame says of its length; a wrong one is found when it is unpacked.
        let size = zstd_safe::get_frame_content_size(packed)
            .ok()
            .flatten()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| *size <= MAX_BODY)
            .unwrap_or(MAX_BODY);
        self.unpacked = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new()?),
        }
        .decompress(packed, size)?;
        Ok(&self.unpacked)
    }
}

/// Bodies carry a checksum, so that a damaged one never turns into wrong rows.
fn checking_compressor() -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}
