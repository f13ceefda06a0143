//! What the archives say of a contact, kept so small that two nights can be compared: for each
//! contact and kind one wrapping sum over the hashes of its rows. Reading the rows, keeping the
//! sums and fetching what differs are left to others.
//!
//! Addition forgets the order of the rows and where a page ended, and still tells every insert,
//! edit, deletion and move: a row that moves leaves one sum and enters another. A row that two
//! nights share cancels out.

#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};

use crate::contact::{ContactId, words};

words! {
    /// A kind of record whose archive is walked.
    Kind {
        /// The companies themselves.
        Contact = "contact",
        /// Follow-ups.
        Appointment = "appointment",
        /// Documents.
        Document = "document",
        /// Sales.
        Sale = "sale",
        /// Requests.
        Ticket = "ticket",
        /// Chats.
        ChatSession = "chat_session",
    }
}

/// The wrapping sum of the hashes of any number of rows; zero where there are none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RowSum(u128);

impl RowSum {
    /// The sum of one row: its kind, its key and when it was changed. SHA-256, cut to 128 bits,
    /// since the sum outlives the program that made it: a hash of the standard library may change
    /// with the compiler. Lengths are hashed too, so that no two rows are the same text.
    pub fn of_row<'a>(
        kind: Kind,
        key: i64,
        stamps: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(kind.as_str());
        hash.update([0]);
        hash.update(key.to_le_bytes());
        for stamp in stamps {
            match stamp {
                None => hash.update([0]),
                Some(stamp) => {
                    hash.update([1]);
                    let length = u64::try_from(stamp.len()).unwrap_or(u64::MAX);
                    hash.update(length.to_le_bytes());
                    hash.update(stamp);
                }
            }
        }
        let mut half = [0; 16];
        half.iter_mut()
            .zip(hash.finalize())
            .for_each(|(byte, hashed)| *byte = hashed);
        Self(u128::from_le_bytes(half))
    }

    /// The sum with the rows of another.
    #[must_use]
    pub fn plus(self, rows: Self) -> Self {
        Self(self.0.wrapping_add(rows.0))
    }

    /// As it is stored.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// As it was stored.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}

/// The sums of one kind for all contacts that matter: 16 bytes a contact, besides the list of
/// contacts, which all kinds share. Rows come in the order of their keys, not of their contacts.
#[derive(Debug)]
pub struct Sums<'a> {
    contacts: &'a [ContactId],
    sums: Vec<RowSum>,
}

impl<'a> Sums<'a> {
    /// Nothing yet, for these contacts, which are in ascending order.
    pub fn new(contacts: &'a [ContactId]) -> Self {
        Self {
            contacts,
            sums: vec![RowSum::default(); contacts.len()],
        }
    }

    /// Adds rows to a contact. False where it is none of those that matter.
    pub fn add(&mut self, contact_id: ContactId, rows: RowSum) -> bool {
        let index = self.contacts.binary_search(&contact_id).ok();
        match index.and_then(|index| self.sums.get_mut(index)) {
            Some(sum) => {
                *sum = sum.plus(rows);
                true
            }
            None => false,
        }
    }

    /// The sum of each contact, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (ContactId, RowSum)> {
        let contacts = self.contacts.iter().copied();
        contacts.zip(self.sums.iter().copied())
    }
}
