//! Warnings that are not repeated while what they are about lasts.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{debug, warn};

/// Warns once that a server is away, and again after it was back: an outage takes many probes, and
/// one line of the log.
#[derive(Debug, Default)]
pub(super) struct WarnOnce {
    is_warned: AtomicBool,
}

impl WarnOnce {
    pub(super) fn lost(&self, what: &str) {
        if self.is_warned.swap(true, Ordering::Relaxed) {
            debug!("{what}");
        } else {
            warn!("{what}");
        }
    }

    pub(super) fn found(&self) {
        self.is_warned.store(false, Ordering::Relaxed);
    }
}
