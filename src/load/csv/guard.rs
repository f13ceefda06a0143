//! Keeps text from being run as a formula where a CSV is opened in a spreadsheet: chat messages come
//! from whoever visits a web site. Such a text gets an apostrophe before it, which spreadsheets take
//! for "this is text" (and OWASP recommends); so does a text that begins with one, so that taking
//! one apostrophe away gives every text back.

/// What stands before a text.
const APOSTROPHE: u8 = b'\'';

/// What a spreadsheet takes for the beginning of a formula, alone or after it has dropped a blank.
const STARTS: &[u8] = b"=+-@\t\r";

/// What goes before this text: an apostrophe, or nothing.
pub(super) fn before(text: &[u8]) -> &'static [u8] {
    match text.first() {
        Some(first) if STARTS.contains(first) || *first == APOSTROPHE => &[APOSTROPHE],
        Some(_) | None => &[],
    }
}

/// The text that was written so.
pub(super) fn taken_away(written: &[u8]) -> &[u8] {
    written.strip_prefix(&[APOSTROPHE]).unwrap_or(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_get_an_apostrophe_and_every_text_comes_back() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("a=1", "a=1"),
            ("=1+1", "'=1+1"),
            ("+47 22 33 44 55", "'+47 22 33 44 55"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'quoted'", "''quoted'"),
            ("\u{FF1D}1", "\u{FF1D}1"),
        ];
        for (text, expected) in cases {
            let written = [before(text.as_bytes()), text.as_bytes()].concat();
            assert_eq!(written, expected.as_bytes(), "{text:?}");
            assert_eq!(taken_away(&written), text.as_bytes());
        }
    }
}
