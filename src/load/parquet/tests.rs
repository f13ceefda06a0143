//! What the footer says. Old readers have to open the file, which know the format's first column
//! order and encodings alone, and may skip rows by its minima and maxima.

use std::fs::File;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ColumnOrder, Encoding};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

use crate::load::Format;
use crate::load::create;
use crate::load::tests::generate::{AnyCell, batch, sorted_rows};
use crate::schema::{ColumnType, TABLES, Table, table};

/// A file with these values in every column of floats, and what its footer says.
fn footer(table: &'static Table, values: &[Option<f64>]) -> ParquetMetaData {
    let contact_ids: Vec<i64> = (1..).take(values.len()).collect();
    let mut rows = sorted_rows(table, &contact_ids);
    for (row, value) in rows.iter_mut().zip(values) {
        for (cell, column) in row.iter_mut().zip(table.columns.iter()) {
            if column.column_type == ColumnType::Float {
                *cell = value.map_or(AnyCell::Null, AnyCell::Float);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut writer = create(Format::Parquet, folder.path(), table, &[]).unwrap();
    writer.write(&batch(table, &rows)).unwrap();
    let report = writer.finish().unwrap();
    let file = File::open(folder.path().join(report.file)).unwrap();
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).unwrap();
    metadata.metadata().as_ref().clone()
}

#[test]
fn every_column_has_the_type_defined_order() {
    for table in TABLES {
        let footer = footer(table, &[Some(1.5)]);
        let orders = footer.file_metadata().column_orders().unwrap();
        assert_eq!(orders.len(), table.columns.len());
        for (order, column) in orders.iter().zip(table.columns.iter()) {
            assert!(
                matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_)),
                "{}.{}: {order:?}",
                table.name,
                column.name
            );
        }
    }
}

#[test]
fn there_is_no_encoding_and_no_index_that_a_reader_does_not_know() {
    for table in TABLES {
        let footer = footer(table, &[Some(1.5), None]);
        for column in footer.row_group(0).columns() {
            let place = format!("{}.{}", table.name, column.column_path());
            for encoding in column.encodings() {
                assert!(
                    matches!(
                        encoding,
                        Encoding::PLAIN | Encoding::RLE | Encoding::RLE_DICTIONARY
                    ),
                    "{place}: {encoding:?}"
                );
            }
            assert_eq!(column.column_index_offset(), None, "{place}");
            assert_eq!(column.offset_index_offset(), None, "{place}");
        }
    }
}

/// Either zero is written as the minimum −0.0 and as the maximum +0.0, as the format asks for.
#[test]
fn floats_have_the_statistics_of_the_type_defined_order() {
    const TINY: f64 = 5e-324;
    let sales = table("sales").unwrap();
    let amount = sales
        .columns
        .iter()
        .position(|column| column.name == "amount")
        .unwrap();
    for (values, least, greatest) in [
        (&[Some(2.5), None, Some(-1.5)][..], -1.5, 2.5),
        (&[Some(0.0), Some(1.0)], -0.0, 1.0),
        (&[Some(-1.0), Some(-0.0)], -1.0, 0.0),
        (&[Some(-0.0), None, None], -0.0, 0.0),
        (&[Some(0.0), Some(-0.0)], -0.0, 0.0),
        (&[Some(TINY), Some(-TINY)], -TINY, TINY),
        (&[Some(f64::MIN), Some(f64::MAX)], f64::MIN, f64::MAX),
    ] {
        let footer = footer(sales, values);
        let nulls = values.iter().filter(|value| value.is_none()).count();
        let Some(Statistics::Double(statistics)) = footer.row_group(0).column(amount).statistics()
        else {
            panic!("{values:?}: no statistics of floats");
        };
        let bits = |value: Option<&f64>| value.copied().map(f64::to_bits);
        assert_eq!(bits(statistics.min_opt()), bits(Some(&least)), "{values:?}");
        assert_eq!(
            bits(statistics.max_opt()),
            bits(Some(&greatest)),
            "{values:?}"
        );
        assert_eq!(statistics.null_count_opt(), u64::try_from(nulls).ok());
    }
}
