//! Integration tests: the real program, run in a folder of its own against the embedded SuperOffice
//! or against a mock on a real socket. One file per theme; what they share is in `support` (jobs,
//! runs, exports) and `mock` (the server).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "a missing member fails the test, as it should"
)]

mod access;
mod archive;
mod auth;
mod budget;
mod causes;
mod circles;
mod cli;
mod continued;
mod crash;
mod disk;
mod duckdb;
mod durability;
mod export;
mod failures;
mod files;
mod folders;
mod forgetting;
mod hostile;
mod layers;
mod layout_1;
mod limits;
mod lists;
mod locking;
mod mock;
mod notices;
mod printed;
mod privacy;
mod probe;
mod questions;
mod readme;
mod requests;
mod resume;
mod secrecy;
mod shrunk_lists;
mod stale;
mod support;
mod unbelievable_exports;
mod waits;
mod zone;
