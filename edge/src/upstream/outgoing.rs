//! The content of a request to an upstream: none, or a client's, told on as it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use crate::content::RequestContent;

/// Content on its way to an upstream.
#[derive(Debug, Default)]
pub(crate) struct Outgoing(Option<Box<Content>>);

/// A client's content.
#[derive(Debug)]
struct Content {
    incoming: RequestContent,
    left: u64,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Dropped when all is sent.
    _sending: oneshot::Sender<()>,
}

/// Why content was not sent to its end: the client's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    #[error("request: the content is larger than this edge takes")]
    TooLarge,
    #[error("request: the content fell silent")]
    Silent,
    #[error("request: the content broke off")]
    Broken,
}

impl Outgoing {
    /// Tells `incoming` on: at most `limit` bytes, and no longer silence than `idle`. The receiver learns when it has
    /// all been sent.
    pub(crate) fn of(incoming: RequestContent, limit: u64, idle: Duration) -> (Self, oneshot::Receiver<()>) {
        let (sending, sent) = oneshot::channel();
        let deadline = Box::pin(sleep(idle));
        (Self(Some(Box::new(Content { incoming, left: limit, idle, deadline, _sending: sending }))), sent)
    }

    fn end(&mut self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.0 = None;
        Poll::Ready(Some(Err(cut)))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Some(content) = &mut self.0 else { return Poll::Ready(None) };
        let Poll::Ready(frame) = Pin::new(&mut content.incoming).poll_frame(cx) else {
            ready!(content.deadline.as_mut().poll(cx));
            return self.end(Cut::Silent);
        };
        match frame {
            None => {
                self.0 = None;
                Poll::Ready(None)
            }
            Some(Err(_)) => self.end(Cut::Broken),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                if length > content.left {
                    return self.end(Cut::TooLarge);
                }
                content.left -= length;
                let next = Instant::now() + content.idle;
                content.deadline.as_mut().reset(next);
                if content.incoming.is_end_stream() {
                    self.0 = None;
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|content| content.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |content| content.incoming.size_hint())
    }
}

/// Whether a request failed because of its content.
pub(super) fn cut(error: &(dyn std::error::Error + 'static)) -> Option<Cut> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(cut) = error.downcast_ref::<Cut>() {
            return Some(*cut);
        }
        source = error.source();
    }
    None
}
