//! A connection's bytes, with patience that ends.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes that tell HTTP/1.1 from HTTP/2 (RFC 9113 3.4). No request with a `Host` is shorter.
const OPENING: usize = 24;

/// A stream that fails when its peer says nothing at first, or takes nothing for long.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    read: usize,
    opening: Pin<Box<Sleep>>,
    stall: Duration,
    /// Runs while the peer takes no byte.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// The first bytes must come within `opening`, and the peer must take some within `stall` when there are any.
    pub(super) fn new(stream: S, opening: Duration, stall: Duration) -> Self {
        Self { stream, read: 0, opening: Box::pin(sleep(opening)), stall, stalled: None }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let stall = self.stall;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(stall))).as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of its answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.read = self.read.saturating_add(buf.filled().len() - before);
        if outcome.is_ready() || self.read >= OPENING {
            return outcome;
        }
        ready!(self.opening.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client asks for nothing")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.judge(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    const LIMIT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn silence_at_first_ends_and_later_silence_is_others_business() {
        let (mut client, server) = duplex(64);
        let mut server = Patient::new(server, LIMIT, LONG);
        let mut bytes = [0; 64];
        client.write_all(b"GET / HT").await.unwrap();
        assert_eq!(server.read(&mut bytes).await.unwrap(), 8);
        assert_eq!(server.read(&mut bytes).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        client.write_all(b"TP/1.1\r\nHost: a\r\n").await.unwrap();
        assert_eq!(server.read(&mut bytes).await.unwrap(), 17);
        let quiet = tokio::time::timeout(LIMIT * 3, server.read(&mut bytes)).await;
        assert!(quiet.is_err(), "still waiting");
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_cut_and_one_that_takes_little_is_not() {
        let (mut client, server) = duplex(8);
        let mut server = Patient::new(server, LONG, Duration::from_millis(300));
        let reading = tokio::spawn(async move {
            let mut bytes = [0; 1];
            for _ in 0..8 {
                sleep(LIMIT).await;
                client.read_exact(&mut bytes).await.unwrap();
            }
            client
        });
        server.write_all(&[1; 16]).await.unwrap();
        let _client = reading.await.unwrap();
        let error = server.write_all(&[1; 16]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
