//! How a command tells that it ended without what it was asked for: the error, its causes, what to do
//! about it, and the command that goes on. Which exit and hint belong to which error is `error`'s
//! matter.

use std::error::Error as _;
use std::io::Write as _;

use superoffice_export::error::{Consequence, Error};
use superoffice_export::shell;

/// Why a command ended without what it was asked for.
pub(crate) struct CommandError {
    pub(crate) error: Error,
    /// Whether the input came from standard input: the same command alone does not bring it back.
    pub(crate) is_piped: bool,
    /// Whether `--fresh` was given and is done with: with it, the same command would begin again,
    /// and pay for every answer twice.
    pub(crate) is_begun: bool,
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self {
            error,
            is_piped: false,
            is_begun: false,
        }
    }
}

/// This command for a shell, with more arguments in place of those of the same flag; without
/// `--fresh` where the run that it asked for `is_begun`.
pub(crate) fn command_line(is_begun: bool, more: &[&str]) -> String {
    let mut words = vec![env!("CARGO_PKG_NAME").to_owned()];
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        if more.first() == Some(&word.as_str()) {
            given.next();
        } else if !(is_begun && word == "--fresh")
            && more
                .first()
                .is_none_or(|flag| !word.starts_with(&format!("{flag}=")))
        {
            words.push(word);
        }
    }
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words
        .iter()
        .map(|word| shell::word(word))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn print_failure(
    CommandError {
        error,
        is_piped,
        is_begun,
    }: &CommandError,
    is_json: bool,
) {
    let Consequence {
        exit,
        goes_on,
        hint,
    } = error.consequence();
    let causes: Vec<_> = std::iter::successors(error.source(), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect();
    let input = (*is_piped && goes_on)
        .then_some("the contact ids came from standard input; give it the same again");
    let begun =
        (*is_begun && goes_on).then_some("leave `--fresh` out of it, which would begin anew");
    let hints: Vec<_> = hint.into_iter().chain(begun).chain(input).collect();
    let again = (!is_piped && goes_on).then(|| command_line(*is_begun, &[]));
    if is_json {
        let hint = (!hints.is_empty()).then(|| hints.join("; "));
        let problem = [vec![error.to_string()], causes].concat().join(": ");
        tracing::error!(exit = exit.code(), hint, again, "{problem}");
        return;
    }
    let lines = |label: &'static str, texts: Vec<String>| {
        texts
            .into_iter()
            .map(move |text| format!("{label}: {text}\n"))
    };
    let hints = hints.into_iter().map(str::to_owned).collect();
    let text: String = lines("error", vec![error.to_string()])
        .chain(lines("caused by", causes))
        .chain(lines("hint", hints))
        .chain(lines("again", again.into_iter().collect()))
        .collect();
    drop(std::io::stderr().write_all(text.as_bytes()));
}
