//! Where contact ids come from: a CSV file. What becomes of them is left to others.

pub mod csv;
