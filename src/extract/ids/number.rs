//! Reads a contact id as people and programs write whole numbers. Takes only what can be read in
//! one way: a wrong contact is worse than a rejected line. Leaves finding the cell to others.

use std::iter::repeat_n;

use crate::contact::ContactId;

/// What people and programs put between groups of three digits: the spaces that do not break a line
/// (plain, narrow, figure) or are thin, apostrophes, comma and full stop. No ordinary space:
/// between numbers it may as well part two ids.
const GROUP_SEPARATORS: [char; 8] = [
    '\u{a0}', '\u{202f}', '\u{2007}', '\u{2009}', '\'', '\u{2019}', ',', '.',
];

/// What stands before decimals.
const DECIMAL_SEPARATORS: [char; 2] = ['.', ','];

/// The id that the text is, whitespace around it aside: decimal digits, SuperOffice's encoded
/// integer `[I:123]`, or a whole number in another usual writing.
pub(super) fn contact_id(text: &str) -> Option<ContactId> {
    let text = text.trim();
    let encoded = text
        .strip_prefix("[I:")
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(digits) = encoded {
        return from_digits(digits);
    }
    // The plain way first: almost every line of every list is written so.
    from_digits(text).or_else(|| from_digits(&whole_number(text)?))
}

fn from_digits(digits: &str) -> Option<ContactId> {
    // The number parser would take a sign.
    if is_digits(digits) {
        digits.parse().ok().and_then(ContactId::new)
    } else {
        None
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a whole number that is not written as digits alone.
///
/// `1.234` is a thousand and more to some, and one and a bit to others, so it is nothing here.
fn whole_number(text: &str) -> Option<String> {
    if let Some((mantissa, exponent)) = text.split_once(['e', 'E']) {
        return scientific(mantissa, exponent);
    }
    match (grouped(text), decimal(text)) {
        (Some(number), None) => Some(number.digits),
        (None, Some(number)) => number.digits,
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// Digits in groups, such as `1'234'567`.
struct Grouped {
    digits: String,
    separator: char,
}

fn grouped(text: &str) -> Option<Grouped> {
    let separator = text.chars().find(|c| GROUP_SEPARATORS.contains(c))?;
    let (first, others) = text.split_once(separator)?;
    let is_first = is_digits(first) && first.len() <= 3 && !first.starts_with('0');
    let is_group = |group: &str| is_digits(group) && group.len() == 3;
    (is_first && others.split(separator).all(is_group)).then(|| Grouped {
        digits: text.split(separator).collect(),
        separator,
    })
}

/// A number with decimals, such as `123.0` or `1'234,00`.
struct Decimal {
    /// None where the decimals say that it is no whole number.
    digits: Option<String>,
}

fn decimal(text: &str) -> Option<Decimal> {
    let separator = text.chars().rfind(|c| DECIMAL_SEPARATORS.contains(c))?;
    let (whole, decimals) = text.rsplit_once(separator)?;
    let digits = if is_digits(whole) {
        whole.to_owned()
    } else {
        grouped(whole)
            .filter(|number| number.separator != separator)?
            .digits
    };
    is_digits(decimals).then(|| Decimal {
        digits: is_zeros(decimals).then_some(digits),
    })
}

fn is_zeros(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

/// A number with an exponent, where it is sure that nothing was rounded off: either its decimals
/// reach down to the ones (`1.234E+3`), or it has the one decimal 0 (`1.0E+2`), which programs
/// write after a number that they give in as few digits as it needs.
///
/// `1.23E+05` is what a spreadsheet shows of 123456, and `1e+05` what some programs make of 100001.
fn scientific(mantissa: &str, exponent: &str) -> Option<String> {
    let (whole, decimals) = mantissa.split_once(DECIMAL_SEPARATORS)?;
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    if whole.len() != 1 || whole == "0" || ![whole, decimals, exponent].into_iter().all(is_digits) {
        return None;
    }
    let exponent = exponent.parse().ok().filter(|places| *places <= 9)?;
    let (kept, cut) = decimals
        .split_at_checked(exponent)
        .unwrap_or((decimals, ""));
    let is_exact = decimals == "0" || (kept.len() == exponent && is_zeros(cut));
    is_exact.then(|| {
        let zeros = repeat_n('0', exponent - kept.len());
        whole.chars().chain(kept.chars()).chain(zeros).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cases: &[(&str, Option<i64>)]) {
        for (text, expected) in cases {
            let found = contact_id(text).map(ContactId::get);
            assert_eq!(found, *expected, "{text:?}");
        }
    }

    #[test]
    fn an_id_is_a_positive_int32_in_decimal_digits() {
        check(&[
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
            ("1 234", None),
            ("0x1F", None),
            ("٣", None),
            ("2147483648", None),
            ("18446744073709551617", None),
            ("[I:]", None),
            ("[I: 1]", None),
            ("[I:-1]", None),
            ("[I:1.0]", None),
            ("[I:1", None),
            ("I:1]", None),
            ("[I:[I:1]]", None),
            ("[D:1]", None),
            ("=\"12\"", None),
            ("12\u{0}", None),
            ("12\u{feff}13", None),
            ("Acme AS", None),
        ]);
    }

    #[test]
    fn decimals_that_are_zeros_are_left_out() {
        check(&[
            ("123.0", Some(123)),
            ("5.0", Some(5)),
            ("123,0", Some(123)),
            ("123.00", Some(123)),
            ("0123.0", Some(123)),
            ("12.0000", Some(12)),
            ("1234.000", Some(1234)),
            ("2147483647.0", Some(2_147_483_647)),
            ("2147483648.0", None),
            ("0.0", None),
            ("-5.0", None),
            ("123.5", None),
            ("123.01", None),
            ("123.", None),
            (".0", None),
            ("1.2.0", None),
            ("123.0.0", None),
            ("123.0 4", None),
            ("NaN", None),
            ("inf", None),
        ]);
    }

    #[test]
    fn groups_of_three_digits_are_one_number() {
        check(&[
            ("1\u{a0}234\u{a0}567", Some(1_234_567)),
            ("1\u{202f}234\u{202f}567", Some(1_234_567)),
            ("1\u{2009}234\u{2009}567", Some(1_234_567)),
            ("1\u{2007}234", Some(1234)),
            ("12\u{a0}345", Some(12_345)),
            ("1'234", Some(1234)),
            ("1’234’567", Some(1_234_567)),
            ("1,234,567", Some(1_234_567)),
            ("1.234.567", Some(1_234_567)),
            ("1,234.0", Some(1234)),
            ("1.234,00", Some(1234)),
            ("1,234.000", Some(1234)),
            ("1\u{a0}234,0", Some(1234)),
            ("1'234.0", Some(1234)),
            ("2,147,483,648", None),
            // An ordinary space may as well part two ids.
            ("1 234 567", None),
            ("1\u{a0}234 567", None),
            // Mixed separators, and groups of other sizes, are no number of anybody's.
            ("1\u{a0}234\u{202f}567", None),
            ("1,234.567,8", None),
            ("1.234,5", None),
            ("12,34", None),
            ("12,34,567", None),
            ("1234'567", None),
            ("1'2345", None),
            ("0'123", None),
            ("'123", None),
            ("1''234", None),
            ("1'234'", None),
            ("1_234", None),
        ]);
    }

    #[test]
    fn what_may_be_decimals_or_a_group_is_no_id() {
        check(&[
            ("1.234", None),
            ("1,234", None),
            ("1.000", None),
            ("123,000", None),
        ]);
    }

    #[test]
    fn an_exponent_must_not_hide_digits() {
        check(&[
            ("1.0E+2", Some(100)),
            ("1.0e2", Some(100)),
            ("1.0E7", Some(10_000_000)),
            ("3,0E+05", Some(300_000)),
            ("1.23E+2", Some(123)),
            ("1.230E+2", Some(123)),
            ("1.2345678E7", Some(12_345_678)),
            ("1.00E+2", Some(100)),
            ("1.0E+0", Some(1)),
            ("1.0E+9", Some(1_000_000_000)),
            // Digits may have been rounded off.
            ("1.23E+05", None),
            ("1.23457E+06", None),
            ("1.00E+05", None),
            ("1.5E+3", None),
            ("1e3", None),
            ("1e+05", None),
            // These are no whole numbers, or no contact's.
            ("1.235E+2", None),
            ("1.0E-2", None),
            ("1.0E+10", None),
            ("0.0E+0", None),
            ("12.0E+1", None),
            ("-1.0E+2", None),
            ("1.0E", None),
            ("1.0E++2", None),
            ("E+2", None),
            (".0E+2", None),
            ("1.E+2", None),
            ("1.0E+2E+2", None),
        ]);
    }
}
