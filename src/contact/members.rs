//! Which members of an answer are kept, and how that which is kept of one answer relates to what is
//! wanted of another. Taking members out is the flattener's matter.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Which members of answers are kept, each named by its path with `/`. A root member stands for
/// the object or list itself: in [`KeptMembers::Only`] without what is in it, in [`KeptMembers::AllBut`]
/// with all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptMembers {
    /// All but these, known or not.
    AllBut(BTreeSet<String>),
    /// These alone.
    Only(BTreeSet<String>),
}

impl KeptMembers {
    /// Stands for the API's words on a failure, which are no member of an answer.
    pub const MESSAGE: &str = "outcomes/message";

    /// Every member.
    pub fn all() -> Self {
        Self::AllBut(BTreeSet::new())
    }

    /// Whether answers of which these are kept hold everything that the others keep.
    pub fn hold(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::AllBut(gone), Self::AllBut(unwanted)) => {
                gone.iter().all(|path| is_within(path, unwanted))
            }
            (Self::AllBut(gone), Self::Only(wanted)) => {
                !wanted.iter().any(|path| is_within(path, gone))
            }
            (Self::Only(held), Self::Only(wanted)) => wanted.is_subset(held),
            (Self::Only(_), Self::AllBut(_)) => false,
        }
    }

    /// What is kept of answers of which these are kept once all is taken out that the others do not
    /// keep.
    #[must_use]
    pub fn without_what_is_not_in(&self, others: &Self) -> Self {
        let except = |paths: &BTreeSet<String>, gone: &BTreeSet<String>| {
            let left = paths.iter().filter(|path| !is_within(path, gone));
            left.cloned().collect()
        };
        match (self, others) {
            (Self::AllBut(gone), Self::AllBut(more)) => {
                Self::AllBut(gone.union(more).cloned().collect())
            }
            (Self::AllBut(gone), Self::Only(kept)) | (Self::Only(kept), Self::AllBut(gone)) => {
                Self::Only(except(kept, gone))
            }
            (Self::Only(one), Self::Only(other)) => {
                Self::Only(one.intersection(other).cloned().collect())
            }
        }
    }

    /// Whether the API's words on a failure are kept.
    pub fn keep_messages(&self) -> bool {
        match self {
            Self::AllBut(gone) => !gone.contains(Self::MESSAGE),
            Self::Only(kept) => kept.contains(Self::MESSAGE),
        }
    }
}

/// Whether a path, or one that it lies below, is among these.
fn is_within(path: &str, paths: &BTreeSet<String>) -> bool {
    let above = path
        .match_indices('/')
        .filter_map(|(end, _)| path.get(..end));
    above.chain([path]).any(|path| paths.contains(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    fn only(paths: &[&str]) -> KeptMembers {
        KeptMembers::Only(set(paths))
    }

    fn all_but(paths: &[&str]) -> KeptMembers {
        KeptMembers::AllBut(set(paths))
    }

    #[test]
    fn answers_hold_what_was_not_taken_out_of_them() {
        let cases = [
            (KeptMembers::all(), KeptMembers::all(), true),
            (KeptMembers::all(), only(&["A/x"]), true),
            (KeptMembers::all(), all_but(&["A/x"]), true),
            (all_but(&["A/x"]), KeptMembers::all(), false),
            (all_but(&["A/x"]), all_but(&["A/x", "B"]), true),
            (all_but(&["A/x"]), all_but(&["A"]), true),
            (all_but(&["A"]), all_but(&["A/x"]), false),
            (all_but(&["A/x"]), only(&["A/y"]), true),
            (all_but(&["A/x"]), only(&["A/x/y"]), false),
            (all_but(&["A"]), only(&["A/y"]), false),
            (only(&["A/x", "A/y"]), only(&["A/y"]), true),
            (only(&["A/x"]), only(&["A/y"]), false),
            // A member that is declared tomorrow was taken out yesterday.
            (only(&["A/x"]), all_but(&["A/y"]), false),
        ];
        for (held, wanted, expected) in cases {
            assert_eq!(held.hold(&wanted), expected, "{held:?} {wanted:?}");
        }
    }

    #[test]
    fn what_is_left_holds_what_both_keep_and_nothing_else() {
        let cases = [
            (KeptMembers::all(), only(&["A/x"]), only(&["A/x"])),
            (all_but(&["A"]), all_but(&["B"]), all_but(&["A", "B"])),
            (all_but(&["A"]), only(&["A/x", "B/y"]), only(&["B/y"])),
            (only(&["A/x", "B/y"]), all_but(&["B"]), only(&["A/x"])),
            (only(&["A/x", "B/y"]), only(&["B/y", "C"]), only(&["B/y"])),
        ];
        for (held, kept, expected) in cases {
            assert_eq!(held.without_what_is_not_in(&kept), expected);
        }
    }

    #[test]
    fn words_on_a_failure_are_kept_like_any_member() {
        for (members, expected) in [
            (KeptMembers::all(), true),
            (all_but(&[KeptMembers::MESSAGE]), false),
            (only(&["A/x"]), false),
            (only(&[KeptMembers::MESSAGE]), true),
        ] {
            assert_eq!(members.keep_messages(), expected, "{members:?}");
        }
    }
}
