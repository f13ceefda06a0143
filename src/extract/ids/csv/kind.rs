//! What a file is that is no list of ids, going by its first bytes: a web page in place of a
//! download, a workbook, JSON. Leaves whether a text is a sound list to the reader.

use super::lines::BYTE_ORDER_MARK;

/// First bytes that no text has.
const MAGIC: [(&[u8], &str); 3] = [
    (b"PK\x03\x04", ARCHIVE),
    (b"\xd0\xcf\x11\xe0", OLD_WORKBOOK),
    (b"%PDF", "a PDF document"),
];

/// A workbook that is a plain file is read as such; only others come here.
const ARCHIVE: &str =
    "a ZIP archive or an Excel workbook that is no plain file, which alone can be read";
/// Both are OLE compound files.
const OLD_WORKBOOK: &str = "an old Excel workbook (.xls), or one that has a password";
const UTF_16: &str = "UTF-16 text without a byte order mark";
const MARKUP: &str = "a web page (perhaps a login page) or XML";
const JSON: &str = "JSON";

/// What the bytes are, where they are no list of ids.
pub(super) fn not_a_list(sample: &[u8]) -> Option<&'static str> {
    let magic = MAGIC
        .into_iter()
        .find(|(magic, _)| sample.starts_with(magic));
    if let Some((_, found)) = magic {
        return Some(found);
    }
    if is_utf_16(sample) {
        return Some(UTF_16);
    }
    let text = sample.strip_prefix(BYTE_ORDER_MARK).unwrap_or(sample);
    match text.trim_ascii_start() {
        [b'<', ..] => Some(MARKUP),
        [b'{', ..] => Some(JSON),
        // An id may be written `[I:123]`.
        [b'[', rest @ ..] => match rest.trim_ascii_start() {
            [b'A'..=b'Z', ..] => None,
            _ => Some(JSON),
        },
        _ => None,
    }
}

/// Whether every other byte of the first few is zero, as where letters and digits are written in
/// UTF-16 without a mark that says so.
fn is_utf_16(sample: &[u8]) -> bool {
    match sample {
        [a, b, c, d, ..] => matches!((a, b, c, d), (1.., 0, 1.., 0) | (0, 1.., 0, 1..)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_known_by_its_first_bytes() {
        let cases: [(&[u8], Option<&str>); 22] = [
            (b"", None),
            (b"contactId\n1\n", None),
            (b"\xef\xbb\xbf1\n", None),
            (b"[I:11]\n", None),
            (b"sep=;\n", None),
            (b"#TYPE A\n", None),
            (b"\0\0\0\0", None),
            (b"1\x002\n", None),
            (b"PK\x03\x04rest", Some(ARCHIVE)),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", Some(OLD_WORKBOOK)),
            (b"%PDF-1.4\n", Some("a PDF document")),
            (b"1\x000\x00\n\0", Some(UTF_16)),
            (b"\x001\x000\0\n", Some(UTF_16)),
            (b"<!DOCTYPE html><html>", Some(MARKUP)),
            (b"\xef\xbb\xbf\r\n <html>", Some(MARKUP)),
            (b"<?xml version=\"1.0\"?>", Some(MARKUP)),
            (b"{\"contactId\":1}\n", Some(JSON)),
            (b"[\n  {\"contactId\": 1}\n]", Some(JSON)),
            (b"[1,2]", Some(JSON)),
            (b"[\"1\"]", Some(JSON)),
            (b"[]", Some(JSON)),
            (b"[", Some(JSON)),
        ];
        for (sample, expected) in cases {
            let text = String::from_utf8_lossy(sample);
            assert_eq!(not_a_list(sample), expected, "{text:?}");
        }
    }
}
