//! What a client has sent and nobody has read yet. A connection that waits holds no memory for it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::ReadBuf;

use super::roster::{Member, Order};
use super::wire::Wire;
use super::worker::Worker;

/// Bytes that one read takes.
const CHUNK: usize = 16 << 10;

thread_local! {
    /// One buffer for all connections of a worker: what is read is moved out of it at once.
    static CHUNK_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
}

/// Bytes that came.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: BytesMut,
    /// Whether a line ended in what came last.
    line_ended: bool,
}

/// What waiting for bytes brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Bytes,
    /// The client has gone.
    End,
    /// The connection is to end, and nothing is half done.
    Close,
}

impl Inbox {
    /// Whether the last bytes may have completed a head: only a line's end does. Without looking at that, a head that comes
    /// byte by byte would be read anew for each.
    pub(super) fn may_be_whole(&self, limit: usize) -> bool {
        self.line_ended || self.bytes.len() > limit
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.bytes.advance(count);
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
    }

    pub(super) fn take(&mut self) -> BytesMut {
        std::mem::take(&mut self.bytes)
    }

    /// Takes back what nobody needed.
    pub(super) fn put_back(&mut self, rest: BytesMut) {
        if !rest.is_empty() {
            self.bytes = rest;
        }
    }

    /// Waits for more. Between requests it also ends when the connection has been idle for long, or the edge drains.
    pub(super) async fn fill<W: Wire>(&mut self, wire: &mut W, worker: &Worker, member: &Member) -> Read {
        let idle = self.is_empty();
        loop {
            if idle && worker.edge.is_draining() && member.has_served() {
                return Read::Close;
            }
            tokio::select! {
                biased;
                came = poll_fn(|cx| self.poll_fill(wire, cx)) => return match came {
                    Ok(0) | Err(_) => Read::End,
                    Ok(_) => Read::Bytes,
                },
                order = member.told(worker) => match order {
                    Order::Drop => return Read::End,
                    Order::Idle | Order::Drain if idle => return Read::Close,
                    Order::Idle | Order::Drain | Order::Nothing => {}
                },
            }
        }
    }

    /// Reads what one call brings; 0: nothing more comes.
    pub(super) fn poll_fill<W: Wire>(
        &mut self,
        wire: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<usize>> {
        CHUNK_BUFFER.with(|chunk| {
            let mut chunk = chunk.borrow_mut();
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(wire).poll_read(cx, &mut buffer))?;
            self.line_ended = memchr::memchr(b'\n', buffer.filled()).is_some();
            self.bytes.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }
}
