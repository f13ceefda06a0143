//! Bounds on what a part of a workbook may unpack to: a few kilobytes of a ZIP archive can hold
//! gigabytes. And the checksum that tells whether it unpacked to what was packed.

use std::io::{self, BufRead, BufReader, Read};

use flate2::Crc;

/// The most that lies between one end of a tag or text and the next. Excel's longest cell has
/// 32,767 characters.
const LONGEST_TOKEN: usize = 1024 * 1024;
/// The most that a part holds: a sheet of a million rows and fifty columns has less.
const LARGEST_PART: u64 = 4 * 1024 * 1024 * 1024;

/// The bytes of a part of a workbook.
pub(super) type Part = Bounded<BufReader<Checked<Box<dyn Read + Send>>>>;

/// Gives no more than the bounds allow.
pub(super) struct Bounded<R> {
    input: R,
    token: usize,
    total: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            token: 0,
            total: 0,
        }
    }

    /// The next token begins.
    pub(super) fn begin_token(&mut self) {
        self.token = 0;
    }
}

impl<R: BufRead> Bounded<R> {
    /// Reads the rest, which holds nothing of interest, so that its checksum is known.
    pub(super) fn pass_rest(&mut self) -> io::Result<()> {
        loop {
            self.begin_token();
            let size = self.fill_buf()?.len();
            if size == 0 {
                return Ok(());
            }
            self.consume(size);
        }
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.fill_buf()?.read(buffer)?;
        self.consume(size);
        Ok(size)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > LONGEST_TOKEN {
            return Err(io::Error::other("a text in it is longer than 1 MiB"));
        }
        if self.total > LARGEST_PART {
            return Err(io::Error::other("it unpacks to more than 4 GiB"));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, size: usize) {
        self.token = self.token.saturating_add(size);
        self.total = self
            .total
            .saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        self.input.consume(size);
    }
}

/// Compares the checksum of all bytes with the one on record, when they have ended.
pub(super) struct Checked<R> {
    input: R,
    crc: Crc,
    expected: u32,
}

impl<R> Checked<R> {
    pub(super) fn new(input: R, expected: u32) -> Self {
        Self {
            input,
            crc: Crc::new(),
            expected,
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.input.read(buffer)?;
        self.crc.update(buffer.get(..size).unwrap_or_default());
        if size == 0 && !buffer.is_empty() && self.crc.sum() != self.expected {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(size)
    }
}
