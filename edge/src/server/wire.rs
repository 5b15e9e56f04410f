//! What a connection's bytes run over.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::server::activity::Activity;
use crate::server::stream::Watched;

/// A stream that reports to its connection's [`Activity`].
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The TCP stream, where what is written reaches it as it is.
    fn plain(&self) -> Option<&Watched>;
    /// Reports to another from now on.
    fn watch(&mut self, activity: Arc<Activity>);
}

impl Wire for Watched {
    fn plain(&self) -> Option<&Watched> {
        Some(self)
    }

    fn watch(&mut self, activity: Arc<Activity>) {
        Watched::watch(self, activity);
    }
}

/// In a box: it is large, and each function that it goes through would have room for it.
impl Wire for Box<TlsStream<Watched>> {
    fn plain(&self) -> Option<&Watched> {
        None
    }

    fn watch(&mut self, activity: Arc<Activity>) {
        self.get_mut().0.watch(activity);
    }
}

/// A stream some bytes of which were read before.
#[derive(Debug)]
pub(super) struct Prefixed<W> {
    before: BytesMut,
    wire: W,
}

impl<W> Prefixed<W> {
    pub(super) fn new(before: BytesMut, wire: W) -> Self {
        Self { before, wire }
    }
}

impl<W: Wire> Prefixed<W> {
    pub(super) fn watch(&mut self, activity: Arc<Activity>) {
        self.wire.watch(activity);
    }
}

impl<W: Wire> AsyncRead for Prefixed<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.wire).poll_read(cx, buf);
        }
        let count = self.before.len().min(buf.remaining());
        buf.put_slice(&self.before[..count]);
        self.before.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<W: Wire> AsyncWrite for Prefixed<W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}
