//! What one cell says: its text, and the contact id in it. Leaves finding the cell to the others.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::contact::ContactId;
use crate::contact::InputLine;

/// Most characters of a cell that are kept, so that a hostile file cannot fill the store.
pub(super) const KEPT_CHARACTERS: usize = 200;

/// The text of a cell: UTF-8 where it is valid, else Windows-1252.
pub(super) fn decode(cell: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(cell).0,
    }
}

/// What the line with this id cell is; a line too short to have one is rejected.
pub(super) fn line(input_line: u64, cell: Option<&[u8]>) -> InputLine {
    let text = decode(cell.unwrap_or_default());
    let input_value = text.chars().take(KEPT_CHARACTERS).collect();
    match contact_id(&text) {
        Some(contact_id) => InputLine::Target {
            contact_id,
            input_line,
            input_value,
        },
        None => InputLine::Rejected {
            input_line,
            input_value,
        },
    }
}

/// The id that the text is: decimal digits, or SuperOffice's encoded integer `[I:123]`, whitespace
/// around it aside.
pub(super) fn contact_id(text: &str) -> Option<ContactId> {
    let text = text.trim();
    let digits = text
        .strip_prefix("[I:")
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    // The number parser would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().and_then(ContactId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_positive_int32_in_decimal_digits() {
        let cases = [
            ("1", Some(1)),
            ("2147483647", Some(2_147_483_647)),
            ("007", Some(7)),
            ("00000000000000000000000000000000000000004711", Some(4711)),
            (" \u{a0}42\u{202f}\t", Some(42)),
            ("[I:123]", Some(123)),
            (" [I:0123] ", Some(123)),
            ("", None),
            ("0", None),
            ("-1", None),
            ("+5", None),
            ("5.0", None),
            ("1e3", None),
            ("1,234", None),
            ("1 234", None),
            ("0x1F", None),
            ("٣", None),
            ("2147483648", None),
            ("18446744073709551617", None),
            ("[I:]", None),
            ("[I: 1]", None),
            ("[I:-1]", None),
            ("[I:1", None),
            ("I:1]", None),
            ("[I:[I:1]]", None),
            ("[D:1]", None),
            ("=\"12\"", None),
            ("12\u{0}", None),
            ("Acme AS", None),
        ];
        for (text, expected) in cases {
            assert_eq!(contact_id(text).map(ContactId::get), expected, "{text:?}");
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_windows_1252() {
        let cases: [(&[u8], &str); 5] = [
            (b"42", "42"),
            ("Sør".as_bytes(), "Sør"),
            (b"S\xf8r", "Sør"),
            (b"\x80 42\xa0", "€ 42\u{a0}"),
            (b"\xc3\xa5\xe5", "Ã¥å"),
        ];
        for (cell, expected) in cases {
            assert_eq!(decode(cell), expected);
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let InputLine::Rejected {
            input_line: 3,
            input_value,
        } = line(3, Some("ø".repeat(1000).as_bytes()))
        else {
            panic!("not rejected")
        };
        assert_eq!(input_value, "ø".repeat(KEPT_CHARACTERS));
    }
}
