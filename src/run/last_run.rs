//! `last_run.json` beside the state: how the last start ended, published or not, for whoever looks the
//! morning after. The export itself is described by its manifest.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use tracing::warn;

use super::ours;
use crate::contact::OutcomeCounts;
use crate::error::{Consequence, Error, Exit};
use crate::job::Job;
use crate::load::manifest::Manifest;
use crate::store;

/// The name of the file.
const NAME: &str = "last_run.json";

/// How a start ended. A number of its form is not needed: members may be added, and none changes
/// its meaning.
#[derive(Debug, Serialize)]
struct LastRun<'a> {
    started_at: String,
    ended_at: String,
    exit_code: u8,
    published: bool,
    run: Option<&'a str>,
    outcomes: Option<&'a OutcomeCounts>,
    error: Option<String>,
    hint: Option<&'static str>,
    goes_on: bool,
}

/// Every member, and what it means.
const MEMBERS: &[(&str, &str)] = &[
    ("started_at", "When the program was started"),
    ("ended_at", "When it ended"),
    ("exit_code", "Its exit code"),
    ("published", "Whether it published an export"),
    ("run", "Name of that export; null where there is none"),
    (
        "outcomes",
        "Targets of that export by outcome; null where there is none",
    ),
    (
        "error",
        "Why it published nothing, with its causes, as it was printed; else null",
    ),
    (
        "hint",
        "What to do about it, where the error does not say so itself",
    ),
    (
        "goes_on",
        "Whether the same command goes on where this one ended",
    ),
];

/// The section of `TABLES.md` about this file, in Markdown.
pub fn markdown() -> String {
    let mut page = "\n## Members of `last_run.json`\n\n\
                    Beside the state, for its owner alone: how the last start ended, published or \
                    not. A start that found another run under way, `--plan` and `check` leave it as \
                    it is.\n\n| member | |\n|---|---|\n"
        .to_owned();
    for (member, doc) in MEMBERS {
        writeln!(page, "| `{member}` | {doc} |").expect("writing to a String cannot fail");
    }
    page
}

/// Writes down how a start ended: with an export, or with an error. That it cannot be written
/// changes nothing about how it ended.
pub(super) fn note(job: &Job, started_at: Timestamp, ended: Result<&Manifest, &Error>) {
    let error = ended.err();
    if error.is_some_and(is_of_another) {
        return;
    }
    let consequence = error.map(Error::consequence);
    let manifest = ended.ok();
    let last_run = LastRun {
        started_at: whole_seconds(started_at),
        ended_at: whole_seconds(Timestamp::now()),
        exit_code: consequence.map_or(Exit::Published, |it| it.exit).code(),
        published: manifest.is_some(),
        run: manifest.map(|manifest| manifest.run.as_str()),
        outcomes: manifest.map(|manifest| &manifest.outcomes),
        error: error.map(in_words),
        hint: consequence.and_then(|Consequence { hint, .. }| hint),
        goes_on: consequence.is_some_and(|it| it.goes_on),
    };
    let path = job.output.dir.join(NAME);
    if let Err(error) = write(&path, &last_run) {
        warn!("{}: cannot be written: {error}", path.display());
    }
}

/// Whether it says that the folder is not this job's to write to, or is in use.
fn is_of_another(error: &Error) -> bool {
    matches!(
        error,
        Error::Locked { .. }
            | Error::NotOurs(_)
            | Error::OutputFolder { .. }
            | Error::Store(store::Error::OtherPlace { .. })
    )
}

/// An error with its causes, in a line.
fn in_words(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes = causes.map(ToString::to_string);
    let words: Vec<_> = std::iter::once(error.to_string()).chain(causes).collect();
    words.join(": ")
}

fn whole_seconds(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// Writes it beside itself and renames it, so that nobody reads half of it. It is no part of an
/// export, so a crash of the machine may lose it.
fn write(path: &Path, last_run: &LastRun<'_>) -> std::io::Result<()> {
    // A folder that was never made ready is not made for this.
    if path.parent().is_some_and(|folder| !folder.is_dir()) {
        return Ok(());
    }
    let mut text = serde_json::to_string_pretty(last_run)?;
    text.push('\n');
    let partial = path.with_extension("json.partial");
    let mut file = ours::make_anew(&partial)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_explained() {
        let empty = LastRun {
            started_at: String::new(),
            ended_at: String::new(),
            exit_code: 0,
            published: false,
            run: None,
            outcomes: None,
            error: None,
            hint: None,
            goes_on: false,
        };
        let value = serde_json::to_value(empty).unwrap();
        let written: Vec<_> = value.as_object().unwrap().keys().collect();
        let explained: Vec<_> = MEMBERS.iter().map(|(member, _)| *member).collect();
        assert_eq!(written, explained);
    }
}
