//! What is on record of the list itself, and reading it again where it changed meanwhile. Leaves
//! judging whether it is the right list to the guards.

use jiff::Timestamp;

use super::{Error, Place, Reader, Source};

/// How often a list that changed while it was read is read again: whoever writes it is done soon,
/// or should write it elsewhere first.
const READ_AGAIN: u32 = 3;

/// The list as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// Where it was.
    pub place: Place,
    /// Its size, compressed where it is.
    pub bytes: u64,
    /// The SHA-256 of these bytes, in hexadecimal digits.
    pub sha256: String,
    /// When the file was written to last; none for a pipe.
    pub modified_at: Option<Timestamp>,
    /// Its lines.
    pub lines: LineCounts,
}

/// The physical lines of a list. Those that are not blank are targets, further mentions of targets,
/// or rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// All of them.
    pub lines: u64,
    /// Those that ask for nothing: blank ones, headings and what stands above them, and the second
    /// and later lines of quoted cells.
    pub blank: u64,
}

/// Reads the whole list by this function, from its start again where it changed meanwhile. `reader`
/// has just been opened.
pub fn read_whole<T, E: From<Error>>(
    source: &Source,
    mut reader: Reader,
    mut read: impl FnMut(&mut Reader) -> Result<T, E>,
) -> Result<(T, SourceReport), E> {
    for _ in 0..READ_AGAIN {
        let result = read_once(&mut reader, &mut read);
        if !reader.has_changed() {
            return result;
        }
        reader = Reader::open(source)?;
    }
    read_once(&mut reader, &mut read)
}

fn read_once<T, E: From<Error>>(
    reader: &mut Reader,
    read: &mut impl FnMut(&mut Reader) -> Result<T, E>,
) -> Result<(T, SourceReport), E> {
    let found = read(reader)?;
    reader.try_for_each(|line| line.map(drop))?;
    let report = reader
        .report()
        .expect("a reader that has ended well says so");
    Ok((found, report.clone()))
}
