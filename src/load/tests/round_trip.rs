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
use arrow_array::RecordBatch;
use jiff::civil;
use proptest::prelude::*;

use super::generate::{AnyCell, Row, batch, row, rows_of, some_rows};
use crate::load::error::Error;
use crate::load::file::{FileReport, digest};
use crate::load::format::{Format, create, open};

use crate::schema::{Column, ColumnType, OUTCOMES, TABLES, Table, table};

/// Writes the rows, which are cut into batches already.
fn write<'r>(
    format: Format,
    folder: &Path,
    table: &Table,
    batches: impl IntoIterator<Item = &'r [Row]>,
) -> FileReport {
    let mut writer = create(format, folder, table, &metadata()).unwrap();
    for rows in batches {
        writer.write(&batch(table, rows)).unwrap();
    }
    writer.finish().unwrap()
}

fn metadata() -> [(String, String); 1] {
    [("job".to_owned(), "nightly".to_owned())]
}

/// What the reader gives back of these columns, all of it.
fn read(
    format: Format,
    folder: &Path,
    table: &Table,
    wanted: fn(&Column) -> bool,
) -> Vec<RecordBatch> {
    let path = folder.join(format.file_name(table));
    let mut reader = open(format, &path, table, wanted).unwrap();
    std::iter::from_fn(|| reader.read().unwrap()).collect()
}

/// All cells of a file, read without this program's reader.
fn read_otherwise(format: Format, folder: &Path, table: &Table) -> Vec<Row> {
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
        Format::Csv { .. } => {
            let mut reader = ReaderBuilder::new().from_path(path).unwrap();
            let declared = table.columns.iter().map(|column| column.name);
            assert!(reader.headers().unwrap().iter().eq(declared));
            let typed = |record: ::csv::StringRecord| {
                let fields = table.columns.iter().zip(&record);
                fields
                    .map(|(column, field)| parse(column.column_type, without_guard(column, field)))
                    .collect()
            };
            reader
                .records()
                .map(|record| typed(record.unwrap()))
                .collect()
        }
    }
}

fn parse(column_type: ColumnType, field: &str) -> AnyCell {
    let epoch = civil::date(1970, 1, 1);
    match column_type {
        _ if field.is_empty() => AnyCell::Null,
        ColumnType::Integer => AnyCell::Integer(field.parse().unwrap()),
        ColumnType::Float => AnyCell::Float(field.parse().unwrap()),
        ColumnType::Boolean => AnyCell::Boolean(field.parse().unwrap()),
        ColumnType::Text => AnyCell::Text(field.to_owned()),
        ColumnType::Instant => {
            let civil: civil::DateTime = field.strip_suffix('Z').unwrap().parse().unwrap();
            AnyCell::Instant(
                i64::try_from(civil.duration_since(epoch.at(0, 0, 0, 0)).as_micros()).unwrap(),
            )
        }
        ColumnType::Date => {
            let day: civil::Date = field.parse().unwrap();
            AnyCell::Date(i32::try_from(day.duration_since(epoch).as_hours() / 24).unwrap())
        }
    }
}

/// The text of a field as it was before it was kept from being run as a formula.
fn without_guard<'f>(column: &Column, field: &'f str) -> &'f str {
    let is_text = column.column_type == ColumnType::Text;
    field
        .strip_prefix('\'')
        .filter(|_| is_text)
        .unwrap_or(field)
}

/// What the format keeps of the rows: CSV has one empty field for null and for empty text.
fn kept(format: Format, mut rows: Vec<Row>) -> Vec<Row> {
    let empty = AnyCell::Text(String::new());
    if matches!(format, Format::Csv { .. }) {
        rows.iter_mut()
            .flatten()
            .filter(|cell| **cell == empty)
            .for_each(|cell| *cell = AnyCell::Null);
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
    fn what_is_written_reads_back(
        (table, rows) in any_table_and_rows(),
        rows_per_batch in 1..8_usize,
    ) {
        for format in Format::ALL {
            let folder = tempfile::tempdir().unwrap();
            let report = write(*format, folder.path(), table, rows.chunks(rows_per_batch));
            prop_assert_eq!(usize::try_from(report.rows).unwrap(), rows.len());
            let written = digest(&folder.path().join(&report.file)).unwrap();
            prop_assert_eq!(written, report.digest());
            let kept = kept(*format, rows.clone());
            prop_assert_eq!(&read_otherwise(*format, folder.path(), table), &kept);
            let read = read(*format, folder.path(), table, |_| true);
            let read: Vec<_> = read.iter().flat_map(|batch| rows_of(table, batch)).collect();
            prop_assert_eq!(read, kept);
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
                write(*format, folder.path(), table, rows.chunks(rows_per_batch))
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
fn what_is_read_writes_the_same_bytes_again() {
    for table in TABLES {
        let rows: Vec<Row> = some_rows(table, 50)
            .into_iter()
            .cycle()
            .take(9_000)
            .collect();
        for format in Format::ALL {
            let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let report = write(*format, folders[0].path(), table, rows.chunks(700));
            let mut writer = create(*format, folders[1].path(), table, &metadata()).unwrap();
            for batch in read(*format, folders[0].path(), table, |_| true) {
                writer.write(&batch).unwrap();
            }
            assert_eq!(
                writer.finish().unwrap(),
                report,
                "{} {format:?}",
                table.name
            );
        }
    }
}

#[test]
fn only_the_columns_that_are_wanted_are_read() {
    let sales = table("sales").unwrap();
    let rows = some_rows(sales, 20);
    let wanted = |column: &Column| ["position", "sale_day"].contains(&column.name);
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        write(*format, folder.path(), sales, rows.chunks(20));
        let all = read(*format, folder.path(), sales, |_| true);
        let some = read(*format, folder.path(), sales, wanted);
        assert_eq!(some.len(), 1);
        let places = [1, 4].map(|place| sales.columns[place].name);
        assert_eq!(places, ["position", "sale_day"]);
        assert_eq!(some[0], all[0].project(&[1, 4]).unwrap(), "{format:?}");
        let none = read(*format, folder.path(), sales, |_| false);
        assert_eq!((none[0].num_columns(), none[0].num_rows()), (0, 20));
    }
}

#[test]
fn long_rows_make_short_batches() {
    let mut row = some_rows(OUTCOMES, 1).remove(0);
    row[2] = AnyCell::Text("x".repeat(1 << 20));
    let rows = vec![row; 20];
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        write(*format, folder.path(), OUTCOMES, rows.chunks(1));
        let batches = read(*format, folder.path(), OUTCOMES, |_| true);
        let most = batches.iter().map(RecordBatch::num_rows).max();
        assert!(most.unwrap() <= 5, "{format:?}: {most:?} rows of 1 MiB");
        let short = read(*format, folder.path(), OUTCOMES, |column| {
            column.name == "input_line"
        });
        assert!(
            short.len() < batches.len(),
            "{format:?}: what is not read counts nothing"
        );
    }
}

#[test]
fn rows_before_a_fault_are_read() {
    let chats = table("chats").unwrap();
    let name = |column: &Column| ["contact_id", "when_ended"].contains(&column.name);
    let cases = ["x,1,,,,,,,,", ",1,,,,,,,,", "3,1,,,,,,,soon,", "3,1"];
    for fault in cases {
        let folder = tempfile::tempdir().unwrap();
        let report = write(
            Format::SAFE_CSV,
            folder.path(),
            chats,
            [&some_rows(chats, 3)[..]],
        );
        let path = folder.path().join(report.file);
        let text = std::fs::read_to_string(&path).unwrap() + fault + "\n";
        std::fs::write(&path, text).unwrap();
        let mut reader = open(Format::SAFE_CSV, &path, chats, name).unwrap();
        assert_eq!(reader.read().unwrap().unwrap().num_rows(), 3, "{fault}");
        let error = reader.read().unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{fault}: {error}");
    }
}

#[test]
fn a_file_of_another_table_is_told_from_one_that_cannot_be_read() {
    let [sales, chats] = ["sales", "chats"].map(|name| table(name).unwrap());
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let report = write(*format, folder.path(), sales, []);
        let path = folder.path().join(report.file);
        let open = |table| open(*format, &path, table, |_| true).err();
        assert!(open(sales).is_none());
        assert!(matches!(open(chats), Some(Error::OtherColumns { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(open(sales).unwrap(), Error::Storage { .. }));
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
    let report = write(Format::Parquet, folder.path(), OUTCOMES, rows.chunks(4000));
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
        [&some_rows(tickets, 30)[..]],
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
            matches!(error, Error::Storage { .. })
                && error.to_string().contains("/nonexistent/folder/outcomes."),
            "{error}"
        );
    }
}
