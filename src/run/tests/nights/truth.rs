//! What is true: which contacts there are, what they say at any time, who may read them, and which
//! of them are to be on the list.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::say::Say;

/// Ids of blocks that events name wrap around here.
const MOST: i64 = 70;

/// The true data; that a contact is edited every hour is in [`version`].
#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    pub(super) deleted: BTreeSet<i64>,
    pub(super) forbidden: BTreeSet<i64>,
    pub(super) sick: BTreeMap<i64, Say>,
    /// The contacts that should be on the list.
    pub(super) list: BTreeSet<i64>,
}

/// What the job asks: answers to other questions look different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) login: u8,
    pub(super) language: u8,
    pub(super) limit: u8,
    pub(super) with_sales: bool,
}

/// Every contact is edited once an hour.
pub(super) fn version(at: Duration) -> u64 {
    at.as_secs() / 3_600
}

/// How many sales a contact has.
pub(super) fn sales(contact_id: i64, asked: Asked) -> i64 {
    if asked.with_sales {
        (contact_id % 8).min(i64::from(asked.limit))
    } else {
        0
    }
}

/// What a name or heading says in that version.
pub(super) fn text(version: u64, asked: Asked) -> String {
    format!("v{version} {}", LANGUAGES[usize::from(asked.language)])
}

pub(super) const LANGUAGES: [&str; 2] = ["en", "nb"];

/// The summary of a contact.
pub(super) fn summary(contact_id: i64, version: u64, asked: Asked) -> String {
    let text = text(version, asked);
    let contact = format!(r#""Contact":{{"ContactId":{contact_id},"Name":"{text}"}}"#);
    if !asked.with_sales {
        return format!("{{{contact}}}");
    }
    let sale = |number| format!(r#"{{"SaleId":{number},"Heading":"{text}"}}"#);
    let sales: Vec<_> = (1..=sales(contact_id, asked)).map(sale).collect();
    format!(r#"{{{contact},"Sales":[{}]}}"#, sales.join(","))
}

/// A block of contacts.
pub(super) fn block(first: u8, count: u8) -> impl Iterator<Item = i64> {
    let first = i64::from(first);
    (first..first + i64::from(count)).map(|number| number % MOST + 1)
}

impl Truth {
    /// What a server that works says of a contact.
    pub(super) fn say(&self, contact_id: i64, asked: Asked) -> Say {
        if self.deleted.contains(&contact_id) {
            return match contact_id % 4 {
                0 => Say::Gone,
                1 => Say::NoContent,
                2 => Say::Null,
                _ => Say::OwnNotFound,
            };
        }
        if self.is_denied(contact_id, asked.login) {
            return Say::Forbidden;
        }
        self.sick.get(&contact_id).copied().unwrap_or(Say::Summary)
    }

    /// The second login may not read every tenth contact.
    pub(super) fn is_denied(&self, contact_id: i64, login: u8) -> bool {
        self.forbidden.contains(&contact_id) || login == 1 && contact_id % 10 == 0
    }

    /// Puts new contacts on the list.
    pub(super) fn join(&mut self, count: u8) {
        let free: Vec<_> = (1..=MOST).filter(|id| !self.list.contains(id)).collect();
        self.list.extend(free.iter().take(usize::from(count)));
    }
}
