//! The ZIP archive that a workbook is: which parts it has, and their bytes. What they say is left
//! to others.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::bounded::{Bounded, Checked};
use super::xml::{WorkbookFault, Xml};

/// The largest workbook; the directory of the archive is held in memory.
const LARGEST_FILE: u64 = 512 * 1024 * 1024;
const BUFFER: usize = 64 * 1024;

/// The parts of a workbook.
pub(super) struct Package {
    file: Arc<File>,
    /// By name, in small letters: names ignore case.
    parts: BTreeMap<String, PartPlace>,
}

/// Where the bytes of a part stand.
struct PartPlace {
    start: u64,
    size: u64,
    crc: u32,
    is_deflated: bool,
}

impl Package {
    pub(super) fn open(file: &File) -> Result<Self, WorkbookFault> {
        let size = file.metadata().map_err(WorkbookFault::Read)?.len();
        if size > LARGEST_FILE {
            return Err(WorkbookFault::Damaged("it is larger than 512 MiB"));
        }
        let file = Arc::new(file.try_clone().map_err(WorkbookFault::Read)?);
        let whole = Range::new(Arc::clone(&file), 0, size);
        let mut archive = ZipArchive::new(whole).map_err(fault)?;
        let mut parts = BTreeMap::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(fault)?;
            let (Some(start), Ok(name)) = (entry.data_start(), entry.name()) else {
                continue;
            };
            if entry.encrypted() {
                return Err(WorkbookFault::Damaged("it is encrypted"));
            }
            let is_deflated = match entry.compression() {
                CompressionMethod::Stored => false,
                CompressionMethod::DEFLATE => true,
                _ => return Err(WorkbookFault::Damaged("it is packed in an unusual way")),
            };
            let stored = PartPlace {
                start,
                size: entry.compressed_size(),
                crc: entry.crc32(),
                is_deflated,
            };
            parts.insert(name.to_ascii_lowercase(), stored);
        }
        Ok(Self { file, parts })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(&name.to_ascii_lowercase())
    }

    /// The part of that name.
    pub(super) fn part(&self, name: &str) -> Result<Xml, WorkbookFault> {
        let stored = self.parts.get(&name.to_ascii_lowercase());
        let stored = stored.ok_or(WorkbookFault::Damaged("a part of it is missing"))?;
        let packed = Range::new(Arc::clone(&self.file), stored.start, stored.size);
        let unpacked: Box<dyn Read + Send> = if stored.is_deflated {
            Box::new(DeflateDecoder::new(packed))
        } else {
            Box::new(packed)
        };
        let checked = Checked::new(unpacked, stored.crc);
        Ok(Xml::new(Bounded::new(BufReader::with_capacity(
            BUFFER, checked,
        ))))
    }
}

fn fault(error: zip::result::ZipError) -> WorkbookFault {
    match error {
        zip::result::ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            WorkbookFault::Read(error)
        }
        _ => WorkbookFault::Damaged("it is no ZIP archive, or a part of it is missing"),
    }
}

/// A part of a file. It moves no position of the file, which others read at the same time.
struct Range {
    file: Arc<File>,
    start: u64,
    size: u64,
    position: u64,
}

impl Range {
    fn new(file: Arc<File>, start: u64, size: u64) -> Self {
        Self {
            file,
            start,
            size,
            position: 0,
        }
    }
}

impl Read for Range {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(self.position);
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let place = self.start.saturating_add(self.position);
        let size = match buffer.get_mut(..most) {
            Some(buffer) => self.file.read_at(buffer, place)?,
            None => 0,
        };
        self.position += u64::try_from(size).unwrap_or(0);
        Ok(size)
    }
}

impl Seek for Range {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
