//! The rules of the house that the compiler does not keep: in which direction modules know each
//! other, where the async runtime may live, that each file says what it owns, and how long it may
//! be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Top-level modules, each row free to import those above it. Modules of one row know nothing of
/// each other.
const ROWS: &[&[&str]] = &[
    &["contact", "gzip", "hex", "shell"],
    &["changes"],
    &["schema"],
    &["report"],
    &["extract", "store", "flatten", "load", "sandbox"],
    &["job", "summary"],
    &["guards"],
    &["error"],
    &["connect"],
    &["run", "cli"],
    &["check", "probe"],
];

/// The stages of a run, with the store between them. They meet in `run`.
const STAGES: &[&str] = &["extract", "store", "flatten", "load"];

/// Modules that may name several stages besides, each with the reason: none of them passes anything
/// from one stage to another.
const NAME_STAGES: &[(&str, &str)] = &[
    (
        "connect",
        "gives the client of the API the flattener's look into an answer",
    ),
    ("error", "is made of the errors of all stages"),
    ("job", "holds the settings that stages are made with"),
];

/// Top-level modules that may speak of the async runtime; the rest is plain synchronous code.
const ASYNCHRONOUS: &[&str] = &[
    "extract", "sandbox", "connect", "run", "check", "probe", "main", "signals",
];

/// Lines of code, so that comments and tests cost nothing.
const LONGEST_FILE: usize = 300;
/// A theme of tests may take more.
const LONGEST_THEME: usize = 480;

/// A source file: its path below the repository, the top-level module it belongs to, and its text.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    module: String,
    text: String,
}

impl Source {
    /// The text without comments.
    fn code(&self) -> String {
        let lines = self
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// The code without what is compiled for tests only; nothing of a file of tests.
    pub(crate) fn code_without_tests(&self) -> String {
        if self
            .path
            .iter()
            .any(|part| part == "tests" || part == "tests.rs")
        {
            return String::new();
        }
        let code = self.code();
        let tests = "#[cfg(test)]\nmod tests {";
        code.split(tests).next().unwrap_or_default().to_owned()
    }

    /// Lines of code: no blank lines, no comments, no tests.
    fn code_lines(&self) -> usize {
        let code = self.code_without_tests();
        code.lines().filter(|line| !line.trim().is_empty()).count()
    }
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name() != Some("target".as_ref()) {
                folders.push(path);
            } else if path.extension() == Some("rs".as_ref()) {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root).unwrap().to_owned();
                let below = path.iter().nth(1).unwrap().to_str().unwrap();
                sources.push(Source {
                    module: below.trim_end_matches(".rs").to_owned(),
                    path,
                    text,
                });
            }
        }
    }
    sources
}

/// The top-level modules that a text names: those of `crate::a::b` and of `crate::{a, b::c}`.
fn modules_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            for character in list.chars() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ if depth == 1 => word.push(character),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            named.extend(word.split(',').map(first_word));
        } else {
            named.insert(first_word(rest));
        }
    }
    named.remove("");
    named
}

fn first_word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn may_import(module: &str, other: &str) -> bool {
    module == other
        || matches!((row(module), row(other)), (Some(below), Some(above)) if above < below)
}

#[test]
fn modules_know_only_those_above_them() {
    let mut seen = BTreeSet::new();
    for source in sources("src") {
        // The crate's own root and the binary know everybody.
        if ["lib", "main", "failure", "signals"].contains(&source.module.as_str()) {
            continue;
        }
        assert!(
            row(&source.module).is_some(),
            "{}: give the new module its row in this test",
            source.path.display()
        );
        for imported in modules_named(&source.code()) {
            assert!(
                may_import(&source.module, &imported),
                "{}: `{}` may not import `{imported}`",
                source.path.display(),
                source.module
            );
        }
        seen.insert(source.module);
    }
    assert_eq!(
        seen.len(),
        ROWS.iter().map(|row| row.len()).sum::<usize>(),
        "a module of this test is gone"
    );
}

#[test]
fn stages_meet_in_run() {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src") {
        let mut stages = modules_named(&source.code_without_tests());
        stages.retain(|name| STAGES.contains(&name.as_str()));
        named.entry(source.module).or_default().extend(stages);
    }
    named.retain(|module, stages| module != "run" && stages.len() > 1);
    let allowed: Vec<_> = NAME_STAGES.iter().map(|(module, _)| *module).collect();
    assert_eq!(named.keys().collect::<Vec<_>>(), allowed, "{named:#?}");
}

#[test]
fn the_async_runtime_stays_where_it_belongs() {
    for source in sources("src") {
        let is_free =
            ASYNCHRONOUS.contains(&source.module.as_str()) || !source.code().contains("tokio");
        assert!(
            is_free,
            "{}: tokio has no place in `{}`",
            source.path.display(),
            source.module
        );
    }
}

#[test]
fn one_place_sleeps() {
    let sleeps = |source: &Source| {
        ["::sleep(", "sleep_until("]
            .iter()
            .any(|call| source.code().contains(call))
    };
    // The sandbox plays the world outside.
    let places: Vec<_> = sources("src")
        .into_iter()
        .filter(|source| source.module != "sandbox" && sleeps(source))
        .collect();
    let places: Vec<_> = places
        .iter()
        .map(|source| source.path.to_str().unwrap())
        .collect();
    // A probe asks one question after the other, and has no fetcher.
    assert_eq!(places, ["src/extract/fetcher/mod.rs", "src/probe/mod.rs"]);
}

#[test]
fn every_file_says_what_it_owns_and_stays_short() {
    let code = sources("src").into_iter().map(|code| (code, LONGEST_FILE));
    let tests = sources("tests")
        .into_iter()
        .map(|test| (test, LONGEST_THEME));
    for (source, longest) in code.chain(tests) {
        let path = source.path.display();
        // The crate's page is a file of its own.
        let opens =
            source.text.starts_with("//! ") || source.text.starts_with("#![doc = include_str!(");
        assert!(
            opens,
            "{path}: begin with `//!`: what the file owns, and what it leaves to others"
        );
        let lines = source.code_lines();
        assert!(
            lines <= longest,
            "{path}: {lines} lines of code; split it, {longest} is the limit"
        );
    }
}

#[test]
fn the_rules_see_what_they_look_for() {
    let code = "use crate::load::publish;\n\
        use crate::{job, store::{self, Run}, error as e};\n\
        fn f(x: crate::cli::X) {}";
    assert_eq!(
        modules_named(code).into_iter().collect::<Vec<_>>(),
        ["cli", "error", "job", "load", "store"]
    );
    assert!(
        may_import("load", "schema") && may_import("run", "load") && may_import("load", "load")
    );
    assert!(
        !may_import("load", "store")
            && !may_import("schema", "load")
            && !may_import("job", "run")
            && !may_import("cli", "run")
    );
}
