//! What can go wrong in the output folder. What follows from it is left to the top.

use std::io;
use std::path::{Path, PathBuf};

/// An export could not be written, published or read back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused: disk full, no permission, folder gone.
    #[error("{}: could not {action}", path.display())]
    Storage {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Readers cannot be let in, or kept out.
    #[error(
        "{}: who may read it cannot be set as `output.access` says; the group of `output.dir` has to \
         be one that the user who runs the job is in",
        path.display()
    )]
    Access {
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output folder is on a file system without symbolic links.
    #[error("{}: the file system has no symbolic links, and `latest` is one", path.display())]
    NoSymlinks {
        /// The output folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else stands where the link to the newest run goes, as after a restore that
    /// followed links.
    #[error(
        "{}: is not a link, and would be in the way of the one that names the newest run; \
         move it aside",
        path.display()
    )]
    LatestIsNoLink {
        /// Where it stands.
        path: PathBuf,
    },
    /// Rows that are not those of the declaration: a defect of this program.
    #[error("{table}: the rows do not have the columns of this table")]
    Columns {
        /// The table.
        table: &'static str,
    },
    /// Rows that the format cannot take: a defect of this program.
    #[error("{table}: the rows could not be encoded")]
    Encode {
        /// The table.
        table: &'static str,
        /// What the encoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table's file that cannot be read back.
    #[error("{}: could not be read as a table", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table's file whose columns are not those of its declaration.
    #[error("{}: the columns are not those of this table", path.display())]
    OtherColumns {
        /// The file.
        path: PathBuf,
    },
    /// A run of that name is published already.
    #[error("{}: a run of this name is published already", path.display())]
    Taken {
        /// The run's folder.
        path: PathBuf,
    },
    /// Neither a run's folder nor an output folder with a published run.
    #[error("{}: holds no export: neither manifest.json nor latest", path.display())]
    NoExport {
        /// The folder.
        path: PathBuf,
    },
    /// A manifest that cannot be written or understood.
    #[error("{}: not a manifest of this program", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What the JSON library said.
        source: serde_json::Error,
    },
    /// A manifest of a newer version of this program.
    #[error(
        "{}: format version {found}, and this program knows those up to {known}",
        path.display()
    )]
    NewerManifest {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
}

/// For `map_err` on what an encoder says of this table's rows.
pub(super) fn encode<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    table: &'static str,
) -> impl FnOnce(E) -> Error {
    move |source| Error::Encode {
        table,
        source: source.into(),
    }
}

/// For `map_err` on what a decoder says of this file.
pub(super) fn decode<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    path: &Path,
) -> impl FnOnce(E) -> Error {
    |source| Error::Decode {
        path: path.to_owned(),
        source: source.into(),
    }
}

/// For `map_err` on what the standard library says of this path.
pub(super) fn storage(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Storage {
        action,
        path,
        source,
    }
}
