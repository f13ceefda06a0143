//! The words that all stages share: which contact, what was said of it, and how it ended. Deciding
//! which word applies is the verdict's matter; tables and columns are `schema`'s.

mod members;

use serde::{Deserialize, Serialize};

pub use self::members::KeptMembers;

/// A SuperOffice contact (a company): the id a target asks for, 1 to 2,147,483,647.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(i32);

impl ContactId {
    /// The id, where the number is one that SuperOffice can have given (int32 in the vendor's
    /// OpenAPI file).
    pub fn new(number: i64) -> Option<Self> {
        i32::try_from(number).ok().filter(|id| *id > 0).map(Self)
    }

    /// The id as a number.
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }
}

impl std::fmt::Display for ContactId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A line of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputLine {
    /// A contact id.
    Target {
        /// The contact.
        contact_id: ContactId,
        /// Line where it stands; the first line is 1.
        input_line: u64,
        /// The text that stands there, cut to 200 characters.
        input_value: String,
    },
    /// No contact id, or none that can be believed.
    Rejected {
        /// Line where it stands; the first line is 1.
        input_line: u64,
        /// The text that stands there, cut to 200 characters.
        input_value: String,
        /// Why it is none.
        reason: Reason,
    },
}

/// A contact that is to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The contact.
    pub contact_id: ContactId,
    /// Whether a failure is what is known of it.
    pub failed_before: bool,
}

/// An enum whose variants have one spelling in every output and in the store.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $variant_doc])+ $variant,)+ }

        impl $name {
            /// Every one, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// How it is spelled in every output.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What it means, in the words of its declaration.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($variant_doc),+).trim_ascii_start(),)+ }
            }

            /// The one of that spelling.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

words! {
    /// How a target, or a rejected input line, ended.
    Outcome {
        /// The answer is in the tables.
        Exported = "exported",
        /// The last attempts failed; an older answer is in the tables.
        Stale = "stale",
        /// There is no such contact (any more).
        Missing = "missing",
        /// No usable answer; the error says why.
        Failed = "failed",
        /// Not fetched yet: the run's budget ended before it.
        Pending = "pending",
        /// The input line holds no contact id.
        Rejected = "rejected",
    }
}

words! {
    /// Why the last attempt at a target failed.
    Reason {
        /// No connection, or it broke before an answer came.
        Connection = "connection",
        /// No whole answer in time.
        Timeout = "timeout",
        /// The answer ended before its end.
        BodyCut = "body_cut",
        /// The answer is larger than any summary, or makes more than 1,500,000 cells or a
        /// row of more than 2 MiB.
        BodyTooLarge = "body_too_large",
        /// Status 200, but no JSON.
        NotJson = "not_json",
        /// JSON, but not shaped as a summary.
        WrongStructure = "wrong_structure",
        /// The answer is for another contact.
        OtherContact = "other_contact",
        /// An error object of the API.
        ApiError = "api_error",
        /// A status that says no.
        HttpStatus = "http_status",
        /// Status 403, or 401 under a login that lets others in.
        Forbidden = "forbidden",
        /// A redirect; they are never followed.
        Redirect = "redirect",
        /// The input line holds no contact id.
        InvalidId = "invalid_id",
        /// The input line's cells or quotes do not fit the headings, so that its id may be another.
        RaggedRow = "ragged_row",
        /// The contact was to be forgotten.
        Forgotten = "forgotten",
    }
}

impl Outcome {
    /// Whether an answer is in the tables.
    pub const fn has_rows(self) -> bool {
        match self {
            Self::Exported | Self::Stale => true,
            Self::Missing | Self::Failed | Self::Pending | Self::Rejected => false,
        }
    }
}

/// What is asked of a SuperOffice, apart from the contact, in full; no secret is part of it. An
/// answer is judged by the question that it was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which SuperOffice is asked.
    pub place: String,
    /// Under which login: its scheme, and the user or client where the job names one.
    pub login: String,
    /// Most items per list.
    pub limit: u32,
    /// The root members asked for, separated by commas; all where none are named.
    pub members: Option<String>,
    /// `SO-Language` and `Accept-Language`.
    pub language: String,
    /// `SO-Culture`.
    pub culture: Option<String>,
    /// `SO-TimeZone`.
    pub zone: String,
    /// Names of further request headers, with a hash of the values that stand in the job.
    pub headers: Vec<(String, Option<String>)>,
    /// Which members of the answers are kept.
    pub kept: KeptMembers,
}

impl Question {
    /// Whether answers to this question are as good as answers to the other: they were asked for in
    /// the same way, and whatever is kept of those is kept of these.
    pub fn stands_for(&self, other: &Self) -> bool {
        let same = Self {
            kept: other.kept.clone(),
            ..self.clone()
        };
        same == *other && self.kept.hold(&other.kept)
    }

    /// Whether answers to this question hold every member that the other asks for.
    pub fn has_members_of(&self, other: &Self) -> bool {
        self.kept.hold(&other.kept) && self.was_asked_for(other)
    }

    /// Whether every root member was asked for that the other asks for.
    fn was_asked_for(&self, other: &Self) -> bool {
        match (&self.members, &other.members) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(held), Some(wanted)) => {
                let holds = |member| held.split(',').any(|one| one == member);
                wanted.split(',').all(holds)
            }
        }
    }
}

/// How a target ended: what `outcomes` says of it, apart from the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How it ended.
    pub outcome: Outcome,
    /// Status of the last answer; none where none came.
    pub http_status: Option<u16>,
    /// How often the request was sent.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: Option<Reason>,
    /// The API's own words, already cut.
    pub message: Option<String>,
    /// When the answer came: microseconds since 1970, UTC.
    pub fetched_at: Option<i64>,
}

/// What the API said of one contact at last; pending where it was tried and is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<B> {
    /// The contact.
    pub contact_id: ContactId,
    /// How it ended.
    pub ending: Ending,
    /// The summary, where it has one; JSON, or JSON in gzip.
    pub body: Option<B>,
}

impl Ending {
    /// Whether it says that the contact is gone, or may not be seen any more.
    pub fn is_denial(&self) -> bool {
        match self.outcome {
            Outcome::Missing => true,
            Outcome::Failed => self.error == Some(Reason::Forbidden),
            Outcome::Exported | Outcome::Stale | Outcome::Pending | Outcome::Rejected => false,
        }
    }

    /// One of which no more is known than this.
    pub const fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            http_status: None,
            attempts: 0,
            error: None,
            message: None,
            fetched_at: None,
        }
    }
}

/// A target, or a rejected input line, as `outcomes` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The contact that was asked for; none for a rejected line.
    pub contact_id: Option<ContactId>,
    /// Line of the first mention in the input; the first line is 1.
    pub input_line: u64,
    /// The text that stands there.
    pub input_value: String,
    /// How it ended.
    pub ending: Ending,
}

/// What a well-formed answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A summary: rows.
    Summary,
    /// Nothing: there is no such contact.
    Nothing,
}

/// What the input held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetCounts {
    /// Different contact ids.
    pub distinct: u64,
    /// Mentions after the first.
    pub duplicates: u64,
    /// Lines without a contact id.
    pub rejected: u64,
}

/// How the targets ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the words are documented where they are declared, in `Outcome`"
)]
pub struct OutcomeCounts {
    pub exported: u64,
    #[serde(default)]
    pub stale: u64,
    pub missing: u64,
    pub failed: u64,
    pub pending: u64,
    pub rejected: u64,
}

impl OutcomeCounts {
    /// Counts one more.
    pub fn record(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Exported => &mut self.exported,
            Outcome::Stale => &mut self.stale,
            Outcome::Missing => &mut self.missing,
            Outcome::Failed => &mut self.failed,
            Outcome::Pending => &mut self.pending,
            Outcome::Rejected => &mut self.rejected,
        } += 1;
    }

    /// How many ended this way.
    pub fn count(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Exported => self.exported,
            Outcome::Stale => self.stale,
            Outcome::Missing => self.missing,
            Outcome::Failed => self.failed,
            Outcome::Pending => self.pending,
            Outcome::Rejected => self.rejected,
        }
    }

    /// What is left of them without these.
    #[must_use]
    pub fn without(&self, taken: &Self) -> Self {
        let left = |outcome| self.count(outcome).saturating_sub(taken.count(outcome));
        Self {
            exported: left(Outcome::Exported),
            stale: left(Outcome::Stale),
            missing: left(Outcome::Missing),
            failed: left(Outcome::Failed),
            pending: left(Outcome::Pending),
            rejected: left(Outcome::Rejected),
        }
    }

    /// All of them; none where the sum is beyond any count, as in a damaged manifest.
    pub fn total(&self) -> Option<u64> {
        Outcome::ALL.iter().try_fold(0_u64, |total, outcome| {
            total.checked_add(self.count(*outcome))
        })
    }
}

/// What was asked of the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Requests sent for contacts.
    pub attempts: u64,
    /// Those after the first for the same contact.
    pub retries: u64,
    /// Calls to a login server, and those that ask who is logged in.
    pub logins: u64,
}

impl std::ops::Add for Calls {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            retries: self.retries + other.retries,
            logins: self.logins + other.logins,
        }
    }
}

/// What did not fit the declaration, in numbers. Nothing of it is lost: see `extra`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Cells left null because their value could not be converted.
    pub cells: u64,
    /// Instants that came without an offset and were read as UTC.
    pub naive_instants: u64,
    /// Members that no column takes.
    pub unknown_members: u64,
}

impl std::ops::AddAssign for Drift {
    fn add_assign(&mut self, other: Self) {
        self.cells += other.cells;
        self.naive_instants += other.naive_instants;
        self.unknown_members += other.unknown_members;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_ids_are_positive_int32() {
        let cases = [
            (0, false),
            (-1, false),
            (1, true),
            (2_147_483_647, true),
            (2_147_483_648, false),
            (i64::MIN, false),
        ];
        for (number, valid) in cases {
            assert_eq!(
                ContactId::new(number).map(ContactId::get),
                valid.then_some(number)
            );
        }
    }

    #[test]
    fn every_word_reads_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_word(outcome.as_str()), Some(*outcome));
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::from_word(reason.as_str()), Some(*reason));
        }
        assert_eq!(Outcome::from_word("Exported"), None);
    }

    #[test]
    fn outcomes_are_counted_by_their_words() {
        let mut outcomes = OutcomeCounts::default();
        for outcome in Outcome::ALL {
            outcomes.record(*outcome);
        }
        let counts = serde_json::to_value(outcomes).unwrap();
        assert!(
            Outcome::ALL
                .iter()
                .all(|outcome| outcomes.count(*outcome) == 1 && counts[outcome.as_str()] == 1)
        );
        assert_eq!(outcomes.total(), Some(6));
        outcomes.failed = u64::MAX;
        assert_eq!(outcomes.total(), None);
    }
}
