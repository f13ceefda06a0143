//! How a line of the summary for people is laid out. Leaves what it says to others.

/// One line below the name of the run: what it is about, and what there is to say.
pub(super) fn line(label: &str, text: &str) -> String {
    format!("  {label:>11} {text}")
}
