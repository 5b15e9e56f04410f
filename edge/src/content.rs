//! The content of requests, whoever reads their connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::server::Inflow;

/// The content of one request, as it comes.
#[derive(Debug)]
pub(crate) enum RequestContent {
    /// Of HTTP/1.1: hyper reads it.
    Http1(Incoming),
    /// Of HTTP/2.
    Http2(Inflow),
}

/// It broke off before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request: the content broke off")]
pub(crate) struct BrokenOff;

impl Body for RequestContent {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Http1(incoming) => {
                Pin::new(incoming).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(|_| BrokenOff)))
            }
            Self::Http2(inflow) => {
                inflow.poll_chunk(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(incoming) => incoming.is_end_stream(),
            Self::Http2(inflow) => inflow.is_at_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(incoming) => incoming.size_hint(),
            Self::Http2(inflow) => inflow.left().map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
