//! What every format has to keep, and the rows that tests of this module write.

pub(in crate::load) mod generate;
mod round_trip;
