//! The declaration of a table, turned into the tree that its row objects have on the wire.

use super::member_name::MemberName;
use crate::schema::{Column, ColumnType, Table};

/// An object of the answer: which of its members hold cells, and which hold objects that do.
#[derive(Debug, Default)]
pub(super) struct Shape {
    members: Vec<(&'static str, Slot)>,
}

/// What a known member holds.
#[derive(Debug)]
pub(super) enum Slot {
    /// The value of these columns, each named by its index in the row and its type.
    Cells(Vec<(usize, ColumnType)>),
    /// An object.
    Object(Shape),
}

impl Shape {
    /// The shape of the row objects of a table.
    pub(super) fn of(table: &Table) -> Self {
        let mut shape = Self::default();
        for (index, column) in table.columns.iter().enumerate() {
            if let Some(path) = column.member() {
                shape.add(path, index, column);
            }
        }
        shape
    }

    fn add(&mut self, path: &'static str, index: usize, column: &Column) {
        let (name, rest) = path
            .split_once('/')
            .map_or((path, None), |(name, rest)| (name, Some(rest)));
        let place = self.members.iter().position(|(other, _)| *other == name);
        let cell = (index, column.column_type);
        match (place.and_then(|place| self.members.get_mut(place)), rest) {
            (Some((_, Slot::Object(shape))), Some(rest)) => shape.add(rest, index, column),
            (Some((_, Slot::Cells(cells))), None) => cells.push(cell),
            (Some(_), _) => panic!("{path} is both a value and an object in the declaration"),
            (None, None) => self.members.push((name, Slot::Cells(vec![cell]))),
            (None, Some(rest)) => {
                let mut shape = Self::default();
                shape.add(rest, index, column);
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
                Slot::Cells(cells) => cells.iter().for_each(|(index, _)| visit(*index)),
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
                assert_eq!(cells.len(), 2);
            }
            assert!(
                shape
                    .slot(serde_json::from_str(r#""saleDate""#).unwrap(), &mut hint)
                    .is_none()
            );
        }
    }
}
