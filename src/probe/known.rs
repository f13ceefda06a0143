//! What earlier answers told that later questions need. Nothing of it is printed.

use std::collections::BTreeMap;

use super::moment::Written;

/// A date of a summary, by its place in it: the member, its index in the list, and the field.
pub(super) type DatePlace = (usize, usize);

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// A contact that there should be.
    pub(super) contact_id: Option<i64>,
    /// One that was deleted a short time ago.
    pub(super) deleted_id: Option<i64>,
    /// A contact with its stamp, as the archive writes it.
    pub(super) stamp: Option<(i64, String)>,
    /// The dates of the contact's summary, as they were written for each zone that was asked for.
    pub(super) dates: BTreeMap<&'static str, BTreeMap<DatePlace, Written>>,
}
