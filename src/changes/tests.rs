//! The sums against a slow oracle: the rows of each contact, compared as sets.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Key to owner and stamp: an archive has each key once.
type Archive = BTreeMap<i64, (i64, Option<String>)>;

fn contacts() -> Vec<ContactId> {
    (1..=6).filter_map(ContactId::new).collect()
}

fn archive() -> impl Strategy<Value = Archive> {
    // Few contacts and stamps, so that edits, moves and shared rows are frequent.
    let row = (1..=6_i64, option::of("[ab]{0,2}"));
    proptest::collection::btree_map(1..20_i64, row, 0..15)
}

fn sums(kind: Kind, rows: impl IntoIterator<Item = (i64, (i64, Option<String>))>) -> Vec<RowSum> {
    let contacts = contacts();
    let mut sums = Sums::new(&contacts);
    for (key, (owner, stamp)) in rows {
        let owner = ContactId::new(owner).unwrap();
        assert!(sums.add(owner, RowSum::of_row(kind, key, [stamp.as_deref()])));
    }
    sums.iter().map(|(_, sum)| sum).collect()
}

/// The contacts whose rows are not the same ones.
fn different(before: &Archive, after: &Archive) -> BTreeSet<i64> {
    let owned = |archive: &Archive, contact: i64| -> BTreeSet<_> {
        let rows = archive.iter().filter(|(_, (owner, _))| *owner == contact);
        rows.map(|(key, (_, stamp))| (*key, stamp.clone()))
            .collect()
    };
    (1..=6)
        .filter(|contact| owned(before, *contact) != owned(after, *contact))
        .collect()
}

proptest! {
    #[test]
    fn sums_differ_for_the_contacts_with_a_difference(before in archive(), after in archive()) {
        let then = sums(Kind::Sale, before.clone());
        let now = sums(Kind::Sale, after.clone());
        let differing: BTreeSet<i64> = (1..=6)
            .zip(then.iter().zip(&now))
            .filter(|(_, (then, now))| then != now)
            .map(|(contact, _)| contact)
            .collect();
        prop_assert_eq!(differing, different(&before, &after));
    }

    #[test]
    fn neither_order_nor_pages_matter(archive in archive(), dice in vec(any::<u32>(), 15), page in 1..6_usize) {
        let in_order = sums(Kind::Ticket, archive.clone());
        let mut shuffled: Vec<_> = archive.into_iter().zip(dice).collect();
        shuffled.sort_by_key(|(_, die)| *die);
        let shuffled: Vec<_> = shuffled.into_iter().map(|(row, _)| row).collect();
        // Each page is summed by itself, as after a walk that was broken off.
        let paged = shuffled.chunks(page).map(|page| sums(Kind::Ticket, page.to_vec())).fold(
            vec![RowSum::default(); 6],
            |all, page| all.iter().zip(page).map(|(sum, more)| sum.plus(more)).collect(),
        );
        prop_assert_eq!(paged, in_order);
    }
}

#[test]
fn rows_that_differ_in_anything_have_other_sums() {
    let rows = [
        RowSum::of_row(Kind::Sale, 1, [Some("a"), Some("b")]),
        RowSum::of_row(Kind::Ticket, 1, [Some("a"), Some("b")]),
        RowSum::of_row(Kind::Sale, 2, [Some("a"), Some("b")]),
        RowSum::of_row(Kind::Sale, 1, [Some("ab"), Some("")]),
        RowSum::of_row(Kind::Sale, 1, [Some("ab"), None]),
        RowSum::of_row(Kind::Sale, 1, [Some("b"), Some("a")]),
        RowSum::of_row(Kind::Sale, 1, [None, Some("ab")]),
        RowSum::of_row(Kind::Sale, 1, [None, None]),
        RowSum::of_row(Kind::Sale, 1, [None]),
    ];
    let distinct: BTreeSet<_> = rows.iter().map(|sum| sum.to_bytes()).collect();
    assert_eq!(distinct.len(), rows.len());
}

#[test]
fn a_stored_sum_is_the_same_in_every_version() {
    let sum = RowSum::of_row(Kind::Sale, 7, [Some("2026-11-21T01:00:00"), None]);
    assert_eq!(RowSum::from_bytes(sum.to_bytes()), sum);
    assert_eq!(
        crate::hex::hex(&sum.to_bytes()),
        "4ae39f05400a2b459c6ed9ae4f3daac7"
    );
}

#[test]
fn a_row_of_nobody_that_matters_adds_nothing() {
    let contacts = contacts();
    let mut sums = Sums::new(&contacts);
    let row = RowSum::of_row(Kind::Sale, 1, [None]);
    assert!(!sums.add(ContactId::new(7).unwrap(), row));
    assert!(sums.iter().all(|(_, sum)| sum == RowSum::default()));
}
