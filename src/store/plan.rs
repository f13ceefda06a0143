//! The plan of a run: which targets have to be fetched, in which order. Which answers are fresh is
//! decided by `rules`.

use rusqlite::functions::FunctionFlags;
use rusqlite::params;

use super::known;
use super::rules::Terms;
use super::{Error, Store};
use crate::contact::{ContactId, Planned};

/// What has to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Different contacts asked for.
    pub targets: u64,
    /// Contacts whose stored answer is fresh.
    pub fresh: u64,
    /// Contacts to fetch.
    pub to_fetch: u64,
    /// Contacts among them of which no answer is kept that fits the question.
    pub unanswered: u64,
}

/// What was never asked for comes first, then what was attempted longest ago, failed or not, so
/// that contacts which always fail do not keep others waiting. An ending is always later than the
/// answer beside it. Runs come before clocks: a clock that was wrong for one night puts nothing
/// last for ever.
const ORDER: &str =
    "ifnull(e.run, r.run) NULLS FIRST, ifnull(e.ended_at, r.fetched_at), contact_id";

impl Store {
    /// Plans what has to be fetched on these terms.
    pub fn plan(&mut self, terms: &Terms) -> Result<Plan, Error> {
        self.prepare_plan(*terms)?;
        let columns = known::COLUMNS;
        self.transaction(|connection| {
            connection.execute("DELETE FROM plan", [])?;
            let sql = format!(
                "INSERT INTO plan (contact_id, has_failed)
                 SELECT contact_id, ifnull(e.outcome = 'failed', 0) FROM targets t
                 LEFT JOIN responses r USING (contact_id) LEFT JOIN endings e USING (contact_id)
                 WHERE NOT is_fresh({columns}) ORDER BY {ORDER}"
            );
            connection.execute(&sql, [])?;
            let unanswered = format!(
                "SELECT count(*) FROM plan p
                 LEFT JOIN responses r USING (contact_id) LEFT JOIN endings e USING (contact_id)
                 WHERE NOT is_answered({columns})"
            );
            let count = |sql: &str| {
                let count = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
                count.map(i64::unsigned_abs)
            };
            let targets = count("SELECT count(*) FROM targets")?;
            let to_fetch = count("SELECT count(*) FROM plan")?;
            Ok(Plan {
                targets,
                fresh: targets - to_fetch,
                to_fetch,
                unanswered: count(&unanswered)?,
            })
        })
    }

    /// Lets SQL ask the rules.
    fn prepare_plan(&self, terms: Terms) -> Result<(), Error> {
        let context = self.context(terms.question)?;
        let width = i32::try_from(known::WIDTH).expect("columns are few");
        // Not deterministic to SQLite, which then does not remember answers from one plan to the
        // next.
        let flags = FunctionFlags::SQLITE_UTF8;
        self.run(|connection| {
            let known = context.clone();
            connection.create_scalar_function("is_fresh", width, flags, move |row| {
                known.known(row, 0).map(|known| terms.is_fresh(known))
            })?;
            connection.create_scalar_function("is_answered", width, flags, move |row| {
                context.known(row, 0).map(|known| known.answer.is_some())
            })
        })
    }

    /// The next contacts of the plan, after so many.
    pub fn planned(&self, after: u64, at_most: u32) -> Result<Vec<Planned>, Error> {
        let sql = "SELECT contact_id, has_failed FROM plan
                   WHERE position > ?1 ORDER BY position LIMIT ?2";
        self.run(|connection| {
            let mut statement = connection.prepare(sql)?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let planned = statement.query_map(params![after, at_most], |row| {
                let failed_before = row.get(1)?;
                let planned = |contact_id| Planned {
                    contact_id,
                    failed_before,
                };
                Ok(ContactId::new(row.get(0)?).map(planned))
            })?;
            planned.filter_map(Result::transpose).collect()
        })
    }

    /// Contacts whose answers came last, to be asked for where it is doubtful that the server is
    /// there at all; none where nothing was ever answered under this question's login. One that was
    /// only tried since, as in an outage, will do where there is no other.
    pub fn known_good(&self, terms: &Terms, at_most: u32) -> Result<Vec<ContactId>, Error> {
        self.prepare_plan(*terms)?;
        let columns = known::COLUMNS;
        let sql = format!(
            "SELECT contact_id FROM responses r LEFT JOIN endings e USING (contact_id)
             WHERE is_answered({columns}) AND (e.contact_id IS NULL
                 OR e.outcome = 'pending' AND e.denied_by IS NULL)
             ORDER BY e.contact_id IS NOT NULL, r.run DESC, contact_id LIMIT ?1"
        );
        self.run(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let ids = statement.query_map([at_most], |row| row.get(0).map(ContactId::new))?;
            ids.filter_map(Result::transpose).collect()
        })
    }
}
