//! Waits for what may never come: a program that hangs, a pipe that nobody writes to. Such work is
//! done on a thread of its own, which is left behind where time is up or somebody asks to stop. What
//! then becomes of the work is the caller's matter.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// Turns true when somebody asks to stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// What came of the waiting.
#[derive(Debug)]
pub(crate) enum Waited<T> {
    /// The work is done.
    Done(T),
    /// Time is up.
    Late,
    /// Somebody asked to stop.
    Stopped,
}

/// Nobody asks to stop.
pub(crate) fn never() -> Stop {
    watch::channel(false).1
}

/// Comes once somebody asks to stop.
pub(crate) async fn stopped(mut stop: Stop) {
    if stop.wait_for(|is_asked| *is_asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A runtime for the thread that waits; it drives no sockets.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_time().build()
}

/// Does the work on a thread of its own and waits for it, no longer than this where a time is given,
/// and not once somebody asks to stop.
pub(crate) fn wait_for<T: Send + 'static>(
    stop: &Stop,
    most: Option<Duration>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Waited<T>> {
    let work = start(work)?;
    let in_time = async {
        match most {
            Some(most) => timeout(most, work).await,
            None => Ok(work.await),
        }
    };
    runtime()?.block_on(async {
        tokio::select! {
            biased;
            () = stopped(stop.clone()) => Ok(Waited::Stopped),
            done = in_time => match done {
                Ok(done) => done.map(Waited::Done).map_err(io::Error::other),
                Err(_) => Ok(Waited::Late),
            },
        }
    })
}

/// Does the work on a thread of its own; what it came to is received from there. That thread may
/// panic, and nothing is received then.
pub(crate) fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (done, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("waiting".to_owned())
        // Nobody may wait for it any more.
        .spawn(move || drop(done.send(work())))?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_work_the_time_or_a_wish_to_stop() {
        let (_never, hangs) = std::sync::mpsc::sync_channel::<()>(0);
        let hang = move || hangs.recv().is_ok();
        let done = wait_for(&never(), None, || 5).unwrap();
        assert!(matches!(done, Waited::Done(5)));
        let late = wait_for(&never(), Some(Duration::from_millis(10)), hang).unwrap();
        assert!(matches!(late, Waited::Late));
        let (wish, stop) = watch::channel(false);
        let (_never, hangs) = std::sync::mpsc::sync_channel::<()>(0);
        wish.send_replace(true);
        let stopped = wait_for(&stop, None, move || hangs.recv().is_ok()).unwrap();
        assert!(matches!(stopped, Waited::Stopped));
    }
}
