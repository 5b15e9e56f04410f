//! Response bodies that come from a fill.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::fault::Fault;
use super::in_flight::{Next, Waiter};
use crate::load::Place;

/// Reads a part of a fill's buffer while it grows.
#[derive(Debug)]
pub(crate) struct Reader {
    waiter: Waiter,
    position: u64,
    /// Bytes still to read, where the length is known.
    left: Option<u64>,
    rest: Option<PassBody>,
}

impl Reader {
    /// Reads from `start`: `length` bytes, or all that come.
    pub(crate) fn new(waiter: Waiter, start: u64, length: Option<u64>) -> Self {
        Self { waiter, position: start, left: length, rest: None }
    }

    /// Waits until the fill has begun.
    ///
    /// # Errors
    /// When it failed before.
    pub(super) async fn begun(&self) -> Result<(), Fault> {
        self.waiter.begun().await.map(drop)
    }

    /// Bytes still to come, where known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.left
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        if let Some(rest) = &mut self.rest {
            return rest.poll_chunk(cx);
        }
        match ready!(self.waiter.poll_next(cx, self.position, self.left.unwrap_or(u64::MAX))) {
            Next::Chunk(bytes) => {
                self.position += bytes.len() as u64;
                self.left = self.left.map(|left| left - bytes.len() as u64);
                Poll::Ready(Some(Ok(bytes)))
            }
            Next::Failed(fault) => Poll::Ready(Some(Err(fault))),
            Next::End if self.left.is_some() => Poll::Ready(Some(Err(Fault::Length))),
            Next::End => Poll::Ready(None),
            Next::Rest(rest) => self.rest.insert(rest).poll_chunk(cx),
        }
    }
}

/// An upstream's body on its way to one client, given up when it falls silent.
#[derive(Debug)]
pub(crate) struct PassBody {
    incoming: Option<Incoming>,
    idle: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    /// It is a fetch under way until it is dropped.
    _place: Option<Arc<Place>>,
}

impl PassBody {
    /// Passes `incoming` on; `idle`: longest silence.
    pub(crate) fn new(incoming: Incoming, idle: Duration, place: Arc<Place>) -> Self {
        Self { incoming: Some(incoming), idle, deadline: None, _place: Some(place) }
    }

    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self { incoming: None, idle: Duration::ZERO, deadline: None, _place: None }
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        loop {
            match Pin::new(&mut *incoming).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(Fault::Broken))),
                Poll::Ready(Some(Ok(frame))) => {
                    self.deadline = None;
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Poll::Pending => break,
            }
        }
        let idle = self.idle;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(idle)));
        if deadline.deadline() <= Instant::now() {
            return Poll::Ready(Some(Err(Fault::Idle)));
        }
        deadline.as_mut().poll(cx).map(|()| Some(Err(Fault::Idle)))
    }
}
