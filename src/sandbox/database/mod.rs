//! What there is in the simulated SuperOffice: which contacts, and which rows belong to them. The
//! one source of truth of summaries and archives, so that they cannot disagree; a pure function of
//! seed and night. What a row says in its texts, and how it is written, is left to those two.

mod fate;
mod lookup;
mod nights;
mod row;

use super::calendar::{DAY, Moment};
use super::dice::{falls_into, generator};
pub(super) use lookup::{ChildTable, OwnedRow};
pub use nights::MOST_NIGHTS;
use nights::{Happening, NightChange, Nights};
use row::KEYED_CONTACTS;
pub(super) use row::{ChildRow, ListKind};

/// Share of the contacts whose lists are filled although their Contact is null.
const WITHOUT_CONTACT: f64 = 0.01;
/// Share of the missing contacts that are an object with nothing in it, not a bare null.
const MISSING_AS_OBJECT: f64 = 0.2;
/// How many contacts the archives show where every contact id exists.
const SHOWN: u32 = 10_000;

/// The most contacts at the beginning; as many again may be new.
pub const MOST_CONTACTS: u32 = KEYED_CONTACTS / 2;

/// The contacts of one seed.
#[derive(Debug, Clone)]
pub(super) struct Database {
    seed: u64,
    missing: f64,
    /// Beyond the contacts of the nights there is none; else every contact id exists.
    is_bounded: bool,
    nights: Nights,
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
    /// How often it was edited, the edits that move no stamp included.
    pub(super) edits: u32,
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
    /// number of `contacts` none exists, and without one all do; those that the archives do not
    /// show never change.
    pub(super) fn new(seed: u64, missing: f64, contacts: Option<u32>, night: u32) -> Self {
        let shown = contacts.unwrap_or(SHOWN).min(MOST_CONTACTS);
        Self {
            seed,
            missing,
            is_bounded: contacts.is_some(),
            nights: Nights::new(seed, shown, contacts.is_some(), night),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The highest contact id that the archives may show.
    pub(super) fn last_shown(&self) -> u32 {
        self.nights.last_contact()
    }

    /// The contact of that id; there is always one, though perhaps an absent one.
    pub(super) fn contact(&self, contact_id: i32) -> ContactRow {
        let mut rng = generator(self.seed, u64::from(contact_id.unsigned_abs()), 7);
        let long_ago = Moment::recent(&mut rng).before(1_095 * DAY);
        let (registered, updated) = match self.nights.birth(contact_id) {
            0 => (long_ago, long_ago.after(&mut rng, 1_095 * DAY)),
            night => [Moment::of_night(&mut rng, night); 2].into(),
        };
        let mut contact = ContactRow {
            contact_id,
            presence: self.presence(contact_id),
            registered,
            updated,
            edits: 0,
        };
        for change in self.life(contact_id) {
            if let Happening::EditContact { silent } = change.happening {
                contact.edits += 1;
                if !silent {
                    contact.updated = self.moment(&change);
                }
            }
        }
        contact
    }

    /// When a change moves a stamp.
    fn moment(&self, change: &NightChange) -> Moment {
        let serial = self.nights.serial(change.night, change.number);
        Moment::of_night(
            &mut generator(self.seed, u64::from(serial), 53),
            change.night,
        )
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
        let least = u32::from(self.first_presence(contact_id) == Presence::ListsOnly);
        FirstList {
            length: length.max(least),
            newest: Moment::recent(&mut rng),
            is_null: falls_into(&mut rng, 0.05),
        }
    }

    /// How the contact looks after the nights that have passed.
    fn presence(&self, contact_id: i32) -> Presence {
        if self.end(contact_id).is_some() {
            Presence::Absent
        } else {
            self.first_presence(contact_id)
        }
    }

    /// How it looked at the beginning.
    fn first_presence(&self, contact_id: i32) -> Presence {
        let beyond = self.is_bounded && contact_id.unsigned_abs() > self.last_shown();
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

#[cfg(test)]
mod tests;
