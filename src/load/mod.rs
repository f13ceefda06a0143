//! Rows become files, and files become a published export.
//!
//! Owns the output folder: a [`TableWriter`] writes one file per table and a [`TableReader`] reads
//! it back, `manifest` says what a run made,
//! `publish` makes it visible in one step and prunes old runs, [`verify`] checks a published run
//! against its manifest. Where rows come from, in which order they come, and whether a run deserves
//! to be published is the caller's matter.

mod csv;
mod error;
mod file;
mod format;
mod last_export;
mod parquet;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) mod manifest;
pub(crate) mod publish;
pub mod verify;

pub use error::Error;
pub use file::{FileDigest, FileReport};
pub use format::{Format, create, open};
pub(crate) use last_export::LastExport;
pub use manifest::markdown as manifest_markdown;
pub use publish::Readers;
pub use reader::TableReader;
pub use writer::TableWriter;
