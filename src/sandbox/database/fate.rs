//! What became of contacts and rows in the nights that have passed. A row changes hands by a move
//! of its own, once, while it is with the contact that it was made for, or by the merge of a whole
//! contact, any number of times: so its fate is found by following it, without a look at the rest.

use super::nights::{Happening, NightChange};
use super::row::{self, ChildRow, ListKind};
use super::{Database, FirstList, OwnedRow};
use crate::sandbox::calendar::DAY;
use crate::sandbox::dice::generator;

/// How a contact came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContactEnd {
    night: u32,
    /// Who got its rows; none where it was deleted.
    heir: Option<i32>,
}

/// A row that was made for some contact, and since when who has it.
#[derive(Clone, Copy)]
struct HeldRow {
    row: ChildRow,
    holder: i32,
    since: u32,
}

impl Database {
    /// The rows of a contact, newest first; none where the list is null.
    pub(in crate::sandbox) fn list(
        &self,
        contact_id: i32,
        kind: ListKind,
    ) -> Option<Vec<ChildRow>> {
        let mut rows = Vec::new();
        for origin in self.origins(contact_id) {
            let owned = self.rows_made_for(origin, kind).into_iter();
            let own = owned.filter(|owned| owned.owner == Some(contact_id));
            rows.extend(own.map(|owned| owned.row));
        }
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.key));
        let is_null = rows.is_empty() && self.first_list(contact_id, kind).is_null;
        (!is_null).then_some(rows)
    }

    /// The contacts whose rows a contact may have: itself, those that gave it some, and those that
    /// gave these some before.
    fn origins(&self, contact_id: i32) -> Vec<i32> {
        let mut origins = vec![contact_id];
        let mut seen = 0;
        while let Some(origin) = origins.get(seen).copied() {
            for change in self.nights.changes(origin) {
                if let Happening::Take { from } = change.happening
                    && !origins.contains(&from)
                {
                    origins.push(from);
                }
            }
            seen += 1;
        }
        origins
    }

    /// The rows that were made for a contact and are not deleted, and who has them now.
    pub(super) fn rows_made_for(&self, contact_id: i32, kind: ListKind) -> Vec<OwnedRow> {
        if !self.first_presence(contact_id).exists() {
            return Vec::new();
        }
        let mut rows: Vec<Option<HeldRow>> = self.first_rows(contact_id, kind).map(Some).collect();
        for change in self.life(contact_id) {
            self.apply(&change, contact_id, kind, &mut rows);
        }
        let owned = |held: HeldRow| OwnedRow {
            row: held.row,
            owner: self.heir(held.holder, held.since),
        };
        rows.into_iter().flatten().map(owned).collect()
    }

    fn first_rows(&self, contact_id: i32, kind: ListKind) -> impl Iterator<Item = HeldRow> {
        let FirstList { length, newest, .. } = self.first_list(contact_id, kind);
        (0..length).map(move |slot| {
            let key = row::first_key(contact_id, slot);
            let mut rng = generator(self.seed, u64::from(key), 30 + kind.number());
            let age = i64::from(length - 1 - slot) * 60 * DAY + rng.i64(60..60 * DAY);
            let row = ChildRow {
                kind,
                key,
                origin: contact_id,
                registered: newest.before(age),
                edits: 0,
                edited: None,
            };
            HeldRow {
                row,
                holder: contact_id,
                since: 0,
            }
        })
    }

    /// What a change does to the rows of one kind that were made for a contact. A row that is
    /// deleted keeps its place, so that what a change picks does not depend on others.
    fn apply(
        &self,
        change: &NightChange,
        contact_id: i32,
        kind: ListKind,
        rows: &mut Vec<Option<HeldRow>>,
    ) {
        match change.happening {
            Happening::Insert { kind: of, count } if of == kind => {
                let inserted = self.inserted(change, contact_id, kind);
                rows.extend(inserted.take(usize::from(count)).map(Some));
            }
            Happening::EditRow {
                kind: of,
                pick,
                silent,
            } if of == kind => {
                if let Some(Some(held)) = picked(rows, pick, contact_id) {
                    held.row.edits += 1;
                    if !silent {
                        held.row.edited = Some(self.moment(change));
                    }
                }
            }
            Happening::DeleteRow { kind: of, pick } if of == kind => {
                if let Some(row) = picked(rows, pick, contact_id) {
                    *row = None;
                }
            }
            Happening::Give {
                kind: of,
                pick,
                to,
                silent,
            } if of == kind && self.is_there(to, change.night) => {
                if let Some(Some(held)) = picked(rows, pick, contact_id) {
                    held.holder = to;
                    held.since = change.night;
                    if !silent {
                        held.row.edited = Some(self.moment(change));
                    }
                }
            }
            Happening::Insert { .. }
            | Happening::EditRow { .. }
            | Happening::DeleteRow { .. }
            | Happening::Give { .. }
            | Happening::EditContact { .. }
            | Happening::Take { .. }
            | Happening::MergeInto(_)
            | Happening::Delete => {}
        }
    }

    /// Rows that a change makes, one after the other.
    fn inserted(
        &self,
        change: &NightChange,
        contact_id: i32,
        kind: ListKind,
    ) -> impl Iterator<Item = HeldRow> {
        let serial = self.nights.serial(change.night, change.number);
        let (registered, since) = (self.moment(change), change.night);
        (0..).map(move |number| HeldRow {
            row: ChildRow {
                kind,
                key: row::later_key(serial, number),
                origin: contact_id,
                registered,
                edits: 0,
                edited: None,
            },
            holder: contact_id,
            since,
        })
    }

    /// What came to pass for a contact until its end.
    pub(super) fn life(&self, contact_id: i32) -> impl Iterator<Item = NightChange> {
        let end = self.end(contact_id).map_or(u32::MAX, |end| end.night);
        let exists = self.first_presence(contact_id).exists();
        let changes = self.nights.changes(contact_id);
        changes.take_while(move |change| exists && change.night < end)
    }

    /// How the contact came to its end; none while it is there, or where it never was.
    pub(super) fn end(&self, contact_id: i32) -> Option<ContactEnd> {
        self.end_before(contact_id, u32::MAX)
    }

    /// Its end, where that lies before a night. A merge needs the heir to be there, whose end is
    /// looked for in still earlier nights, so that the search ends.
    fn end_before(&self, contact_id: i32, night: u32) -> Option<ContactEnd> {
        if !self.first_presence(contact_id).exists() {
            return None;
        }
        let mut changes = self.nights.changes(contact_id);
        changes.find_map(|change| {
            let heir = match change.happening {
                _ if change.night >= night => None,
                Happening::Delete => Some(None),
                Happening::MergeInto(heir) => {
                    self.is_there(heir, change.night).then_some(Some(heir))
                }
                Happening::EditContact { .. }
                | Happening::Insert { .. }
                | Happening::EditRow { .. }
                | Happening::DeleteRow { .. }
                | Happening::Give { .. }
                | Happening::Take { .. } => None,
            };
            heir.map(|heir| ContactEnd {
                night: change.night,
                heir,
            })
        })
    }

    /// Whether a contact is there when a night begins.
    fn is_there(&self, contact_id: i32, night: u32) -> bool {
        self.first_presence(contact_id).exists()
            && self.nights.birth(contact_id) < night
            && self.end_before(contact_id, night).is_none()
    }

    /// Who has now what a contact had in some night; nobody where the last one was deleted.
    fn heir(&self, contact_id: i32, since: u32) -> Option<i32> {
        let (mut holder, mut since) = (contact_id, since);
        while let Some(end) = self.end(holder).filter(|end| end.night >= since) {
            holder = end.heir?;
            since = end.night;
        }
        Some(holder)
    }
}

/// The row that a change picks, if it is still there and with the contact that it was made for.
fn picked(
    rows: &mut [Option<HeldRow>],
    pick: u32,
    contact_id: i32,
) -> Option<&mut Option<HeldRow>> {
    let place = usize::try_from(pick).ok()?.checked_rem(rows.len())?;
    rows.get_mut(place)
        .filter(|row| row.is_some_and(|held| held.holder == contact_id))
}
