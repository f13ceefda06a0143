//! The declaration of a table, turned into the tree that its row objects have on the wire.

use super::member_name::MemberName;
use crate::schema::{Column, ColumnType, Table, Treatment};

/// An object of the answer: which of its members hold cells, and which hold objects that do.
#[derive(Debug, Default)]
pub(super) struct Shape {
    members: Vec<(&'static str, Slot)>,
}

/// What a known member holds.
#[derive(Debug)]
pub(super) enum Slot {
    /// The value of these columns.
    Cells(MemberCells),
    /// An object.
    Object(Shape),
}

/// The columns that a value belongs to.
#[derive(Debug, Default)]
pub(super) struct MemberCells {
    /// Each by its index in the row, and its type.
    pub(super) columns: Vec<(usize, ColumnType)>,
    /// Whether the value is shown nowhere else, since the job treats one of its columns.
    pub(super) is_private: bool,
}

impl MemberCells {
    fn add(&mut self, column: Option<(usize, &Column)>) {
        self.is_private |= column.is_none_or(|(_, column)| column.treatment != Treatment::Kept);
        let cell = column.map(|(index, column)| (index, column.column_type));
        self.columns.extend(cell);
    }
}

impl Shape {
    /// The shape of the row objects of a table.
    pub(super) fn of(table: &Table) -> Self {
        let mut shape = Self::default();
        for (index, column) in table.columns.iter().enumerate() {
            if let Some(path) = column.member() {
                shape.add(path, Some((index, column)));
            }
        }
        for path in &table.discarded {
            shape.add(path, None);
        }
        shape
    }

    /// Adds a member, with the column that takes it; none takes what is discarded.
    fn add(&mut self, path: &'static str, column: Option<(usize, &Column)>) {
        let (name, rest) = path
            .split_once('/')
            .map_or((path, None), |(name, rest)| (name, Some(rest)));
        let place = self.members.iter().position(|(other, _)| *other == name);
        match (place.and_then(|place| self.members.get_mut(place)), rest) {
            (Some((_, Slot::Object(shape))), Some(rest)) => shape.add(rest, column),
            (Some((_, Slot::Cells(cells))), None) => cells.add(column),
            (Some(_), _) => panic!("{path} is both a value and an object in the declaration"),
            (None, None) => {
                let mut cells = MemberCells::default();
                cells.add(column);
                self.members.push((name, Slot::Cells(cells)));
            }
            (None, Some(rest)) => {
                let mut shape = Self::default();
                shape.add(rest, column);
                self.members.push((name, Slot::Object(shape)));
            }
        }
    }

    /// The slot of a member. `hint` is where it is looked for first, since servers write members in
    /// one order; it moves on.
    pub(super) fn slot(&self, name: MemberName<'_>, hint: &mut usize) -> Option<&Slot> {
        let is_hinted = self
            .members
            .get(*hint)
            .is_some_and(|(known, _)| name.is(known));
        let place = if is_hinted {
            *hint
        } else {
            self.members.iter().position(|(known, _)| name.is(known))?
        };
        *hint = place + 1;
        self.members.get(place).map(|(_, slot)| slot)
    }

    /// Visits the index of every column in and below this object.
    pub(super) fn each_column(&self, visit: &mut impl FnMut(usize)) {
        for (_, slot) in &self.members {
            match slot {
                Slot::Cells(cells) => cells.columns.iter().for_each(|(index, _)| visit(*index)),
                Slot::Object(shape) => shape.each_column(visit),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{data_tables, table};

    #[test]
    fn every_member_column_is_in_the_shape_once() {
        for table in data_tables() {
            let mut columns = Vec::new();
            Shape::of(table).each_column(&mut |index| columns.push(index));
            columns.sort_unstable();
            let declared = table
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.member().is_some());
            assert_eq!(
                columns,
                declared.map(|(index, _)| index).collect::<Vec<_>>(),
                "{}",
                table.name
            );
        }
    }

    #[test]
    fn a_member_is_found_wherever_the_search_begins() {
        let shape = Shape::of(table("sales").unwrap());
        for start in 0..=shape.members.len() {
            let mut hint = start;
            for written in [r#""SaleDate""#, r#""S\u0061leDate""#] {
                let name = serde_json::from_str(written).unwrap();
                let Some(Slot::Cells(cells)) = shape.slot(name, &mut hint) else {
                    panic!("`SaleDate` is a value");
                };
                assert_eq!(cells.columns.len(), 2);
            }
            assert!(
                shape
                    .slot(serde_json::from_str(r#""saleDate""#).unwrap(), &mut hint)
                    .is_none()
            );
        }
    }
}
