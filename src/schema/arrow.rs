//! The Arrow schema of a table.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::table::{CellSource, Column, ColumnType, Table, Treatment};

/// The time zone of every instant.
const UTC: &str = "UTC";

/// The key of a column's comment in the metadata of its field.
const COMMENT: &str = "comment";

impl Table {
    /// The Arrow schema: same columns, same order, every night.
    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                Field::new(
                    column.name,
                    column.column_type.arrow_type(),
                    self.is_nullable(column),
                )
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The same, with a comment on each column that the job treats.
    pub(crate) fn arrow_schema_with_comments(&self) -> SchemaRef {
        let schema = self.arrow_schema();
        let fields = schema.fields().iter().zip(self.columns.iter());
        let fields: Vec<_> = fields
            .map(|(field, column)| match column.treatment {
                Treatment::Kept => Field::clone(field),
                Treatment::Hashed | Treatment::Redacted => {
                    let comment = [(COMMENT.to_owned(), column.doc().into_owned())];
                    Field::clone(field).with_metadata(comment.into())
                }
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// Whether the job treats any column.
    pub(crate) fn has_treated_columns(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|column| column.treatment != Treatment::Kept)
    }

    /// Whether a cell of this column can be null. A rejected line in `outcomes` has no contact id.
    pub(crate) fn is_nullable(&self, column: &Column) -> bool {
        match column.source {
            CellSource::ContactId => self.root_member().is_none(),
            CellSource::Position => false,
            CellSource::Member(_) | CellSource::Target(_) | CellSource::Extra => true,
        }
    }
}

impl ColumnType {
    /// The Arrow type of the cells.
    pub(crate) fn arrow_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Text => DataType::Utf8,
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Date => DataType::Date32,
        }
    }
}
