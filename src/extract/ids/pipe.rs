//! An input that may fall silent, such as a pipe: read on a thread of its own, so that whoever waits
//! for the next bytes can be asked to stop.

use std::io::{self, Cursor, Read};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::extract::waiting::{self, Stop, stopped};

/// Bytes that are read at once; a pipe of the system holds as many.
const PART: usize = 64 * 1024;
/// Parts that wait to be read.
const PARTS: usize = 2;

/// The bytes of a pipe, until somebody asks to stop.
pub(super) struct Pipe {
    parts: mpsc::Receiver<io::Result<Vec<u8>>>,
    current: Cursor<Vec<u8>>,
    stop: Stop,
    /// Drives nothing but the waiting.
    runtime: Runtime,
}

impl Pipe {
    /// Begins to read.
    pub(super) fn open(input: impl Read + Send + 'static, stop: &Stop) -> io::Result<Self> {
        let (sender, parts) = mpsc::channel(PARTS);
        std::thread::Builder::new()
            .name("pipe".to_owned())
            .spawn(move || read_parts(input, &sender))?;
        Ok(Self {
            parts,
            current: Cursor::default(),
            stop: stop.clone(),
            runtime: waiting::runtime()?,
        })
    }

    /// The next bytes; none at the end.
    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        let (stop, parts) = (self.stop.clone(), &mut self.parts);
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = stopped(stop) => Some(Err(io::Error::other("interrupted"))),
                part = parts.recv() => part,
            }
        })
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.current.read(buffer)?;
        if size > 0 || buffer.is_empty() {
            return Ok(size);
        }
        match self.next().transpose()? {
            Some(part) => {
                self.current = Cursor::new(part);
                self.current.read(buffer)
            }
            None => Ok(0),
        }
    }
}

/// Reads to the end, or until nobody wants to know any more.
fn read_parts(mut input: impl Read, parts: &mpsc::Sender<io::Result<Vec<u8>>>) {
    let mut part = vec![0; PART];
    loop {
        let read = match input.read(&mut part) {
            Ok(0) => return,
            Ok(size) => Ok(part.get(..size).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = read.is_err();
        if parts.blocking_send(read).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[test]
    fn all_bytes_come_in_their_order_until_somebody_asks_to_stop() {
        let bytes: Vec<u8> = (0..=255).cycle().take(5 * PART + 7).collect();
        let mut read = Vec::new();
        let mut pipe = Pipe::open(Cursor::new(bytes.clone()), &waiting::never()).unwrap();
        pipe.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);

        let (reader, _writer) = io::pipe().unwrap();
        let (wish, stop) = watch::channel(false);
        let mut pipe = Pipe::open(reader, &stop).unwrap();
        wish.send_replace(true);
        assert!(pipe.read(&mut [0; 8]).is_err());
    }

    #[test]
    fn an_error_comes_after_what_was_read() {
        struct Broken(bool);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                buffer[0] = 7;
                Ok(1)
            }
        }
        let mut read = Vec::new();
        let mut pipe = Pipe::open(Broken(false), &waiting::never()).unwrap();
        let error = pipe.read_to_end(&mut read).unwrap_err();
        assert_eq!((read, error.kind()), (vec![7], io::ErrorKind::BrokenPipe));
    }
}
