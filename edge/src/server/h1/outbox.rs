//! Responses on their way out.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::Response;
use http_body::Body as _;

use super::How;
use super::head::{self, Framed};
use super::hit::write_head;
use super::sendfile;
use crate::body::Body;
use crate::pipeline::Hit;
use crate::problem::Problem;
use crate::server::ending::{linger, shut};
use crate::server::roster::{Member, Order};
use crate::server::wire::Wire;
use crate::server::worker::Worker;

/// Bodies up to this size are copied behind their head: one piece costs the kernel less than two.
const SMALL: usize = 4 << 10;

thread_local! {
    /// Heads are written into the same memory again and again.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How a response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The next request may follow.
    Kept,
    /// It was the last one.
    Closing,
    /// It ended early.
    Broken,
}

impl Ended {
    fn after(close: bool) -> Self {
        if close { Self::Closing } else { Self::Kept }
    }
}

/// Answers with an object from memory.
pub(super) async fn hit<W: Wire>(
    worker: &Arc<Worker>,
    wire: &mut W,
    member: &Member,
    mut hit: Hit,
    close: bool,
) -> Ended {
    let close = close || worker.edge.is_draining();
    let mut head = HEAD.take();
    head.clear();
    write_head(worker, &hit, close, &mut head);
    let mut body = hit.body();
    let length = body.len();
    if length <= SMALL {
        head.extend_from_slice(&body);
        body = Bytes::new();
    }
    let file = wire.plain().and_then(|_| hit.sealed(&worker.edge));
    let (outcome, left) = match file {
        Some(sealed) => sendfile::send(worker, wire, member, &head, &sealed, length).await,
        None => {
            let mut out = Pieces { head: &head, body };
            (out.send(worker, wire, member).await, out.left())
        }
    };
    hit.sent(length.saturating_sub(left));
    let ended = outcome.map_or(Ended::Broken, |()| Ended::after(close));
    HEAD.set(head);
    ended
}

/// Answers with any response.
pub(super) async fn response<W: Wire>(
    worker: &Arc<Worker>,
    wire: &mut W,
    member: &Member,
    response: Response<Body>,
    how: How,
) -> Ended {
    let (parts, mut body) = response.into_parts();
    let mut text = HEAD.take();
    text.clear();
    let close = how.close || worker.edge.is_draining();
    let framed = head::write(&parts, &body, How { close, ..how }, &mut text);
    let ended = frames(worker, wire, member, &mut text, &mut body, framed).await;
    HEAD.set(text);
    match ended {
        Ok(()) => Ended::after(framed.close),
        Err(Gone) => Ended::Broken,
    }
}

/// The head together with the first piece, where that is there, then all others.
async fn frames<W: Wire>(
    worker: &Worker,
    wire: &mut W,
    member: &Member,
    text: &mut Vec<u8>,
    body: &mut Body,
    framed: Framed,
) -> Result<(), Gone> {
    let mut first = true;
    loop {
        let frame = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
            // The head does not wait for the body.
            Poll::Pending if first => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
        })
        .await;
        let (chunk, last) = match frame {
            None => (Bytes::new(), false),
            Some(None) => (Bytes::new(), true),
            // The head goes out all the same: that the body ends early then tells the client.
            Some(Some(Err(_))) => {
                let _ = Pieces { head: text, body: Bytes::new() }.send(worker, wire, member).await;
                return Err(Gone);
            }
            Some(Some(Ok(frame))) => (frame.into_data().unwrap_or_default(), body.is_end_stream()),
        };
        first = false;
        if framed.chunked && !chunk.is_empty() {
            text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        }
        let tail: &[u8] = match (framed.chunked, chunk.is_empty(), last) {
            (false, ..) | (true, true, false) => b"",
            (true, true, true) => b"0\r\n\r\n",
            (true, false, false) => b"\r\n",
            (true, false, true) => b"\r\n0\r\n\r\n",
        };
        if chunk.len() <= SMALL {
            text.extend_from_slice(&chunk);
            text.extend_from_slice(tail);
            Pieces { head: text, body: Bytes::new() }.send(worker, wire, member).await?;
        } else {
            Pieces { head: text, body: chunk }.send(worker, wire, member).await?;
            Pieces { head: tail, body: Bytes::new() }.send(worker, wire, member).await?;
        }
        text.clear();
        if last {
            return Ok(());
        }
    }
}

/// Refuses what cannot be answered in its own terms, and ends the connection.
pub(super) async fn refuse<W: Wire>(worker: &Arc<Worker>, wire: &mut W, member: &Member, problem: Problem) {
    worker.edge.metrics.problem(problem.code);
    let how = How { is_11: true, is_head: false, close: true };
    if response(worker, wire, member, problem.response(), how).await == Ended::Closing {
        shut(wire).await;
        linger(wire).await;
    }
}

/// The client takes no more.
#[derive(Debug)]
pub(super) struct Gone;

/// Sends by `poll_send` until all is sent, or the connection is dropped for being slow.
pub(super) async fn until_sent(
    worker: &Worker,
    member: &Member,
    mut poll_send: impl FnMut(&mut Context<'_>) -> Poll<Result<(), Gone>>,
) -> Result<(), Gone> {
    // Mostly the socket takes all of it, and nobody needs to listen for orders.
    if let Poll::Ready(sent) = poll_fn(|cx| Poll::Ready(poll_send(cx))).await {
        return sent;
    }
    loop {
        tokio::select! {
            biased;
            sent = poll_fn(&mut poll_send) => return sent,
            order = member.told(worker) => if order == Order::Drop {
                return Err(Gone);
            },
        }
    }
}

/// A head and a body, or what is left of them.
struct Pieces<'a> {
    head: &'a [u8],
    body: Bytes,
}

impl Pieces<'_> {
    fn left(&self) -> usize {
        self.head.len() + self.body.len()
    }

    async fn send<W: Wire>(&mut self, worker: &Worker, wire: &mut W, member: &Member) -> Result<(), Gone> {
        until_sent(worker, member, |cx| self.poll_send(wire, cx)).await
    }

    fn poll_send<W: Wire>(&mut self, wire: &mut W, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        while self.left() > 0 {
            let outcome = if self.body.is_empty() {
                Pin::new(&mut *wire).poll_write(cx, self.head)
            } else {
                let slices = [IoSlice::new(self.head), IoSlice::new(&self.body)];
                Pin::new(&mut *wire).poll_write_vectored(cx, &slices)
            };
            match ready!(outcome) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Gone)),
                Ok(count) => {
                    let of_head = count.min(self.head.len());
                    self.head = &self.head[of_head..];
                    self.body.advance(count - of_head);
                }
            }
        }
        Pin::new(wire).poll_flush(cx).map_err(|_| Gone)
    }
}
