//! The README says of exit codes and job keys what the program says. `UPDATE_README=1 cargo test
//! readme` mends it.

use std::path::Path;

use superoffice_export::error::Exit;
use superoffice_export::job::settings;

/// The text with the lines between the markers of this name replaced.
fn with_section(page: &str, name: &str, lines: &str) -> String {
    let (before, rest) = page
        .split_once(&format!("<!-- {name}: "))
        .expect("the README has the marker");
    let (comment, rest) = rest
        .split_once('\n')
        .expect("the marker has a line of its own");
    let end = format!("<!-- end of {name} -->");
    let (_, after) = rest
        .split_once(&end)
        .expect("the README has the end marker");
    format!("{before}<!-- {name}: {comment}\n{lines}{end}{after}")
}

fn exit_codes() -> String {
    let lines = Exit::ALL
        .iter()
        .map(|exit| format!("| {} | {} |\n", exit.code(), exit.doc()));
    format!("| code | |\n|---|---|\n{}", lines.collect::<String>())
}

#[test]
fn readme_says_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let current = with_section(
        &with_section(&page, "exit codes", &exit_codes()),
        "job keys",
        &settings::reference(),
    );
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, current).unwrap();
    } else {
        assert!(
            page == current,
            "README.md is behind the code; run: UPDATE_README=1 cargo test readme"
        );
    }
}

#[test]
fn readme_sections_are_replaced_and_the_rest_is_kept() {
    let page = "a\n<!-- keys: x -->\nold\n<!-- end of keys -->\nb\n";
    assert_eq!(
        with_section(page, "keys", "new\n"),
        "a\n<!-- keys: x -->\nnew\n<!-- end of keys -->\nb\n"
    );
}
