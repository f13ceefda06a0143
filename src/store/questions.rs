//! The questions that stored answers were given to, each kept in full, and whose SuperOffice the
//! file belongs to. What a question is made of is the job's matter; no secret is part of one.

use std::collections::HashMap;

use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{Error, Store};
use crate::contact::{KeptMembers, Question};

/// Names a question in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuestionId(pub(super) i64);

/// Whether an output folder is this job's to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's yet.
    Nobody,
    /// This job's place.
    Same,
    /// The address that this job's place had before.
    Formerly,
}

const COLUMNS: &str =
    "question, place, login, item_limit, members, language, culture, zone, headers, kept";

impl Store {
    /// Whose the state is, where it is this place's.
    pub fn owner(&self, place: &str, formerly: Option<&str>) -> Result<Owner, Error> {
        match self.fact("place")? {
            None => Ok(Owner::Nobody),
            Some(stored) if stored == place => Ok(Owner::Same),
            Some(stored) if Some(stored.as_str()) == formerly => Ok(Owner::Formerly),
            // Such as an address that was mistyped and never answered.
            Some(_) if self.is_unused()? => Ok(Owner::Nobody),
            Some(stored) => Err(Error::OtherPlace {
                path: self.path.clone(),
                stored,
                asked: place.to_owned(),
            }),
        }
    }

    /// Whether there is nothing that another place could spoil.
    fn is_unused(&self) -> Result<bool, Error> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM responses)
            AND NOT EXISTS (SELECT 1 FROM runs WHERE state = 'published')";
        self.run(|connection| connection.query_row(sql, [], |row| row.get(0)))
    }

    /// Notes that the state is this place's; what was asked at its former address was asked of it.
    pub fn claim(&mut self, place: &str, formerly: Option<&str>) -> Result<(), Error> {
        let owner = self.owner(place, formerly)?;
        self.transaction(|connection| {
            if owner == Owner::Formerly {
                let sql = "UPDATE questions SET place = ?1 WHERE place = ?2";
                connection.execute(sql, params![place, formerly])?;
            }
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('place', ?1)", [place])?;
            Ok(())
        })
    }

    /// The zone that the installation named last as its own.
    pub fn zone_found(&self) -> Result<Option<String>, Error> {
        self.fact("zone")
    }

    /// Keeps the zone that the installation names as its own.
    pub fn keep_zone(&mut self, zone: &str) -> Result<(), Error> {
        self.transaction(|connection| {
            let sql = "INSERT OR REPLACE INTO facts VALUES ('zone', ?1)";
            connection.execute(sql, [zone]).map(drop)
        })
    }

    fn fact(&self, name: &str) -> Result<Option<String>, Error> {
        self.run(|connection| {
            let sql = "SELECT value FROM facts WHERE name = ?1";
            connection
                .query_row(sql, [name], |row| row.get(0))
                .optional()
        })
    }

    /// The name of this question, which it is given where it has none yet. Answers that an older
    /// program stored under a hash of this question become answers to it.
    pub fn question(&mut self, asked: &Question) -> Result<QuestionId, Error> {
        for asked_before in before_layout_2(asked) {
            self.adopt(&asked_before)?;
        }
        let known = self.questions()?;
        if let Some((id, _)) = known.into_iter().find(|(_, question)| question == asked) {
            return Ok(id);
        }
        self.transaction(|connection| {
            connection.execute(
                "INSERT INTO questions (place, login, item_limit, members, language, culture, zone,
                     headers, kept) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    asked.place,
                    asked.login,
                    asked.limit,
                    asked.members,
                    asked.language,
                    asked.culture,
                    asked.zone,
                    headers_as_text(asked),
                    kept_as_text(&asked.kept)
                ],
            )?;
            Ok(QuestionId(connection.last_insert_rowid()))
        })
    }

    /// Writes out in full a question that is known by its hash alone.
    fn adopt(&mut self, asked: &Question) -> Result<(), Error> {
        let key = layout_1_key(asked);
        let sql = "SELECT count(*) FROM questions WHERE layout_1_key = ?1";
        let is_known: i64 =
            self.run(|connection| connection.query_row(sql, [key], |row| row.get(0)))?;
        if is_known == 0 {
            return Ok(());
        }
        self.transaction(|connection| {
            connection
                .execute(
                    "UPDATE questions SET place = ?2, login = ?3, item_limit = ?4, members = ?5,
                         language = ?6, culture = ?7, zone = ?8, headers = ?9, layout_1_key = NULL
                     WHERE layout_1_key = ?1",
                    params![
                        key,
                        asked.place,
                        asked.login,
                        asked.limit,
                        asked.members,
                        asked.language,
                        asked.culture,
                        asked.zone,
                        headers_as_text(asked)
                    ],
                )
                .map(drop)
        })
    }

    /// Every question that is known in full.
    pub(super) fn questions(&self) -> Result<HashMap<QuestionId, Question>, Error> {
        self.run(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM questions WHERE place IS NOT NULL");
            let mut statement = connection.prepare(&sql)?;
            let questions = statement.query_map([], question)?;
            questions.collect()
        })
    }
}

fn question(row: &Row<'_>) -> rusqlite::Result<(QuestionId, Question)> {
    let headers = from_text(8, &row.get::<_, String>(8)?)?;
    let question = Question {
        place: row.get(1)?,
        login: row.get(2)?,
        limit: row.get(3)?,
        members: row.get(4)?,
        language: row.get(5)?,
        culture: row.get(6)?,
        zone: row.get(7)?,
        headers,
        kept: from_text(9, &row.get::<_, String>(9)?)?,
    };
    Ok((QuestionId(row.get(0)?), question))
}

/// What the JSON of this column says.
pub(super) fn from_text<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

pub(super) fn kept_as_text(kept: &KeptMembers) -> String {
    serde_json::to_string(kept).expect("texts become JSON")
}

fn headers_as_text(question: &Question) -> String {
    serde_json::to_string(&question.headers).expect("texts become JSON")
}

/// The questions that a program of layout 1 asked where this job asks this one: its zone was UTC
/// unless the job named one.
fn before_layout_2(asked: &Question) -> [Question; 2] {
    let zone = "UTC".to_owned();
    let in_utc = Question {
        zone,
        ..asked.clone()
    };
    [asked.clone(), in_utc]
}

/// How layout 1 named a question.
fn layout_1_key(question: &Question) -> i64 {
    let mut hash = Sha256::new();
    let parts = [
        question.place.as_str(),
        &question.limit.to_string(),
        question.members.as_deref().unwrap_or_default(),
        &question.language,
        question.culture.as_deref().unwrap_or_default(),
        &question.zone,
    ];
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let first = hash.finalize().first_chunk().copied();
    first.map(i64::from_be_bytes).unwrap_or_default()
}
