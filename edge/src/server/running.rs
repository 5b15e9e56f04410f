//! The life of an edge: start, serve, drain.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::gate::Gate;
use super::listener::{deal, listeners, listens_on};
use super::worker::{self, Parts, Worker};
use crate::admin;
use crate::clock;
use crate::config::Config;
use crate::edge::Edge;
use crate::handover::{self, Door, Listeners, Offer, READY_WITHIN};
use crate::reload::{ReloadError, Reloaded, compare};
use crate::tls::Tls;
use crate::upstream::{Connector, Upstreams, connector, connects_differently};

/// Why an edge that takes over does not.
const NOT_READY: &str = "no signing keys in time, so that the process before serves on; look at key_set_url, or set \
                         key_set_file";
/// How often an edge that takes over looks whether it is ready.
const READY_LOOK: Duration = Duration::from_millis(10);

/// Where an edge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No connections yet: the process before serves.
    Starting,
    Serving,
    /// No new connections; those that are open end after their last response.
    Draining,
    /// Everything ends now.
    Stopped,
}

impl Phase {
    /// Resolves when connections are to be taken; `false` when none ever will be.
    pub(crate) async fn serving(phase: &mut watch::Receiver<Self>) -> bool {
        phase.wait_for(|phase| *phase != Self::Starting).await.is_ok_and(|phase| *phase != Self::Stopped)
    }

    /// Resolves when the drain begins.
    pub(crate) async fn draining(phase: &mut watch::Receiver<Self>) {
        let _ = phase.wait_for(|phase| matches!(phase, Self::Draining | Self::Stopped)).await;
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
        source: io::Error,
    },
    /// The process before cannot be taken over from, or this one did not get ready to.
    #[error("edge: handover {}: {reason}", path.display())]
    Handover {
        /// The Unix socket from the configuration.
        path: PathBuf,
        /// What was the matter, and what to do about it.
        reason: String,
    },
    /// A thread or its runtime could not be made.
    #[error("edge: cannot start a worker: {0}")]
    Worker(#[source] io::Error),
}

/// An edge that serves. Dropping it stops it at once; [`Running::drain`] lets clients finish.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    admin_addr: SocketAddr,
    phase: watch::Sender<Phase>,
    tls: Option<Tls>,
    gate: Arc<Gate>,
    current: Mutex<Current>,
    threads: Vec<oneshot::Receiver<()>>,
    admin: oneshot::Receiver<()>,
    offer: Option<Offer>,
    taken: watch::Sender<bool>,
}

/// What a new configuration makes anew.
#[derive(Debug)]
struct Current {
    workers: Vec<Arc<Worker>>,
    control: watch::Sender<admin::Current>,
}

/// Binds both addresses, starts the workers, and returns. Signing keys are fetched in the background: the edge
/// is ready (`/readyz`) once it has them. With `handover` set, and a process there, takes over from that one as soon as this one is
/// ready, which may take half a minute.
///
/// # Errors
/// When a setting makes no sense, an address is taken, a certificate cannot be read, or the process before cannot be taken
/// over from.
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_on(config, Listeners::default()).await
}

/// The same on sockets that are open already, as systemd hands them over; their addresses count, not those of the settings.
///
/// # Errors
/// As [`start`].
pub async fn start_on(config: Config, given: Listeners) -> Result<Running, StartError> {
    config.check().map_err(StartError::Config)?;
    if config.handover.is_empty() {
        return launch(config, given, Phase::Serving).map(|(running, _)| running);
    }
    if !given.is_empty() {
        let text =
            "handover has no meaning where sockets are given to this process, as by systemd; take one out";
        return Err(StartError::Config(text.into()));
    }
    let path = PathBuf::from(&config.handover);
    let failed = |error: io::Error| StartError::Handover {
        path: path.clone(),
        reason: format!("{error}; choose a path in a folder that only this user may write"),
    };
    let Some((claim, handed)) = handover::claim(&path).await.map_err(failed)? else {
        let door = Door::make(&path).map_err(failed)?;
        let (mut running, listeners) = launch(config, given, Phase::Serving)?;
        running.offer(door, listeners).map_err(failed)?;
        return Ok(running);
    };
    let handed = on_address(handed, &config).map_err(failed)?;
    let (mut running, listeners) = launch(config, handed, Phase::Starting)?;
    if timeout(READY_WITHIN, running.ready()).await.is_err() {
        return Err(StartError::Handover { path, reason: NOT_READY.into() });
    }
    let door = Door::make(&path).map_err(failed)?;
    claim.take_over(&path).await.map_err(failed)?;
    // Until now the process before was told what is revoked.
    let edge = running.current().control.borrow().edge.clone();
    edge.revoked.catch_up(&edge.keys, clock::unix_s());
    running.phase.send_replace(Phase::Serving);
    tracing::info!("took over from the process before");
    if let Err(error) = running.offer(door, listeners) {
        tracing::error!("the next process cannot take over from this one: {}", failed(error));
    }
    Ok(running)
}

/// Of what was handed over, what listens where the settings say.
fn on_address(handed: Listeners, config: &Config) -> io::Result<Listeners> {
    let keep = |all: Vec<TcpListener>, address: &str| -> io::Result<Vec<TcpListener>> {
        let fits = all.iter().map(|it| listens_on(it, address)).collect::<io::Result<Vec<_>>>()?;
        Ok(all.into_iter().zip(fits).filter_map(|(listener, fits)| fits.then_some(listener)).collect())
    };
    let public = keep(handed.public, &config.listen)?;
    Ok(Listeners { public, admin: keep(handed.admin, &config.admin_listen)? })
}

/// Starts everything; gives the sockets once more, for the next process to ask for.
fn launch(config: Config, given: Listeners, phase: Phase) -> Result<(Running, Listeners), StartError> {
    let edge = Arc::new(Edge::new(config).map_err(StartError::Config)?);
    let config = &edge.config;
    let (phase, watching) = watch::channel(phase);
    let (taken, is_taken) = watch::channel(false);
    let tls = Tls::new(config).map_err(StartError::Config)?;
    let public = open(given.public, "listen", &config.listen, config.worker_count())?;
    let admin = open(given.admin, "admin_listen", &config.admin_listen, 1)?;
    let (addr, admin_addr) = (local(&public), local(&admin));
    let listeners = Listeners { public, admin };
    let copies = listeners.copies().map_err(StartError::Worker)?;
    let connector = connector(config).map_err(StartError::Config)?;
    let gate = Gate::new(config.connections, config.connections_per_address, edge.metrics.clone());
    let (control, changes) =
        watch::channel(admin::Current { edge: edge.clone(), connector: connector.clone() });
    let private_side =
        admin::Control::new(changes, tls.clone(), watching.clone()).map_err(StartError::Config)?;
    let dealt = deal(listeners.public, config.worker_count()).map_err(StartError::Worker)?;
    let (mut workers, mut threads) = (Vec::new(), Vec::new());
    for (number, listeners) in dealt.into_iter().enumerate() {
        let upstreams = Upstreams::new(connector.clone(), &edge).map_err(StartError::Config)?;
        let parts = Parts {
            number,
            edge: edge.clone(),
            upstreams,
            tls: tls.as_ref().map(Tls::server_config),
            gate: gate.clone(),
            phase: watching.clone(),
        };
        let alive = mpsc::channel(1);
        let worker = Arc::new(Worker::new(parts, &alive.0));
        threads.push(spawn(&format!("edge-{number}"), worker::run(worker.clone(), listeners, alive))?);
        workers.push(worker);
    }
    let admin_listener = listeners.admin.into_iter().next().expect("there is one at least");
    let admin = spawn("edge-admin", private_side.run(admin_listener, is_taken))?;
    tracing::info!(edge.addr = %addr, edge.admin_addr = %admin_addr, workers = workers.len(), "edge listens");
    let current = Mutex::new(Current { workers, control });
    let running = Running { addr, admin_addr, phase, tls, gate, current, threads, admin, offer: None, taken };
    Ok((running, copies))
}

/// Those that are given, or others on that address.
fn open(
    given: Vec<TcpListener>,
    setting: &'static str,
    address: &str,
    count: usize,
) -> Result<Vec<TcpListener>, StartError> {
    let failed = |source| StartError::Listen { setting, address: address.to_owned(), source };
    if given.is_empty() {
        return listeners(address, count).map_err(failed);
    }
    given.iter().try_for_each(|listener| listener.set_nonblocking(true)).map_err(failed)?;
    Ok(given)
}

fn local(listeners: &[TcpListener]) -> SocketAddr {
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

    /// Resolves when another process serves in place of this one, which may drain then. Never without `handover`.
    pub async fn handed_over(&self) {
        handover::taken(self.taken.subscribe()).await;
    }

    /// Takes another configuration into use, as a whole or not at all. Requests that begin from now on find it, on connections
    /// that are open as on new ones; those under way end with the settings that they began with. What cannot change while
    /// the process runs stays, and is told. Reads the files that the configuration names.
    ///
    /// # Errors
    /// When a setting makes no sense, or a file cannot be used: everything is as it was.
    pub fn reload(&self, config: Config) -> Result<Reloaded, ReloadError> {
        let mut current = self.current();
        let before = current.control.borrow().clone();
        config.check().map_err(ReloadError)?;
        let (next, changes) = compare(&before.edge.config, &config);
        // Together with what stays it may make no sense.
        next.check().map_err(ReloadError)?;
        let certificates = Tls::others(&before.edge.config, &next).map_err(ReloadError)?;
        let edge = Arc::new(before.edge.renewed(next).map_err(ReloadError)?);
        let made = current.renewed(&before, &edge);
        let (workers, connector) = made.map_err(|error| {
            edge.bases.forget_all_but(&before.edge.bases, &edge.metrics);
            ReloadError(error)
        })?;
        // Nothing can fail any more.
        edge.take_over(&before.edge);
        self.gate.set_limits(edge.config.connections, edge.config.connections_per_address);
        if let (Some(tls), Some(certificates)) = (&self.tls, certificates) {
            tls.replace(certificates);
        }
        for (before, next) in current.workers.iter().zip(&workers) {
            before.follow(next.clone());
        }
        current.workers = workers;
        current.control.send_replace(admin::Current { edge, connector });
        Ok(Reloaded { changes })
    }

    /// Stops accepting, lets every response and fill under way finish, and returns when all is done or after
    /// `grace`. Meanwhile `/readyz` says 503, HTTP/2 clients get GOAWAY and HTTP/1.1 clients `Connection: close`.
    pub async fn drain(mut self, grace: Duration) {
        // What is held open beside the workers would keep on listening without anyone who accepts.
        drop(self.offer.take());
        self.current().control.borrow().edge.begin_draining();
        self.phase.send_replace(Phase::Draining);
        let threads = std::mem::take(&mut self.threads);
        let finished = timeout(grace, async {
            for thread in threads {
                let _ = thread.await;
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

impl Running {
    /// Lets the next process ask for these sockets.
    fn offer(&mut self, door: Door, listeners: Listeners) -> io::Result<()> {
        self.offer = Some(door.open(listeners, self.taken.clone())?);
        Ok(())
    }

    /// Resolves when the edge could serve.
    async fn ready(&self) {
        let edge = self.current().control.borrow().edge.clone();
        while !edge.is_ready() {
            sleep(READY_LOOK).await;
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    /// The workers with the settings of `edge`, and what makes its connections.
    fn renewed(
        &self,
        before: &admin::Current,
        edge: &Arc<Edge>,
    ) -> Result<(Vec<Arc<Worker>>, Connector), String> {
        let differs = connects_differently(&before.edge.config, &edge.config);
        let other = differs.then(|| connector(&edge.config)).transpose()?;
        let renewed = |worker: &Arc<Worker>| {
            let upstreams = worker.upstreams.renewed(other.clone(), edge)?;
            Ok(Arc::new(worker.renewed(edge.clone(), upstreams)))
        };
        let workers = self.workers.iter().map(renewed).collect::<Result<_, String>>()?;
        Ok((workers, other.unwrap_or_else(|| before.connector.clone())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped);
    }
}
