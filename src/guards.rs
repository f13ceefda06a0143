//! The guards: comparisons with the last published export that keep a list or an export from
//! becoming a fact in the tables unnoticed. Pure functions over figures; gathering them, and what a
//! stopped run leaves behind, is the matter of `run`.
//!
//! The first guard looks at the list before any contact is called, the second at the export before
//! it is published. No share is judged where it is of fewer than ten contacts or lines, or of a
//! hundred rows: one contact more or less would decide it. What says that there is nothing at all
//! has no such floor.

use std::collections::BTreeMap;

use crate::contact::TargetCounts;
use crate::job::Share;

/// Fewer contacts or lines than this make no share: of nine, one is eleven percent, and a guard that
/// fires each time somebody is deleted is switched off for good.
const LEAST: u64 = 10;
/// Fewer rows than this make no share. Rows come several to a contact, so it takes more of them.
const LEAST_ROWS: u64 = 100;

/// The shares that the job allows.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the job's keys"
)]
pub(crate) struct Limits {
    pub(crate) max_shrink: Share,
    pub(crate) max_rejected: Share,
    pub(crate) max_missing: Share,
    pub(crate) max_loss: Share,
}

/// The last published export, in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastFigures {
    /// Name of its run.
    pub(crate) run: String,
    /// Different contacts asked for.
    pub(crate) distinct: u64,
    /// Rows of each table, where its lists were asked for with tonight's limit.
    pub(crate) rows: BTreeMap<String, u64>,
}

/// What has become of the contacts that had rows in the last export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FateOfShown {
    /// How many they were.
    pub(crate) shown_before: u64,
    /// Those of them that are missing now.
    pub(crate) missing: u64,
    /// Those of them that are still asked for.
    pub(crate) still_targets: u64,
    /// Those still asked for that have no rows now, for another reason than that they are missing.
    pub(crate) lost: u64,
}

/// An export that is about to be published, in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewExport {
    /// Different contacts asked for.
    pub(crate) distinct: u64,
    /// Contacts with rows.
    pub(crate) shown: u64,
    /// Contacts that are missing.
    pub(crate) missing: u64,
    /// Contacts that were to be fetched.
    pub(crate) to_fetch: u64,
    /// Whether the API answered anything in this run.
    pub(crate) was_answered: bool,
    /// Rows of each table.
    pub(crate) rows: BTreeMap<String, u64>,
    /// What has become of the contacts that had rows before.
    pub(crate) fate: FateOfShown,
}

/// Why the list is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnbelievableList {
    /// There were contacts, and there are none.
    #[error(
        "the list names no contact, and the last export had {before}; \
         mend the list, or, where that is right, add --accept"
    )]
    Nothing {
        /// Contacts of the last export.
        before: u64,
    },
    /// Lines, but no contact among them.
    #[error(
        "none of the {lines} lines of the list holds a contact id; \
         mend the list or `source.column`"
    )]
    NoId {
        /// Lines that are not blank.
        lines: u64,
    },
    /// Too few contacts.
    #[error(
        "the list names {now} contacts, and the last export had {before}: fewer by more than \
         `source.max_shrink` = {limit}; mend the list, or, where that is right, add --accept"
    )]
    Shrunk {
        /// Contacts of the list.
        now: u64,
        /// Contacts of the last export.
        before: u64,
        /// What is allowed.
        limit: Share,
    },
    /// Too many lines without an id.
    #[error(
        "{rejected} of {lines} lines of the list hold no contact id, more than \
         `source.max_rejected` = {limit}; mend the list, or, where that is right, add --accept"
    )]
    Rejected {
        /// Lines without an id.
        rejected: u64,
        /// Lines that are not blank.
        lines: u64,
        /// What is allowed.
        limit: Share,
    },
}

/// Why the export is not published: everything that speaks against it, since whoever accepts one
/// finding accepts them all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", in_a_row(.0))]
pub struct UnbelievableExport(pub Vec<Finding>);

fn in_a_row(findings: &[Finding]) -> String {
    let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Something that speaks against an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Contacts were asked for, and not one has rows.
    #[error("not one of {targets} contacts has an answer to show")]
    Nothing {
        /// Contacts asked for.
        targets: u64,
    },
    /// Contacts were to be fetched, and nothing was answered.
    #[error("{to_fetch} contacts were to be fetched, and the API answered none of them")]
    NoAnswer {
        /// Contacts to fetch.
        to_fetch: u64,
    },
    /// A first export in which more contacts are missing than found.
    #[error(
        "{missing} contacts are unknown to the API, and {shown} are known; the list may hold ids \
         of persons, or of another installation"
    )]
    MoreMissing {
        /// Contacts that are missing.
        missing: u64,
        /// Contacts with rows.
        shown: u64,
    },
    /// Too many of the contacts that had rows are missing now.
    #[error(
        "{missing} of the {before} contacts of the last export are missing now, more than \
         `output.max_missing` = {limit}"
    )]
    Missing {
        /// Contacts that are missing now.
        missing: u64,
        /// Contacts that had rows.
        before: u64,
        /// What is allowed.
        limit: Share,
    },
    /// Too many of the contacts that had rows have none now.
    #[error(
        "{lost} of the {before} contacts that had rows in the last export have none now, though \
         they are not missing: more than `output.max_loss` = {limit}"
    )]
    Lost {
        /// Contacts without rows now.
        lost: u64,
        /// Contacts that had rows and are still asked for.
        before: u64,
        /// What is allowed.
        limit: Share,
    },
    /// A table lost too many of its rows.
    #[error(
        "table {table} has {now} rows, and {before} in the last export: fewer by more than \
         `output.max_loss` = {limit}"
    )]
    Rows {
        /// The table.
        table: String,
        /// Its rows now.
        now: u64,
        /// Its rows in the last export.
        before: u64,
        /// What is allowed.
        limit: Share,
    },
}

/// The first guard: whether the list can be believed.
pub(crate) fn check_list(
    limits: &Limits,
    last: Option<&LastFigures>,
    read: &TargetCounts,
) -> Result<(), UnbelievableList> {
    let (now, rejected) = (read.distinct, read.rejected);
    let lines = now + read.duplicates + rejected;
    if now == 0 && rejected > 0 {
        return Err(UnbelievableList::NoId { lines });
    }
    if let Some(before) = last.map(|last| last.distinct) {
        if now == 0 && before > 0 {
            return Err(UnbelievableList::Nothing { before });
        }
        let limit = limits.max_shrink;
        if before >= LEAST && limit.is_exceeded(before.saturating_sub(now), before) {
            return Err(UnbelievableList::Shrunk { now, before, limit });
        }
    }
    let limit = limits.max_rejected;
    if lines >= LEAST && limit.is_exceeded(rejected, lines) {
        return Err(UnbelievableList::Rejected {
            rejected,
            lines,
            limit,
        });
    }
    Ok(())
}

/// The second guard: whether the export can be believed.
pub(crate) fn check_export(
    limits: &Limits,
    last: Option<&LastFigures>,
    new: &NewExport,
) -> Result<(), UnbelievableExport> {
    // Where there is nothing at all, the rest follows from it.
    let findings = match (check_presence(new), last) {
        (Some(nothing), _) => vec![nothing],
        (None, None) => check_first(new).into_iter().collect(),
        (None, Some(last)) => {
            let contacts = check_contacts(limits, &new.fate);
            contacts
                .chain(check_rows(limits.max_loss, last, new))
                .collect()
        }
    };
    if findings.is_empty() {
        Ok(())
    } else {
        Err(UnbelievableExport(findings))
    }
}

fn check_presence(new: &NewExport) -> Option<Finding> {
    if new.shown == 0 && new.distinct > 0 {
        let targets = new.distinct;
        return Some(Finding::Nothing { targets });
    }
    let to_fetch = new.to_fetch;
    (to_fetch > 0 && !new.was_answered).then_some(Finding::NoAnswer { to_fetch })
}

/// What can be said of an export with none before it.
fn check_first(new: &NewExport) -> Option<Finding> {
    let &NewExport { missing, shown, .. } = new;
    let is_doubtful = missing + shown >= LEAST && missing > shown;
    is_doubtful.then_some(Finding::MoreMissing { missing, shown })
}

fn check_contacts(limits: &Limits, fate: &FateOfShown) -> impl Iterator<Item = Finding> {
    let &FateOfShown { missing, lost, .. } = fate;
    let (limit, before) = (limits.max_missing, fate.shown_before);
    let are_missing = before >= LEAST && limit.is_exceeded(missing, before);
    let are_missing = are_missing.then_some(Finding::Missing {
        missing,
        before,
        limit,
    });
    let (limit, before) = (limits.max_loss, fate.still_targets);
    let are_lost = before >= LEAST && limit.is_exceeded(lost, before);
    let are_lost = are_lost.then_some(Finding::Lost {
        lost,
        before,
        limit,
    });
    are_missing.into_iter().chain(are_lost)
}

fn check_rows(limit: Share, last: &LastFigures, new: &NewExport) -> impl Iterator<Item = Finding> {
    last.rows.iter().filter_map(move |(table, &before)| {
        let now = *new.rows.get(table)?;
        let is_lost = before >= LEAST_ROWS && limit.is_exceeded(before.saturating_sub(now), before);
        is_lost.then(|| Finding::Rows {
            table: table.clone(),
            now,
            before,
            limit,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let share = |text: &str| text.parse().unwrap();
        Limits {
            max_shrink: share("20%"),
            max_rejected: share("5%"),
            max_missing: share("2%"),
            max_loss: share("50%"),
        }
    }

    fn last(distinct: u64) -> LastFigures {
        LastFigures {
            distinct,
            rows: BTreeMap::from([("sales".to_owned(), 200), ("chats".to_owned(), 99)]),
            ..LastFigures::default()
        }
    }

    fn list(distinct: u64, duplicates: u64, rejected: u64) -> TargetCounts {
        TargetCounts {
            distinct,
            duplicates,
            rejected,
        }
    }

    #[test]
    fn lists_that_are_not_believed() {
        let cases = [
            // Last export, list, whether it is believed.
            (None, list(0, 0, 0), true),
            (None, list(1, 0, 0), true),
            (None, list(0, 0, 1), false),
            (None, list(4, 0, 5), true),
            (None, list(5, 4, 1), false),
            (None, list(95, 0, 5), true),
            (None, list(94, 0, 6), false),
            (Some(100), list(80, 0, 0), true),
            (Some(100), list(79, 50, 0), false),
            (Some(100), list(0, 0, 0), false),
            (Some(9), list(1, 0, 0), true),
            (Some(9), list(0, 0, 0), false),
            (Some(10), list(7, 0, 0), false),
            (Some(0), list(0, 0, 0), true),
            (Some(10), list(1_000, 0, 0), true),
        ];
        for (before, list, is_believed) in cases {
            let last = before.map(last);
            let checked = check_list(&limits(), last.as_ref(), &list);
            assert_eq!(
                checked.is_ok(),
                is_believed,
                "{before:?} {list:?}: {checked:?}"
            );
        }
    }

    fn export(shown: u64, missing: u64) -> NewExport {
        NewExport {
            distinct: 100,
            shown,
            missing,
            to_fetch: 100,
            was_answered: true,
            ..NewExport::default()
        }
    }

    fn with_fate(missing: u64, lost: u64) -> NewExport {
        let fate = FateOfShown {
            shown_before: 100,
            missing,
            still_targets: 90,
            lost,
        };
        NewExport {
            fate,
            ..export(100, 0)
        }
    }

    fn with_rows(table: &str, rows: u64) -> NewExport {
        NewExport {
            rows: BTreeMap::from([(table.to_owned(), rows)]),
            ..export(100, 0)
        }
    }

    #[test]
    fn exports_that_are_not_believed() {
        let first = None;
        let later = Some(last(100));
        let unanswered = NewExport {
            was_answered: false,
            ..export(100, 0)
        };
        let nothing_to_do = NewExport {
            to_fetch: 0,
            ..unanswered.clone()
        };
        let small = FateOfShown {
            shown_before: 9,
            missing: 9,
            still_targets: 9,
            lost: 9,
        };
        let cases = [
            ("all is well", &first, export(100, 0), true),
            ("half is missing", &first, export(50, 50), true),
            ("more is missing than found", &first, export(49, 51), false),
            ("so few that it says nothing", &first, export(4, 5), true),
            ("nothing to show", &first, export(0, 0), false),
            ("an empty list", &first, NewExport::default(), true),
            ("nobody answered", &later, unanswered, false),
            ("nobody was asked", &later, nothing_to_do, true),
            (
                "two in a hundred are missing",
                &later,
                with_fate(2, 0),
                true,
            ),
            (
                "three in a hundred are missing",
                &later,
                with_fate(3, 0),
                false,
            ),
            ("half lost their rows", &later, with_fate(0, 45), true),
            ("more lost their rows", &later, with_fate(0, 46), false),
            (
                "a few contacts",
                &later,
                NewExport {
                    fate: small,
                    ..export(9, 0)
                },
                true,
            ),
            ("half of the rows", &later, with_rows("sales", 100), true),
            (
                "less than half of the rows",
                &later,
                with_rows("sales", 99),
                false,
            ),
            ("few rows", &later, with_rows("chats", 0), true),
            ("a table that is new", &later, with_rows("tickets", 0), true),
        ];
        for (what, last, new, is_believed) in cases {
            let checked = check_export(&limits(), last.as_ref(), &new);
            assert_eq!(checked.is_ok(), is_believed, "{what}: {checked:?}");
        }
    }

    #[test]
    fn everything_that_speaks_against_an_export_is_named() {
        let new = NewExport {
            rows: BTreeMap::from([("sales".to_owned(), 99)]),
            ..with_fate(3, 46)
        };
        let stop = check_export(&limits(), Some(&last(100)), &new).unwrap_err();
        assert_eq!(
            stop.to_string(),
            "3 of the 100 contacts of the last export are missing now, more than \
             `output.max_missing` = 2%; 46 of the 90 contacts that had rows in the last export have \
             none now, though they are not missing: more than `output.max_loss` = 50%; table sales \
             has 99 rows, and 200 in the last export: fewer by more than `output.max_loss` = 50%"
        );
        let nothing = NewExport { shown: 0, ..new };
        let stop = check_export(&limits(), Some(&last(100)), &nothing).unwrap_err();
        assert_eq!(stop.0, [Finding::Nothing { targets: 100 }]);
    }
}
