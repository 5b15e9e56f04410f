//! The listeners: accept, bound and drain connections; TLS where it is set up.

mod bodies;
mod patient;
pub(crate) mod tls;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_layer::Layer as _;

use crate::metrics::Metrics;
use bodies::Bodies;
use patient::Patient;

/// Largest request head, bytes.
const MAX_HEAD: usize = 32 << 10;
const MAX_STREAMS: u32 = 128;

/// How long a client that finds all places taken waits for each connection that is asked to end.
const ROOM_PAUSE: Duration = Duration::from_millis(10);

/// Who is at the other end of the connection; every request carries it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether the connection is encrypted up to here.
    pub(crate) secure: bool,
}

/// Limits of a listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    /// For the handshake, the first bytes, and each request's head.
    pub(crate) header_timeout: Duration,
    /// For which a client may take nothing of its answer.
    pub(crate) stall_timeout: Duration,
}

/// What each connection is served with.
#[derive(Clone)]
pub(crate) struct Service {
    router: Router,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    metrics: Arc<Metrics>,
}

impl Service {
    /// Serves that router; with TLS where there is a certificate's configuration.
    pub(crate) fn new(
        router: Router,
        limits: Limits,
        tls: Option<Arc<rustls::ServerConfig>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            router: router.layer(from_fn(bodies::watch)),
            limits,
            tls: tls.map(TlsAcceptor::from),
            metrics,
        }
    }

    async fn connection(self, server: Arc<Builder<TokioExecutor>>, accepted: Accepted, end: End) {
        let Accepted { stream, address, slot } = accepted;
        let _slot = slot;
        let open = self.metrics.connections.clone();
        open.inc();
        match self.tls.clone() {
            None => self.serve(&server, stream, Peer { address, secure: false }, end).await,
            Some(tls) => match tokio::time::timeout(self.limits.header_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(&server, stream, Peer { address, secure: true }, end).await,
                _ => drop(self.metrics.handshakes_failed.inc()),
            },
        }
        open.dec();
    }

    async fn serve<S>(&self, server: &Builder<TokioExecutor>, stream: S, peer: Peer, end: End)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let bodies = Arc::new(Bodies::new());
        let router = Extension(Arc::clone(&bodies)).layer(self.router.clone());
        let service = TowerToHyperService::new(Extension(peer).layer(router));
        let stream = Patient::new(stream, self.limits.header_timeout, self.limits.stall_timeout);
        let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
        let mut stalled = pin!(bodies.stalled(self.limits.stall_timeout));
        let mut asked = pin!(end.asked());
        let mut ending = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = stalled.as_mut() => {
                    tracing::debug!("a client took nothing of its answers; its connection is cut");
                    return;
                }
                () = asked.as_mut(), if !ending => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// What asks a connection to end as soon as no answer is under way.
#[derive(Clone)]
struct End {
    stop: watch::Receiver<Option<Duration>>,
    /// Another client waits for the place; told to the connections one by one, the oldest first.
    room: Arc<Notify>,
}

impl End {
    async fn asked(mut self) {
        tokio::select! {
            _ = stopped(&mut self.stop) => {}
            () = self.room.notified() => {}
        }
    }
}

/// Serves until told to stop with the time that open requests have left, then drains.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Service,
    mut stop: watch::Receiver<Option<Duration>>,
) {
    let server = Arc::new(server(service.limits.header_timeout));
    let slots = Arc::new(Semaphore::new(service.limits.connections.min(Semaphore::MAX_PERMITS)));
    let end = End { stop: stop.clone(), room: Arc::default() };
    let mut connections = JoinSet::new();
    let grace = 'serving: loop {
        let mut accepting = pin!(accept(&listener, &slots, &end.room));
        let accepted = loop {
            tokio::select! {
                accepted = accepting.as_mut() => break accepted,
                _ = connections.join_next(), if !connections.is_empty() => {}
                grace = stopped(&mut stop) => break 'serving grace,
            }
        };
        connections.spawn(service.clone().connection(Arc::clone(&server), accepted, end.clone()));
    };
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were still open when the grace ended");
    }
    connections.shutdown().await;
}

fn server(header_timeout: Duration) -> Builder<TokioExecutor> {
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(MAX_HEAD);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(header_timeout)
        .keep_alive_timeout(header_timeout)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32);
    server
}

async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    // Whoever could say stop is gone: the same as stop at once.
    stop.wait_for(Option::is_some).await.ok().and_then(|grace| *grace).unwrap_or_default()
}

struct Accepted {
    stream: TcpStream,
    address: IpAddr,
    slot: OwnedSemaphorePermit,
}

/// The next connection, when there is a place for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>, room: &Notify) -> Accepted {
    let (stream, address) = loop {
        match listener.accept().await {
            Ok((stream, peer)) => break (stream, peer.ip()),
            Err(error) => {
                // Out of file descriptors, mostly: it passes when connections close.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let _ = stream.set_nodelay(true);
    Accepted { stream, address, slot: slot(slots, room).await }
}

/// A place for a connection; where all are taken, connections that only wait for a next request are ended for it.
async fn slot(slots: &Arc<Semaphore>, room: &Notify) -> OwnedSemaphorePermit {
    let mut free = pin!(Arc::clone(slots).acquire_owned());
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            slot = free.as_mut() => return slot.expect("the semaphore is never closed"),
            () = tokio::time::sleep(pause) => room.notify_one(),
        }
        pause = ROOM_PAUSE;
    }
}
