//! Bodies as they are kept: gzip where they came as gzip, else zstd. The first bytes tell which; JSON begins with neither.

use std::borrow::Cow;
use std::fmt;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use zstd::bulk::{Compressor, Decompressor};

/// Fast, since bodies are small and many.
const LEVEL: i32 = 1;

/// No body is larger than this when unpacked; the client's bound is lower.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// How gzip begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Packs and unpacks bodies, keeping its working memory.
#[derive(Default)]
pub(super) struct Bodies {
    compressor: Option<Compressor<'static>>,
    decompressor: Option<Decompressor<'static>>,
}

impl fmt::Debug for Bodies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bodies")
    }
}

impl Bodies {
    pub(super) fn pack<'b>(&mut self, body: &'b [u8]) -> std::io::Result<Cow<'b, [u8]>> {
        if body.starts_with(&GZIP) {
            return Ok(Cow::Borrowed(body));
        }
        match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(checking_compressor()?),
        }
        .compress(body)
        .map(Cow::Owned)
    }

    pub(super) fn unpack(&mut self, packed: &[u8]) -> std::io::Result<Vec<u8>> {
        if packed.starts_with(&GZIP) {
            let mut body = Vec::with_capacity(packed.len().saturating_mul(4).min(MAX_BODY));
            MultiGzDecoder::new(packed).take(u64::try_from(MAX_BODY).unwrap_or(u64::MAX)).read_to_end(&mut body)?;
            return Ok(body);
        }
        let size = Decompressor::upper_bound(packed).filter(|size| *size <= MAX_BODY).unwrap_or(MAX_BODY);
        match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new()?),
        }
        .decompress(packed, size)
    }
}

/// Bodies carry a checksum, so that a damaged one never turns into wrong rows.
fn checking_compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}
