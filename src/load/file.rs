//! Files and folders of an export: readable by their owner only, hashed while they are written,
//! durable when finished.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{Error, storage};
use crate::hex::hex;

/// What a table's file is, as the manifest says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Name of the file in the run's folder.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its content, as hexadecimal digits.
    pub sha256: String,
}

impl FileReport {
    /// What it is apart from its rows.
    pub(super) fn digest(&self) -> FileDigest {
        FileDigest {
            bytes: self.bytes,
            sha256: self.sha256.clone(),
        }
    }
}

/// What any other file of an export is, as the manifest says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its content, as hexadecimal digits.
    pub sha256: String,
}

/// A new file that counts and hashes what is written to it.
#[derive(Debug)]
pub(super) struct HashedFile {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl HashedFile {
    /// Creates the file; there must be none of that name.
    pub(super) fn create(path: PathBuf) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(storage("create the file", &path))?;
        Ok(Self {
            path,
            file,
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    /// Waits until the content is on the disk, and says what it is.
    pub(super) fn finish(self, rows: u64) -> Result<FileReport, Error> {
        self.file
            .sync_all()
            .map_err(storage("write to the disk", &self.path))?;
        let file = self
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(FileReport {
            file,
            rows,
            bytes: self.bytes,
            sha256: hex(&self.hash.finalize()),
        })
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        if let Some(written) = bytes.get(..written) {
            self.hash.update(written);
        }
        self.bytes += u64::try_from(written).expect("usize fits in u64");
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a small file at once, waits until it is on the disk, and says what it is.
pub(super) fn write_durably(path: &Path, content: &[u8]) -> Result<FileDigest, Error> {
    let mut file = HashedFile::create(path.to_owned())?;
    file.write_all(content).map_err(storage("write", path))?;
    let FileReport { bytes, sha256, .. } = file.finish(0)?;
    Ok(FileDigest { bytes, sha256 })
}

/// What a file is, read as a stream.
pub(super) fn digest(path: &Path) -> Result<FileDigest, Error> {
    let mut file = File::open(path).map_err(storage("open", path))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(storage("read", path))?;
        match buffer.get(..read) {
            None | Some([]) => {
                let sha256 = hex(&hash.finalize());
                return Ok(FileDigest { bytes, sha256 });
            }
            Some(block) => hash.update(block),
        }
        bytes += u64::try_from(read).expect("usize fits in u64");
    }
}

/// Makes the folder and those above it, where they are missing.
pub(super) fn create_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(storage("create the folder", path))
}

/// Makes the folder in one that is there.
pub(super) fn create_one_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(storage("create the folder", path))
}

/// Waits until the names in the folder are on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(storage("write to the disk", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_hashed_as_it_is_written_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut file = HashedFile::create(path.clone()).unwrap();
        file.write_all(b"ab").unwrap();
        file.write_all(b"c").unwrap();
        let report = file.finish(1).unwrap();
        // The test vector of FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            report,
            FileReport {
                file: "a.csv".into(),
                rows: 1,
                bytes: 3,
                sha256: abc.into()
            }
        );
        let expected = FileDigest {
            bytes: 3,
            sha256: abc.into(),
        };
        assert_eq!(digest(&path).unwrap(), expected);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn folders_are_private_and_a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("exports/nightly");
        create_folder(&inner).unwrap();
        create_folder(&inner).unwrap();
        assert_eq!(
            std::fs::metadata(&inner).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let path = inner.join("a");
        write_durably(&path, b"first").unwrap();
        assert!(matches!(
            write_durably(&path, b"second"),
            Err(Error::Storage { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
    }
}
