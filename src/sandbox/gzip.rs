//! Compresses answers. One compressor serves them all, since making one costs more than using it.

use flate2::{Compress, Compression, FlushCompress};

/// A gzip compressor that is used again and again.
pub(super) struct Gzip(Compress);

impl Gzip {
    /// A fast one; the window holds a usual answer.
    pub(super) fn new() -> Self {
        Self(Compress::new_gzip(Compression::fast(), 15))
    }

    /// The body as one gzip member; none if the compressor fails.
    pub(super) fn compress(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        self.0.reset();
        // The fast level spends at most nine bits on a byte; head and tail take eighteen bytes.
        let mut compressed = Vec::with_capacity(body.len() + body.len() / 8 + 64);
        let status = self
            .0
            .compress_vec(body, &mut compressed, FlushCompress::Finish)
            .ok()?;
        (status == flate2::Status::StreamEnd).then_some(compressed)
    }
}

/// Whether a request's Accept-Encoding allows gzip.
pub(super) fn is_accepted(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|weight| weight.parse() == Ok(0.0))
        });
        (name.eq_ignore_ascii_case("gzip") || name == "*") && !refused
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let mut gzip = Gzip::new();
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(200_000)
            .collect();
        for body in [
            b"".to_vec(),
            b"null".to_vec(),
            b"{\"Contact\":null}".repeat(10_000),
            noise,
        ] {
            let compressed = gzip.compress(&body).expect("fits");
            let mut decoded = Vec::new();
            GzDecoder::new(compressed.as_slice())
                .read_to_end(&mut decoded)
                .unwrap();
            assert_eq!(decoded, body);
        }
    }

    #[test]
    fn gzip_is_used_where_it_is_accepted() {
        for accept in ["gzip", "deflate, GZIP;q=0.5", "*", "br , gzip ; q=1"] {
            assert!(is_accepted(accept), "{accept}");
        }
        for accept in ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "gzippy"] {
            assert!(!is_accepted(accept), "{accept}");
        }
    }
}
