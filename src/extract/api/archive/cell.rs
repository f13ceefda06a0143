//! A cell of a row: a whole number however it is written, or a stamp as text.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The whole number that a cell holds: plain, as text, or encoded as `[I:7]`.
pub(super) fn whole_number(cell: &RawValue) -> Option<i64> {
    if let Ok(number) = serde_json::from_str::<i64>(cell.get()) {
        return Some(number);
    }
    let text: String = serde_json::from_str(cell.get()).ok()?;
    let text = text.trim();
    let encoded = text
        .strip_prefix("[I:")
        .and_then(|text| text.strip_suffix(']'));
    encoded.unwrap_or(text).trim().parse().ok()
}

/// Whether a cell holds nothing.
pub(super) fn is_null(cell: &RawValue) -> bool {
    cell.get() == "null"
}

/// A stamp, in whatever form the installation gives it: it is only compared with itself. Nothing
/// where it is null or empty, which are one and the same.
pub(super) fn stamp(cell: &RawValue) -> Option<Cow<'_, str>> {
    if is_null(cell) {
        return None;
    }
    let text =
        serde_json::from_str::<String>(cell.get()).map_or(Cow::Borrowed(cell.get()), Cow::Owned);
    (!text.is_empty()).then_some(text)
}
