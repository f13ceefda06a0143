//! The queue of final answers on their way to the store, bounded by their number and by the bytes
//! of their bodies.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use crate::contact::Answer;

/// Bytes of bodies that may wait until they are stored. One that is larger waits alone.
const ROOM: u32 = 8 << 20;

/// A queue for so many answers.
pub fn queue(answers: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(answers);
    let room = Arc::new(Semaphore::new(usize::try_from(ROOM).unwrap_or(usize::MAX)));
    (
        Sender {
            answers: sender,
            room: Arc::clone(&room),
        },
        Receiver {
            answers: receiver,
            room,
        },
    )
}

/// Where the fetcher puts answers.
#[derive(Debug)]
pub struct Sender {
    answers: mpsc::Sender<Answer<Bytes>>,
    room: Arc<Semaphore>,
}

/// Nobody takes answers any more.
#[derive(Debug)]
pub struct QueueClosed;

impl Sender {
    /// Hands an answer on, as soon as there is room for it.
    ///
    /// # Errors
    /// Where nobody takes it.
    pub async fn send(&self, answer: Answer<Bytes>) -> Result<(), QueueClosed> {
        let room = self
            .room
            .acquire_many(room_for(answer.body.as_ref()))
            .await
            .map_err(|_| QueueClosed)?;
        self.answers.send(answer).await.map_err(|_| QueueClosed)?;
        room.forget();
        Ok(())
    }

    /// Whether nobody takes answers any more.
    pub fn is_closed(&self) -> bool {
        self.answers.is_closed()
    }
}

/// Where the store takes them from.
#[derive(Debug)]
pub struct Receiver {
    answers: mpsc::Receiver<Answer<Bytes>>,
    room: Arc<Semaphore>,
}

impl Receiver {
    /// Takes what waits, at most so many, and waits for one where none does; nothing at the end.
    pub async fn receive(&mut self, at_most: usize) -> Vec<Answer<Bytes>> {
        let mut answers = Vec::new();
        self.answers.recv_many(&mut answers, at_most).await;
        answers
    }

    /// Gives back the room of an answer that is stored.
    pub fn stored(&self, body: Option<&Bytes>) {
        self.room
            .add_permits(usize::try_from(room_for(body)).unwrap_or_default());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.room.close();
    }
}

fn room_for(body: Option<&Bytes>) -> u32 {
    body.map_or(0, |body| {
        u32::try_from(body.len()).unwrap_or(ROOM).min(ROOM)
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::contact::ContactId;
    use crate::contact::{Ending, Outcome};

    fn answer(length: u32) -> Answer<Bytes> {
        let ending = Ending {
            outcome: Outcome::Exported,
            http_status: None,
            attempts: 1,
            error: None,
            message: None,
            fetched_at: None,
        };
        let body = Some(vec![0; usize::try_from(length).unwrap()].into());
        Answer {
            contact_id: ContactId::new(1).unwrap(),
            ending,
            body,
        }
    }

    #[tokio::test]
    async fn bodies_wait_for_room_until_others_are_stored() {
        let (sender, mut receiver) = queue(100);
        sender.send(answer(ROOM - 5)).await.unwrap();
        sender.send(answer(5)).await.unwrap();
        assert!(
            sender.send(answer(1)).now_or_never().is_none(),
            "there is no room"
        );
        let answers = receiver.receive(1).await;
        assert!(
            sender.send(answer(1)).now_or_never().is_none(),
            "it is taken, but not stored"
        );
        receiver.stored(answers[0].body.as_ref());
        sender.send(answer(1)).await.unwrap();
        assert_eq!(receiver.receive(9).await.len(), 2);
    }

    #[tokio::test]
    async fn the_largest_body_has_room_and_so_has_none() {
        let (sender, mut receiver) = queue(100);
        sender.send(answer(ROOM + 1)).await.unwrap();
        sender
            .send(Answer {
                body: None,
                ..answer(0)
            })
            .await
            .unwrap();
        for answer in receiver.receive(9).await {
            receiver.stored(answer.body.as_ref());
        }
        sender.send(answer(ROOM)).await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_queue_is_noticed_even_without_room() {
        let (sender, receiver) = queue(100);
        sender.send(answer(ROOM)).await.unwrap();
        drop(receiver);
        assert!(sender.is_closed());
        sender.send(answer(1)).await.unwrap_err();
    }
}
