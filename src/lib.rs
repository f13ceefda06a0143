#![doc = include_str!("../ARCHITECTURE.md")]

pub mod extract;
pub mod flatten;
pub mod load;
pub mod sandbox;
pub mod schema;
