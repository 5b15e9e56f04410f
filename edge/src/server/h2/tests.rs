//! A connection by itself: what comes is understood, and nobody takes content or writes.

use super::*;
use crate::Config;
use crate::address::Peer;
use crate::semantics::h2::PREFACE;
use crate::semantics::h2::frame::{MAX_PAYLOAD, flag, head, kind};
use crate::semantics::hpack::encode;
use crate::server::activity::Activity;

use bytes::BytesMut;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&head(payload.len(), kind, flags, stream), payload].concat()
}

/// A request whose content follows.
fn post(stream: u32) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [(":method", "POST"), (":scheme", "http"), (":authority", "e"), (":path", "/")] {
        encode::field(name.as_bytes(), value.as_bytes(), &mut block);
    }
    frame(kind::HEADERS, flag::END_HEADERS, stream, &block)
}

fn data(stream: u32, length: usize) -> Vec<u8> {
    frame(kind::DATA, 0, stream, &vec![0; length])
}

async fn after(pieces: &[Vec<u8>]) -> Connection {
    let worker = Worker::alone(Config { open: true, ..Config::default() });
    let peer = Peer::Client([127, 0, 0, 1].into());
    let activity = Arc::new(Activity::told(peer, worker.edge.clock));
    let mut connection = Connection::new(worker, activity, Inbox::default());
    for piece in [PREFACE.to_vec(), frame(kind::SETTINGS, 0, 0, &[])].iter().chain(pieces) {
        let mut bytes = connection.inbox.take();
        bytes.extend_from_slice(piece);
        connection.inbox.put_back(BytesMut::from(&bytes[..]));
        connection.understand();
    }
    connection
}

#[tokio::test]
async fn content_beyond_the_window_ends_the_connection() {
    let full = |stream| data(stream, MAX_PAYLOAD);
    let most = [post(1), full(1), full(1), full(1), data(1, MAX_PAYLOAD - 1)];
    let connection = after(&most).await;
    assert!(!connection.has_failed() && connection.window == 0);
    let beyond: Vec<_> = most.into_iter().chain([post(3), data(3, 1)]).collect();
    assert!(after(&beyond).await.has_failed(), "streams have one window together");
}

#[tokio::test]
async fn what_is_dropped_is_given_back() {
    let reset = |stream| frame(kind::RST_STREAM, 0, stream, &[0; 4]);
    let pieces: Vec<_> = (0..20)
        .flat_map(|number| {
            let stream = 2 * number + 1;
            [post(stream), data(stream, 10_000), reset(stream)]
        })
        .collect();
    let connection = after(&pieces).await;
    assert!(!connection.has_failed() && connection.streams.is_empty());
    assert_eq!(connection.window + i64::from(connection.owed), 65_535);
}

#[tokio::test]
async fn nothing_is_held_while_it_waits() {
    let mut connection = after(&[]).await;
    let (wire, mut client) = tokio::io::duplex(1 << 20);
    let mut wire = Piped(wire);
    let polled = poll_fn(|cx| std::task::Poll::Ready(connection.poll(&mut wire, cx))).await;
    assert!(polled.is_pending() && connection.outbox.is_empty() && connection.inbox.is_empty());
    let mut said = [0; 9 + 18 + 9];
    tokio::io::AsyncReadExt::read_exact(&mut client, &mut said).await.unwrap();
    assert_eq!((said[3], said[9 + 18 + 3], said[9 + 18 + 4]), (kind::SETTINGS, kind::SETTINGS, flag::ACK));
    assert!(size_of::<Connection>() <= 1024, "{} bytes for every connection", size_of::<Connection>());
}

/// A wire between two tasks.
struct Piped(tokio::io::DuplexStream);

impl Wire for Piped {
    fn plain(&self) -> Option<&crate::server::stream::Watched> {
        None
    }

    fn watch(&mut self, _: Arc<Activity>) {}
}

impl tokio::io::AsyncRead for Piped {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncWrite for Piped {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        std::pin::Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
