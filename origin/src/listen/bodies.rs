//! Bodies on their way over HTTP/2, where a client that takes nothing does not block the connection's bytes.
//!
//! Such a client grants no window, and its body is asked for nothing more. Bodies are handed over in small pieces, so
//! that one that is not taken stays open here; the connection is cut when none of its bodies has moved for long.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::Version;
use http_body::{Frame, SizeHint};

/// Bytes that are handed over at once.
const PIECE: usize = 16 << 10;

/// The bodies of one connection.
#[derive(Debug)]
pub(super) struct Bodies {
    started: Instant,
    open: AtomicUsize,
    /// When one of them moved last, milliseconds after `started`.
    moved: AtomicU64,
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), open: AtomicUsize::new(0), moved: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn move_on(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// Ends when there are bodies and none has moved for that long.
    pub(super) async fn stalled(&self, limit: Duration) {
        let limit_ms = limit.as_millis() as u64;
        loop {
            tokio::time::sleep(limit / 4).await;
            let still = self.now().saturating_sub(self.moved.load(Relaxed));
            if self.open.load(Relaxed) > 0 && still >= limit_ms {
                return;
            }
        }
    }
}

/// Watches the bodies of answers over HTTP/2.
pub(super) async fn watch(request: Request, next: Next) -> Response {
    let http2 = request.version() == Version::HTTP_2;
    let bodies = request.extensions().get::<Arc<Bodies>>().filter(|_| http2).cloned();
    let response = next.run(request).await;
    match bodies {
        Some(bodies) => response.map(|body| Body::new(Watched::new(body, bodies))),
        None => response,
    }
}

struct Watched {
    body: Body,
    /// What the body has given and was not handed over yet.
    rest: Bytes,
    bodies: Arc<Bodies>,
}

impl Watched {
    fn new(body: Body, bodies: Arc<Bodies>) -> Self {
        bodies.open.fetch_add(1, Relaxed);
        bodies.move_on();
        Self { body, rest: Bytes::new(), bodies }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.bodies.open.fetch_sub(1, Relaxed);
        self.bodies.move_on();
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.bodies.move_on();
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn bodies_come_whole_in_pieces() {
        let bodies = Arc::new(Bodies::new());
        let bytes: Vec<u8> = (0..50_000u32).map(|n| n as u8).collect();
        let mut body = Watched::new(bytes.clone().into(), Arc::clone(&bodies));
        assert_eq!(body.size_hint().exact(), Some(50_000));
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.len(), body.size_hint().exact()), (PIECE, Some((50_000 - PIECE) as u64)));
        assert_eq!(bodies.open.load(Relaxed), 1);
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!([first, rest].concat(), bytes);
        assert_eq!(bodies.open.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn a_body_that_does_not_move_ends_the_patience() {
        let bodies = Arc::new(Bodies::new());
        let limit = Duration::from_millis(40);
        let stalled = async || tokio::time::timeout(limit * 5, bodies.stalled(limit)).await.is_ok();
        assert!(!stalled().await, "nothing is open");
        let _body = Watched::new(Body::from("x"), Arc::clone(&bodies));
        assert!(stalled().await);
    }
}
