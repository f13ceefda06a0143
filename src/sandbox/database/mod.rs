//! What there is in the simulated SuperOffice: which contacts, and which rows belong to them. The
//! one source of truth of summaries and archives, so that they cannot disagree; a pure function of
//! the seed. What a row says in its texts, and how it is written, is left to those two.

mod lookup;
mod row;

use super::calendar::{DAY, Moment};
use super::dice::{falls_into, generator};
pub(super) use lookup::{ChildTable, OwnedRow};
use row::MOST_CONTACTS;
pub(super) use row::{ChildRow, ListKind};

/// Share of the contacts whose lists are filled although their Contact is null.
const WITHOUT_CONTACT: f64 = 0.01;
/// Share of the missing contacts that are an object with nothing in it, not a bare null.
const MISSING_AS_OBJECT: f64 = 0.2;
/// How many contacts the archives show where every contact id exists.
const SHOWN: u32 = 10_000;

/// The contacts of one seed.
#[derive(Debug, Clone)]
pub(super) struct Database {
    seed: u64,
    missing: f64,
    contacts: Option<u32>,
}

/// How a contact looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Whole,
    /// Contact is null, the lists are filled.
    ListsOnly,
    /// The answer is an object with nothing in it.
    Hollow,
    /// The answer is null.
    Absent,
}

impl Presence {
    /// Whether there is such a contact.
    fn exists(self) -> bool {
        match self {
            Self::Whole | Self::ListsOnly => true,
            Self::Hollow | Self::Absent => false,
        }
    }
}

/// The contact itself, its rows aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContactRow {
    pub(super) contact_id: i32,
    pub(super) presence: Presence,
    pub(super) registered: Moment,
    pub(super) updated: Moment,
}

/// What a list was at the beginning.
struct FirstList {
    length: u32,
    newest: Moment,
    /// It is null, where it is empty.
    is_null: bool,
}

impl Database {
    /// The contacts of that seed. `missing` is the share of ids that do not exist; beyond the
    /// number of `contacts` none exists, and without one all do.
    pub(super) fn new(seed: u64, missing: f64, contacts: Option<u32>) -> Self {
        Self {
            seed,
            missing,
            contacts: contacts.map(|contacts| contacts.min(MOST_CONTACTS - 1)),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The highest contact id that the archives may show.
    pub(super) fn last_shown(&self) -> u32 {
        self.contacts.unwrap_or(SHOWN)
    }

    /// The contact of that id; there is always one, though perhaps an absent one.
    pub(super) fn contact(&self, contact_id: i32) -> ContactRow {
        let mut rng = generator(self.seed, u64::from(contact_id.unsigned_abs()), 7);
        let registered = Moment::recent(&mut rng).before(1_095 * DAY);
        ContactRow {
            contact_id,
            presence: self.presence(contact_id),
            registered,
            updated: registered.after(&mut rng, 1_095 * DAY),
        }
    }

    /// The rows of a contact, newest first; none where the list is null.
    pub(super) fn list(&self, contact_id: i32, kind: ListKind) -> Option<Vec<ChildRow>> {
        let mut rows = self.rows_made_for(contact_id, kind);
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.key));
        let is_null = rows.is_empty() && self.first_list(contact_id, kind).is_null;
        (!is_null).then_some(rows)
    }

    /// The rows that were made for a contact.
    fn rows_made_for(&self, contact_id: i32, kind: ListKind) -> Vec<ChildRow> {
        if !self.presence(contact_id).exists() {
            return Vec::new();
        }
        let FirstList { length, newest, .. } = self.first_list(contact_id, kind);
        let row = |slot| {
            let key = row::first_key(contact_id, slot);
            let mut rng = generator(self.seed, u64::from(key), 30 + kind.number());
            let age = i64::from(length - 1 - slot) * 60 * DAY + rng.i64(60..60 * DAY);
            ChildRow {
                kind,
                key,
                origin: contact_id,
                registered: newest.before(age),
                edits: 0,
                edited: None,
            }
        };
        (0..length).map(row).collect()
    }

    /// Most lists are short, many are empty, and a few are longer than any usual limit.
    fn first_list(&self, contact_id: i32, kind: ListKind) -> FirstList {
        let subject = u64::from(contact_id.unsigned_abs());
        let mut rng = generator(self.seed, subject, 11 + kind.number());
        let length = match rng.u32(0..1000) {
            0..3 => rng.u32(100..160),
            3..430 => 0,
            _ => rng.u32(1..=8).min(rng.u32(1..=8)),
        };
        let least = u32::from(self.presence(contact_id) == Presence::ListsOnly);
        FirstList {
            length: length.max(least),
            newest: Moment::recent(&mut rng),
            is_null: falls_into(&mut rng, 0.05),
        }
    }

    fn presence(&self, contact_id: i32) -> Presence {
        let beyond = self
            .contacts
            .is_some_and(|last| contact_id.unsigned_abs() > last);
        if contact_id <= 0 || beyond {
            return Presence::Absent;
        }
        let mut rng = generator(self.seed, u64::from(contact_id.unsigned_abs()), 1);
        if falls_into(&mut rng, self.missing) {
            if falls_into(&mut rng, MISSING_AS_OBJECT) {
                Presence::Hollow
            } else {
                Presence::Absent
            }
        } else if falls_into(&mut rng, WITHOUT_CONTACT) {
            Presence::ListsOnly
        } else {
            Presence::Whole
        }
    }
}
