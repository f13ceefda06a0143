//! One value of the answer, as it was written, made into one cell of a column's type. Pure; the
//! rules are those of `TABLES.md`: convert where nothing is lost, otherwise leave the cell null and
//! keep the value as it was written.

use std::borrow::Cow;
use std::str::Chars;

use super::instant::{self, WallClock};
use crate::schema::ColumnType;

/// One cell of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing there.
    Null,
    /// Integer, or an instant in microseconds, or a date in days: the column's type says which.
    Integer(i64),
    /// Floating point.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(Cow<'a, str>),
}

/// What became of a value.
#[derive(Debug, PartialEq)]
pub(super) enum Converted<'a> {
    /// A cell.
    Cell(Cell<'a>),
    /// A cell that holds an instant or day which came without an offset.
    WithoutOffset(Cell<'a>),
    /// No cell of this type can hold it.
    Unconvertible,
}

/// Makes a cell out of one JSON value, given as it was written.
pub(super) fn convert(raw: &str, column_type: ColumnType) -> Converted<'_> {
    let cell = match raw.as_bytes().first() {
        None | Some(b'n') => Some(Cell::Null),
        Some(b'"') => return from_text(unquote(raw), column_type),
        Some(b't' | b'f') => from_boolean(raw, column_type),
        Some(b'-' | b'0'..=b'9') => from_number(raw, column_type),
        Some(_) => None,
    };
    cell.map_or(Converted::Unconvertible, Converted::Cell)
}

fn from_boolean(raw: &str, column_type: ColumnType) -> Option<Cell<'_>> {
    match column_type {
        ColumnType::Boolean => Some(Cell::Boolean(raw == "true")),
        ColumnType::Text => Some(Cell::Text(Cow::Borrowed(raw))),
        ColumnType::Integer | ColumnType::Float | ColumnType::Instant | ColumnType::Date => None,
    }
}

fn from_number(raw: &str, column_type: ColumnType) -> Option<Cell<'_>> {
    match column_type {
        ColumnType::Integer => integer(raw).map(Cell::Integer),
        ColumnType::Float => float(raw).map(Cell::Float),
        ColumnType::Text => Some(Cell::Text(Cow::Borrowed(raw))),
        ColumnType::Boolean | ColumnType::Instant | ColumnType::Date => None,
    }
}

fn from_text(text: Cow<'_, str>, column_type: ColumnType) -> Converted<'_> {
    let cell = match column_type {
        ColumnType::Text => Some(Cell::Text(text)),
        _ if text.is_empty() => Some(Cell::Null),
        ColumnType::Integer => is_json_number(&text)
            .then(|| integer(&text))
            .flatten()
            .map(Cell::Integer),
        ColumnType::Float => is_json_number(&text)
            .then(|| float(&text))
            .flatten()
            .map(Cell::Float),
        ColumnType::Boolean => boolean(&text).map(Cell::Boolean),
        ColumnType::Instant => return from_clock(&text, WallClock::instant),
        ColumnType::Date => return from_clock(&text, |clock| clock.day().map(i64::from)),
    };
    cell.map_or(Converted::Unconvertible, Converted::Cell)
}

fn from_clock(text: &str, number: impl Fn(WallClock) -> Option<i64>) -> Converted<'static> {
    let Some(clock) = instant::parse(text) else {
        return Converted::Unconvertible;
    };
    match number(clock) {
        Some(number) if clock.has_offset() => Converted::Cell(Cell::Integer(number)),
        Some(number) => Converted::WithoutOffset(Cell::Integer(number)),
        None => Converted::Cell(Cell::Null),
    }
}

fn boolean(text: &str) -> Option<bool> {
    [true, false]
        .into_iter()
        .find(|boolean| text.eq_ignore_ascii_case(if *boolean { "true" } else { "false" }))
}

fn float(raw: &str) -> Option<f64> {
    raw.parse().ok().filter(|float: &f64| float.is_finite())
}

fn is_json_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && serde_json::from_str::<&serde_json::value::RawValue>(text)
            .is_ok_and(|raw| raw.get().len() == text.len())
}

/// The whole number that the text says, where it says one that 64 bits hold.
fn integer(raw: &str) -> Option<i64> {
    raw.parse().ok().or_else(|| whole_number(raw))
}

/// The same for numbers with a fraction or an exponent, moving the point in the text, since floats
/// would round.
fn whole_number(raw: &str) -> Option<i64> {
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{units}{fraction}");
    let significant = digits.trim_end_matches('0');
    if matches!(significant, "" | "-") {
        return Some(0);
    }
    let zeros = exponent
        .parse::<i32>()
        .ok()?
        .checked_sub(i32::try_from(significant.len()).ok()? - i32::try_from(units.len()).ok()?)?;
    let zeros = usize::try_from(zeros)
        .ok()
        .filter(|zeros| *zeros < MAX_DIGITS)?;
    format!("{significant}{}", "0".repeat(zeros)).parse().ok()
}

/// Digits of the largest 64-bit integer.
const MAX_DIGITS: usize = 19;

/// The text inside a JSON string, given as it was written; half a surrogate pair becomes U+FFFD.
pub(super) fn unquote(raw: &str) -> Cow<'_, str> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(raw);
    if memchr::memchr(b'\\', inner.as_bytes()).is_some() {
        Cow::Owned(unescape(inner))
    } else {
        Cow::Borrowed(inner)
    }
}

/// `serde_json` would refuse halves of surrogate pairs, which servers leave that cut text at a
/// number of UTF-16 units.
fn unescape(escaped: &str) -> String {
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut after = escape.chars();
        let character = match after.next() {
            Some('u') => hexadecimal(&mut after),
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some(quoted) => quoted,
            None => char::REPLACEMENT_CHARACTER,
        };
        text.push(character);
        rest = after.as_str();
    }
    text + rest
}

/// The character whose UTF-16 unit stands here, or whose two units do, the second one with its own
/// `\u`.
fn hexadecimal(rest: &mut Chars<'_>) -> char {
    let unit = |text: &str| {
        text.get(..4)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let skip = |rest: &mut Chars<'_>, length| {
        *rest = rest.as_str().get(length..).unwrap_or_default().chars();
    };
    let first = unit(rest.as_str());
    skip(rest, 4);
    let second = rest.as_str().strip_prefix("\\u").and_then(unit);
    match char::decode_utf16(first.into_iter().chain(second)).next() {
        Some(Ok(character)) => {
            skip(rest, if character.len_utf16() == 2 { 6 } else { 0 });
            character
        }
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// Puts a cell into a row; a row without cells, where only a check is made, takes none.
pub(super) fn set_cell<'de>(row: &mut [Cell<'de>], column: usize, cell: Cell<'de>) {
    if let Some(place) = row.get_mut(column) {
        *place = cell;
    }
}

#[cfg(test)]
mod tests {
    use ColumnType::{Boolean, Date, Float, Instant, Integer, Text};

    use super::*;

    fn text(text: &str) -> Cell<'static> {
        Cell::Text(Cow::Owned(text.to_owned()))
    }

    #[test]
    fn values_convert_where_nothing_is_lost() {
        let cases = [
            ("12", Integer, Cell::Integer(12)),
            ("\"12\"", Integer, Cell::Integer(12)),
            ("12.0", Integer, Cell::Integer(12)),
            ("\"12.0\"", Integer, Cell::Integer(12)),
            ("1e3", Integer, Cell::Integer(1_000)),
            ("-1.25E+2", Integer, Cell::Integer(-125)),
            ("1500e-2", Integer, Cell::Integer(15)),
            ("-0.0", Integer, Cell::Integer(0)),
            ("0e99999999999", Integer, Cell::Integer(0)),
            ("9223372036854775807.0", Integer, Cell::Integer(i64::MAX)),
            ("-9223372036854775808.0", Integer, Cell::Integer(i64::MIN)),
            ("-0", Integer, Cell::Integer(0)),
            ("9223372036854775807", Integer, Cell::Integer(i64::MAX)),
            ("\"\"", Integer, Cell::Null),
            ("null", Integer, Cell::Null),
            ("12", Float, Cell::Float(12.0)),
            ("\"-2.5e-3\"", Float, Cell::Float(-0.0025)),
            (
                "2676.4359999999997",
                Float,
                Cell::Float(2_676.435_999_999_999_7),
            ),
            ("\"\"", Float, Cell::Null),
            ("12", Text, text("12")),
            ("1.10", Text, text("1.10")),
            ("1e400", Text, text("1e400")),
            ("true", Text, text("true")),
            ("\"\"", Text, text("")),
            ("\"a\\u0000\\n\\ud83d\\ude00\"", Text, text("a\0\n😀")),
            ("\"cut \\ud83d\"", Text, text("cut \u{FFFD}")),
            (
                "\"\\ud83d\\ud83d\\ude00\\ud83d\\n\"",
                Text,
                text("\u{FFFD}😀\u{FFFD}\n"),
            ),
            (
                "\"\\b\\f\\n\\r\\t\\/\\\\\\u00E6\"",
                Text,
                text("\u{8}\u{C}\n\r\t/\\æ"),
            ),
            (
                "\"\\ude00\\t\\\"x\\u00e6\\ud83d\\ude00\"",
                Text,
                text("\u{FFFD}\t\"xæ😀"),
            ),
            ("true", Boolean, Cell::Boolean(true)),
            ("\"False\"", Boolean, Cell::Boolean(false)),
            ("\"\"", Boolean, Cell::Null),
            (
                "\"2020-09-20T00:00:00Z\"",
                Instant,
                Cell::Integer(1_600_560_000_000_000),
            ),
            ("\"2020-09-20T00:00:00+02:00\"", Date, Cell::Integer(18_525)),
            ("\"0001-01-01T00:00:00Z\"", Instant, Cell::Null),
            ("\"\"", Date, Cell::Null),
        ];
        for (raw, column_type, cell) in cases {
            assert_eq!(
                convert(raw, column_type),
                Converted::Cell(cell),
                "{raw} as {column_type:?}"
            );
        }
    }

    #[test]
    fn what_would_lose_something_is_not_converted() {
        let cases = [
            ("12.5", Integer),
            ("9223372036854775808", Integer),
            ("9223372036854775808.0", Integer),
            ("1.00000000000000000000001", Integer),
            ("1e-400", Integer),
            ("1e19", Integer),
            ("1e99999999999", Integer),
            ("\"012\"", Integer),
            ("\" 12\"", Integer),
            ("\"+12\"", Integer),
            ("\"NaN\"", Float),
            ("\"Infinity\"", Float),
            ("1e400", Float),
            ("true", Integer),
            ("1", Boolean),
            ("\"1\"", Boolean),
            ("12", Instant),
            ("\"soon\"", Date),
            ("true", Instant),
            ("{}", Text),
            ("[1]", Integer),
        ];
        for (raw, column_type) in cases {
            assert_eq!(
                convert(raw, column_type),
                Converted::Unconvertible,
                "{raw} as {column_type:?}"
            );
        }
    }

    #[test]
    fn instants_without_an_offset_are_told_apart() {
        let naive = Converted::WithoutOffset(Cell::Integer(1_600_560_000_000_000));
        assert_eq!(convert("\"2020-09-20T00:00:00\"", Instant), naive);
        assert_eq!(
            convert("\"0001-01-01T00:00:00\"", Instant),
            Converted::Cell(Cell::Null)
        );
    }
}
