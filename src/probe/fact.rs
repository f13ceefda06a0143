//! What a report may hold. No type here can carry a text that came from outside: what an answer
//! says is told by words of ours, counts and yes or no.

use serde_json::{Value, json};

/// Something that an answer tells of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    /// One of our own words.
    Word(&'static str),
    Count(u64),
    Is(bool),
}

/// Facts, each with the name of what it tells.
pub(super) type Facts = Vec<(&'static str, Fact)>;

impl Fact {
    pub(super) fn count(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Word(word) => word.to_owned(),
            Self::Count(count) => count.to_string(),
            Self::Is(true) => "yes".to_owned(),
            Self::Is(false) => "no".to_owned(),
        }
    }

    pub(super) fn json(self) -> Value {
        match self {
            Self::Word(word) => json!(word),
            Self::Count(count) => json!(count),
            Self::Is(is) => json!(is),
        }
    }
}
