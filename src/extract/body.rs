//! Reads the body of an answer within three bounds: its length, the silence before each next piece of it, and the memory
//! that all large bodies take together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::cause;
use crate::schema::outcome::Reason;

/// No body, sent or decoded, is read beyond this.
pub const MAX_BODY: usize = 16 << 20;

/// A body this long is no usual one: it takes its memory from what all such bodies have together.
const LARGE: usize = 256 << 10;

/// Memory for large bodies; one of the longest has to fit.
const ROOM: usize = MAX_BODY + (4 << 20);

/// Longest silence in the middle of an answer.
const IDLE: Duration = Duration::from_secs(10);

/// What bounds the reading of bodies, apart from the time for the whole answer.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Longest silence before the next piece.
    idle: Duration,
    /// Bytes that are left for large bodies.
    room: Arc<Semaphore>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { idle: IDLE, room: Arc::new(Semaphore::new(ROOM)) }
    }
}

impl Bounds {
    /// Reads a body to its end. One that is large first waits for room, which it takes until its last byte is let go.
    ///
    /// # Errors
    /// Where it does not come whole, or is too large: the reason.
    pub(super) async fn read(&self, response: &mut Response) -> Result<Bytes, Reason> {
        let announced = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > MAX_BODY) {
            return Err(Reason::BodyTooLarge);
        }
        let first = self.next(response).await?.unwrap_or_default();
        let Some(second) = self.next(response).await? else { return Ok(first) };
        let mut body = Vec::with_capacity(announced.unwrap_or_default().min(LARGE));
        body.extend_from_slice(&first);
        drop(first);
        let mut next = Some(second);
        let mut room = None;
        while let Some(piece) = next {
            let length = body.len() + piece.len();
            if length > MAX_BODY {
                return Err(Reason::BodyTooLarge);
            }
            if length > LARGE && room.is_none() {
                let needed = announced.unwrap_or(MAX_BODY).max(length);
                room = Some(self.take_room(needed).await);
                body.reserve_exact(announced.unwrap_or_default().saturating_sub(body.len()));
            }
            body.extend_from_slice(&piece);
            next = self.next(response).await?;
        }
        let Some(mut room) = room else { return Ok(body.into()) };
        body.shrink_to_fit();
        drop(room.split(room.num_permits().saturating_sub(body.len())));
        Ok(Bytes::from_owner(Large { body, _room: room }))
    }

    async fn next(&self, response: &mut Response) -> Result<Option<Bytes>, Reason> {
        let next = timeout(self.idle, response.chunk()).await.map_err(|_| Reason::Timeout)?;
        next.map_err(|error| cause::reason(&error, Reason::BodyCut))
    }

    async fn take_room(&self, bytes: usize) -> OwnedSemaphorePermit {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.room).acquire_many_owned(bytes).await.expect("the room is never closed")
    }
}

/// A large body, which gives back its room when nothing of it is needed any more.
struct Large {
    body: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::sync::mpsc;

    use super::*;

    /// Longer than any of this takes; a test that hangs fails.
    const PATIENCE: Duration = Duration::from_mins(1);

    /// A response whose head has come, and what its server does next.
    async fn response(head: &str) -> (Response, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, server) = mpsc::sync_channel(1);
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _request = stream.read(&mut [0; 1 << 12]).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            sender.send(stream).unwrap();
        });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = timeout(PATIENCE, client.get(url).send()).await.unwrap().unwrap();
        (response, server.recv().unwrap())
    }

    fn send(mut stream: TcpStream, body: Vec<u8>) {
        std::thread::spawn(move || {
            // Whoever stops reading closes the connection.
            drop(stream.write_all(&body));
            drop(stream.shutdown(Shutdown::Write));
        });
    }

    async fn read(bounds: &Bounds, head: &str, body: Vec<u8>) -> Result<Bytes, Reason> {
        let (mut response, stream) = response(head).await;
        send(stream, body);
        timeout(PATIENCE, bounds.read(&mut response)).await.expect("it ends")
    }

    #[tokio::test]
    async fn bodies_come_whole_and_give_back_their_room() {
        let bounds = Bounds::default();
        for length in [0, 1, 1_000, LARGE, LARGE + 1, MAX_BODY] {
            let body: Vec<u8> = (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect();
            for head in [format!("Content-Length: {length}"), "Connection: close".to_owned()] {
                let read = read(&bounds, &head, body.clone()).await.unwrap();
                assert!(read == body, "{length} bytes, {head}");
                assert_eq!(bounds.room.available_permits(), if length > LARGE { ROOM - length } else { ROOM });
            }
            assert_eq!(bounds.room.available_permits(), ROOM);
        }
    }

    #[tokio::test]
    async fn a_body_too_large_or_cut_is_none_and_takes_no_room() {
        let bounds = Bounds::default();
        let cases = [
            (format!("Content-Length: {}", MAX_BODY + 1), 1, Reason::BodyTooLarge),
            ("Connection: close".to_owned(), MAX_BODY + 1, Reason::BodyTooLarge),
            ("Content-Length: 10".to_owned(), 9, Reason::BodyCut),
            (format!("Content-Length: {MAX_BODY}"), MAX_BODY - 1, Reason::BodyCut),
        ];
        for (head, length, reason) in cases {
            assert_eq!(read(&bounds, &head, vec![b'x'; length]).await, Err(reason), "{head}, {length} bytes");
            assert_eq!(bounds.room.available_permits(), ROOM);
        }
    }

    #[tokio::test]
    async fn silence_ends_a_body_long_before_the_whole_answer_is_due() {
        let bounds = Bounds { idle: Duration::from_millis(50), ..Bounds::default() };
        for sent in ["", "something"] {
            let (mut response, mut stream) = response("Content-Length: 100").await;
            stream.write_all(sent.as_bytes()).unwrap();
            let read = timeout(PATIENCE, bounds.read(&mut response)).await.expect("silence ends it");
            assert_eq!(read, Err(Reason::Timeout));
        }
    }

    #[tokio::test]
    async fn large_bodies_wait_for_each_other_and_small_ones_for_none() {
        let bounds = Bounds::default();
        let head = format!("Content-Length: {MAX_BODY}");
        let first = read(&bounds, &head, vec![b'x'; MAX_BODY]).await.unwrap();
        let (mut response, stream) = response(&head).await;
        send(stream, vec![b'x'; MAX_BODY]);
        let second = bounds.read(&mut response);
        tokio::pin!(second);
        assert!(timeout(Duration::from_millis(200), &mut second).await.is_err(), "there is no room");
        assert_eq!(read(&bounds, "Content-Length: 9", vec![b'x'; 9]).await.unwrap(), "xxxxxxxxx");
        // A part of it is as good as all of it: the memory is one.
        let part = first.slice(..1);
        drop(first);
        assert!(timeout(Duration::from_millis(200), &mut second).await.is_err(), "a part is still there");
        drop(part);
        assert_eq!(timeout(PATIENCE, second).await.expect("there is room").unwrap().len(), MAX_BODY);
    }
}
