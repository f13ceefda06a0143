//! Reading the list as a whole, and again where it changed meanwhile. Leaves what is read to the
//! caller.

use super::{Error, Reader, Source, SourceReport};

/// How often a list that changed while it was read is read again: whoever writes it is done soon,
/// or should write it elsewhere first.
const READ_AGAIN: u32 = 3;

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
