//! What must hold of the nights, over many contacts: archives and summaries agree, and the stamps
//! tell of every change but the silent ones.

use std::collections::{BTreeMap, BTreeSet};

use super::nights::Happening;
use super::*;

const CONTACTS: u32 = 1_500;
const TABLES: [ChildTable; 5] = [
    ChildTable::Appointments,
    ChildTable::Documents,
    ChildTable::Sales,
    ChildTable::Tickets,
    ChildTable::Chats,
];

fn database(night: u32) -> Database {
    Database::new(5, 0.02, Some(CONTACTS), night)
}

/// All rows of a table, by pages of that size.
fn walk(database: &Database, table: ChildTable, most: usize) -> Vec<OwnedRow> {
    let (mut last, mut rows) = (0, Vec::new());
    loop {
        let page = database.rows_after(table, last, most);
        let Some(owned) = page.last() else {
            return rows;
        };
        last = i64::from(table.key(&owned.row));
        rows.extend(page);
    }
}

/// What archives tell of each contact: the keys and stamps of its rows.
fn told(database: &Database) -> BTreeMap<i32, BTreeSet<(u64, u32, Moment)>> {
    let mut told: BTreeMap<i32, BTreeSet<_>> = BTreeMap::new();
    for contact in database.contacts_after(0, usize::MAX) {
        let row = (9, 0, contact.updated);
        told.entry(contact.contact_id).or_default().insert(row);
    }
    for table in [
        ChildTable::Appointments,
        ChildTable::Sales,
        ChildTable::Tickets,
        ChildTable::Chats,
    ] {
        for owned in walk(database, table, 1_000) {
            let OwnedRow { row, owner } = owned;
            if let Some(owner) = owner {
                let row = (row.kind.number(), row.key, row.updated());
                told.entry(owner).or_default().insert(row);
            }
        }
    }
    told
}

/// What a summary shows of each contact.
fn shown(database: &Database) -> BTreeMap<i32, (Option<u32>, Vec<ChildRow>)> {
    let last = i32::try_from(database.last_shown()).unwrap();
    let mut shown = BTreeMap::new();
    for contact_id in 1..=last + 50 {
        let contact = database.contact(contact_id);
        let lists = ListKind::ALL.map(|kind| database.list(contact_id, kind).unwrap_or_default());
        let details = (contact.presence == Presence::Whole).then_some(contact.edits);
        let rows = lists.concat();
        if details.is_some() || !rows.is_empty() {
            shown.insert(contact_id, (details, rows));
        }
    }
    shown
}

/// The same without what only stamps tell.
fn visible(contact: &(Option<u32>, Vec<ChildRow>)) -> (Option<u32>, Vec<(u32, ListKind, u32)>) {
    let rows = contact.1.iter();
    let rows = rows.map(|row| (row.key, row.kind, row.edits)).collect();
    (contact.0, rows)
}

#[test]
fn archives_show_the_rows_of_the_summaries_every_night() {
    for night in [0, 1, 2, 17, 60] {
        let database = database(night);
        let shown = shown(&database);
        let mut listed = 0;
        for table in TABLES {
            let rows = walk(&database, table, 1_000);
            assert!(rows.is_sorted_by(|a, b| table.key(&a.row) < table.key(&b.row)));
            let mut of_owner: BTreeMap<i32, BTreeSet<u32>> = BTreeMap::new();
            for owned in rows {
                if let Some(owner) = owned.owner {
                    let of = of_owner.entry(owner).or_default();
                    of.insert(table.key(&owned.row));
                }
            }
            for (contact_id, (_, rows)) in &shown {
                let own = rows.iter().filter(|row| table.kinds().contains(&row.kind));
                let keys: BTreeSet<u32> = own.map(|row| table.key(row)).collect();
                let archived = of_owner.remove(contact_id).unwrap_or_default();
                assert_eq!(archived, keys, "{table:?} of {contact_id} in night {night}");
                listed += keys.len();
            }
            assert_eq!(of_owner, BTreeMap::new(), "{table:?} in night {night}");
        }
        assert!(listed > 10_000, "{listed}");
    }
}

#[test]
fn stamps_tell_of_every_change_but_the_silent_ones() {
    let mut silent = 0;
    let mut loud = 0;
    let (mut told_before, mut shown_before) = (told(&database(0)), shown(&database(0)));
    for night in 1..=24 {
        let database = database(night);
        let (told, shown) = (told(&database), shown(&database));
        for contact_id in 1..=i32::try_from(database.last_shown()).unwrap() {
            let differs = told.get(&contact_id) != told_before.get(&contact_id);
            let visibly =
                shown.get(&contact_id).map(visible) != shown_before.get(&contact_id).map(visible);
            if differs == visibly {
                loud += u32::from(visibly);
                continue;
            }
            let place = format!("{contact_id} in night {night}");
            assert!(visibly, "only the stamps of {place} differ");
            let mut tonight = database.nights.changes(contact_id);
            let change = tonight.find(|change| change.night == night).expect(&place);
            assert!(
                matches!(
                    change.happening,
                    Happening::EditContact { silent: true }
                        | Happening::EditRow { silent: true, .. }
                ),
                "{change:?} of {place} moved no stamp"
            );
            silent += 1;
        }
        (told_before, shown_before) = (told, shown);
    }
    assert!(silent > 0 && silent * 10 < loud, "{silent} of {loud}");
    // Some 2 % of the contacts a night.
    let share = f64::from(silent + loud) / 24.0 / f64::from(CONTACTS);
    assert!((0.015..0.025).contains(&share), "{share}");
}

#[test]
fn in_time_everything_happens() {
    let (before, after) = (database(0), database(100));
    let (first, last) = (shown(&before), shown(&after));
    let rows = |shown: &BTreeMap<i32, (Option<u32>, Vec<ChildRow>)>| -> Vec<(i32, ChildRow)> {
        let rows = shown.iter();
        rows.flat_map(|(id, (_, rows))| rows.iter().map(|row| (*id, *row)))
            .collect()
    };
    let keys: BTreeSet<_> = rows(&last)
        .iter()
        .map(|(_, row)| (row.kind.number(), row.key))
        .collect();
    let deleted = rows(&first)
        .iter()
        .filter(|(_, row)| !keys.contains(&(row.kind.number(), row.key)))
        .count();
    let moved = rows(&last)
        .iter()
        .filter(|(owner, row)| *owner != row.origin)
        .count();
    let edited = rows(&last).iter().filter(|(_, row)| row.edits > 0).count();
    let orphans = TABLES
        .iter()
        .flat_map(|table| walk(&after, *table, 777))
        .filter(|owned| owned.owner.is_none())
        .count();
    let gone = first.keys().filter(|id| !last.contains_key(id)).count();
    let new = last.keys().filter(|id| !first.contains_key(id)).count();
    for count in [deleted, moved, edited, orphans, gone, new] {
        assert!(
            count > 20,
            "{deleted} {moved} {edited} {orphans} {gone} {new}"
        );
    }
}

#[test]
fn page_boundaries_do_not_matter() {
    let database = database(12);
    for table in TABLES {
        assert_eq!(walk(&database, table, 1_000), walk(&database, table, 37));
    }
}

#[test]
fn contacts_without_a_bound_never_change_beyond_what_is_shown() {
    let (before, after) = (
        Database::new(1, 0.02, None, 0),
        Database::new(1, 0.02, None, 30),
    );
    let list = |database: &Database, id| database.list(id, ListKind::Tickets);
    for contact_id in (10_001..10_400).chain([i32::MAX, i32::MAX - 1]) {
        assert_eq!(before.contact(contact_id), after.contact(contact_id));
        assert_eq!(list(&before, contact_id), list(&after, contact_id));
    }
    let beyond = Database::new(1, 0.0, Some(10), 0).contact(11).presence;
    assert_eq!(beyond, Presence::Absent);
}
