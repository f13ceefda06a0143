//! Which file the state is, whatever its name: nothing is to be written to one that is gone.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Which file this is, whatever its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// Whether the path still leads to this file.
    pub(super) fn is_of(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| Self::of(&metadata) == *self)
    }
}

/// How a file looked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    bytes: u64,
    modified_at: Option<std::time::SystemTime>,
}

impl Seen {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            modified_at: metadata.modified().ok(),
        }
    }
}
