//! What is on record of the list itself. Leaves judging whether it is the right list to the guards.

use jiff::Timestamp;

use super::Place;

/// The list as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// Where it was.
    pub place: Place,
    /// Its size, compressed where it is.
    pub bytes: u64,
    /// The SHA-256 of these bytes, in hexadecimal digits.
    pub sha256: String,
    /// When the file was written to last; none for a pipe.
    pub modified_at: Option<Timestamp>,
    /// Its lines.
    pub lines: LineCounts,
}

/// The physical lines of a list. Those that are not blank are targets, further mentions of targets,
/// or rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// All of them.
    pub lines: u64,
    /// Those that ask for nothing: blank ones, headings and what stands above them, and the second
    /// and later lines of quoted cells.
    pub blank: u64,
}
