//! Why an answer makes no rows. What the export calls it is [`Reason`]'s.

use crate::contact::Reason;

/// Why an answer makes no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The body is no JSON.
    #[error("the body is no JSON")]
    NotJson,
    /// The body is not shaped as a summary.
    #[error("the body is not shaped as a summary")]
    WrongStructure,
    /// The body is the summary of another contact.
    #[error("the body is the summary of another contact")]
    OtherContact,
    /// Its rows would take too much memory.
    #[error("the body makes more or larger rows than any summary")]
    TooLarge,
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotJson => Self::NotJson,
            Fault::WrongStructure => Self::WrongStructure,
            Fault::OtherContact => Self::OtherContact,
            Fault::TooLarge => Self::BodyTooLarge,
        }
    }
}
