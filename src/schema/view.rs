//! The tables and columns as one job wants them. Whatever reads or writes an export takes its
//! columns from here, so that a job can have fewer of them than are declared: flattening, Arrow
//! schema, CSV header, `$select`, `views.sql`, and what `verify` expects to find. How the declared
//! ones look stands in `tables`.

use std::collections::BTreeSet;

use super::policy::{ExtraMembers, Policy};
use super::table::{CellSource, Column, Rows, Table, TargetField, Treatment};
use super::tables::{OUTCOMES, data_tables};
use crate::contact::KeptMembers;

/// The tables that a job exports, with the columns that it wants of each.
#[derive(Debug, Clone)]
pub struct View {
    data_tables: Vec<Table>,
    outcomes: Table,
    policy: Policy,
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
            policy: Policy::default(),
        }
    }

    /// The same tables under this policy.
    #[must_use]
    pub fn under(self, policy: &Policy) -> Self {
        if policy.is_empty() {
            return self;
        }
        let tables = self.data_tables.iter();
        Self {
            data_tables: tables.map(|table| policy.apply(table)).collect(),
            outcomes: policy.apply(&self.outcomes),
            policy: policy.clone(),
        }
    }

    /// The policy that they are under.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The members of an answer that are kept: all of them, or, where there is a policy, those that
    /// a column needs and, unless `extra` is dropped, those that this program does not know.
    pub fn members(&self) -> KeptMembers {
        if self.policy.is_empty() {
            return KeptMembers::all();
        }
        let needed = self.needed();
        match self.policy.extra() {
            ExtraMembers::Drop => KeptMembers::Only(needed),
            ExtraMembers::Keep => KeptMembers::AllBut(self.unneeded(&needed)),
        }
    }

    /// Whether what the API says of a failure is wanted.
    fn needs_message(&self) -> bool {
        let mut columns = self.outcomes.columns.iter();
        columns.any(|column| {
            column.source == CellSource::Target(TargetField::Message)
                && column.treatment != Treatment::Redacted
        })
    }

    /// The members that columns need, and those that hold the rows.
    fn needed(&self) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        for table in self.data_tables() {
            let root = table.root_member().unwrap_or_default();
            needed.insert(root.to_owned());
            let columns = table.columns.iter();
            let members = columns
                .filter(|column| column.treatment != Treatment::Redacted)
                .filter_map(Column::member);
            needed.extend(members.map(|path| format!("{root}/{path}")));
            if matches!(table.rows, Rows::Object(_)) {
                // Which contact it is, that the answer is compared with the one asked for.
                needed.insert(format!("{root}/ContactId"));
            }
        }
        if self.needs_message() {
            needed.insert(KeptMembers::MESSAGE.to_owned());
        }
        needed
    }

    /// The members that are declared, and that nothing needs.
    fn unneeded(&self, needed: &BTreeSet<String>) -> BTreeSet<String> {
        let mut unneeded = BTreeSet::new();
        for table in data_tables() {
            let root = table.root_member().unwrap_or_default();
            if self.table(table.name).is_none() {
                unneeded.insert(root.to_owned());
                continue;
            }
            let members = table.columns.iter().filter_map(Column::member);
            unneeded.extend(members.map(|path| format!("{root}/{path}")));
        }
        if !self.needs_message() {
            unneeded.insert(KeptMembers::MESSAGE.to_owned());
        }
        unneeded.difference(needed).cloned().collect()
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

    /// What is shown as it is here, and in the other view is not, as `table.column`. Of a table that
    /// is not there at all only the name is told; columns that neither view knows are not compared.
    pub(crate) fn shown_but_not_in(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for table in self.tables() {
            let Some(now) = other.table(table.name) else {
                names.push(table.name.to_owned());
                continue;
            };
            for column in table.columns.iter() {
                let is_shown = |table: &Table| {
                    let mut columns = table.columns.iter();
                    columns.any(|other| {
                        other.name == column.name && other.treatment == Treatment::Kept
                    })
                };
                if is_shown(table) && !is_shown(now) {
                    // `extra` goes from all tables at once.
                    let is_extra = column.source == CellSource::Extra;
                    let of_table = if is_extra { "*" } else { table.name };
                    names.push(format!("{of_table}.{}", column.name));
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
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
