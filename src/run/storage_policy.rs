//! What of an answer is stored: what the job's policy does not keep is taken out before. Which
//! members are kept is the view's to say, and taking them out the flattener's.

use bytes::Bytes;

use crate::contact::{Answer, ContactId, KeptMembers};
use crate::error::Error;
use crate::flatten::Stripper;
use crate::gzip::{self, Unpacker};

/// No body is larger than this when unpacked; the client's bound is lower.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What of an answer is stored.
#[derive(Debug)]
pub(super) struct StoragePolicy {
    /// None where all of a body is kept.
    stripper: Option<Stripper>,
    keeps_messages: bool,
    unpacker: Unpacker,
}

impl StoragePolicy {
    pub(super) fn of(kept: &KeptMembers) -> Self {
        Self {
            stripper: Stripper::of(kept),
            keeps_messages: kept.keep_messages(),
            unpacker: Unpacker::default(),
        }
    }

    /// The answers as they are to be stored; none where they are to be stored as they are.
    pub(super) fn apply(
        &mut self,
        answers: &[Answer<Bytes>],
    ) -> Result<Option<Vec<Answer<Vec<u8>>>>, Error> {
        if self.stripper.is_none() {
            return Ok(None);
        }
        answers
            .iter()
            .map(|answer| self.strip(answer))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn strip(&mut self, answer: &Answer<Bytes>) -> Result<Answer<Vec<u8>>, Error> {
        let mut ending = answer.ending.clone();
        if !self.keeps_messages {
            ending.message = None;
        }
        let body = answer.body.as_deref();
        let body = body.map(|body| self.strip_body(answer.contact_id, body));
        Ok(Answer {
            contact_id: answer.contact_id,
            ending,
            // The client has looked into it: it is JSON.
            body: body.transpose()?,
        })
    }

    fn strip_body(&mut self, contact_id: ContactId, body: &[u8]) -> Result<Vec<u8>, Error> {
        let json = if body.starts_with(&gzip::MAGIC) {
            let unpacked = self.unpacker.unpack(body, MAX_BODY);
            unpacked.map_err(|_| Error::Defect)?
        } else {
            body
        };
        let stripper = self.stripper.as_ref().ok_or(Error::Defect)?;
        let kept = stripper.strip(contact_id, json).ok_or(Error::Defect)?;
        Ok(kept.into_bytes())
    }
}
