//! The archives of the simulated API: one page of a table in slim JSON, `GET
//! {api}/v1/SimulatedArchive/{provider}`. What may be asked is read in `query`, which columns there are
//! stands in `columns`, and which rows in the database.

mod columns;
mod query;
mod refusal;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::database::{ContactRow, Database, OwnedRow};
use super::dice::{falls_into, generator};
use super::json::JsonText;
use super::zone::SimulatedZone;
use columns::{ColumnValue, SimulatedArchive, StoredRow};
use query::Query;
pub use refusal::ArchiveRefusal;
use refusal::NoPage;
pub use table::ArchiveTable;

/// How the archives behave.
#[derive(Debug, Clone)]
pub struct ArchiveSettings {
    /// The most rows of a page, whatever is asked for.
    pub page_maximum: usize,
    /// Share of the pages, 0 to 1, that are shorter although more rows follow.
    pub short_pages: f64,
    /// What the user may not see, by every provider.
    pub refused: BTreeMap<ArchiveTable, ArchiveRefusal>,
    /// Providers that are refused by name, such as `dynamic`, in small letters.
    pub refused_providers: BTreeMap<String, ArchiveRefusal>,
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        Self {
            page_maximum: 1000,
            short_pages: 0.0,
            refused: BTreeMap::new(),
            refused_providers: BTreeMap::new(),
        }
    }
}

/// The archives of one installation.
#[derive(Debug)]
pub(super) struct Archives {
    pub(super) settings: ArchiveSettings,
    /// Tables of Service are read in its time; all others are in UTC.
    pub(super) zone: SimulatedZone,
}

impl Archives {
    /// The JSON text of a page.
    pub(super) fn page(
        &self,
        database: &Database,
        provider: &str,
        pairs: &[(String, String)],
    ) -> Result<Vec<u8>, NoPage> {
        let refused_providers = &self.settings.refused_providers;
        if let Some(refusal) = refused_providers.get(&provider.to_ascii_lowercase()) {
            return Err(NoPage::Refused(*refusal));
        }
        let query = query::read(provider, pairs)?;
        if let Some(refusal) = self.settings.refused.get(&query.archive.table) {
            return Err(NoPage::Refused(*refusal));
        }
        let mut rows = self.rows(database, &query);
        if !query.is_sorted {
            // Nothing is promised then, and nobody shall rely on it.
            rows.reverse();
        }
        Ok(self.written(database, &query, &rows))
    }

    /// The rows of the page, in the order of their keys.
    fn rows(&self, database: &Database, query: &Query) -> Vec<StoredRow> {
        let mut most = query.top.min(self.settings.page_maximum);
        let place = u64::from_ne_bytes(query.after.to_ne_bytes());
        let mut rng = generator(database.seed(), place, 8);
        if most > 1 && falls_into(&mut rng, self.settings.short_pages) {
            most = rng.usize(1..most);
        }
        let mut rows = stored(database, query.archive, query.after, most);
        rows.retain(|row| {
            query
                .before
                .is_none_or(|before| row.key(query.archive) < before)
        });
        rows
    }

    fn written(&self, database: &Database, query: &Query, rows: &[StoredRow]) -> Vec<u8> {
        let archive = query.archive;
        let mut json = JsonText::with_capacity(128 * (rows.len() + 1));
        json.open('{')
            .text_member(
                "odata.metadata",
                "https://sandbox.example/api/v1/Archive/$metadata",
            )
            .raw_member("odata.nextLink", "null")
            .member("value")
            .open('[');
        for row in rows {
            json.open('{')
                .text_member("PrimaryKey", &row.key(archive).to_string())
                .text_member("EntityName", archive.entity);
            for (asked, content) in &query.columns {
                json.member(asked);
                match row.cell(*content, archive.table, database.seed()) {
                    ColumnValue::Number(number) => json.plain(number),
                    ColumnValue::Utc(moment) => json.plain(moment.bare(SimulatedZone::Utc)),
                    ColumnValue::Service(moment) => json.plain(moment.bare(self.zone)),
                    ColumnValue::Null => json.raw("null"),
                };
            }
            json.close('}');
        }
        json.close(']').close('}');
        json.into_bytes()
    }
}

/// The rows of an archive beyond a key.
fn stored(
    database: &Database,
    archive: &SimulatedArchive,
    after: i64,
    most: usize,
) -> Vec<StoredRow> {
    match archive.table.children() {
        None => {
            let rows: Vec<ContactRow> = database.contacts_after(after, most);
            rows.into_iter().map(StoredRow::Contact).collect()
        }
        Some(table) => {
            let rows: Vec<OwnedRow> = database.rows_after(table, after, most);
            rows.into_iter().map(StoredRow::Child).collect()
        }
    }
}
