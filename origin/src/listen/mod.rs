//! The listeners: accept, bound and drain connections; TLS where it is set up.

mod bodies;
mod patient;
pub(crate) mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_layer::Layer as _;

use crate::metrics::Metrics;
use bodies::Bodies;
use patient::Patient;

/// Largest request head, bytes.
const MAX_HEAD: usize = 32 << 10;
const MAX_STREAMS: u32 = 128;

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

    async fn connection(self, server: Arc<Builder<TokioExecutor>>, accepted: Accepted, watcher: Watcher) {
        let Accepted { stream, address, slot } = accepted;
        let _slot = slot;
        let open = self.metrics.connections.clone();
        open.inc();
        match self.tls.clone() {
            None => self.serve(&server, stream, Peer { address, secure: false }, watcher).await,
            Some(tls) => match tokio::time::timeout(self.limits.header_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(&server, stream, Peer { address, secure: true }, watcher).await,
                _ => drop(self.metrics.handshakes_failed.inc()),
            },
        }
        open.dec();
    }

    async fn serve<S>(&self, server: &Builder<TokioExecutor>, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let bodies = Arc::new(Bodies::new());
        let router = Extension(Arc::clone(&bodies)).layer(self.router.clone());
        let service = TowerToHyperService::new(Extension(peer).layer(router));
        let stream = Patient::new(stream, self.limits.header_timeout, self.limits.stall_timeout);
        let connection = server.serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            ended = watcher.watch(connection) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
            }
            () = bodies.stalled(self.limits.stall_timeout) => {
                tracing::debug!("a client took nothing of its answers; its connection is cut");
            }
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
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let grace = loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            grace = stopped(&mut stop) => break grace,
        };
        connections.spawn(service.clone().connection(Arc::clone(&server), accepted, graceful.watcher()));
    };
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
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

/// The next connection, as soon as one more is allowed.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Accepted {
    let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                return Accepted { stream, address: peer.ip(), slot };
            }
            Err(error) => {
                // Out of file descriptors, mostly: it passes when connections close.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
