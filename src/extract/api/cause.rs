//! Why no answer came, in the words of the system and of TLS: for the log, and for whoever listens.
//! Addresses are left out, since that of a proxy may hold a password. What follows from it is the
//! verdict's matter, which knows the reason alone.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::io;

use tracing::debug;

use crate::contact::Reason;

tokio::task_local! {
    static HEARD: RefCell<Option<Cause>>;
}

/// The cause of a missing answer; prints as what follows a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause(Option<String>);

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |words| write!(formatter, ": {words}"))
    }
}

/// Carries something out, and says why the last request in it brought no answer, where one did not.
pub async fn listen<T>(work: impl Future<Output = T>) -> (T, Cause) {
    let work = async {
        let result = work.await;
        (result, HEARD.with(RefCell::take))
    };
    let (result, cause) = HEARD.scope(RefCell::default(), work).await;
    // Somebody else may listen to all of it.
    if let Some(cause) = &cause {
        hear(cause.clone());
    }
    (result, cause.unwrap_or_default())
}

/// Tells why no answer came: a time-out anywhere in the chain of causes, else `otherwise`.
pub(super) fn reason(error: &reqwest::Error, otherwise: Reason) -> Reason {
    let cause = Cause(words(error));
    debug!("no answer came{cause}");
    hear(cause);
    let mut inputs = chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    let is_timeout =
        error.is_timeout() || inputs.any(|error| error.kind() == io::ErrorKind::TimedOut);
    if is_timeout {
        Reason::Timeout
    } else {
        otherwise
    }
}

/// Whether it is that the server's certificate was not accepted.
pub(super) fn is_untrusted(error: &reqwest::Error) -> bool {
    chain(error)
        .flat_map(|cause| std::iter::successors(Some(cause), |cause| made_of(*cause)))
        .filter_map(|cause| cause.downcast_ref())
        .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}

/// What an error of the system's kind is made of, which it hides from the chain of causes.
fn made_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let made_of = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(made_of)
}

/// Whether an error means that the connection was lost before anything of an answer came.
pub(super) fn is_lost(error: &reqwest::Error) -> bool {
    let is_closed = chain(error)
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .any(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed());
    let is_reset = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        });
    is_closed || is_reset
}

/// Tells that an answer did not come in time.
pub(super) fn timed_out() -> Reason {
    debug!("no answer came in time");
    hear(Cause(Some("operation timed out".to_owned())));
    Reason::Timeout
}

fn hear(cause: Cause) {
    // Mostly nobody listens.
    HEARD
        .try_with(|heard| *heard.borrow_mut() = Some(cause))
        .unwrap_or_default();
}

fn chain(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

/// In other words than the TLS library's own, where it has none for people.
fn readable(words: &str) -> String {
    words.replace(
        "Other(OtherError(CaUsedAsEndEntity))",
        "the server shows the certificate of an authority (CA:TRUE) as its own; \
         it needs one that says CA:FALSE, which that authority may sign",
    )
}

/// The chain of causes. The outermost errors name the address, and say no more than that something
/// failed.
fn words(error: &dyn Error) -> Option<String> {
    let mut words: Vec<_> = chain(error).map(ToString::to_string).collect();
    words.dedup();
    let telling = words
        .get(1..)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(&words);
    (!telling.is_empty()).then(|| readable(&telling.join(": ")))
}
