//! Rows become files, and files become a published export.
//!
//! Owns the output folder: [`writer`] writes one file per table, [`manifest`] says what a run made,
//! [`publish`] makes it visible in one step and prunes old runs, [`verify`] checks a published run
//! against its manifest. Where rows come from, in which order they come, and whether a run deserves
//! to be published is the caller's matter.

mod calendar;
mod csv;
mod error;
mod file;
#[cfg(test)]
mod generate;
mod parquet;
#[cfg(test)]
mod round_trip;
mod slices;
mod staging;

pub mod manifest;
pub mod publish;
pub mod verify;
pub mod writer;

pub use error::Error;
