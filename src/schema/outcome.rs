//! The words of the `outcomes` table: how a target ended and why. Deciding which one applies is the
//! verdict's matter.

use super::ContactId;

/// An enum whose variants have one spelling in every output and in the store.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every one, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// How it is spelled in every output.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
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

words! {
    /// How a target, or a rejected input line, ended.
    Outcome {
        /// The answer is in the tables.
        Exported = "exported",
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
        /// The answer is larger than any summary.
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
        /// Status 403.
        Forbidden = "forbidden",
        /// A redirect; they are never followed.
        Redirect = "redirect",
        /// The input line holds no contact id.
        InvalidId = "invalid_id",
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
