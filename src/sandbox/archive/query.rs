//! What is asked of an archive: `$select`, `$filter`, `$orderBy` and `$top`, as far as they are
//! simulated. Conditions are on the key alone. What a live archive is known to throw at is thrown
//! at here, too: `ge` and `le`, and no condition at all.

use super::columns::{ARCHIVES, ColumnContent, SimulatedArchive};
use super::refusal::NoPage;

/// How many rows a page has where nothing is said.
const USUAL_TOP: usize = 1000;

const UNKNOWN_COLUMN: NoPage = NoPage::Thrown("A column is not known.");
const UNREADABLE: NoPage = NoPage::Thrown("The restriction cannot be read.");
const WRONG_OPERATOR: NoPage = NoPage::Thrown("The operator does not fit the column.");
const NO_RESTRICTION: NoPage = NoPage::Thrown("At least one restriction is needed.");
const UNKNOWN_PROVIDER: NoPage = NoPage::Thrown("There is no such archive provider.");
const NOT_SORTABLE: NoPage = NoPage::Thrown("This order is not possible.");

/// A question that can be answered.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) archive: &'static SimulatedArchive,
    /// The columns under the names that were asked for.
    pub(super) columns: Vec<(String, ColumnContent)>,
    /// Keys greater than this,
    pub(super) after: i64,
    /// and less than that.
    pub(super) before: Option<i64>,
    pub(super) is_sorted: bool,
    pub(super) top: usize,
}

/// Reads the decoded pairs of a query.
pub(super) fn read(provider: &str, pairs: &[(String, String)]) -> Result<Query, NoPage> {
    let value = |name: &str| {
        let mut pairs = pairs.iter();
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let selected = value("$select").unwrap_or_default();
    let names: Vec<&str> = selected.split(',').map(str::trim).collect();
    let archive = archive(provider, &names)?;
    let column = |name: &&str| {
        let content = archive.content(name).ok_or(UNKNOWN_COLUMN)?;
        Ok(((*name).to_owned(), content))
    };
    let (after, before) = range(archive, value("$filter").unwrap_or_default())?;
    let top = value("$top").map_or(Ok(USUAL_TOP), str::parse);
    Ok(Query {
        archive,
        columns: names.iter().map(column).collect::<Result<_, _>>()?,
        after,
        before,
        is_sorted: is_sorted(archive, value("$orderBy"))?,
        top: top.map_err(|_| UNREADABLE)?,
    })
}

/// The archive that has the first column asked for.
fn archive(provider: &str, names: &[&str]) -> Result<&'static SimulatedArchive, NoPage> {
    let first = names.first().copied().unwrap_or_default();
    let mut of_provider = ARCHIVES
        .iter()
        .filter(|archive| archive.provider.eq_ignore_ascii_case(provider))
        .peekable();
    if of_provider.peek().is_none() {
        return Err(UNKNOWN_PROVIDER);
    }
    of_provider
        .find(|archive| archive.content(first).is_some())
        .ok_or(UNKNOWN_COLUMN)
}

/// The keys between which a filter wants the rows.
fn range(archive: &SimulatedArchive, filter: &str) -> Result<(i64, Option<i64>), NoPage> {
    let words: Vec<&str> = filter.split_whitespace().collect();
    if words.is_empty() {
        return Err(NO_RESTRICTION);
    }
    let (mut after, mut before) = (i64::MIN, None);
    for condition in words.split(|word| word.eq_ignore_ascii_case("and")) {
        let [name, operator, value] = condition else {
            if condition.concat().eq_ignore_ascii_case("getAllRows=true") {
                continue;
            }
            return Err(UNREADABLE);
        };
        if !name.eq_ignore_ascii_case(archive.key_name()) {
            return Err(UNKNOWN_COLUMN);
        }
        let value: i64 = value.parse().map_err(|_| UNREADABLE)?;
        let mut lower = |key: i64| before = Some(before.map_or(key, |now: i64| now.min(key)));
        match operator.to_ascii_lowercase().as_str() {
            "gt" | "greater" => after = after.max(value),
            "lt" | "less" => lower(value),
            "eq" | "equals" => {
                after = after.max(value.saturating_sub(1));
                lower(value.saturating_add(1));
            }
            _ => return Err(WRONG_OPERATOR),
        }
    }
    Ok((after, before))
}

/// Whether the rows are wanted in the order of their keys; no other order is simulated.
fn is_sorted(archive: &SimulatedArchive, order: Option<&str>) -> Result<bool, NoPage> {
    let Some(order) = order.map(str::trim).filter(|order| !order.is_empty()) else {
        return Ok(false);
    };
    let (name, direction) = order.split_once(' ').unwrap_or((order, "asc"));
    let ascends = direction.trim().eq_ignore_ascii_case("asc");
    if ascends && name.eq_ignore_ascii_case(archive.key_name()) {
        Ok(true)
    } else {
        Err(NOT_SORTABLE)
    }
}
