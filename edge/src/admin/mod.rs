//! The private side of an edge, on a thread of its own: health, metrics and purge, the poll of the signing keys, the
//! probes of upstreams, and the look at the certificates' files.

mod api;
mod prefetch;
mod purge;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::access::{Kept, Poller};
use crate::config::millis;
use crate::edge::Edge;
use crate::server::Phase;
use crate::tls::Tls;
use crate::trace::Exporter;
use crate::upstream::{Connector, Upstreams, client, probe};

/// How often the certificates' files are looked at.
const CERTIFICATE_POLL: Duration = Duration::from_secs(1);
/// Rest between two sweeps, so that a storm of purges does not keep a core busy.
const SWEEP_PAUSE: Duration = Duration::from_millis(500);
/// How long an object has to show that it is still hot.
const ROOM_PAUSE: Duration = Duration::from_secs(5);
/// How long an edge that stops waits for a collector.
const LAST_SPANS: Duration = Duration::from_secs(2);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// What the private side works with.
pub(crate) struct Control {
    edge: Arc<Edge>,
    poller: Option<Poller>,
    upstreams: Upstreams,
    tls: Option<Tls>,
    phase: watch::Receiver<Phase>,
    sweep: Arc<Notify>,
    exporter: Option<Exporter>,
}

impl Control {
    /// # Errors
    /// When a URL cannot be read, or a secret or name cannot stand in a field.
    pub(crate) fn new(
        edge: Arc<Edge>,
        connector: Connector,
        tls: Option<Tls>,
        phase: watch::Receiver<Phase>,
    ) -> Result<Self, String> {
        let config = &edge.config;
        let url = config.key_set_url();
        let uri: Uri = url.parse().map_err(|_| "key_set_url is not a URL")?;
        let upstreams = Upstreams::new(connector.clone(), &edge)?;
        let exporter = Exporter::new(&edge, connector.clone())?;
        let poller = (!config.open).then(|| {
            let interval = Duration::from_secs(config.key_poll_seconds);
            let deadline = millis(config.first_byte_timeout_ms);
            let kept = Kept::open(&config.key_set_file, &edge.keys);
            Poller::new(client(connector), uri, interval, deadline, edge.keys.clone(), edge.metrics.clone())
                .keeping(kept)
        });
        Ok(Self { edge, poller, upstreams, tls, phase, sweep: Arc::default(), exporter })
    }

    /// Works until the edge stops.
    pub(crate) async fn run(self, listener: std::net::TcpListener) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!("admin listener cannot be used: {error}"),
        };
        if let Some(poller) = self.poller {
            tokio::spawn(poller.run());
        }
        if let Some((path, pause)) = self.edge.config.probe() {
            probe(self.upstreams, path, pause);
        }
        if let Some(tls) = self.tls {
            tokio::spawn(follow_certificates(tls));
        }
        tokio::spawn(sweep(self.edge.clone(), self.sweep.clone()));
        tokio::spawn(make_room(self.edge.clone()));
        let mut phase = self.phase;
        let exported = self.exporter.map(|exporter| tokio::spawn(exporter.run(phase.clone())));
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(serve(self.edge.clone(), self.sweep.clone(), stream))),
                    Err(_) => sleep(Duration::from_millis(50)).await,
                },
                () = Phase::stopped(&mut phase) => break,
            }
        }
        if let Some(exported) = exported {
            let _ = timeout(LAST_SPANS, exported).await;
        }
    }
}

async fn serve(edge: Arc<Edge>, sweep: Arc<Notify>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let (edge, sweep) = (edge.clone(), sweep.clone());
        async move { Ok::<_, Infallible>(api::answer(&edge, &sweep, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!("admin connection ended: {error}");
    }
}

async fn follow_certificates(tls: Tls) {
    loop {
        sleep(CERTIFICATE_POLL).await;
        tls.follow_files();
    }
}

/// Keeps room for hot objects among those that are sent without copying.
async fn make_room(edge: Arc<Edge>) {
    loop {
        sleep(ROOM_PAUSE).await;
        edge.depot.make_room();
    }
}

async fn sweep(edge: Arc<Edge>, wanted: Arc<Notify>) {
    loop {
        wanted.notified().await;
        edge.store.sweep();
        sleep(SWEEP_PAUSE).await;
    }
}
