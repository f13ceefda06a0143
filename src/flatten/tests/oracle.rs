//! What an answer must become, worked out slowly and in another way: the whole tree first, then
//! cell by cell. Shares the declaration with the flattener and no code.

#![expect(
    clippy::string_slice,
    reason = "cuts beside ASCII; a mistake is a failing test"
)]

use super::*;

/// What an answer must become.
pub(super) struct Expected {
    pub(super) tables: Tables,
    /// Whether it makes rows, but says nothing of the contact itself.
    pub(super) without_details: bool,
}

/// What this answer must become, which is known to be a summary of this contact.
pub(super) fn expected(contact_id: ContactId, answer: AnswerBody<'_>) -> Expected {
    let root = last_of_doubled(&Tree::read(std::str::from_utf8(answer.json).unwrap()));
    let limit = usize::try_from(answer.limit).unwrap();
    let member = |name: &str| {
        root.iter()
            .find(|(other, _)| other == name)
            .map(|(_, tree)| tree)
    };
    let mut truncated = Vec::new();
    let says_something = member("Contact").is_some_and(Tree::says_something);
    let mut any_item = false;
    let mut tables: Tables = Vec::new();
    for table in data_tables() {
        let (length, objects) = match member(table.root_member().unwrap()) {
            Some(Tree::List(items)) => (
                items.len(),
                items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| **item != Tree::Null)
                    .collect(),
            ),
            Some(object @ Tree::Object(_)) => (1, vec![(0, object)]),
            _ => (0, Vec::new()),
        };
        if matches!(table.rows, Rows::Items(_)) {
            any_item |= length > 0;
            if length >= limit {
                truncated.push(table.name);
            }
        }
        let row = |(index, object): &(usize, &Tree)| {
            let mut row = row(table, contact_id, *index + 1, object);
            for column in table.columns.iter() {
                if column.column_type == ColumnType::Date && !answer.has_same_zone {
                    row.as_object_mut().unwrap().remove(column.name);
                }
            }
            row
        };
        tables.push(objects.iter().map(row).collect());
    }
    let is_exported = any_item || says_something;
    let contacts = tables.first_mut().unwrap();
    if !is_exported {
        contacts.clear();
    } else if contacts.is_empty() {
        contacts.push(json!({ "contact_id": contact_id.get() }));
    }
    let known: Vec<_> = data_tables().filter_map(Table::root_member).collect();
    let unknown: Vec<_> = root
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .cloned()
        .collect();
    let mut outcome = json!({
        "contact_id": contact_id.get(), "input_line": 2, "input_value": contact_id.to_string(),
        "outcome": if is_exported { "exported" } else { "missing" },
        "http_status": 200, "attempts": 1, "fetched_at": "1970-01-01T00:00:00Z",
    });
    put(&mut outcome, "extra", Tree::Object(unknown).pruned());
    put(
        &mut outcome,
        "truncated",
        (!truncated.is_empty()).then(|| truncated.join(",")),
    );
    tables.push(vec![outcome]);
    Expected {
        tables,
        without_details: is_exported && !says_something,
    }
}

fn put(row: &mut Value, column: &str, cell: Option<impl Into<Value>>) {
    if let Some(cell) = cell {
        row[column] = cell.into();
    }
}

fn row(table: &Table, contact_id: ContactId, position: usize, object: &Tree) -> Value {
    let mut row = json!({});
    let mut rest = object.clone();
    if matches!(table.rows, Rows::Object(_)) {
        rest.remove(&["ContactId"]);
    }
    for column in table.columns.iter() {
        let cell = match column.source {
            CellSource::ContactId => Some(contact_id.get().into()),
            CellSource::Position => Some(position.into()),
            CellSource::Member(path) => object
                .at(&path.split('/').collect::<Vec<_>>())
                .and_then(|value| value.cell(column.column_type).ok()?),
            CellSource::Target(_) | CellSource::Extra => None,
        };
        put(&mut row, column.name, cell);
    }
    for column in table.columns.iter() {
        let CellSource::Member(path) = column.source else {
            continue;
        };
        let path: Vec<_> = path.split('/').collect();
        if object
            .at(&path)
            .is_some_and(|value| value.cell(column.column_type).is_ok())
        {
            rest.remove(&path);
        }
    }
    put(&mut row, "extra", rest.pruned());
    row
}

#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Null,
    Boolean(bool),
    /// As written.
    Number(String),
    /// The text, and how it was written.
    Text(String, String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

fn last_of_doubled(tree: &Tree) -> Vec<(String, Tree)> {
    let Tree::Object(members) = tree else {
        return Vec::new();
    };
    let is_last = |index: usize| {
        members[index + 1..]
            .iter()
            .all(|(name, _)| *name != members[index].0)
    };
    (0..members.len())
        .filter(|index| is_last(*index))
        .map(|index| members[index].clone())
        .collect()
}

impl Tree {
    fn at(&self, path: &[&str]) -> Option<Self> {
        let [name, rest @ ..] = path else {
            return Some(self.clone());
        };
        last_of_doubled(self)
            .iter()
            .find(|(other, _)| other == name)
            .and_then(|(_, below)| below.at(rest))
    }

    fn remove(&mut self, path: &[&str]) {
        let mut members = last_of_doubled(self);
        match path {
            [] => return,
            [name] => members.retain(|(other, _)| other != name),
            [name, rest @ ..] => members
                .iter_mut()
                .filter(|(other, _)| other == name)
                .for_each(|(_, below)| below.remove(rest)),
        }
        if let Self::Object(_) = self {
            *self = Self::Object(members);
        }
    }

    /// The cell, or an error where no cell of that type can hold the value.
    fn cell(&self, column_type: ColumnType) -> Result<Option<Value>, ()> {
        match (column_type, self) {
            (_, Self::Null) => Ok(None),
            (ColumnType::Text, Self::Text(text, _)) => Ok(Some(text.as_str().into())),
            (ColumnType::Text, Self::Number(number)) => Ok(Some(number.as_str().into())),
            (ColumnType::Text, Self::Boolean(boolean)) => Ok(Some(boolean.to_string().into())),
            (_, Self::Text(text, _)) if text.is_empty() => Ok(None),
            (ColumnType::Integer, Self::Number(number)) => integer(number).map(Some).ok_or(()),
            (ColumnType::Float, Self::Number(number)) => {
                let float: f64 = number.parse().unwrap();
                if float.is_finite() {
                    Ok(Some(float.into()))
                } else {
                    Err(())
                }
            }
            (ColumnType::Integer | ColumnType::Float, Self::Text(text, _)) if is_number(text) => {
                Self::Number(text.clone()).cell(column_type)
            }
            (ColumnType::Boolean, Self::Boolean(boolean)) => Ok(Some((*boolean).into())),
            (ColumnType::Boolean, Self::Text(text, _)) => text
                .to_ascii_lowercase()
                .parse()
                .map(|boolean: bool| Some(boolean.into()))
                .map_err(|_| ()),
            (ColumnType::Instant, Self::Text(text, _)) => {
                clock(text).map(|(_, utc)| utc.map(instant)).ok_or(())
            }
            (ColumnType::Date, Self::Text(text, _)) => {
                clock(text).map(|(date, _)| date.map(day)).ok_or(())
            }
            _ => Err(()),
        }
    }

    /// Whether any value in it, however deep, tells more than that nothing is known.
    fn says_something(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Boolean(boolean) => *boolean,
            Self::Number(number) => integer(number) != Some(0.into()),
            Self::Text(text, _) => !text.is_empty(),
            Self::List(items) => items.iter().any(Self::says_something),
            Self::Object(_) => last_of_doubled(self).iter().any(|(name, tree)| {
                let is_data = crate::schema::LEFT_OUT
                    .iter()
                    .all(|(left_out, _)| left_out != name);
                is_data && tree.says_something()
            }),
        }
    }

    /// As `extra` shows it; none where nothing remains.
    fn pruned(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Boolean(boolean) => Some(boolean.to_string()),
            Self::Number(number) => Some(number.clone()),
            Self::Text(text, written) => Some(if text.contains('\u{FFFD}') {
                Value::from(text.as_str()).to_string()
            } else {
                written.clone()
            }),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::pruned).collect();
                let texts: Vec<_> = items
                    .iter()
                    .map(|item| item.as_deref().unwrap_or("null"))
                    .collect();
                items
                    .iter()
                    .any(Option::is_some)
                    .then(|| format!("[{}]", texts.join(",")))
            }
            Self::Object(_) => {
                let members = last_of_doubled(self).into_iter().filter(|(name, _)| {
                    crate::schema::LEFT_OUT
                        .iter()
                        .all(|(left_out, _)| left_out != name)
                });
                let texts: Vec<_> = members
                    .filter_map(|(name, tree)| {
                        Some(format!("{}:{}", Value::from(name), tree.pruned()?))
                    })
                    .collect();
                (!texts.is_empty()).then(|| format!("{{{}}}", texts.join(",")))
            }
        }
    }

    /// Reads JSON that is known to be well-formed.
    fn read(json: &str) -> Self {
        let mut rest = json.trim_start();
        let tree = Self::read_from(&mut rest);
        assert_eq!(rest.trim_start(), "");
        tree
    }

    fn read_from(rest: &mut &str) -> Self {
        let skip = |rest: &mut &str| *rest = rest[1..].trim_start();
        match rest.chars().next().unwrap() {
            '{' => {
                let mut members = Vec::new();
                skip(rest);
                while !rest.starts_with('}') {
                    let Self::Text(name, _) = Self::read_from(rest) else {
                        panic!("a name")
                    };
                    *rest = rest.trim_start();
                    skip(rest);
                    members.push((name, Self::read_from(rest)));
                    *rest = rest.trim_start().trim_start_matches(',').trim_start();
                }
                skip(rest);
                Self::Object(members)
            }
            '[' => {
                let mut items = Vec::new();
                skip(rest);
                while !rest.starts_with(']') {
                    items.push(Self::read_from(rest));
                    *rest = rest.trim_start().trim_start_matches(',').trim_start();
                }
                skip(rest);
                Self::List(items)
            }
            '"' => {
                let mut escaped = false;
                let is_end = |character: char| {
                    let end = character == '"' && !escaped;
                    escaped = character == '\\' && !escaped;
                    end
                };
                let length = rest[1..].find(is_end).unwrap() + 2;
                let (written, after) = rest.split_at(length);
                *rest = after;
                Self::Text(text(&written[1..length - 1]), written.to_owned())
            }
            _ => {
                let length = rest.find([',', '}', ']', ' ']).unwrap_or(rest.len());
                let (written, after) = rest.split_at(length);
                *rest = after;
                match written {
                    "null" => Self::Null,
                    "true" | "false" => Self::Boolean(written == "true"),
                    _ => Self::Number(written.to_owned()),
                }
            }
        }
    }
}

/// Undoes escapes, one UTF-16 unit after the other.
fn text(escaped: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = escaped;
    while let Some(character) = rest.chars().next() {
        let (unit, length) = match rest.as_bytes() {
            [b'\\', b'u', ..] => (u16::from_str_radix(&rest[2..6], 16).unwrap(), 6),
            [b'\\', letter, ..] => {
                let place = b"bfnrt".iter().position(|other| other == letter);
                (
                    u16::from(place.map_or(*letter, |place| b"\x08\x0C\n\r\t"[place])),
                    2,
                )
            }
            _ => {
                units.extend(character.to_string().encode_utf16());
                rest = &rest[character.len_utf8()..];
                continue;
            }
        };
        units.push(unit);
        rest = &rest[length..];
    }
    String::from_utf16_lossy(&units)
}

fn is_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok() && text.trim() == text
}

/// Writes the number without exponent, then looks at both sides of the point.
fn integer(number: &str) -> Option<Value> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().unwrap();
    let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let sign = if units.starts_with('-') { "-" } else { "" };
    let padding = "0".repeat(exponent.unsigned_abs().try_into().unwrap());
    let digits = format!(
        "{padding}{}{fraction}{padding}",
        units.trim_start_matches('-')
    );
    let point = padding.len() + units.trim_start_matches('-').len();
    let point = point
        .checked_add_signed(exponent.try_into().unwrap())
        .unwrap();
    let (units, fraction) = digits.split_at(point);
    if fraction.contains(|digit| digit != '0') {
        return None;
    }
    format!("{sign}0{units}")
        .parse::<i64>()
        .ok()
        .map(Value::from)
}

/// The day as written and the instant in microseconds; both none for "unknown".
fn clock(text: &str) -> Option<(Option<i64>, Option<i64>)> {
    let date: Date = text.get(..10)?.parse().ok()?;
    let rest = &text[10..];
    let (time, offset) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let number = |text: &str| text.parse::<i64>().ok();
    let seconds = match time.split(':').collect::<Vec<_>>()[..] {
        [""] => 0,
        [hour, minute, second] => {
            (number(hour.strip_prefix('T')?)? * 60 + number(minute)?) * 60 + number(second)?
        }
        _ => return None,
    };
    let offset_digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let offset_minutes = if offset.len() > 1 {
        number(&offset_digits[..2])? * 60 + number(&offset_digits[2..])?
    } else {
        0
    };
    let offset_seconds = if offset.starts_with('-') { -60 } else { 60 } * offset_minutes;
    if date.year() <= 1760 {
        return Some((None, None));
    }
    let days = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    let local = DateTime::from_parts(date, jiff::civil::Time::midnight())
        + SignedDuration::from_secs(seconds);
    let utc = local
        .checked_sub(SignedDuration::from_secs(offset_seconds))
        .unwrap_or(local);
    let since = utc
        .duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0))
        .as_secs();
    Some((
        Some(days),
        Some(since * 1_000_000 + number(&format!("{fraction:0<6}")[..6])?),
    ))
}
