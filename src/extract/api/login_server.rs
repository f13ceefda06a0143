//! One request to the login server, and whether it did its work. What its answers mean is left to
//! the schemes.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;

use crate::contact::Reason;
use crate::extract::api::body::Bounds;
use crate::extract::api::client::{NoReply, Reply, exchange};
use crate::extract::api::inspect::decode;
use crate::gzip::Unpacker;

/// A server did not do its work; it may later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Away {
    #[error("no answer came ({0})")]
    NoReply(Reason),
    #[error("its certificate is not accepted")]
    Untrusted,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("it answered with something else than was asked for")]
    Unreadable,
}

impl From<NoReply> for Away {
    fn from(no_reply: NoReply) -> Self {
        if no_reply.is_untrusted() {
            Self::Untrusted
        } else {
            Self::NoReply(no_reply.reason)
        }
    }
}

/// The login server of an environment.
#[derive(Debug, Clone)]
pub struct LoginServer {
    /// Sends the requests.
    pub http: reqwest::Client,
    /// What bounds its answers.
    pub bounds: Bounds,
    /// Its address, without a path below it.
    pub url: Url,
}

impl LoginServer {
    pub(in crate::extract) async fn get(&self, path: &str) -> Result<ServerAnswer, Away> {
        self.send(self.http.get(self.at(path))).await
    }

    pub(in crate::extract) async fn post(
        &self,
        path: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<ServerAnswer, Away> {
        self.send(
            self.http
                .post(self.at(path))
                .header(CONTENT_TYPE, content_type)
                .body(body),
        )
        .await
    }

    /// Sends a request; answers of a server, or a proxy before it, that cannot work now are no
    /// answers.
    pub(in crate::extract) async fn send(
        &self,
        request: RequestBuilder,
    ) -> Result<ServerAnswer, Away> {
        let reply = exchange(request.header(ACCEPT, "application/json"), &self.bounds).await;
        answer(&reply.map_err(Away::from)?)
    }

    /// The address of a page below it.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path().trim_end_matches('/')));
        url
    }
}

/// What a server that works has to say.
#[derive(Debug)]
pub struct ServerAnswer {
    /// The status: 2xx, or 4xx where the request is to blame.
    pub status: u16,
    body: bytes::Bytes,
}

impl ServerAnswer {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(
            self.body
                .strip_prefix(b"\xEF\xBB\xBF")
                .unwrap_or(&self.body),
        )
        .ok()
    }

    /// Whether the request was accepted.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    #[cfg(test)]
    pub(in crate::extract) fn new(status: u16, body: &str) -> Self {
        Self {
            status,
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        }
    }
}

fn answer(reply: &Reply) -> Result<ServerAnswer, Away> {
    let mut unpacker = Unpacker::default();
    let body = decode(reply, &mut unpacker).map_err(Away::NoReply)?;
    match reply.status {
        status @ (300..=399 | 408 | 429) => Err(Away::Status(status)),
        // Some services tell a refusal by 500; they say so in JSON.
        status @ 500.. if serde_json::from_slice::<serde_json::Map<_, _>>(body).is_err() => {
            Err(Away::Status(status))
        }
        status => Ok(ServerAnswer {
            status,
            body: bytes::Bytes::copy_from_slice(body),
        }),
    }
}
