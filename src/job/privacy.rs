//! `[privacy]`, checked: which columns leave the house, and as what. What each measure does is
//! `schema`'s to say.

use std::path::Path;

use super::lines::JobLines;
use super::settings::PrivacySection;
use super::{Problem, wrong};
use crate::extract::secret::Secret;
use crate::schema::{ExtraMembers, Measure, Policy, Unfit};

/// What leaves the house.
#[derive(Debug, Default)]
pub(crate) struct PrivacySettings {
    /// What becomes of each column.
    pub(crate) policy: Policy,
    /// Where the key of the hashes is.
    pub(crate) key: Option<HashKeySetting>,
}

/// Where the key of the hashes is.
#[derive(Debug)]
pub(crate) struct HashKeySetting {
    /// Where it is to be had.
    pub(crate) secret: Secret,
    /// Where the job says so: path and line.
    pub(crate) place: String,
}

const SECTION: &str = "privacy";

/// How a key is made, for whoever has none.
const MAKE_A_KEY: &str = "make one with: openssl rand -hex 32 > hash-key && chmod 600 hash-key; \
                          and write: key = { file = \"hash-key\" }";

impl PrivacySection {
    pub(super) fn resolve(
        &self,
        folder: &Path,
        lines: &JobLines,
    ) -> Result<PrivacySettings, Problem> {
        let at = |key: &str, item| lines.find(SECTION, key, item);
        let mut policy = Policy::default();
        for measure in Measure::ALL {
            let names = match measure {
                Measure::Drop => self.drop(),
                Measure::Hash => self.hash(),
                Measure::Redact => self.redact(),
            };
            for (place, name) in names.unwrap_or_default().iter().enumerate() {
                policy.add(name, *measure).map_err(|unfit| Problem {
                    line: at(measure.key(), Some(place)),
                    ..wrong(key_of(*measure), complaint(name, &unfit))
                })?;
            }
        }
        match self.extra().as_deref() {
            Some("drop") => policy.set_extra(ExtraMembers::Drop),
            Some("keep") => policy.set_extra(ExtraMembers::Keep),
            Some(_) => {
                return Err(Problem {
                    line: at("extra", None),
                    ..wrong("privacy.extra", "must be \"drop\" or \"keep\"")
                });
            }
            None => {}
        }
        let key = self.key().map(|place| HashKeySetting {
            secret: place.secret("privacy.key", folder),
            place: lines.place(SECTION, "key"),
        });
        if policy.hashes() && key.is_none() {
            let text = format!(
                "needs `privacy.key`, since without one short values would be guessed; {MAKE_A_KEY}"
            );
            return Err(Problem {
                line: at("hash", None),
                ..wrong("privacy.hash", text)
            });
        }
        Ok(PrivacySettings { policy, key })
    }
}

fn key_of(measure: Measure) -> &'static str {
    match measure {
        Measure::Drop => "privacy.drop",
        Measure::Hash => "privacy.hash",
        Measure::Redact => "privacy.redact",
    }
}

fn complaint(name: &str, unfit: &Unfit) -> String {
    let name = shown(name);
    match unfit {
        Unfit::Unknown(Some(nearest)) => {
            format!("there is no column{name}; did you mean `{nearest}`?")
        }
        Unfit::Unknown(None) => format!(
            "there is no column{name}; write table.column or *.column with names that \
             `superoffice-export tables` shows"
        ),
        Unfit::Key => format!(
            "the column{name} finds, joins and sorts rows and always stays; take it out of the list"
        ),
        Unfit::Counted => format!(
            "the column{name} is what a run is counted by and always stays (of `outcomes`, \
             `input_value` and `message` can be named); take it out of the list"
        ),
        Unfit::Extra => format!(
            "the column{name} is governed by a key of its own; write extra = \"drop\" or \"keep\""
        ),
        Unfit::NoText => {
            format!(
                "the column{name} holds no text, and only text can be hashed; drop or redact it"
            )
        }
        Unfit::Twice(measure) => format!(
            "the column{name} is named twice, the first time in `{}`; leave it in one place",
            key_of(*measure)
        ),
    }
}

/// A name for a message; nothing where it looks like none, and may be a secret.
fn shown(name: &str) -> String {
    /// No column is named by more.
    const LONGEST: usize = 50;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.*".contains(c);
    let is_shown = name.len() <= LONGEST && name.contains('.') && name.chars().all(is_plain);
    let is_word = name.len() <= LONGEST && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if is_shown || is_word {
        format!(" `{name}`")
    } else {
        String::new()
    }
}
