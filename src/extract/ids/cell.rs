//! What one cell says: its text, cut to what is kept of it. Leaves finding the cell, and the id in
//! it, to others.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

/// Most characters of a cell that are kept, so that a hostile file cannot fill the store.
const KEPT_CHARACTERS: usize = 200;

/// The text of a cell: UTF-8 where it is valid, else Windows-1252.
pub(super) fn decode(cell: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(cell).0,
    }
}

/// As much of the text as is kept.
pub(super) fn kept(text: &str) -> String {
    text.chars().take(KEPT_CHARACTERS).collect()
}

/// Whether there is nothing in the cell but ASCII whitespace.
pub(super) fn is_blank(cell: &[u8]) -> bool {
    cell.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_utf8_is_windows_1252() {
        let cases: [(&[u8], &str); 6] = [
            (b"42", "42"),
            ("Sør".as_bytes(), "Sør"),
            (b"S\xf8r", "Sør"),
            (b"\x80 42\xa0", "€ 42\u{a0}"),
            (b"1\x92234", "1’234"),
            (b"\xc3\xa5\xe5", "Ã¥å"),
        ];
        for (cell, expected) in cases {
            assert_eq!(decode(cell), expected);
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(kept(&"ø".repeat(1000)), "ø".repeat(KEPT_CHARACTERS));
    }
}
