//! What each member of the manifest means, for `TABLES.md`. Leaves the types to the struct; a test
//! holds this list against it.

use std::fmt::Write as _;

/// Every member, in the order of the file, and what it means. A name in angle brackets stands for
/// any name of that kind.
#[rustfmt::skip]
const MEMBERS: &[(&str, &str)] = &[
    ("format_version", "Version of this form; it is raised where an older reader would misread it"),
    ("program", "Name of the program that wrote it"),
    ("version", "Version of that program"),
    ("run", "Name of the run, by its first start"),
    ("dir", "Folder of the run"),
    ("started_at", "When the run began, the first time if it was cut off"),
    ("ended_at", "When the tables were complete"),
    ("job", "The job as it was run, without secrets"),
    ("source.path",
        "File that the list of contacts came from; `source` is null where the API gave the \
         list"),
    ("source.bytes", "Its size, compressed where it is"),
    ("source.sha256", "SHA-256 of these bytes: the same list, night after night, has the same one"),
    ("source.modified_at", "When it was written to last; null for a pipe"),
    ("source.lines",
        "Its physical lines: distinct targets, duplicates, rejected and blank ones make up \
         all of them"),
    ("source.blank",
        "Those that ask for nothing: blank ones, headings and what stands above them, and the \
         second and later lines of quoted cells"),
    ("time_zone",
        "Zone in which instants were asked for, as it was found where the job says `tenant`"),
    ("previous",
        "Name of the run published before, with which the guards compared; null for the first \
         one"),
    ("guards.accepted",
        "Whether `--accept` switched the guards off; `guards` is null where nothing was \
         published before"),
    ("guards.distinct_before", "Distinct targets of the run before"),
    ("guards.shown_before", "Contacts that had rows in the run before"),
    ("guards.missing",
        "Those of them that are `missing` now; `output.max_missing` bounds their share of \
         `shown_before`"),
    ("guards.still_targets", "Those of them that are still targets"),
    ("guards.lost",
        "Those that are still targets and have no rows now though they are not `missing`; \
         `output.max_loss` bounds their share of `still_targets`"),
    ("guards.rows_before.<table>",
        "Rows of that table in the run before, where both were asked with the same limit; \
         `output.max_loss` bounds the share that is gone"),
    ("privacy.drop",
        "Columns that the job leaves out, as `table.column`; `privacy` is null where it has no \
         policy"),
    ("privacy.hash", "Columns that hold HMAC-SHA256 of each value, in hexadecimal digits"),
    ("privacy.redact", "Columns that are always null"),
    ("privacy.extra",
        "`drop` where `extra` is always null, `keep` where it holds what no column takes"),
    ("privacy.key",
        "Fingerprint of the key of the hashes: hashes of runs with another one do not join; null \
         where nothing is hashed"),
    ("targets.distinct",
        "Different contact ids in the list; `source.max_shrink` bounds how far that falls \
         from one run to the next"),
    ("targets.duplicates", "Mentions of an id after the first"),
    ("targets.rejected",
        "Lines without a usable contact id; `source.max_rejected` bounds their share of the \
         lines that are not blank"),
    ("forgotten",
        "Contacts that `forget` took out of this run after it was published; every other figure \
         of contacts and rows, and every hash, is of what is left"),
    ("outcomes.<outcome>",
        "How many targets and rejected lines ended so; together they are all of them"),
    ("calls.attempts", "Requests sent for contacts"),
    ("calls.retries", "Those after the first for the same contact"),
    ("calls.logins", "Calls to a login server, and those that ask who is logged in"),
    ("fetch.seconds", "Time spent fetching"),
    ("fetch.contacts_per_second", "Contacts fetched in one of them"),
    ("fetch.latency_ms.p50",
        "Milliseconds from request to complete answer: half of them took no longer; null \
         where nothing was fetched"),
    ("fetch.latency_ms.p95", "The same for 95 of a hundred"),
    ("fetch.latency_ms.p99", "The same for 99 of a hundred"),
    ("tables.<table>.file", "Name of the table's file in the run's folder"),
    ("tables.<table>.rows", "Rows in it"),
    ("tables.<table>.bytes", "Its size"),
    ("tables.<table>.sha256", "SHA-256 of its content"),
    ("files.<file>.bytes",
        "Size of another file of the run, such as `views.sql`; all but the manifest itself \
         are named"),
    ("files.<file>.sha256", "SHA-256 of its content"),
    ("drift.cells", "Cells left null because their value could not be converted; `extra` has it"),
    ("drift.naive_instants", "Instants that came without an offset and were read as UTC"),
    ("drift.unknown_members", "Members that no column takes; `extra` has them"),
    ("truncated.<list>", "Contacts in which that list reached the limit, so that it may go on"),
    ("contacts_without_details",
        "Contacts whose row in `contacts` is of nulls, since only their lists are known; null \
         where there is no such table"),
    ("answers_of_another_zone",
        "Answers in the tables that were asked for in another zone than `time_zone`: their \
         `day` and `sale_day` are null"),
    ("answers_to_another_question",
        "Answers in the tables that were given to an older question, with another limit, \
         language or zone, and are shown until new ones come"),
    ("coverage", "Share of the distinct targets that have an answer, from 0 to 1"),
    ("oldest_fetched_at",
        "When the oldest answer in the tables was fetched; null where there is none"),
];

/// The section of `TABLES.md` about the manifest, in Markdown.
pub fn markdown() -> String {
    let mut page = "\n## Members of `manifest.json`\n\n\
                    Instants are RFC 3339 in UTC. More members may come; none changes its meaning \
                    while `format_version` stays.\n\n| member | |\n|---|---|\n"
        .to_owned();
    for (member, doc) in MEMBERS {
        writeln!(page, "| `{member}` | {doc} |").expect("writing to a String cannot fail");
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::contact::Outcome;
    use crate::load::file::FileReport;
    use crate::load::manifest::tests::manifest;
    use crate::load::manifest::{Compared, ListReport, Manifest};

    /// A manifest in which every member is there, names of any kind in angle brackets.
    fn full() -> Manifest {
        let one = |name: &str, count| BTreeMap::from([(name.to_owned(), count)]);
        let table = FileReport {
            file: String::new(),
            rows: 0,
            bytes: 0,
            sha256: String::new(),
        };
        let file = table.digest();
        Manifest {
            source: Some(ListReport {
                path: String::new(),
                bytes: 0,
                sha256: String::new(),
                modified_at: Some(Timestamp::UNIX_EPOCH),
                lines: 0,
                blank: 0,
            }),
            guards: Some(Compared {
                rows_before: one("<table>", 0),
                ..Compared::default()
            }),
            files: BTreeMap::from([("<file>".to_owned(), file)]),
            truncated: one("<list>", 0),
            job: Value::Null,
            ..manifest("", BTreeMap::from([("<table>".to_owned(), table)]))
        }
    }

    /// The paths of all values that are no objects.
    fn paths(name: &str, value: &Value) -> Vec<String> {
        let Value::Object(members) = value else {
            return vec![name.to_owned()];
        };
        let below = |(member, value): (&String, &Value)| {
            let separator = if name.is_empty() { "" } else { "." };
            paths(&format!("{name}{separator}{member}"), value)
        };
        members.iter().flat_map(below).collect()
    }

    #[test]
    fn every_member_is_explained_in_its_order() {
        let mut value = serde_json::to_value(full()).unwrap();
        let outcomes = value["outcomes"].as_object().unwrap();
        let words: Vec<_> = outcomes.keys().map(String::as_str).collect();
        let declared: Vec<_> = Outcome::ALL
            .iter()
            .map(|outcome| outcome.as_str())
            .collect();
        assert_eq!(words, declared);
        value["outcomes"] = json!({ "<outcome>": 0 });
        let explained: Vec<_> = MEMBERS.iter().map(|(member, _)| *member).collect();
        assert_eq!(paths("", &value), explained);
    }
}
