//! The library behind the program `superoffice-export`: modules in the order in which data flows
//! through them. It is no interface for other programs: `pub` is what the binary, the tests, the
//! benchmarks and the fuzz targets call, each named below, and everything else is `pub(crate)`.

#![doc = include_str!("../ARCHITECTURE.md")]

// The binary starts these, and reads what became of them.
pub mod check;
pub mod cli;
pub mod error;
pub mod job; // Tests: the declared keys, for README and help. Fuzz: any text as a job file.
pub mod probe;
pub mod report;
pub mod run;

// The words that benchmarks and fuzz targets hand from one stage to the next.
pub mod changes;
pub mod contact; // Fuzz targets and benchmarks: kinds and sums of the archives' rows.

// Single stages, for the verbs `verify`, `tables` and `sandbox`, for tests and for benchmarks.
pub mod flatten; // Benchmarks and fuzz.
pub mod load; // Binary and tests: `verify`. Benchmarks: the writers.
pub mod sandbox; // Binary, tests and benchmarks: the server and its invented answers.
pub mod schema;
pub mod shell; // Binary: the command that goes on. // Binary: `tables`. Tests and benchmarks: the declared tables.

// Readers of what others wrote, for the fuzz targets.
pub mod extract;
pub mod gzip;

// Nobody outside calls it: to be closed once its items are `pub(crate)`.
pub mod store;
pub mod summary; // Binary: what a run ends with.

mod connect;
mod guards;
mod hex;
