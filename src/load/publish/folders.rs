//! Names and removal of the folders that runs lie in.

use std::fs;
use std::io;
use std::path::Path;

use crate::load::error::{Error, storage};

/// The name of a run's folder while it is in the making, or on its way out.
pub(super) fn partial_name(run: &str) -> String {
    format!(".{run}.partial")
}

pub(super) fn remove_folder(path: &Path) -> Result<(), Error> {
    fs::remove_dir_all(path)
        // Something else that bears a name of ours is in the way just as well.
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotADirectory => fs::remove_file(path),
            _ => Err(error),
        })
        .or_else(unless_missing)
        .map_err(storage("remove", path))
}

pub(super) fn unless_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}
