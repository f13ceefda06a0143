//! Commands that a person copies into a shell: words with characters that a shell takes for its own
//! are quoted.

use std::path::Path;

/// A path as one word of a command.
pub(crate) fn quoted(path: &Path) -> String {
    word(&path.to_string_lossy())
}

/// A text as one word of a command.
pub fn word(text: &str) -> String {
    let is_plain =
        |character: char| character.is_alphanumeric() || "/._-+=:,@%".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        // Nothing is special between single quotes but a single quote.
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_shell_takes_it_for_one_word() {
        for (text, quoted) in [
            ("exports/nightly", "exports/nightly"),
            ("--max-age=1h", "--max-age=1h"),
            ("", "''"),
            ("my exports", "'my exports'"),
            ("a;b", "'a;b'"),
            ("Åse", "Åse"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(word(text), quoted, "{text}");
        }
    }
}
