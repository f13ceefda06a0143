//! Reads what a run published, as rows of JSON cells whatever the format. Says nothing of whether
//! it is right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use jiff::{SignedDuration, civil};
use serde_json::Value;
use superoffice_export::load::{self, Format};
use superoffice_export::schema::{Policy, PolicyReport, TABLES, View};

/// A row: cells by column.
pub(crate) type Row = serde_json::Map<String, Value>;

/// A published export.
pub(crate) struct Export {
    /// Its folder.
    pub(crate) folder: PathBuf,
}

impl Export {
    /// The export in this folder, or behind this link.
    pub(crate) fn open(folder: &Path) -> Self {
        Self {
            folder: std::fs::canonicalize(folder).unwrap(),
        }
    }

    /// The names of its files.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// `manifest.json`.
    pub(crate) fn manifest(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.join("manifest.json")).unwrap()).unwrap()
    }

    /// The tables as the job's policy leaves them.
    fn view(&self) -> View {
        let report = serde_json::from_value(self.manifest()["privacy"].clone()).unwrap();
        let report: Option<PolicyReport> = report;
        let view = View::all();
        report.map_or(view.clone(), |report| {
            view.under(&Policy::of_report(&report))
        })
    }

    /// The rows of a table, from whichever format it has.
    pub(crate) fn rows(&self, table: &str) -> Vec<Row> {
        let view = self.view();
        let table = view.table(table).unwrap();
        let mut files = Format::ALL
            .iter()
            .map(|format| (*format, self.folder.join(format.file_name(table))));
        let (format, path) = files
            .find(|(_, path)| path.exists())
            .unwrap_or_else(|| panic!("{} has no file", table.name));
        let mut reader = load::open(format, &path, table, |_| true).unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = reader.read().unwrap() {
            rows.extend((0..batch.num_rows()).map(|row| row_of(&batch, row)));
        }
        rows
    }

    /// The cells of a column, by the columns that the job's policy leaves.
    pub(crate) fn cells_of(&self, table: &str, column: &str) -> Vec<Value> {
        let rows = self.rows(table);
        rows.into_iter().map(|row| row[column].clone()).collect()
    }

    /// How a target ended, in words: `failed http_status 400 after 1: Message`, with `-` for null.
    pub(crate) fn outcome(&self, contact_id: i64) -> String {
        let row = self.outcome_row(contact_id);
        let word = |column: &str| match &row[column] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let message = if row["message"].is_null() {
            String::new()
        } else {
            format!(": {}", word("message"))
        };
        format!(
            "{} {} {} after {}{message}",
            word("outcome"),
            word("error"),
            word("http_status"),
            word("attempts")
        )
    }

    /// The row of a target in `outcomes`.
    pub(crate) fn outcome_row(&self, contact_id: i64) -> Row {
        let mut rows = self
            .rows("outcomes")
            .into_iter()
            .filter(|row| row["contact_id"] == contact_id);
        let row = rows
            .next()
            .unwrap_or_else(|| panic!("contact {contact_id} is not in outcomes"));
        assert_eq!(
            rows.next(),
            None,
            "contact {contact_id} is in outcomes twice"
        );
        row
    }

    /// The cells of every table that are not null, empty texts taken for null as CSV takes them.
    pub(crate) fn cells(&self) -> BTreeMap<&'static str, Vec<Row>> {
        let full = |row: Row| {
            row.into_iter()
                .filter(|(_, cell)| !cell.is_null() && cell != "")
                .collect()
        };
        TABLES
            .iter()
            .map(|table| {
                (
                    table.name,
                    self.rows(table.name).into_iter().map(full).collect(),
                )
            })
            .collect()
    }

    /// The bytes of the tables that are a function of the answers: all but `outcomes`.
    pub(crate) fn bytes_of_tables(&self) -> BTreeMap<String, Vec<u8>> {
        let is_table = |name: &String| {
            TABLES
                .iter()
                .any(|table| name.split('.').next() == Some(table.name))
        };
        let names = self
            .files()
            .into_iter()
            .filter(is_table)
            .filter(|name| !name.starts_with("outcomes."));
        names
            .map(|name| {
                (
                    name.clone(),
                    std::fs::read(self.folder.join(&name)).unwrap(),
                )
            })
            .collect()
    }
}

fn row_of(batch: &RecordBatch, row: usize) -> Row {
    use arrow_array::Array as _;

    let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    let cell = |array: &arrow_array::ArrayRef| -> Value {
        if array.is_null(row) {
            Value::Null
        } else if let Some(array) = array.as_primitive_opt::<Int64Type>() {
            array.value(row).into()
        } else if let Some(array) = array.as_primitive_opt::<Float64Type>() {
            array.value(row).into()
        } else if let Some(array) = array.as_boolean_opt() {
            array.value(row).into()
        } else if let Some(array) = array.as_primitive_opt::<TimestampMicrosecondType>() {
            instant(epoch.saturating_add(SignedDuration::from_micros(array.value(row)))).into()
        } else if let Some(array) = array.as_primitive_opt::<Date32Type>() {
            epoch
                .date()
                .saturating_add(SignedDuration::from_hours(24 * i64::from(array.value(row))))
                .to_string()
                .into()
        } else {
            array.as_string::<i32>().value(row).into()
        }
    };
    let schema = batch.schema();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| (field.name().clone(), cell(array)))
        .collect()
}

/// An instant in the shortest form, up to the last second of the year 9999.
fn instant(utc: civil::DateTime) -> String {
    format!("{utc}Z")
}
