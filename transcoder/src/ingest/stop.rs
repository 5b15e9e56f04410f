//! Ending an ingest early.

use std::sync::Arc;

use tokio::sync::watch;

/// Ends every run of an [`super::Ingest`] early: no track is begun, those being encoded are given up, uploads under
/// way may finish. What is published stays; the rest is done by the next ingest.
#[derive(Debug, Clone)]
pub struct StopHandle(Arc<watch::Sender<bool>>);

impl StopHandle {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks to stop, for good.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub(super) async fn stopped(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// Why a run ends early: somebody asked, a fault meets all files, or the run itself was dropped.
#[derive(Debug)]
pub(super) struct Halt {
    stop: StopHandle,
    why: watch::Sender<Option<String>>,
}

/// The reason given when somebody asked.
const ASKED: &str = "asked to stop";

impl Halt {
    pub(super) fn new(stop: StopHandle) -> Self {
        Self { stop, why: watch::Sender::new(None) }
    }

    /// Ends the run; the first reason stands.
    pub(super) fn halt(&self, why: &str) {
        self.why.send_if_modified(|reason| {
            let first = reason.is_none();
            reason.get_or_insert_with(|| why.to_owned());
            first
        });
    }

    /// Whether the run is ending.
    pub(super) fn is_set(&self) -> bool {
        self.stop.is_stopped() || self.why.borrow().is_some()
    }

    /// Why the run is ending, if it is.
    pub(super) fn reason(&self) -> Option<String> {
        let why = self.why.borrow().clone();
        why.or_else(|| self.stop.is_stopped().then(|| ASKED.to_owned()))
    }

    /// Waits until somebody asks to stop.
    pub(super) async fn asked(&self) {
        self.stop.stopped().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_stands() {
        let stop = StopHandle::new();
        let halt = Halt::new(stop.clone());
        assert_eq!((halt.is_set(), halt.reason()), (false, None));
        halt.halt("the store is full");
        halt.halt("another");
        stop.stop();
        halt.asked().await;
        assert_eq!((halt.is_set(), halt.reason().as_deref()), (true, Some("the store is full")));
        assert_eq!(Halt::new(stop).reason().as_deref(), Some(ASKED));
    }
}
