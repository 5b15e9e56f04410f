//! One stream: a request and its response (RFC 9113 5.1).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Response;
use http_body::Body as _;

use super::bell::Bell;
use super::inflow::Source;
use crate::body::Body;
use crate::pipeline::Hit;

/// A response that is being made.
pub(super) type Making = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// A stream that is not over.
#[derive(Debug)]
pub(super) struct Stream {
    /// Bytes of content that the client takes now; negative after it changed its mind (RFC 9113 6.9.2).
    pub(super) window: i64,
    pub(super) answer: Answer,
    /// Content of the response that is at hand.
    pub(super) chunk: Bytes,
    /// It waits for its turn to send.
    pub(super) has_turn: bool,
    pub(super) is_head: bool,
    /// Content of the request.
    pub(super) content: Option<Content>,
    pub(super) bell: Option<Arc<Bell>>,
}

/// Where the response comes from.
pub(super) enum Answer {
    /// Memory; the head is out.
    Hit(Box<Hit>),
    /// It has no head yet.
    Making(Making),
    /// Its head is out, or goes out now.
    Body(Box<Body>),
    /// It is elsewhere for a moment.
    None,
}

/// Content of a request.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) source: Source,
    /// Bytes that the client may send.
    pub(super) window: i64,
    /// Bytes taken that the client was not told of.
    pub(super) owed: u32,
    pub(super) ended: bool,
}

/// What a stream does when it is its turn.
pub(super) enum Step {
    /// It sends that; `true`: it was the last.
    Send(Bytes, bool),
    /// It waits for something to send.
    Wait,
    /// Its own window is shut, or that of the connection.
    Shut,
    /// The response breaks off.
    Broken,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hit(_) => "Hit",
            Self::Making(_) => "Making",
            Self::Body(_) => "Body",
            Self::None => "None",
        })
    }
}

impl Stream {
    pub(super) fn new(window: i64, answer: Answer) -> Self {
        Self {
            window,
            answer,
            chunk: Bytes::new(),
            has_turn: false,
            is_head: false,
            content: None,
            bell: None,
        }
    }

    /// Whether the client may still send content.
    pub(super) fn is_open(&self) -> bool {
        self.content.as_ref().is_some_and(|content| !content.ended)
    }

    /// Takes at most `most` bytes of content.
    pub(super) fn step(&mut self, most: i64) -> Step {
        while self.chunk.is_empty() {
            let waker = self.bell.clone().map_or_else(|| Waker::noop().clone(), Waker::from);
            let Answer::Body(body) = &mut self.answer else { return Step::Wait };
            match Pin::new(&mut **body).poll_frame(&mut Context::from_waker(&waker)) {
                Poll::Pending => return Step::Wait,
                Poll::Ready(None) => return Step::Send(Bytes::new(), true),
                Poll::Ready(Some(Err(_))) => return Step::Broken,
                Poll::Ready(Some(Ok(frame))) => self.chunk = frame.into_data().unwrap_or_default(),
            }
        }
        let most = usize::try_from(most.min(self.window)).unwrap_or(0).min(self.chunk.len());
        if most == 0 {
            return Step::Shut;
        }
        let content = self.chunk.split_to(most);
        let is_last = match &mut self.answer {
            Answer::Hit(hit) => {
                hit.sent(most);
                true
            }
            Answer::Body(body) => body.is_end_stream(),
            Answer::Making(_) | Answer::None => false,
        };
        Step::Send(content, is_last && self.chunk.is_empty())
    }
}
