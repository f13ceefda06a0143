//! One suite for both formats: what is written reads back equal, and does not depend on how the
//! rows were cut.

use std::fs::File;
use std::path::Path;

use ::csv::ReaderBuilder;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::file::metadata::RowGroupMetaData;
use jiff::civil;
use proptest::prelude::*;

use super::Error;
use super::file::digest;
use super::generate::{Cell, Row, batch, row, rows_of, some_rows};
use super::writer::Format;
use super::{FileReport, create};
use crate::schema::{ColumnType, OUTCOMES, TABLES, Table, table};

fn write(
    format: Format,
    folder: &Path,
    table: &'static Table,
    rows: &[Row],
    rows_per_batch: usize,
) -> FileReport {
    let mut writer = create(
        format,
        folder,
        table,
        &[("job".to_owned(), "nightly".to_owned())],
    )
    .unwrap();
    for rows in rows.chunks(rows_per_batch) {
        writer.write(&batch(table, rows)).unwrap();
    }
    writer.finish().unwrap()
}

fn read(format: Format, folder: &Path, table: &'static Table) -> Vec<Row> {
    let path = folder.join(format.file_name(table));
    match format {
        Format::Parquet => {
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
            assert_eq!(reader.schema().fields(), table.arrow_schema().fields());
            reader
                .build()
                .unwrap()
                .flat_map(|batch| rows_of(table, &batch.unwrap()))
                .collect()
        }
        Format::Csv => {
            let mut reader = ReaderBuilder::new().from_path(path).unwrap();
            assert!(
                reader
                    .headers()
                    .unwrap()
                    .iter()
                    .eq(table.columns.iter().map(|column| column.name))
            );
            let typed = |record: ::csv::StringRecord| {
                table
                    .columns
                    .iter()
                    .zip(&record)
                    .map(|(c, field)| parse(c.column_type, field))
                    .collect()
            };
            reader
                .records()
                .map(|record| typed(record.unwrap()))
                .collect()
        }
    }
}

fn parse(column_type: ColumnType, field: &str) -> Cell {
    let epoch = civil::date(1970, 1, 1);
    match column_type {
        _ if field.is_empty() => Cell::Null,
        ColumnType::Integer => Cell::Integer(field.parse().unwrap()),
        ColumnType::Float => Cell::Float(field.parse().unwrap()),
        ColumnType::Boolean => Cell::Boolean(field.parse().unwrap()),
        ColumnType::Text => Cell::Text(field.to_owned()),
        ColumnType::Instant => {
            let civil: civil::DateTime = field.strip_suffix('Z').unwrap().parse().unwrap();
            Cell::Instant(
                i64::try_from(civil.duration_since(epoch.at(0, 0, 0, 0)).as_micros()).unwrap(),
            )
        }
        ColumnType::Date => {
            let day: civil::Date = field.parse().unwrap();
            Cell::Date(i32::try_from(day.duration_since(epoch).as_hours() / 24).unwrap())
        }
    }
}

/// What the format keeps of the rows: CSV has one empty field for null and for empty text.
fn kept(format: Format, mut rows: Vec<Row>) -> Vec<Row> {
    let empty = Cell::Text(String::new());
    if format == Format::Csv {
        rows.iter_mut()
            .flatten()
            .filter(|cell| **cell == empty)
            .for_each(|cell| *cell = Cell::Null);
    }
    rows
}

fn any_table_and_rows() -> impl Strategy<Value = (&'static Table, Vec<Row>)> {
    let tables: Vec<&'static Table> = TABLES.iter().collect();
    prop::sample::select(tables)
        .prop_flat_map(|table| (Just(table), prop::collection::vec(row(table), 0..8)))
}

proptest! {
    #[test]
    fn what_is_written_reads_back((table, rows) in any_table_and_rows(), rows_per_batch in 1..8_usize) {
        for format in Format::ALL {
            let folder = tempfile::tempdir().unwrap();
            let report = write(*format, folder.path(), table, &rows, rows_per_batch);
            prop_assert_eq!(usize::try_from(report.rows).unwrap(), rows.len());
            prop_assert_eq!(digest(&folder.path().join(&report.file)).unwrap(), (report.bytes, report.sha256));
            prop_assert_eq!(read(*format, folder.path(), table), kept(*format, rows.clone()));
        }
    }
}

#[test]
fn bytes_do_not_depend_on_how_the_rows_are_cut() {
    for table in TABLES {
        let rows: Vec<Row> = some_rows(table, 50)
            .into_iter()
            .cycle()
            .take(2500)
            .collect();
        for format in Format::ALL {
            let reports = [1, 7, 1000, 1024, 2500].map(|rows_per_batch| {
                let folder = tempfile::tempdir().unwrap();
                write(*format, folder.path(), table, &rows, rows_per_batch)
            });
            assert!(
                reports.iter().all(|report| *report == reports[0]),
                "{} {format:?}",
                table.name
            );
        }
    }
}

#[test]
fn a_row_group_is_full_before_the_next_begins() {
    let rows: Vec<Row> = some_rows(OUTCOMES, 10)
        .into_iter()
        .cycle()
        .take(130_000)
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let report = write(Format::Parquet, folder.path(), OUTCOMES, &rows, 4000);
    let file = File::open(folder.path().join(report.file)).unwrap();
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).unwrap();
    let groups: Vec<_> = metadata
        .metadata()
        .row_groups()
        .iter()
        .map(RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(groups, [122_880, 7_120]);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing but the file is left"
    );
}

#[test]
fn a_file_says_how_it_is_sorted_encoded_and_made() {
    let folder = tempfile::tempdir().unwrap();
    let tickets = table("tickets").unwrap();
    let report = write(
        Format::Parquet,
        folder.path(),
        tickets,
        &some_rows(tickets, 30),
        30,
    );
    let file = File::open(folder.path().join(report.file)).unwrap();
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).unwrap();
    let group = metadata.metadata().row_group(0);
    let sorted: Vec<_> = group
        .sorting_columns()
        .unwrap()
        .iter()
        .map(|column| (column.column_idx, column.nulls_first))
        .collect();
    assert_eq!(sorted, [(0, false), (1, false)]);
    assert!(matches!(
        group.column(0).compression(),
        Compression::ZSTD(_)
    ));
    let encodings = |column: usize| group.column(column).encodings().collect::<Vec<_>>();
    assert!(
        !encodings(0).contains(&Encoding::RLE_DICTIONARY),
        "contact_id"
    );
    assert!(encodings(1).contains(&Encoding::RLE_DICTIONARY), "position");
    assert!(encodings(4).contains(&Encoding::RLE_DICTIONARY), "title");
    assert!(
        group
            .columns()
            .iter()
            .all(|column| column.statistics().is_some())
    );
    let file = metadata.metadata().file_metadata();
    assert_eq!(
        file.created_by(),
        Some(concat!("superoffice-export ", env!("CARGO_PKG_VERSION")))
    );
    let job = file
        .key_value_metadata()
        .unwrap()
        .iter()
        .find(|pair| pair.key == "job")
        .unwrap();
    assert_eq!(job.value.as_deref(), Some("nightly"));
}

#[test]
fn rows_of_another_table_are_refused() {
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = create(*format, folder.path(), OUTCOMES, &[]).unwrap();
        let other = table("sales").unwrap();
        let error = writer
            .write(&batch(other, &some_rows(other, 1)))
            .unwrap_err();
        assert!(
            matches!(error, Error::Columns { table: "outcomes" }),
            "{format:?}"
        );
    }
}

#[test]
fn a_missing_folder_is_a_storage_error() {
    for format in Format::ALL {
        let error = create(*format, Path::new("/nonexistent/folder"), OUTCOMES, &[])
            .err()
            .unwrap();
        assert!(
            error.is_storage() && error.to_string().contains("/nonexistent/folder/outcomes."),
            "{error}"
        );
    }
}
