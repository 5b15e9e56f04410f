//! The life of an edge: start, serve, drain.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::gate::Gate;
use super::listener::listeners;
use super::worker::{self, Parts};
use crate::config::Config;
use crate::edge::Edge;
use crate::upstream::{Upstreams, connector};
use crate::{admin, tls};

/// Where an edge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// No new connections; those that are open end after their last response.
    Draining,
    /// Everything ends now.
    Stopped,
}

impl Phase {
    /// Resolves when the drain begins.
    pub(crate) async fn draining(phase: &mut watch::Receiver<Self>) {
        let _ = phase.wait_for(|phase| *phase != Self::Serving).await;
    }

    /// Resolves when everything is to end.
    pub(crate) async fn stopped(phase: &mut watch::Receiver<Self>) {
        let _ = phase.wait_for(|phase| *phase == Self::Stopped).await;
    }
}

/// Why an edge did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting makes no sense, or a file that it names cannot be used.
    #[error("edge: {0}")]
    Config(String),
    /// An address cannot be listened on.
    #[error(
        "edge: cannot listen on {address}: {source}; set {setting} to an address of this machine that is free"
    )]
    Listen {
        /// The setting that holds the address.
        setting: &'static str,
        /// The address from the configuration.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread or its runtime could not be made.
    #[error("edge: cannot start a worker: {0}")]
    Worker(#[source] std::io::Error),
}

/// An edge that serves. Dropping it stops it at once; [`Running::drain`] lets clients finish.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    admin_addr: SocketAddr,
    edge: Arc<Edge>,
    phase: watch::Sender<Phase>,
    workers: Vec<oneshot::Receiver<()>>,
    admin: oneshot::Receiver<()>,
}

/// Binds both addresses, starts the workers, and returns. Signing keys are fetched in the background: the edge
/// is ready (`/readyz`) once it has them.
///
/// # Errors
/// When a setting makes no sense, an address is taken, or a certificate cannot be read.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let edge = Arc::new(Edge::new(config).map_err(StartError::Config)?);
    let config = &edge.config;
    let (phase, watching) = watch::channel(Phase::Serving);
    let tls = tls::Tls::new(config).map_err(StartError::Config)?;
    let public = listen("listen", &config.listen, config.worker_count())?;
    let private = listen("admin_listen", &config.admin_listen, 1)?;
    let (addr, admin_addr) = (local(&public), local(&private));
    let connector = connector(config).map_err(StartError::Config)?;
    let gate = Gate::new(config.connections, config.connections_per_address, edge.metrics.clone());
    let control = admin::Control::new(edge.clone(), connector.clone(), tls.clone(), watching.clone())
        .map_err(StartError::Config)?;
    let mut workers = Vec::new();
    for (number, listener) in public.into_iter().enumerate() {
        let upstreams = Upstreams::new(connector.clone(), &edge);
        let parts = Parts {
            number,
            edge: edge.clone(),
            upstreams: upstreams.map_err(StartError::Config)?,
            tls: tls.as_ref().map(|tls| tls.server_config()),
            gate: gate.clone(),
            phase: watching.clone(),
            listener,
        };
        workers.push(spawn(&format!("edge-{number}"), worker::run(parts))?);
    }
    let admin_listener = private.into_iter().next().expect("one listener was asked for");
    let admin = spawn("edge-admin", control.run(admin_listener))?;
    tracing::info!(edge.addr = %addr, edge.admin_addr = %admin_addr, workers = workers.len(), "edge listens");
    Ok(Running { addr, admin_addr, edge: edge.clone(), phase, workers, admin })
}

fn listen(
    setting: &'static str,
    address: &str,
    count: usize,
) -> Result<Vec<std::net::TcpListener>, StartError> {
    let failed = |source| StartError::Listen { setting, address: address.to_owned(), source };
    listeners(address, count).map_err(failed)
}

fn local(listeners: &[std::net::TcpListener]) -> SocketAddr {
    listeners[0].local_addr().expect("a bound socket has an address")
}

/// Runs a task on a thread with a runtime of its own; the receiver resolves when the thread is done.
fn spawn(
    name: &str,
    task: impl Future<Output = ()> + Send + 'static,
) -> Result<oneshot::Receiver<()>, StartError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Worker)?;
    let (done, ended) = oneshot::channel();
    let body = move || {
        runtime.block_on(task);
        runtime.shutdown_background();
        // Nobody listens when the edge was dropped.
        let _ = done.send(());
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(StartError::Worker)?;
    Ok(ended)
}

impl Running {
    /// Where players connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where health, metrics and purge are.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// Stops accepting, lets every response and fill under way finish, and returns when all is done or after
    /// `grace`. Meanwhile `/readyz` says 503, HTTP/2 clients get GOAWAY and HTTP/1.1 clients `Connection: close`.
    pub async fn drain(mut self, grace: Duration) {
        self.edge.begin_draining();
        self.phase.send_replace(Phase::Draining);
        let workers = std::mem::take(&mut self.workers);
        let finished = timeout(grace, async {
            for worker in workers {
                let _ = worker.await;
            }
        });
        if finished.await.is_err() {
            tracing::warn!(
                grace_ms = grace.as_millis() as u64,
                "drain took too long; ending open connections"
            );
        }
        self.phase.send_replace(Phase::Stopped);
        let _ = (&mut self.admin).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped);
    }
}
