//! Reads the body of an answer within its bounds: its length, the silence before each next piece of
//! it, the time for the whole answer, and the memory that all large bodies take together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::contact::Reason;
use crate::extract::api::cause;

/// No body, sent or decoded, is read beyond this.
pub const MAX_BODY: usize = 16 << 20;

/// A body this long is no usual one, and has to ask for its memory: usual ones have some 5 KB.
const LARGE: usize = 256 << 10;

/// Memory that large bodies share: sixteen of those that are just large, whatever is in flight.
const SHARED: usize = 4 << 20;

/// Longest silence after the head of an answer, and in its middle. The server computes before the
/// head; what comes after it is only sent.
const IDLE: Duration = Duration::from_secs(10);

/// What bounds the answers of one client.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Longest wait for a whole answer.
    total: Duration,
    /// Longest silence before the next piece.
    idle: Duration,
    memory: Memory,
}

impl Bounds {
    /// Bounds with this longest wait for a whole answer.
    pub fn new(total: Duration) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            total,
            idle: IDLE,
            memory: Memory {
                shared: semaphore(SHARED),
                reserved: semaphore(1),
            },
        }
    }

    /// Longest wait for a whole answer.
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// Reads a body to its end. One that is large may have to wait for memory, which it has until
    /// its last byte is let go; that wait puts off the deadline. An answer that is no success is
    /// not worth waiting: its body may not be large.
    ///
    /// # Errors
    /// Where it does not come whole, or is too large: the reason.
    pub(super) async fn read(
        &self,
        response: &mut Response,
        mut deadline: Instant,
    ) -> Result<Bytes, Reason> {
        let most = if response.status().is_success() {
            MAX_BODY
        } else {
            LARGE
        };
        let announced = response
            .content_length()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > most) {
            return Err(Reason::BodyTooLarge);
        }
        let first = self.next(response, deadline).await?.unwrap_or_default();
        let Some(second) = self.next(response, deadline).await? else {
            return Ok(first);
        };
        let mut body = Vec::with_capacity(announced.unwrap_or_default().min(LARGE));
        body.extend_from_slice(&first);
        drop(first);
        let mut next = Some(second);
        let mut share = MemoryShare::default();
        while let Some(piece) = next {
            let length = body.len() + piece.len();
            if length > most {
                return Err(Reason::BodyTooLarge);
            }
            if length > LARGE {
                let began = Instant::now();
                self.memory.take(&mut share, length, announced).await;
                deadline += began.elapsed();
                body.reserve_exact(announced.unwrap_or_default().saturating_sub(body.len()));
            }
            body.extend_from_slice(&piece);
            next = self.next(response, deadline).await?;
        }
        if body.len() <= LARGE {
            return Ok(body.into());
        }
        body.shrink_to_fit();
        share.shrink_to(body.len());
        Ok(Bytes::from_owner(Large {
            body,
            _share: share,
        }))
    }

    async fn next(
        &self,
        response: &mut Response,
        deadline: Instant,
    ) -> Result<Option<Bytes>, Reason> {
        let next = timeout_at(deadline.min(Instant::now() + self.idle), response.chunk()).await;
        next.map_err(|_| cause::timed_out())?
            .map_err(|error| cause::reason(&error, Reason::BodyCut))
    }
}

/// Memory for large bodies: what they share, and enough for one at a time, which therefore waits
/// for no other.
#[derive(Debug, Clone)]
struct Memory {
    /// A permit for each byte.
    shared: Arc<Semaphore>,
    /// The one permit is for any number of bytes.
    reserved: Arc<Semaphore>,
}

impl Memory {
    /// Takes what a body of so many bytes needs, or where it is known, what all of it will need.
    async fn take(&self, share: &mut MemoryShare, length: usize, announced: Option<usize>) {
        let has = share
            .shared
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        if share.reserved.is_some() || length <= has {
            return;
        }
        // A body that goes on and on asks for twice as much each time.
        let needed = announced
            .map_or_else(
                || (2 * length).min(SHARED),
                |announced| announced.max(length),
            )
            .max(length);
        let more = u32::try_from(needed - has).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            permit = Arc::clone(&self.shared).acquire_many_owned(more), if needed <= SHARED => {
                let permit = permit.expect(NEVER_CLOSED);
                match &mut share.shared {
                    Some(shared) => shared.merge(permit),
                    none => *none = Some(permit),
                }
            }
            permit = Arc::clone(&self.reserved).acquire_owned() => {
                share.reserved = Some(permit.expect(NEVER_CLOSED));
            }
        }
    }
}

const NEVER_CLOSED: &str = "the semaphore is never closed";

/// The memory of one large body.
#[derive(Default)]
struct MemoryShare {
    shared: Option<OwnedSemaphorePermit>,
    reserved: Option<OwnedSemaphorePermit>,
}

impl MemoryShare {
    /// Gives back what is beyond so many bytes.
    fn shrink_to(&mut self, bytes: usize) {
        if let Some(shared) = &mut self.shared {
            drop(shared.split(shared.num_permits().saturating_sub(bytes)));
        }
    }
}

/// A large body, which gives back its memory when nothing of it is needed any more.
struct Large {
    body: Vec<u8>,
    _share: MemoryShare,
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

    use tokio::time::timeout;

    use super::*;

    /// Longer than any of this takes; a test that hangs fails.
    const PATIENCE: Duration = Duration::from_mins(1);

    /// A response whose head has come, and what its server does next.
    async fn response(head: &str) -> (Response, TcpStream) {
        response_with(200, head).await
    }

    async fn response_with(status: u16, head: &str) -> (Response, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, server) = mpsc::sync_channel(1);
        let head = format!("HTTP/1.1 {status} As Said\r\n{head}\r\n\r\n");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _request = stream.read(&mut [0; 1 << 12]).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            sender.send(stream).unwrap();
        });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = timeout(PATIENCE, client.get(url).send())
            .await
            .unwrap()
            .unwrap();
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
        timeout(PATIENCE, bounds.read(&mut response, deadline()))
            .await
            .expect("it ends")
    }

    fn deadline() -> Instant {
        Instant::now() + PATIENCE
    }

    /// What is left to be taken: shared bytes, and whether the reserved memory is.
    fn left(bounds: &Bounds) -> (usize, bool) {
        (
            bounds.memory.shared.available_permits(),
            bounds.memory.reserved.available_permits() > 0,
        )
    }

    #[tokio::test]
    async fn bodies_come_whole_and_give_back_their_memory() {
        let bounds = Bounds::new(PATIENCE);
        for length in [
            0,
            1,
            1_000,
            LARGE,
            LARGE + 1,
            SHARED / 2 + 1,
            SHARED,
            SHARED + 1,
            MAX_BODY,
        ] {
            let body: Vec<u8> = (0..length)
                .map(|index| u8::try_from(index % 251).unwrap())
                .collect();
            for head in [
                format!("Content-Length: {length}"),
                "Connection: close".to_owned(),
            ] {
                let read = read(&bounds, &head, body.clone()).await.unwrap();
                assert!(read == body, "{length} bytes, {head}");
                let (shared, is_reserved_left) = left(&bounds);
                assert_eq!(is_reserved_left, length <= SHARED, "{length} bytes, {head}");
                if length > LARGE && is_reserved_left {
                    assert_eq!(shared, SHARED - length, "{head}");
                }
            }
            assert_eq!(left(&bounds), (SHARED, true), "{length} bytes");
        }
    }

    #[tokio::test]
    async fn a_body_too_large_or_cut_is_none_and_takes_no_memory() {
        let bounds = Bounds::new(PATIENCE);
        let cases = [
            (
                format!("Content-Length: {}", MAX_BODY + 1),
                1,
                Reason::BodyTooLarge,
            ),
            (
                "Connection: close".to_owned(),
                MAX_BODY + 1,
                Reason::BodyTooLarge,
            ),
            ("Content-Length: 10".to_owned(), 9, Reason::BodyCut),
            (
                format!("Content-Length: {MAX_BODY}"),
                MAX_BODY - 1,
                Reason::BodyCut,
            ),
        ];
        for (head, length, reason) in cases {
            assert_eq!(
                read(&bounds, &head, vec![b'x'; length]).await,
                Err(reason),
                "{head}, {length} bytes"
            );
            assert_eq!(left(&bounds), (SHARED, true));
        }
    }

    #[tokio::test]
    async fn of_an_answer_that_is_no_success_no_large_body_is_read() {
        let bounds = Bounds::new(PATIENCE);
        for (length, expected) in [(LARGE, Ok(LARGE)), (LARGE + 1, Err(Reason::BodyTooLarge))] {
            for head in [
                format!("Content-Length: {length}"),
                "Connection: close".to_owned(),
            ] {
                let (mut response, stream) = response_with(500, &head).await;
                send(stream, vec![b'x'; length]);
                let read = timeout(PATIENCE, bounds.read(&mut response, deadline()))
                    .await
                    .expect("it ends");
                assert_eq!(read.map(|body| body.len()), expected, "{head}");
                assert_eq!(left(&bounds), (SHARED, true));
            }
        }
    }

    #[tokio::test]
    async fn silence_ends_a_body_long_before_the_whole_answer_is_due() {
        let bounds = Bounds {
            idle: Duration::from_millis(50),
            ..Bounds::new(PATIENCE)
        };
        for sent in ["", "something"] {
            let (mut response, mut stream) = response("Content-Length: 100").await;
            stream.write_all(sent.as_bytes()).unwrap();
            let read = timeout(PATIENCE / 2, bounds.read(&mut response, deadline()))
                .await
                .expect("silence ends it");
            assert_eq!(read, Err(Reason::Timeout));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_whole_when_it_is_due_is_none() {
        let bounds = Bounds::new(PATIENCE);
        let (mut response, mut stream) = response("Content-Length: 100").await;
        stream.write_all(b"something").unwrap();
        assert_eq!(
            bounds
                .read(&mut response, Instant::now() + Duration::from_millis(50))
                .await,
            Err(Reason::Timeout)
        );
    }

    #[tokio::test]
    async fn large_bodies_wait_for_each_other_and_small_ones_for_none() {
        let bounds = Bounds::new(PATIENCE);
        let head = format!("Content-Length: {MAX_BODY}");
        let first = read(&bounds, &head, vec![b'x'; MAX_BODY]).await.unwrap();
        let (mut response, stream) = response(&head).await;
        send(stream, vec![b'x'; MAX_BODY]);
        // The deadline comes while it waits, and is put off.
        let second = bounds.read(&mut response, Instant::now() + Duration::from_millis(150));
        tokio::pin!(second);
        assert!(
            timeout(Duration::from_millis(200), &mut second)
                .await
                .is_err(),
            "there is no memory"
        );
        assert_eq!(
            read(&bounds, "Content-Length: 9", vec![b'x'; 9])
                .await
                .unwrap(),
            "xxxxxxxxx"
        );
        for head in [
            format!("Content-Length: {}", LARGE + 1),
            "Connection: close".to_owned(),
        ] {
            assert_eq!(
                read(&bounds, &head, vec![b'x'; LARGE + 1])
                    .await
                    .unwrap()
                    .len(),
                LARGE + 1,
                "there is shared memory"
            );
        }
        // A part of it is as good as all of it: the memory is one.
        let part = first.slice(..1);
        drop(first);
        assert!(
            timeout(Duration::from_millis(200), &mut second)
                .await
                .is_err(),
            "a part is still there"
        );
        drop(part);
        assert_eq!(
            timeout(PATIENCE, second)
                .await
                .expect("there is memory")
                .unwrap()
                .len(),
            MAX_BODY
        );
    }

    #[tokio::test]
    async fn bodies_that_grow_side_by_side_all_come_to_their_end() {
        let bounds = Bounds::new(PATIENCE);
        let lengths = [
            2 * LARGE,
            SHARED / 2,
            SHARED,
            SHARED + 1,
            2 * SHARED,
            3 * LARGE,
            MAX_BODY,
            SHARED - 1,
        ];
        let reads = lengths.map(|length| {
            let bounds = bounds.clone();
            // Each is let go at once, as it is when it is stored.
            async move {
                read(&bounds, "Connection: close", vec![b'x'; length])
                    .await
                    .map(|body| body.len())
            }
        });
        assert_eq!(futures_util::future::join_all(reads).await, lengths.map(Ok));
        assert_eq!(left(&bounds), (SHARED, true));
    }
}
