//! The report of a probe, as text and as JSON. Made of our own words, counts and yes or no.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::fact::Facts;
use crate::contact::Reason;

/// How a question ended.
pub(super) enum Asked {
    Answered(Facts),
    /// No whole answer came.
    Silent(Reason),
    /// What it needs was not found out, or the server was not to be asked any more.
    Skipped(&'static str),
}

/// One question with its outcome.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) asks: &'static str,
    pub(super) outcome: Asked,
}

/// What was found out.
#[derive(Default)]
pub(super) struct Report {
    pub(super) entries: Vec<Entry>,
    /// Calls to the login server and for the address.
    pub(super) logins: u64,
    pub(super) calls: u64,
}

const TITLE: &str = "what this installation tells; no name, text or id of it is in here";

impl Report {
    pub(super) fn has_answers(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| matches!(entry.outcome, Asked::Answered(_)))
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{TITLE}\n");
        for entry in &self.entries {
            let Entry { name, asks, .. } = entry;
            let line = match &entry.outcome {
                Asked::Answered(facts) => facts
                    .iter()
                    .map(|(name, fact)| format!("{} {}", name.replace('_', " "), fact.text()))
                    .collect::<Vec<_>>()
                    .join(", "),
                Asked::Silent(reason) => format!("no answer ({reason})"),
                Asked::Skipped(why) => format!("not asked: {why}"),
            };
            write!(text, "{name}: {asks}\n    {line}\n").expect("writing to a String cannot fail");
        }
        let Self { logins, calls, .. } = self;
        writeln!(text, "{calls} calls, and {logins} to log in").expect("the same");
        text
    }

    pub(super) fn json(&self) -> String {
        let entry = |entry: &Entry| {
            let mut members = Map::new();
            members.insert("question".to_owned(), json!(entry.name));
            members.insert("asks".to_owned(), json!(entry.asks));
            match &entry.outcome {
                Asked::Answered(facts) => {
                    let facts = facts.iter().map(|(name, fact)| json!([name, fact.json()]));
                    members.insert("facts".to_owned(), Value::Array(facts.collect()));
                }
                Asked::Silent(reason) => {
                    members.insert("no_answer".to_owned(), json!(reason.to_string()));
                }
                Asked::Skipped(why) => {
                    members.insert("not_asked".to_owned(), json!(why));
                }
            }
            Value::Object(members)
        };
        let report = json!({
            "program": env!("CARGO_PKG_VERSION"),
            "questions": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "calls": self.calls,
            "logins": self.logins,
        });
        format!("{report:#}\n")
    }
}
