//! A step of the checklist that failed, as an error of a run tells it. Leaves printing it to the
//! checklist.

use std::error::Error as _;
use std::fmt::Write as _;

use crate::error::{Consequence, Error, Exit};

/// Why a step failed, and what to do about it.
pub(super) struct FailedStep {
    pub(super) exit: Exit,
    pub(super) problem: String,
    pub(super) hint: String,
}

impl FailedStep {
    pub(super) fn of(error: &Error) -> Self {
        let mut problem = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            write!(problem, ": {cause}").expect("writing to a String cannot fail");
            source = cause.source();
        }
        let Consequence { exit, hint, .. } = error.consequence();
        Self {
            exit,
            problem,
            hint: hint.unwrap_or_default().to_owned(),
        }
    }
}
