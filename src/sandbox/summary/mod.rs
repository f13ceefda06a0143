//! What the simulated API says of a contact: a pure function of the database, contact id, limit,
//! selection and zone. How an answer travels, and what goes wrong on the way, is the server's matter.

mod company;
mod contact;
mod countries;
mod country;
mod lists;
mod phrases;
mod words;

use super::database::{Database, ListKind, Presence};
use super::dice::generator;
use super::json::JsonText;
use super::zone::Wall;
use company::Company;

/// The root members of a summary, in the order of the answer.
pub(super) const MEMBERS: [&str; 6] = [
    "Contact",
    "Tickets",
    "Followups",
    "Documents",
    "Sales",
    "Chats",
];

/// What the request selects: one flag per root member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection([bool; MEMBERS.len()]);

impl Selection {
    /// Every member, as without `$select`.
    pub(super) const ALL: Self = Self([true; MEMBERS.len()]);

    /// Reads the value of `$select`: names separated by commas, in any case. Only the root of a
    /// path counts.
    pub(super) fn parse(names: &str) -> Self {
        let root = |name: &str| {
            name.split('/')
                .next()
                .map(str::trim)
                .unwrap_or_default()
                .to_owned()
        };
        let roots: Vec<String> = names.split(',').map(root).collect();
        Self(MEMBERS.map(|member| roots.iter().any(|root| root.eq_ignore_ascii_case(member))))
    }
}

/// What is asked of the simulated API.
#[derive(Debug, Clone, Copy)]
pub(super) struct SummaryRequest {
    pub(super) contact_id: i32,
    /// Most items per list; a negative one counts as none.
    pub(super) limit: i32,
    pub(super) selection: Selection,
    /// How instants are written.
    pub(super) wall: Wall,
}

/// The JSON text of the answer.
pub(super) fn answer(database: &Database, question: SummaryRequest) -> Vec<u8> {
    let contact = database.contact(question.contact_id);
    if contact.presence == Presence::Absent {
        return b"null".to_vec();
    }
    let subject = u64::from(question.contact_id.unsigned_abs());
    let company = Company::of(database.seed(), subject);
    let [contact_selected, lists_selected @ ..] = question.selection.0;
    let mut json = JsonText::with_capacity(8 * 1024);
    json.open('{').member("Contact");
    if contact_selected && contact.presence == Presence::Whole {
        let mut rng = generator(database.seed(), subject, 10);
        contact::write(&mut json, &mut rng, &contact, &company);
    } else {
        json.raw("null");
    }
    for (kind, selected) in ListKind::ALL.into_iter().zip(lists_selected) {
        json.member(lists::member(kind));
        if !selected {
            json.raw("null");
        } else if contact.presence == Presence::Hollow {
            json.raw("[]");
        } else {
            match database.list(question.contact_id, kind) {
                None => {
                    json.raw("null");
                }
                Some(mut rows) => {
                    rows.truncate(usize::try_from(question.limit).unwrap_or(0));
                    lists::ListWriter {
                        database,
                        contact_id: question.contact_id,
                        company: &company,
                        wall: question.wall,
                    }
                    .write(&mut json, &rows);
                }
            }
        }
    }
    json.close('}');
    json.into_bytes()
}

#[cfg(test)]
mod tests;
