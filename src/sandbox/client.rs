//! A client for the tests of the server: one connection, kept alive, with nothing between the test
//! and the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::Sandbox;

/// An answer as it came over the wire.
#[derive(Debug)]
pub(super) struct WireAnswer {
    pub(super) status: u16,
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
}

impl WireAnswer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        lines
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A connection that is kept alive.
pub(super) struct WireClient {
    stream: BufReader<TcpStream>,
    /// What the Host header says, port aside.
    host: String,
}

impl WireClient {
    pub(super) fn of(sandbox: &Sandbox) -> Self {
        Self::named(sandbox, "127.0.0.1")
    }

    /// One that calls the server by that name.
    pub(super) fn named(sandbox: &Sandbox, host: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", sandbox.port())).unwrap();
        Self {
            stream: BufReader::new(stream),
            host: format!("{host}:{}", sandbox.port()),
        }
    }

    pub(super) fn post(&mut self, target: &str, headers: &str, body: &str) -> WireAnswer {
        self.send("POST", target, headers, body).expect("an answer")
    }

    /// None where the connection ends without an answer; a body may be shorter than announced.
    pub(super) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> Option<WireAnswer> {
        let (length, host) = (body.len(), &self.host);
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}");
        write!(self.stream.get_mut(), "{head}\r\n{headers}\r\n{body}").unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).unwrap() == 0 {
                return None;
            }
        }
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status line");
        let mut answer = WireAnswer {
            status,
            headers: head,
            body: Vec::new(),
        };
        let length: u64 = answer
            .header("Content-Length")
            .expect("always there")
            .parse()
            .unwrap();
        (&mut self.stream)
            .take(length)
            .read_to_end(&mut answer.body)
            .unwrap();
        Some(answer)
    }
}
