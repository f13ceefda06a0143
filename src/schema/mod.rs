//! The declaration of every table and column, once. Arrow schema, CSV header, `$select`,
//! `TABLES.md`, DuckDB views and the bodies of property tests are derived from [`TABLES`], by way
//! of the [`View`] that a job has of them. Owns words and types; reads and writes nothing.

mod arrow;
pub mod docs;
mod policy;
pub mod sql;
mod table;
mod tables;
mod view;

pub use policy::{ExtraMembers, Measure, Policy, PolicyReport, Unfit};
pub use table::{Column, ColumnType, Table, Treatment};
pub use tables::{OUTCOMES, TABLES, data_tables, table};
pub use view::View;

pub(crate) use table::{CellSource, Encoding, Rows, TargetField};
pub(crate) use tables::{LEFT_OUT, MAX_ITEMS};

#[cfg(test)]
pub(crate) mod tests;
