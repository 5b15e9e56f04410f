//! The bodies that the edge answers with.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::fill::{Fault, PassBody, Reader, SliceReader};
use crate::pipeline::Meter;

/// A response body. A failed one ends the connection (HTTP/1.1) or the stream (HTTP/2) early, so that no client
/// takes it for complete.
#[derive(Debug)]
pub(crate) struct Body {
    source: Source,
    /// Counts what is sent, and records the request when the body is dropped.
    meter: Option<Box<Meter>>,
}

#[derive(Debug)]
enum Source {
    Empty,
    Full(Bytes),
    Reader(Box<Reader>),
    Slices(Box<SliceReader>),
    Pass(Box<PassBody>, Option<u64>),
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self { source: Source::Empty, meter: None }
    }

    pub(crate) fn full(bytes: Bytes) -> Self {
        let source = if bytes.is_empty() { Source::Empty } else { Source::Full(bytes) };
        Self { source, meter: None }
    }

    pub(crate) fn reader(reader: Reader) -> Self {
        Self { source: Source::Reader(Box::new(reader)), meter: None }
    }

    pub(crate) fn slices(reader: Box<SliceReader>) -> Self {
        Self { source: Source::Slices(reader), ..Self::empty() }
    }

    /// `length`: bytes to come, where known.
    pub(crate) fn pass(body: PassBody, length: Option<u64>) -> Self {
        Self { source: Source::Pass(Box::new(body), length), meter: None }
    }

    pub(crate) fn metered(mut self, meter: Meter) -> Self {
        self.meter = Some(Box::new(meter));
        self
    }

    /// Bytes to come, where known.
    pub(crate) fn length(&self) -> Option<u64> {
        match &self.source {
            Source::Empty => Some(0),
            Source::Full(bytes) => Some(bytes.len() as u64),
            Source::Reader(reader) => reader.left(),
            Source::Slices(reader) => Some(reader.left()),
            Source::Pass(_, length) => *length,
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        match &mut self.source {
            Source::Empty => Poll::Ready(None),
            Source::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.source = Source::Empty;
                Poll::Ready(Some(Ok(bytes)))
            }
            Source::Reader(reader) => reader.poll_chunk(cx),
            Source::Slices(reader) => reader.poll_chunk(cx),
            Source::Pass(body, length) => {
                let chunk = ready!(body.poll_chunk(cx));
                if let (Some(Ok(bytes)), Some(left)) = (&chunk, length) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(chunk)
            }
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let chunk = ready!(self.poll_chunk(cx));
        if let Some(meter) = &mut self.meter {
            match &chunk {
                Some(Ok(bytes)) => meter.sent(bytes.len()),
                Some(Err(fault)) => meter.failed(*fault),
                None => {}
            }
        }
        Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
