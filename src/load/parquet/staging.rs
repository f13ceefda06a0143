//! Rows of a row group that is not complete yet. A Parquet file holds its columns one after the
//! other; encoding all of them side by side would keep a compressor and a page of each in memory.
//! So rows wait in a file, column by column, and one column is encoded at a time. The file has no
//! name: it is gone when the program ends, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor};
use std::mem;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};

use crate::load::error::{Error, encode, storage};
use crate::schema::Table;

/// Working memory that is kept; almost all slices need less.
const KEPT: usize = 1 << 20;

/// More than a slice takes besides its values.
const ENVELOPE: usize = 4 << 10;

/// Staged rows of one table.
pub(super) struct Staging {
    file: File,
    path: PathBuf,
    table: &'static str,
    columns: Vec<StagedColumn>,
    rows: usize,
    bytes: u64,
    /// Working memory.
    buffer: Vec<u8>,
}

struct StagedColumn {
    schema: SchemaRef,
    slices: Vec<Extent>,
}

/// Where one slice of one column is in the file.
#[derive(Debug, Clone, Copy)]
struct Extent {
    offset: u64,
    length: usize,
}

impl Staging {
    /// An empty staging area for rows of this table. Its file has this path for an instant.
    pub(super) fn create(path: PathBuf, table: &Table) -> Result<Self, Error> {
        let file = unnamed_file(&path).map_err(storage("create the file", &path))?;
        let schema = table.arrow_schema();
        let columns = schema.fields().iter().map(|field| StagedColumn {
            schema: Arc::new(Schema::new(vec![Arc::clone(field)])),
            slices: Vec::new(),
        });
        let columns = columns.collect();
        Ok(Self {
            file,
            path,
            table: table.name,
            columns,
            rows: 0,
            bytes: 0,
            buffer: Vec::new(),
        })
    }

    /// How many rows wait.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes the longest column takes here.
    pub(super) fn longest_column(&self) -> usize {
        self.columns
            .iter()
            .map(|column| column.slices.iter().map(|place| place.length).sum())
            .max()
            .unwrap_or_default()
    }

    /// Appends the rows.
    pub(super) fn push(&mut self, slice: &RecordBatch) -> Result<(), Error> {
        for (column, array) in self.columns.iter_mut().zip(slice.columns()) {
            self.buffer = to_bytes(&column.schema, array, mem::take(&mut self.buffer))
                .map_err(encode(self.table))?;
            self.file
                .write_all_at(&self.buffer, self.bytes)
                .map_err(storage("write", &self.path))?;
            column.slices.push(Extent {
                offset: self.bytes,
                length: self.buffer.len(),
            });
            self.bytes += u64::try_from(self.buffer.len()).expect("usize fits in u64");
        }
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        self.rows += slice.num_rows();
        Ok(())
    }

    /// The columns in order, each as the slices in which it was pushed.
    pub(super) fn columns(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = Result<ArrayRef, Error>>> {
        self.columns
            .iter()
            .map(|column| column.slices.iter().map(|place| self.read(*place)))
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.columns
            .iter_mut()
            .for_each(|column| column.slices.clear());
        self.rows = 0;
        self.bytes = 0;
    }

    fn read(&self, place: Extent) -> Result<ArrayRef, Error> {
        let mut bytes = vec![0; place.length];
        self.file
            .read_exact_at(&mut bytes, place.offset)
            .map_err(storage("read", &self.path))?;
        from_bytes(bytes).map_err(encode(self.table))
    }
}

fn to_bytes(
    schema: &SchemaRef,
    array: &ArrayRef,
    mut buffer: Vec<u8>,
) -> Result<Vec<u8>, ArrowError> {
    buffer.clear();
    buffer.reserve_exact(array.to_data().get_slice_memory_size()? + ENVELOPE);
    let batch = RecordBatch::try_new(Arc::clone(schema), vec![Arc::clone(array)])?;
    let mut writer = StreamWriter::try_new(buffer, schema)?;
    writer.write(&batch)?;
    writer.into_inner()
}

fn from_bytes(bytes: Vec<u8>) -> Result<ArrayRef, ArrowError> {
    let batch = StreamReader::try_new(Cursor::new(bytes), None)?
        .next()
        .transpose()?;
    let array = batch.and_then(|batch| batch.columns().first().cloned());
    array.ok_or_else(|| ArrowError::IpcError("a staged slice without rows".to_owned()))
}

fn unnamed_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::TABLES;
    use arrow_array::new_null_array;
    use arrow_array::{Int64Array, StringArray};

    /// There is one of these for each table: what each kept would add up.
    #[test]
    fn of_a_large_slice_no_memory_is_kept() {
        let table = TABLES
            .iter()
            .find(|table| table.name == "contacts")
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut staging = Staging::create(folder.path().join("staging"), table).unwrap();
        let long = "x".repeat(4 * KEPT);
        let schema = table.arrow_schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "contact_id" => Arc::new(Int64Array::from(vec![7])),
                "name" | "extra" => Arc::new(StringArray::from(vec![long.as_str()])),
                _ => new_null_array(field.data_type(), 1),
            }
        });
        let slice = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap();
        staging.push(&slice).unwrap();
        assert!(staging.buffer.capacity() <= KEPT);
        assert!(staging.longest_column() > long.len());
    }
}
