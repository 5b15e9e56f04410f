//! The private side of an edge, on a thread of its own: health, metrics, purge and revocation, the poll of the signing keys, the
//! probes of upstreams, and the look at the certificates' files.

mod api;
mod prefetch;
mod purge;
mod revoke;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::access::{Kept, Poller};
use crate::config::millis;
use crate::edge::Edge;
use crate::handover;
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

/// The edge with the settings that are in force, and what makes its connections.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) edge: Arc<Edge>,
    pub(crate) connector: Connector,
}

/// What the private side works with.
pub(crate) struct Control {
    current: watch::Receiver<Current>,
    errands: Errands,
    tls: Option<Tls>,
    phase: watch::Receiver<Phase>,
    sweep: Arc<Notify>,
    exporter: Option<Exporter>,
}

/// What is asked of others time and again, as the settings say.
struct Errands {
    poller: Option<Poller>,
    probes: Option<(Upstreams, String, Duration)>,
}

impl Errands {
    fn new(current: &Current) -> Result<Self, String> {
        let Current { edge, connector } = current;
        let config = &edge.config;
        let uri: Uri = config.key_set_url().parse().map_err(|_| "key_set_url is not a URL")?;
        let poller = (!config.open).then(|| {
            let interval = Duration::from_secs(config.key_poll_seconds);
            let deadline = millis(config.first_byte_timeout_ms);
            let kept = Kept::open(&config.key_set_file, &edge.keys);
            let client = client(connector.clone());
            Poller::new(client, uri, interval, deadline, edge.keys.clone(), edge.metrics.clone())
                .keeping(kept)
        });
        let upstreams = Upstreams::new(connector.clone(), edge)?;
        let probes = config.probe().map(|(path, pause)| (upstreams, path.to_owned(), pause));
        Ok(Self { poller, probes })
    }

    /// The tasks that run them; they end when this is dropped.
    fn start(self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if let Some(poller) = self.poller {
            tasks.spawn(poller.run());
        }
        if let Some((upstreams, path, pause)) = self.probes {
            probe(&mut tasks, upstreams, &path, pause);
        }
        tasks
    }
}

impl Control {
    /// # Errors
    /// When a URL cannot be read, or a secret or name cannot stand in a field.
    pub(crate) fn new(
        mut current: watch::Receiver<Current>,
        tls: Option<Tls>,
        phase: watch::Receiver<Phase>,
    ) -> Result<Self, String> {
        let now = current.borrow_and_update().clone();
        let exporter = Exporter::new(&now.edge, now.connector.clone())?;
        Ok(Self { errands: Errands::new(&now)?, current, tls, phase, sweep: Arc::default(), exporter })
    }

    /// Works until the edge stops. Takes connections from when it serves until another process does in its place.
    pub(crate) async fn run(self, listener: std::net::TcpListener, taken: watch::Receiver<bool>) {
        if let Some(tls) = self.tls {
            tokio::spawn(follow_certificates(tls));
        }
        let edge = self.current.borrow().edge.clone();
        tokio::spawn(sweep(edge.clone(), self.sweep.clone()));
        tokio::spawn(make_room(edge));
        tokio::spawn(run_errands(self.errands, self.current.clone()));
        let mut phase = self.phase;
        let exported = self.exporter.map(|exporter| tokio::spawn(exporter.run(phase.clone())));
        tokio::select! {
            () = accept(self.current, self.sweep, listener, phase.clone(), taken) => {}
            () = Phase::stopped(&mut phase) => {}
        }
        Phase::stopped(&mut phase).await;
        if let Some(exported) = exported {
            let _ = timeout(LAST_SPANS, exported).await;
        }
    }
}

/// Takes connections until another process does.
async fn accept(
    current: watch::Receiver<Current>,
    swept: Arc<Notify>,
    listener: std::net::TcpListener,
    mut phase: watch::Receiver<Phase>,
    taken: watch::Receiver<bool>,
) {
    if !Phase::serving(&mut phase).await {
        return;
    }
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("admin listener cannot be used: {error}"),
    };
    let mut taken = pin!(handover::taken(taken));
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(serve(current.clone(), swept.clone(), stream))),
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            () = &mut taken => return,
        }
    }
}

/// Runs them with the settings that are in force: after each change anew.
async fn run_errands(errands: Errands, mut current: watch::Receiver<Current>) {
    let mut tasks = errands.start();
    while current.changed().await.is_ok() {
        let now = current.borrow_and_update().clone();
        match Errands::new(&now) {
            Ok(errands) => tasks = errands.start(),
            Err(error) => tracing::error!("signing keys and probes go on as before: {error}"),
        }
    }
    drop(tasks);
}

async fn serve(current: watch::Receiver<Current>, sweep: Arc<Notify>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let (edge, sweep) = (current.borrow().edge.clone(), sweep.clone());
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
