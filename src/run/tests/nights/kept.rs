//! Scripts that failed once, each with what was wrong then.

use super::script::Script;

pub(super) fn scripts() -> Vec<(&'static str, Script)> {
    vec![]
}
