//! The input as it is on disk: opened, counted and hashed while it streams by, and watched for
//! changes. Knows nothing of compression and text.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Place;
use super::error::Error;
use super::pipe::Pipe;
use crate::extract::waiting::{Stop, Waited, wait_for};
use crate::hex::hex;

/// The first bytes of a ZIP archive.
pub(super) const ZIP: &[u8; 4] = b"PK\x03\x04";

/// The bytes of the input, all of which pass through here.
pub(super) struct Raw {
    input: Box<dyn Read + Send>,
    watched: Option<Watched>,
    bytes: u64,
    hash: Sha256,
}

/// A file, and what it was when it was opened. Pipes are not watched: they change by being read.
struct Watched {
    path: PathBuf,
    file: File,
    opened: Metadata,
}

/// What was read, in figures.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) modified_at: Option<Timestamp>,
}

impl Raw {
    /// Opens the input. What comes by a pipe is not waited for once somebody asks to stop.
    pub(super) fn open(place: &Place, stop: &Stop) -> Result<Self, Error> {
        let opened = match place {
            Place::Path(path) => {
                let is_pipe = fs::metadata(path)
                    .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
                if !is_pipe {
                    return Self::open_file(path);
                }
                open_pipe(path, stop).and_then(|file| Pipe::open(file, stop))
            }
            Place::StandardInput => Pipe::open(io::stdin(), stop),
        };
        match opened {
            Ok(pipe) => Ok(Self::over(Box::new(pipe))),
            Err(source) => Err(Error::Open {
                place: place.clone(),
                source,
            }),
        }
    }

    fn open_file(path: &Path) -> Result<Self, Error> {
        let place = || Place::Path(path.to_owned());
        let open = || {
            let file = File::open(path)?;
            let opened = file.metadata()?;
            Ok((file.try_clone()?, file, opened))
        };
        let (input, file, opened) = open().map_err(|source| Error::Open {
            place: place(),
            source,
        })?;
        if opened.is_dir() {
            return Err(Error::Directory { place: place() });
        }
        let path = path.to_owned();
        let watched = opened.is_file().then_some(Watched { path, file, opened });
        Ok(Self {
            watched,
            ..Self::over(Box::new(input))
        })
    }

    /// These bytes, which nobody can change.
    pub(super) fn over(input: Box<dyn Read + Send>) -> Self {
        Self {
            input,
            watched: None,
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    /// Whether it is a file that begins as ZIP archives do, which workbooks are.
    pub(super) fn is_zip(&self) -> bool {
        let mut magic = [0; 4];
        let file = self.watched.as_ref().map(|watched| &watched.file);
        file.is_some_and(|file| file.read_exact_at(&mut magic, 0).is_ok() && magic == *ZIP)
    }

    /// The file, to be read from any place of it; none where it is a pipe.
    pub(super) fn file(&self) -> Option<&File> {
        self.watched.as_ref().map(|watched| &watched.file)
    }

    /// Whether somebody wrote to the file since it was opened, or put another in its place. One
    /// that is merely gone was read as it was.
    pub(super) fn has_changed(&self) -> bool {
        self.watched.as_ref().is_some_and(Watched::has_changed)
    }

    /// Reads on to the end, and says what was read in all.
    pub(super) fn finish(&mut self) -> io::Result<Figures> {
        io::copy(self, &mut io::sink())?;
        let modified_at = self.watched.as_ref().and_then(Watched::modified_at);
        Ok(Figures {
            bytes: self.bytes,
            sha256: hex(&self.hash.clone().finalize()),
            modified_at,
        })
    }
}

/// A pipe with a name opens once somebody opens its other end.
fn open_pipe(path: &Path, stop: &Stop) -> io::Result<File> {
    let path = path.to_owned();
    match wait_for(stop, None, move || File::open(path))? {
        Waited::Done(opened) => opened,
        Waited::Late | Waited::Stopped => Err(io::Error::other("interrupted")),
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.input.read(buffer)?;
        self.hash.update(buffer.get(..size).unwrap_or_default());
        self.bytes += u64::try_from(size).expect("usize fits in u64");
        Ok(size)
    }
}

impl Watched {
    fn has_changed(&self) -> bool {
        let size_and_time = |file: &Metadata| (file.len(), file.mtime(), file.mtime_nsec());
        let identity = |file: &Metadata| (file.dev(), file.ino());
        let is_written = self
            .file
            .metadata()
            .is_ok_and(|now| size_and_time(&now) != size_and_time(&self.opened));
        let is_replaced =
            fs::metadata(&self.path).is_ok_and(|now| identity(&now) != identity(&self.opened));
        is_written || is_replaced
    }

    fn modified_at(&self) -> Option<Timestamp> {
        let time = self.opened.modified().ok()?;
        Timestamp::try_from(time).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::extract::waiting::never;

    fn opened(path: &Path) -> Raw {
        let place = Place::Path(path.to_owned());
        Raw::open(&place, &never()).ok().unwrap()
    }

    #[test]
    fn the_bytes_are_counted_and_hashed_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.csv");
        fs::write(&path, "abc").unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
        let expected = Figures {
            bytes: 3,
            // FIPS 180-2, appendix B.1.
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
            modified_at: Some("2020-09-13T12:26:40Z".parse().unwrap()),
        };
        let mut raw = opened(&path);
        assert_eq!(raw.read(&mut [0; 2]).unwrap(), 2);
        assert_eq!(raw.finish().unwrap(), expected);
        let mut raw = Raw::over(Box::new(&b"abc"[..]));
        let modified_at = None;
        assert_eq!(
            raw.finish().unwrap(),
            Figures {
                modified_at,
                ..expected
            }
        );
    }

    #[test]
    fn a_change_is_seen_however_it_is_made() {
        type Change = fn(&Path);
        let cases: [(&str, Change, bool); 6] = [
            ("none", |_| {}, false),
            ("read", |path| drop(fs::read(path).unwrap()), false),
            ("removed", |path| fs::remove_file(path).unwrap(), false),
            ("appended", |path| fs::write(path, "abcd").unwrap(), true),
            (
                "written again later",
                |path| {
                    fs::write(path, "xyz").unwrap();
                    let file = File::options().write(true).open(path).unwrap();
                    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
                },
                true,
            ),
            (
                "another put in its place",
                |path| {
                    let other = path.with_extension("new");
                    fs::copy(path, &other).unwrap();
                    fs::rename(other, path).unwrap();
                },
                true,
            ),
        ];
        for (name, change, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ids.csv");
            fs::write(&path, "abc").unwrap();
            let mut raw = opened(&path);
            change(&path);
            raw.finish().unwrap();
            assert_eq!(raw.has_changed(), expected, "{name}");
        }
    }

    #[test]
    fn a_pipe_is_not_watched() {
        let path = Path::new("/dev/null");
        let mut raw = opened(path);
        assert_eq!(raw.finish().unwrap().modified_at, None);
        assert!(!raw.has_changed());
    }
}
