//! Bodies as they are kept: compressed with zstd, each on its own.

use std::fmt;

use zstd::bulk::{Compressor, Decompressor};

/// Fast, since bodies are small and many.
const LEVEL: i32 = 1;

/// No body is larger than this when decompressed; the client's bound is lower.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Compresses and decompresses bodies, keeping its working memory.
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
    pub(super) fn compress(&mut self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(checking_compressor()?),
        }
        .compress(body)
    }

    pub(super) fn decompress(&mut self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let size = Decompressor::upper_bound(body).filter(|size| *size <= MAX_BODY).unwrap_or(MAX_BODY);
        match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new()?),
        }
        .decompress(body, size)
    }
}

/// Bodies carry a checksum, so that a damaged one never turns into wrong rows.
fn checking_compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}
