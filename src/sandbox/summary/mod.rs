//! What the simulated API knows of a contact: a pure function of seed, contact id, limit,
//! selection and zone. How an answer travels, and what goes wrong on the way, is the server's matter.

mod calendar;
mod company;
mod contact;
mod countries;
mod country;
mod lists;
mod phrases;
mod words;

use super::dice::{falls_into, generator};
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

/// Share of the contacts whose lists are filled although their Contact is null.
const WITHOUT_CONTACT: f64 = 0.01;
/// Share of the missing contacts that are an object with nothing in it, not a bare null.
const MISSING_AS_OBJECT: f64 = 0.2;

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

/// The contacts of one seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contacts {
    pub(super) seed: u64,
    /// Share of the contact ids that do not exist.
    pub(super) missing: f64,
}

/// How a contact looks from outside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Whole,
    /// Contact is null, the lists are filled.
    ListsOnly,
    /// The answer is an object with nothing in it.
    Hollow,
    /// The answer is null.
    Absent,
}

impl Contacts {
    /// The JSON text of the answer.
    pub(super) fn answer(self, question: SummaryRequest) -> Vec<u8> {
        let presence = self.presence(question.contact_id);
        if presence == Presence::Absent {
            return b"null".to_vec();
        }
        let subject = u64::from(question.contact_id.unsigned_abs());
        let company = Company::of(self.seed, subject);
        let mut json = JsonText::with_capacity(8 * 1024);
        json.open('{');
        for ((member, selected), purpose) in MEMBERS.into_iter().zip(question.selection.0).zip(10..)
        {
            json.member(member);
            let mut rng = generator(self.seed, subject, purpose);
            if !selected || (member == "Contact" && presence != Presence::Whole) {
                json.raw("null");
            } else if member == "Contact" {
                contact::write(&mut json, &mut rng, question.contact_id, &company);
            } else if presence == Presence::Hollow {
                json.raw("[]");
            } else {
                let wanted = lists::Wanted {
                    member,
                    size: lists::Size {
                        least: u32::from(presence == Presence::ListsOnly),
                        limit: u32::try_from(question.limit).unwrap_or(0),
                    },
                    company: &company,
                    wall: question.wall,
                };
                lists::write(&mut json, &mut rng, &wanted);
            }
        }
        json.close('}');
        json.into_bytes()
    }

    fn presence(self, contact_id: i32) -> Presence {
        if contact_id <= 0 {
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
