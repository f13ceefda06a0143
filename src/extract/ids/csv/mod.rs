//! Streams a text of contact ids, line by line, in constant memory. Owns its format: compression,
//! encoding, delimiter, and how lines are cut into cells.

mod cells;
mod delimiter;
mod gunzip;
mod input;
mod kind;
mod lines;
mod preamble;
mod reader;
mod records;
mod shape;
#[cfg(test)]
mod tests;
mod transcode;

pub(super) use reader::TextReader;
