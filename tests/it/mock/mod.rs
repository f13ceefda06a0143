//! A simulated SuperOffice that does exactly what a test tells it: any bytes, cut, reset, dripped
//! or withheld, on a real socket. It records every request. What it can send is declared in
//! `answer`.

mod answer;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::answer::Then;
pub(crate) use self::answer::{Answer, summary};

/// Longest wait of a test for something that has to happen.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between the bytes of a dripping answer, far below any time-out.
const DRIP: Duration = Duration::from_millis(5);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Name, in lower case, and value of each header.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
    /// The contact asked for; 0 where the request is for something else.
    pub(crate) contact_id: i64,
    /// How often this contact, or this path where there is none, was asked for, this request
    /// included.
    pub(crate) attempt: usize,
    /// How many requests came, this one included.
    pub(crate) call: usize,
    /// When it came.
    pub(crate) at: Instant,
    /// The address of the client's end of the connection.
    pub(crate) client: SocketAddr,
}

impl Request {
    /// The value of a header; none where it is not there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The server. It ends with the value.
pub(crate) struct Mock {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    /// Requests without an answer, and the most there were at once.
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    /// Told of each request, and of the release.
    changed: Condvar,
    released: AtomicBool,
    ended: AtomicBool,
}

/// Something that a test turns on and off while a server runs.
#[derive(Clone, Default)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(crate) fn turn_on(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn turn_off(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Mock {
    /// A server that answers as it should, but gives these answers, where there are any, while the
    /// switch is on.
    pub(crate) fn troubled(
        switch: &Switch,
        trouble: impl Fn(i64) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let switch = switch.clone();
        Self::answering(move |request| {
            let troubled = switch
                .is_on()
                .then(|| trouble(request.contact_id))
                .flatten();
            troubled.unwrap_or_else(|| Answer::summary(request.contact_id))
        })
    }

    /// A server that answers as it should.
    pub(crate) fn healthy() -> Self {
        Self::answering(|request| Answer::summary(request.contact_id))
    }

    /// A server that gives every request this answer.
    pub(crate) fn always(answer: Answer) -> Self {
        Self::answering(move |_| answer.clone())
    }

    /// A server that gives this contact always this answer, and else answers as it should.
    pub(crate) fn always_for(contact_id: i64, answer: Answer) -> Self {
        Self::answering(move |request| {
            if request.contact_id == contact_id {
                answer.clone()
            } else {
                Answer::summary(request.contact_id)
            }
        })
    }

    /// A server that gives these contacts these answers one after the other, and else answers as it
    /// should.
    pub(crate) fn scripted(scripts: impl IntoIterator<Item = (i64, Vec<Answer>)>) -> Self {
        let scripts: HashMap<_, _> = scripts.into_iter().collect();
        Self::answering(move |request| {
            let script = scripts.get(&request.contact_id);
            script
                .and_then(|answers| answers.get(request.attempt - 1))
                .cloned()
                .unwrap_or_else(|| Answer::summary(request.contact_id))
        })
    }

    /// A server that answers as this function says.
    pub(crate) fn answering(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            requests: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            changed: Condvar::new(),
            released: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || serve(&shared, stream.unwrap()));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests().clone()
    }

    /// How many requests came so far.
    pub(crate) fn calls(&self) -> usize {
        self.shared.requests().len()
    }

    /// How often this contact was asked for so far.
    pub(crate) fn calls_for(&self, contact_id: i64) -> usize {
        self.shared
            .requests()
            .iter()
            .filter(|request| request.contact_id == contact_id)
            .count()
    }

    /// The most requests that waited for their answer at once.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::SeqCst)
    }

    /// Waits until so many requests came.
    pub(crate) fn wait_for_calls(&self, calls: usize) {
        self.shared.wait(|requests| requests.len() >= calls);
    }

    /// Lets every withheld answer go.
    pub(crate) fn release(&self) {
        self.shared.release();
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.release();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap()
    }

    fn wait(&self, until: impl Fn(&[Request]) -> bool) {
        let (_requests, timeout) = self
            .changed
            .wait_timeout_while(self.requests(), PATIENCE, |requests| !until(requests))
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "what the test waits for does not happen"
        );
    }

    fn release(&self) {
        let _requests = self.requests();
        self.released.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Notes a request; its numbers are counted here.
    fn note(&self, mut request: Request) -> Request {
        let mut requests = self.requests();
        let is_same = |other: &&Request| {
            if request.contact_id == 0 {
                other.path == request.path
            } else {
                other.contact_id == request.contact_id
            }
        };
        request.attempt = requests.iter().filter(is_same).count() + 1;
        request.call = requests.len() + 1;
        requests.push(request.clone());
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        self.changed.notify_all();
        request
    }
}

/// Answers the requests of one connection.
fn serve(shared: &Shared, mut stream: TcpStream) {
    while let Some((request, length)) = peek_request(&stream) {
        let request = shared.note(request);
        let answer = (shared.answer)(&request);
        shared.wait(|requests| {
            requests.len() >= answer.after_calls
                && (!answer.is_held || shared.released.load(Ordering::SeqCst))
        });
        // Before the answer goes out, since the client may send the next request as soon as it is
        // there.
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        if answer.then == Then::Reset {
            // Closing a socket with unread bytes resets the connection.
            return;
        }
        // A client that goes away in the middle is part of many tests.
        if stream.read_exact(&mut vec![0; length]).is_err()
            || stream.write_all(&answer.bytes).is_err()
        {
            return;
        }
        match answer.then {
            Then::Keep => {}
            Then::Close | Then::Reset => return,
            Then::Hang => {
                drop(stream.read(&mut [0]));
                return;
            }
            Then::Drip => {
                // Only slower than a flood; how slow decides nothing.
                while stream.write_all(b" ").is_ok() {
                    std::thread::sleep(DRIP);
                }
                return;
            }
        }
    }
}

/// The next request and its length; it stays unread. None where the client has gone.
fn peek_request(stream: &TcpStream) -> Option<(Request, usize)> {
    let mut buffer = vec![0; 1 << 16];
    let client = stream.peer_addr().ok()?;
    loop {
        let length = stream.peek(&mut buffer).ok().filter(|length| *length > 0)?;
        if let Some(request) = parse(&buffer[..length], client) {
            return Some(request);
        }
        std::thread::yield_now();
    }
}

/// A whole request and its length; none where more of it has to come.
fn parse(bytes: &[u8], client: SocketAddr) -> Option<(Request, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let mut words = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers: Vec<_> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let body = std::str::from_utf8(bytes.get(end..end + length)?)
        .unwrap()
        .to_owned();
    let contact_id = serde_json::from_str(&body)
        .ok()
        .and_then(|body: Value| body["ContactId"].as_i64())
        .unwrap_or_default();
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    Some((
        Request {
            method,
            path,
            headers,
            body,
            contact_id,
            attempt: 0,
            call: 0,
            at: Instant::now(),
            client,
        },
        end + length,
    ))
}
