//! What happens in which night to which contact: a pure function of seed and night. A night deals
//! its changes out by a permutation of the contacts, so that both questions, whom the seventh
//! change of a night meets and what met a contact in some night, take the same few steps, however
//! many contacts there are.

use super::row::{ListKind, MOST_INSERTED};
use crate::sandbox::dice::generator;

/// One contact in so many changes in a night.
const ONE_CHANGES_IN: u32 = 45;
/// One new contact a night for so many.
const ONE_IS_NEW_IN: u32 = 1_000;
/// The most nights that the keys of rows leave room for.
pub const MOST_NIGHTS: u32 = 1_000;

/// What happens to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// It is edited. What is silent moves no stamp.
    EditContact { silent: bool },
    /// So many rows are made for it.
    Insert { kind: ListKind, count: u8 },
    /// One of the rows that were made for it is edited.
    EditRow {
        kind: ListKind,
        pick: u32,
        silent: bool,
    },
    /// One of them is deleted.
    DeleteRow { kind: ListKind, pick: u32 },
    /// One of them goes to another contact.
    Give {
        kind: ListKind,
        pick: u32,
        to: i32,
        silent: bool,
    },
    /// It may get rows of another contact.
    Take { from: i32 },
    /// It becomes part of another contact, which gets its rows.
    MergeInto(i32),
    /// It is deleted; its rows belong to nobody.
    Delete,
}

/// Something that happens at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct NightChange {
    pub(super) night: u32,
    /// Its number among the changes of the night.
    pub(super) number: u32,
    pub(super) happening: Happening,
}

/// The nights that have passed.
#[derive(Debug, Clone)]
pub(super) struct Nights {
    seed: u64,
    /// Contacts at the beginning.
    contacts: u32,
    changes_a_night: u32,
    new_a_night: u32,
    passed: Vec<Deal>,
}

/// How a night deals its changes out: number `n` goes to contact `1 + (first + n × step) mod size`.
#[derive(Debug, Clone, Copy)]
struct Deal {
    size: u64,
    first: u64,
    step: u64,
    /// The step that leads back.
    back: u64,
}

impl Nights {
    /// The first `nights` of that many contacts. Where every contact id exists, none is new.
    pub(super) fn new(seed: u64, contacts: u32, has_new: bool, nights: u32) -> Self {
        let new_a_night = if has_new {
            (contacts / ONE_IS_NEW_IN).max(1)
        } else {
            0
        };
        let size = |night| u64::from(contacts) + u64::from(new_a_night) * u64::from(night);
        let deal = |night| Deal::new(seed, night, size(night - 1));
        Self {
            seed,
            contacts,
            // They come in pairs, which moves and merges need.
            changes_a_night: (contacts / ONE_CHANGES_IN).max(2).min(contacts) / 2 * 2,
            new_a_night,
            passed: (1..=nights.min(MOST_NIGHTS)).map(deal).collect(),
        }
    }

    /// How many nights have passed.
    pub(super) fn passed(&self) -> u32 {
        u32::try_from(self.passed.len()).unwrap_or(MOST_NIGHTS)
    }

    /// The highest contact id that was handed out.
    pub(super) fn last_contact(&self) -> u32 {
        self.contacts + self.new_a_night * self.passed()
    }

    /// The night in which a contact was made; 0 for those that were there at the beginning.
    pub(super) fn birth(&self, contact_id: i32) -> u32 {
        let beyond = contact_id.unsigned_abs().saturating_sub(self.contacts);
        if self.new_a_night == 0 {
            0
        } else {
            beyond.div_ceil(self.new_a_night)
        }
    }

    /// All that the nights have dealt to a contact, in order. It need not have come to pass: the
    /// contact may not exist.
    pub(super) fn changes(&self, contact_id: i32) -> impl Iterator<Item = NightChange> {
        (1..).zip(&self.passed).filter_map(move |(night, deal)| {
            let number = deal.number(contact_id)?;
            (number < self.changes_a_night).then(|| NightChange {
                night,
                number,
                happening: self.happening(night, number),
            })
        })
    }

    /// What a change is, and whom it meets.
    pub(super) fn change(&self, night: u32, number: u32) -> Option<(i32, Happening)> {
        let deal = self.deal(night)?;
        Some((deal.contact(number), self.happening(night, number)))
    }

    /// The number of a change among all, which grows from night to night.
    pub(super) fn serial(&self, night: u32, number: u32) -> u32 {
        (night - 1) * self.changes_a_night + number
    }

    /// The night and number of a change.
    pub(super) fn of_serial(&self, serial: u32) -> (u32, u32) {
        let most = self.changes_a_night.max(1);
        (serial / most + 1, serial % most)
    }

    fn deal(&self, night: u32) -> Option<&Deal> {
        let place = usize::try_from(night).ok()?.checked_sub(1)?;
        self.passed.get(place)
    }

    fn happening(&self, night: u32, number: u32) -> Happening {
        let subject = u64::from(night) << 32;
        let mut rng = generator(self.seed, subject + u64::from(number / 2), 50);
        let roll = rng.u8(0..100);
        if roll < 8 {
            let kind = ListKind::any(&mut rng);
            let gives = number.is_multiple_of(2);
            let other = self.deal(night).map_or(0, |deal| deal.contact(number ^ 1));
            return match (gives, roll) {
                (false, _) => Happening::Take { from: other },
                (true, 0..6) => Happening::Give {
                    kind,
                    pick: rng.u32(..),
                    to: other,
                    silent: rng.bool(),
                },
                (true, _) => Happening::MergeInto(other),
            };
        }
        let mut rng = generator(self.seed, subject + u64::from(number), 51);
        let kind = ListKind::any(&mut rng);
        let pick = rng.u32(..);
        match rng.u8(0..100) {
            0..32 => Happening::EditContact { silent: false },
            32..66 => Happening::Insert {
                kind,
                count: rng.u8(1..=MOST_INSERTED),
            },
            66..86 => Happening::EditRow {
                kind,
                pick,
                silent: false,
            },
            86..93 => Happening::DeleteRow { kind, pick },
            93..96 => Happening::Delete,
            96..98 => Happening::EditContact { silent: true },
            _ => Happening::EditRow {
                kind,
                pick,
                silent: true,
            },
        }
    }
}

impl Deal {
    fn new(seed: u64, night: u32, size: u64) -> Self {
        let size = size.max(1);
        let mut rng = generator(seed, u64::from(night), 52);
        let first = rng.u64(0..size);
        // Found soon: more than one number in five has no divisor in common with the size.
        let (step, back) = loop {
            let step = rng.u64(0..size);
            if let Some(back) = inverse(step, size) {
                break (step, back);
            }
        };
        Self {
            size,
            first,
            step,
            back,
        }
    }

    fn contact(&self, number: u32) -> i32 {
        let place = (self.first + u64::from(number) * self.step) % self.size;
        i32::try_from(place + 1).unwrap_or(0)
    }

    /// The number that goes to a contact.
    fn number(&self, contact_id: i32) -> Option<u32> {
        let place = u64::try_from(contact_id).ok()?.checked_sub(1)?;
        if place >= self.size {
            return None;
        }
        let number = (place + self.size - self.first) * self.back % self.size;
        u32::try_from(number).ok()
    }
}

/// The number that gives 1 times `step`, counted in a circle of that size (extended Euclid).
fn inverse(step: u64, size: u64) -> Option<u64> {
    let (size, step) = (i64::try_from(size).ok()?, i64::try_from(step).ok()?);
    let (mut before, mut now) = ((size, 0), (step, 1));
    while now.0 != 0 {
        let times = before.0 / now.0;
        (before, now) = (now, (before.0 - times * now.0, before.1 - times * now.1));
    }
    // In a circle of one, every number is 0, and 1 is as well.
    (before.0 == 1).then(|| u64::try_from(before.1.rem_euclid(size)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_deal_meets_every_contact_once_and_leads_back() {
        for size in [1, 2, 3, 10, 97, 1_000, 30_030] {
            for night in 1..10 {
                let deal = Deal::new(7, night, size);
                let mut met = BTreeSet::new();
                for number in 0..u32::try_from(size).unwrap() {
                    let contact_id = deal.contact(number);
                    assert!(met.insert(contact_id), "{size}");
                    assert_eq!(deal.number(contact_id), Some(number), "{size}");
                }
                assert_eq!(met.first(), Some(&1));
                assert_eq!(met.last(), i32::try_from(size).ok().as_ref());
                assert_eq!(deal.number(0).or(deal.number(-1)), None);
                assert_eq!(deal.number(i32::try_from(size).unwrap() + 1), None);
            }
        }
    }

    #[test]
    fn what_meets_a_contact_is_what_the_night_dealt_to_it() {
        let nights = Nights::new(3, 5_000, true, 30);
        let mut by_night = 0;
        for serial in 0..30 * nights.changes_a_night {
            let (night, number) = nights.of_serial(serial);
            assert_eq!(nights.serial(night, number), serial);
            let (contact_id, happening) = nights.change(night, number).unwrap();
            let mut changes = nights.changes(contact_id);
            let change = changes.find(|change| change.night == night).unwrap();
            assert_eq!((change.number, change.happening), (number, happening));
            by_night += 1;
        }
        let last = i32::try_from(nights.last_contact()).unwrap();
        let by_contact: usize = (1..=last).map(|id| nights.changes(id).count()).sum();
        assert_eq!(by_contact, by_night);
        assert!(nights.change(31, 0).is_none());
    }

    #[test]
    fn earlier_nights_stay_as_they_were() {
        let (some, more) = (Nights::new(3, 900, true, 5), Nights::new(3, 900, true, 50));
        for contact_id in 1..900 {
            let earlier = more
                .changes(contact_id)
                .take_while(|change| change.night <= 5);
            let happenings = |changes: Vec<NightChange>| -> Vec<_> {
                changes
                    .iter()
                    .map(|change| (change.night, change.happening))
                    .collect()
            };
            assert_eq!(
                happenings(earlier.collect()),
                happenings(some.changes(contact_id).collect())
            );
        }
    }

    #[test]
    fn a_partner_takes_what_the_other_gives() {
        let nights = Nights::new(1, 10_000, false, 50);
        let mut pairs = 0;
        for serial in (0..50 * nights.changes_a_night).step_by(2) {
            let (night, number) = nights.of_serial(serial);
            let (from, given) = nights.change(night, number).unwrap();
            let (other, taken) = nights.change(night, number + 1).unwrap();
            assert!(!matches!(given, Happening::Take { .. }));
            let (Happening::Give { to, .. } | Happening::MergeInto(to)) = given else {
                assert!(!matches!(taken, Happening::Take { .. }));
                continue;
            };
            assert_eq!((to, taken), (other, Happening::Take { from }));
            pairs += 1;
        }
        assert!(pairs > 100, "{pairs}");
    }
}
