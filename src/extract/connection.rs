//! The API as the fetcher sees it: client, login and the look into answers, on the real network. Decoding and checking
//! happen on a thread of their own, beside the one that talks to the network.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use tokio::sync::{mpsc, oneshot};

use super::client::{Client, NoReply, Reply};
use super::fetcher::Api;
use super::inspect::{Check, Content, inspect};
use crate::schema::ContactId;
use crate::schema::outcome::Reason;

/// Answers that may wait for a look.
const QUEUE: usize = 256;

/// A connection to the API.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    login: HeaderMap,
    logins: u64,
    inspector: Inspector,
}

impl Connection {
    /// A connection that logs its requests in with these headers.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn new(client: Client, login: HeaderMap, check: Arc<Check>) -> std::io::Result<Self> {
        Ok(Self { client, login, logins: 0, inspector: Inspector::start(check)? })
    }
}

impl Api for Connection {
    async fn attempt(&self, contact_id: ContactId) -> Result<Reply, NoReply> {
        self.client.attempt(contact_id, &self.login).await
    }

    async fn inspect(&self, contact_id: ContactId, reply: &Reply) -> Content {
        self.inspector.inspect(contact_id, reply).await
    }

    async fn renew_login(&self) -> bool {
        false
    }

    fn logins(&self) -> u64 {
        self.logins
    }
}

/// The thread that looks into answers.
#[derive(Debug)]
struct Inspector {
    queue: mpsc::Sender<(ContactId, Reply, oneshot::Sender<Content>)>,
}

impl Inspector {
    fn start(check: Arc<Check>) -> std::io::Result<Self> {
        let (queue, mut waiting) = mpsc::channel::<(ContactId, Reply, oneshot::Sender<Content>)>(QUEUE);
        std::thread::Builder::new().name("inspect".to_owned()).spawn(move || {
            while let Some((contact_id, reply, done)) = waiting.blocking_recv() {
                // Nobody waits for it any more where the run has ended.
                drop(done.send(inspect(contact_id, &reply, &*check)));
            }
        })?;
        Ok(Self { queue })
    }

    async fn inspect(&self, contact_id: ContactId, reply: &Reply) -> Content {
        let (done, content) = oneshot::channel();
        // A thread that is gone has panicked; the answer then counts as unusable, and the panic shows on stderr.
        if self.queue.send((contact_id, reply.clone(), done)).await.is_err() {
            return Content::Other(Reason::NotJson);
        }
        content.await.unwrap_or(Content::Other(Reason::NotJson))
    }
}
