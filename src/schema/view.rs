//! The tables and columns as one job wants them. Whatever reads or writes an export takes its
//! columns from here, so that a job can have fewer of them than are declared: flattening, Arrow
//! schema, CSV header, `$select`, `views.sql`, and what `verify` expects to find. How the declared
//! ones look stands in `tables`.

use super::table::Table;
use super::tables::{OUTCOMES, data_tables};

/// The tables that a job exports, with the columns that it wants of each.
#[derive(Debug, Clone)]
pub struct View {
    data_tables: Vec<Table>,
    outcomes: Table,
}

impl View {
    /// Every table, as it is declared.
    pub fn all() -> Self {
        Self::of(data_tables().map(|table| table.name))
    }

    /// The data tables of these names, in the order of the declaration, and `outcomes`, which every
    /// export has. Other names are nobody's.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        Self {
            data_tables: data_tables()
                .filter(|table| names.contains(&table.name))
                .cloned()
                .collect(),
            outcomes: OUTCOMES.clone(),
        }
    }

    /// The tables that an answer fills.
    pub fn data_tables(&self) -> impl Iterator<Item = &Table> {
        self.data_tables.iter()
    }

    /// The table of how every target ended.
    pub fn outcomes(&self) -> &Table {
        &self.outcomes
    }

    /// All tables, `outcomes` last.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.data_tables.iter().chain([&self.outcomes])
    }

    /// The table of that name, where it is among them.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables().find(|table| table.name == name)
    }

    /// The value of `$select` that asks for just these tables; none where they are all wanted.
    ///
    /// Only root members are named: what `$select` does inside them is undocumented.
    pub fn select(&self) -> Option<String> {
        let members: Vec<_> = self.data_tables().filter_map(Table::root_member).collect();
        (members.len() < data_tables().count()).then(|| members.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_in_the_order_of_the_declaration_and_outcomes_always() {
        let cases: &[(&[&str], &[&str])] = &[
            (&[], &["outcomes"]),
            (
                &["sales", "persons", "contacts", "sales", "outcomes"],
                &["contacts", "sales", "outcomes"],
            ),
        ];
        for (names, expected) in cases {
            let view = View::of(names.iter().copied());
            let found: Vec<_> = view.tables().map(|table| table.name).collect();
            assert_eq!(found, *expected);
            assert_eq!(view.table("sales").is_some(), expected.contains(&"sales"));
        }
    }

    #[test]
    fn select_names_root_members_only_where_some_are_left_out() {
        let view = View::of(["sales", "contacts"]);
        assert_eq!(view.select().as_deref(), Some("Contact,Sales"));
        assert_eq!(View::all().select(), None);
    }
}
