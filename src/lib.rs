//! The library behind the program `superoffice-export`: modules in the order in which data flows
//! through them.

#![doc = include_str!("../ARCHITECTURE.md")]

pub mod check;
pub mod cli;
mod connect;
pub mod contact;
pub mod error;
pub mod extract;
pub mod flatten;
pub mod gzip;
pub mod job;
pub mod load;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod schema;
pub mod store;
pub mod summary;
