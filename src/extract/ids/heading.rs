//! Finds the id column by its heading. Knows the names that SuperOffice uses and the one that means
//! something else.

use super::error::{Error, Headings};
use super::{IdColumn, Place, number};

/// Usual headings of a company id, the preferred first.
const USUAL: [&str; 6] = [
    "contactId",
    "contact_id",
    "contact.contact_id",
    "Company ID",
    "ContactId",
    "PrimaryKey",
];

/// The id column, going by the first line that is not blank.
pub(super) fn locate(
    mut headings: Vec<String>,
    column: Option<&str>,
    place: Place,
    line: u64,
) -> Result<IdColumn, Error> {
    let found = find(&headings, column);
    match (found, headings.as_mut_slice(), column) {
        (Match::One(index), headings, _) => Ok(IdColumn {
            index,
            heading: headings.get_mut(index).map(std::mem::take),
        }),
        (Match::Several, ..) => Err(Error::AmbiguousColumn {
            place,
            line,
            headings: Headings(headings),
        }),
        (Match::None, [only], None) if !only.starts_with(char::is_alphabetic) => Ok(IdColumn {
            index: 0,
            heading: None,
        }),
        (Match::None, cells, _) if cells.iter().any(|text| number::contact_id(text).is_some()) => {
            Err(Error::NoHeading { place, line })
        }
        (Match::None, _, Some(column)) => Err(Error::UnknownColumn {
            place,
            line,
            column: column.to_owned(),
            headings: Headings(headings),
        }),
        (Match::None, _, None) => Err(Error::NoIdColumn {
            place,
            line,
            headings: Headings(headings),
        }),
    }
}

/// How many headings fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    None,
    One(usize),
    Several,
}

/// The heading that is the one asked for, exactly spelled or else nearly; where none is asked for,
/// the preferred of the usual ones. Two spellings of one usual name are several: nobody said which
/// is meant.
pub(super) fn find(headings: &[String], column: Option<&str>) -> Match {
    let column = column.map(str::trim);
    let names = column
        .as_ref()
        .map_or(USUAL.as_slice(), std::slice::from_ref);
    let ranks = || {
        headings
            .iter()
            .enumerate()
            .filter_map(|(index, heading)| Some((rank(heading, names)?, index, heading)))
    };
    let Some((best, index, preferred)) = ranks().min() else {
        return Match::None;
    };
    let is_rival =
        |rank, heading| rank == best || (column.is_none() && is_same(heading, preferred));
    if ranks()
        .filter(|(rank, _, heading)| is_rival(*rank, heading))
        .count()
        > 1
    {
        Match::Several
    } else {
        Match::One(index)
    }
}

/// Place of the name that the heading is, and whether it is spelled otherwise.
fn rank(heading: &str, names: &[&str]) -> Option<(usize, bool)> {
    let exact = names
        .iter()
        .position(|name| *name == heading)
        .map(|place| (place, false));
    exact.or_else(|| {
        names
            .iter()
            .position(|name| is_same(name, heading))
            .map(|place| (place, true))
    })
}

/// Whether two headings differ only in case, spaces and punctuation.
///
/// `Contact ID` and `contactId` do not count as the same: as a label in SuperOffice, with a space,
/// it means a person.
fn is_same(one: &str, other: &str) -> bool {
    let has_any = letters_and_digits(one).next().is_some();
    has_any
        && letters_and_digits(one).eq(letters_and_digits(other))
        && is_person_label(one) == is_person_label(other)
}

fn letters_and_digits(heading: &str) -> impl Iterator<Item = char> {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
}

fn is_person_label(heading: &str) -> bool {
    let is_column_name = heading
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    !is_column_name
        && letters_and_digits(heading)
            .collect::<String>()
            .ends_with("contactid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headings: &[&str], column: Option<&str>, expected: &Match) {
        let owned: Vec<_> = headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .collect();
        assert_eq!(find(&owned, column), *expected, "{headings:?} {column:?}");
    }

    #[test]
    fn usual_headings_are_found_in_order_of_preference() {
        let cases: [(&[&str], Match); 25] = [
            (&["Name", "contactId"], Match::One(1)),
            (&["contact_id"], Match::One(0)),
            (&["CONTACT_ID"], Match::One(0)),
            (&["x", "contact.contact_id"], Match::One(1)),
            (&["company-id"], Match::One(0)),
            (&["primary_key"], Match::One(0)),
            (&["PrimaryKey", "contactId"], Match::One(1)),
            (&["PrimaryKey", "CONTACTID"], Match::One(1)),
            (&["ContactId", "Company ID"], Match::One(1)),
            (&["contactId", "contact.contact_id"], Match::One(0)),
            (&["contact_id", "contactId"], Match::Several),
            (&["contactid", "contactId"], Match::Several),
            (&["ContactId", "Name", "contactid"], Match::Several),
            (&["company id", "Company ID"], Match::Several),
            (&["primary_key", "PrimaryKey", "contactId"], Match::One(2)),
            (&["CONTACTID", "contact-id"], Match::One(0)),
            (&["contactId", "contactId"], Match::Several),
            (&["contactid", "CONTACTID"], Match::Several),
            (&["Contact ID"], Match::None),
            (
                &["contact id", "CONTACT\u{a0}ID", "Contact-ID"],
                Match::None,
            ),
            (&["Contact Contact ID"], Match::None),
            (&["Contact ID", "Company ID"], Match::One(1)),
            (&["Contact ID", "PrimaryKey"], Match::One(1)),
            (&["Name", "", "id"], Match::None),
            (&[], Match::None),
        ];
        for (headings, expected) in cases {
            check(headings, None, &expected);
        }
    }

    #[test]
    fn a_column_asked_for_is_found_exactly_or_nearly() {
        let cases: [(&[&str], &str, Match); 13] = [
            (&["Firma-ID", "firmaid"], "firmaid", Match::One(1)),
            (&["Firma-ID", "Navn"], "firma id", Match::One(0)),
            (&["FIRMA_ID", "Firma-ID"], "firmaid", Match::Several),
            (&["FIRMA_ID", "Firma-ID"], "Firma-ID", Match::One(1)),
            (&["contactId", "Contact ID"], "Contact ID", Match::One(1)),
            (&["ContactId", "contactid"], "contactid", Match::One(1)),
            (&["ContactId", "contactid"], "ContactId", Match::One(0)),
            (&["ContactId", "contactid"], "CONTACTID", Match::Several),
            (&["Contact ID"], "contact id", Match::One(0)),
            (&["Contact ID"], "contactId", Match::None),
            (&["KUNDE Ø"], " kunde ø ", Match::One(0)),
            (&["", "%"], "#", Match::None),
            (&["a", "#"], "#", Match::One(1)),
        ];
        for (headings, column, expected) in cases {
            check(headings, Some(column), &expected);
        }
    }
}
