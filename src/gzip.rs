//! Unpacks gzip within a bound: whole answers, as they come from the API and as the store keeps
//! them. Streams of files are the reader's matter.

use std::fmt;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use libdeflater::{Crc, Decompressor};

/// How gzip begins (RFC 1952, section 2.3.1).
pub const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// DEFLATE makes at most so many bytes of one.
const MOST_FROM_ONE: usize = 1032;

/// Memory that is kept for the next answer; almost all need less.
const KEPT: usize = 1 << 20;

/// Why there is no unpacked content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no gzip, or not all of it.
    #[error("the gzip data is damaged or cut")]
    Damaged,
    /// There is more than was allowed.
    #[error("the content is larger than any answer")]
    TooLarge,
}

/// Unpacks one answer after the other, keeping its working memory.
#[derive(Default)]
pub struct Unpacker {
    decompressor: Decompressor,
    content: Vec<u8>,
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Unpacker")
    }
}

impl Unpacker {
    /// The content of these gzip members, if it has at most `bound` bytes.
    ///
    /// # Errors
    /// Where it is damaged, or larger.
    pub fn unpack(&mut self, packed: &[u8], bound: usize) -> Result<&[u8], Error> {
        if self.content.len() > KEPT {
            self.content = Vec::new();
        }
        let length = match self.unpack_one(packed, bound) {
            Some(length) => length,
            None => self.unpack_any(packed, bound)?,
        };
        Ok(self.content.get(..length).unwrap_or_default())
    }

    /// The fast way, for a single member that ends with the true length of its content; none where
    /// it is anything else.
    fn unpack_one(&mut self, packed: &[u8], bound: usize) -> Option<usize> {
        let (rest, length) = packed.split_last_chunk()?;
        let (_, checksum) = rest.split_last_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length))
            .ok()
            .filter(|length| *length <= bound.min(packed.len() * MOST_FROM_ONE))?;
        if self.content.len() < length {
            self.content.resize(length, 0);
        }
        let content = self.content.get_mut(..length)?;
        let unpacked = self.decompressor.gzip_decompress(packed, content).ok()?;
        // The decompressor stops where the first member does, so the last one's checksum has to be
        // that of all content.
        let mut crc = Crc::new();
        crc.update(content);
        (unpacked == length && crc.sum() == u32::from_le_bytes(*checksum)).then_some(length)
    }

    /// The slow way, for any number of members; it stops at the bound.
    fn unpack_any(&mut self, packed: &[u8], bound: usize) -> Result<usize, Error> {
        self.content.clear();
        let limit = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
        let length = MultiGzDecoder::new(packed)
            .take(limit)
            .read_to_end(&mut self.content)
            .map_err(|_| Error::Damaged)?;
        if length > bound {
            Err(Error::TooLarge)
        } else {
            Ok(length)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const BOUND: usize = 1 << 16;

    fn pack(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn content_comes_back_whatever_came_before() {
        let mut unpacker = Unpacker::default();
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
            .take(BOUND)
            .collect();
        for content in [
            &b"first"[..],
            b"",
            &noise,
            b"{\"Contact\":null}",
            &noise[..100],
        ] {
            assert_eq!(unpacker.unpack(&pack(content), BOUND).unwrap(), content);
        }
    }

    #[test]
    fn every_member_counts() {
        let mut unpacker = Unpacker::default();
        for members in [
            &[&b"abc"[..], b"defg"][..],
            &[b"abc", b"def"],
            &[b"abc", b""],
            &[b"", b"abc"],
            &[b"", b"", b""],
        ] {
            let packed: Vec<u8> = members.iter().flat_map(|member| pack(member)).collect();
            assert!(
                unpacker.unpack(&packed, BOUND).unwrap() == members.concat(),
                "{members:?}"
            );
        }
    }

    #[test]
    fn content_stops_at_the_bound_wherever_its_end_lies() {
        let mut unpacker = Unpacker::default();
        let largest = vec![b'x'; BOUND];
        assert_eq!(unpacker.unpack(&pack(&largest), BOUND).unwrap(), largest);
        let mut bomb = pack(&vec![b' '; BOUND + 1]);
        assert_eq!(unpacker.unpack(&bomb, BOUND), Err(Error::TooLarge));
        // An end that tells of less.
        let length = bomb.len();
        bomb[length - 4..].copy_from_slice(&3_u32.to_le_bytes());
        assert!(unpacker.unpack(&bomb, BOUND).is_err());
    }

    #[test]
    fn damage_is_found() {
        let mut unpacker = Unpacker::default();
        let content = b"some content, some content";
        let packed = pack(content);
        for length in 0..packed.len() {
            assert_eq!(
                unpacker.unpack(&packed[..length], BOUND),
                Err(Error::Damaged),
                "cut to {length}"
            );
        }
        for place in 10..packed.len() {
            let mut damaged = packed.clone();
            damaged[place] ^= 0x10;
            match unpacker.unpack(&damaged, BOUND) {
                Err(error) => assert_eq!(error, Error::Damaged, "at {place}"),
                // The last bits before the checksum fill up their byte and mean nothing.
                Ok(same) => assert_eq!((same, place), (&content[..], packed.len() - 9)),
            }
        }
        assert!(unpacker.unpack(&packed, BOUND).is_ok());
    }
}
