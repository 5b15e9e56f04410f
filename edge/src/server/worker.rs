//! A worker: one thread with a runtime, a listener and upstream connections of its own. Only the cache, the
//! table of fills and the keys are shared.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::activity::Deadlines;
use super::connection;
use super::gate::Gate;
use super::roster;
use super::running::Phase;
use crate::address::Peer;
use crate::edge::Edge;
use crate::prefetch;
use crate::upstream::Upstreams;

/// Pause after an accept that failed for lack of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one worker's connections share. A new configuration makes a new one of each: whoever has an old one finds the newest
/// from there, and nobody pays for that but one look at a flag for each request. An old one lives while a connection has it.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Place among the workers of the edge.
    pub(crate) number: usize,
    pub(crate) edge: Arc<Edge>,
    pub(crate) upstreams: Upstreams,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) gate: Arc<Gate>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) deadlines: Deadlines,
    alive: mpsc::WeakSender<Infallible>,
    answered_well: AtomicU64,
    untraced: AtomicU64,
    is_outdated: AtomicBool,
    latest: Arc<Latest>,
}

/// The one with the settings that are in force, once there was another one before. It knows this place in turn: that is cleared
/// at the end.
type Latest = Mutex<Option<Arc<Worker>>>;

/// Keeps its worker's thread running while it exists.
pub(crate) type Alive = Option<mpsc::Sender<Infallible>>;

impl Worker {
    /// The first of its thread.
    pub(super) fn new(parts: Parts, alive: &mpsc::Sender<Infallible>) -> Self {
        let Parts { number, edge, upstreams, tls, gate, phase } = parts;
        Self {
            number,
            deadlines: Deadlines::new(&edge.config),
            edge,
            upstreams,
            tls,
            gate,
            phase,
            alive: alive.downgrade(),
            answered_well: AtomicU64::new(0),
            untraced: AtomicU64::new(0),
            is_outdated: AtomicBool::new(false),
            latest: Arc::default(),
        }
    }

    /// The same worker with the settings of another edge.
    pub(super) fn renewed(&self, edge: Arc<Edge>, upstreams: Upstreams) -> Self {
        Self {
            number: self.number,
            deadlines: Deadlines::new(&edge.config),
            edge,
            upstreams,
            tls: self.tls.clone(),
            gate: self.gate.clone(),
            phase: self.phase.clone(),
            alive: self.alive.clone(),
            answered_well: AtomicU64::new(0),
            untraced: AtomicU64::new(0),
            is_outdated: AtomicBool::new(false),
            latest: self.latest.clone(),
        }
    }

    /// `next` has the settings that are in force from now on, in place of this one, which had them until now.
    pub(super) fn follow(&self, next: Arc<Self>) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        self.is_outdated.store(true, Ordering::Release);
    }

    /// How long connections may do what, by the settings that are in force now.
    pub(super) fn deadlines_now(&self) -> Deadlines {
        self.newer().map_or(self.deadlines, |newer| newer.deadlines)
    }

    /// Changes over to the one with the settings that are in force now; `true` if they are others.
    pub(crate) fn renew(worker: &mut Arc<Self>) -> bool {
        let newer = worker.newer();
        let is_newer = newer.is_some();
        newer.into_iter().for_each(|newer| *worker = newer);
        is_newer
    }

    fn newer(&self) -> Option<Arc<Self>> {
        if !self.is_outdated.load(Ordering::Acquire) {
            return None;
        }
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this request that was answered well is one of those that are logged.
    pub(crate) fn is_sampled(&self) -> bool {
        let before = self.answered_well.fetch_add(1, Ordering::Relaxed);
        before.is_multiple_of(self.edge.config.access_log_sample)
    }

    /// Whether this request begins a trace, if it belongs to none.
    pub(crate) fn picks_trace(&self) -> bool {
        let every = self.edge.traces.every;
        every > 0 && self.untraced.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
    }

    /// A handle for a task that must not be cut off by a drain.
    pub(crate) fn alive(&self) -> Alive {
        self.alive.upgrade()
    }
}

#[cfg(test)]
impl Worker {
    /// One without a listener, for tests of connections by themselves.
    pub(super) fn alone(config: crate::Config) -> Arc<Self> {
        let edge = Arc::new(Edge::new(config).unwrap());
        let connector = crate::upstream::connector(&edge.config).unwrap();
        let (_, phase) = watch::channel(Phase::Serving);
        let (alive, _) = mpsc::channel(1);
        Arc::new(Self {
            number: 0,
            upstreams: Upstreams::new(connector, &edge).unwrap(),
            tls: None,
            gate: Gate::new(0, 0, edge.metrics.clone()),
            phase,
            deadlines: Deadlines::new(&edge.config),
            alive: alive.downgrade(),
            answered_well: AtomicU64::new(0),
            untraced: AtomicU64::new(0),
            is_outdated: AtomicBool::new(false),
            latest: Arc::default(),
            edge,
        })
    }
}

/// What a worker is made of.
pub(super) struct Parts {
    pub(super) number: usize,
    pub(super) edge: Arc<Edge>,
    pub(super) upstreams: Upstreams,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) gate: Arc<Gate>,
    pub(super) phase: watch::Receiver<Phase>,
}

/// Serves until the drain is over. What is served keeps `alive` in use, and `all_gone` ends when nothing is any more.
pub(super) async fn run(
    worker: Arc<Worker>,
    listeners: Vec<std::net::TcpListener>,
    (alive, mut all_gone): (mpsc::Sender<Infallible>, mpsc::Receiver<Infallible>),
) {
    let mut stop = worker.phase.clone();
    tokio::spawn(roster::look_after(worker.clone()));
    // The first worker takes the queues; the others find them taken.
    let pulls = tokio::spawn(prefetch::work(worker.clone()));
    let reminders = tokio::spawn(prefetch::remind_shields(worker.clone()));
    let accept = |listener| tokio::spawn(accept_until_draining(worker.clone(), listener));
    let accepting: Vec<_> = listeners.into_iter().map(accept).collect();
    let latest = worker.latest.clone();
    // The first one goes when its connections have.
    drop(worker);
    for accepted in accepting {
        let _ = accepted.await;
    }
    pulls.abort();
    reminders.abort();
    drop(alive);
    tokio::select! {
        _ = all_gone.recv() => {}
        () = Phase::stopped(&mut stop) => {}
    }
    drop(latest.lock().unwrap_or_else(PoisonError::into_inner).take());
}

async fn accept_until_draining(mut worker: Arc<Worker>, listener: std::net::TcpListener) {
    let mut phase = worker.phase.clone();
    if !Phase::serving(&mut phase).await {
        return;
    }
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("listener cannot be used: {error}"),
    };
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    Worker::renew(&mut worker);
                    admit(&worker, stream, peer.ip());
                }
                Err(error) => {
                    tracing::warn!("connection cannot be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = Phase::draining(&mut phase) => break,
        }
    }
    if *phase.borrow() == Phase::Stopped {
        return;
    }
    Worker::renew(&mut worker);
    // Connections that the kernel has taken already would be reset by closing the listener.
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            admit(&worker, stream, peer.ip());
        }
    }
}

fn admit(worker: &Arc<Worker>, stream: TcpStream, address: std::net::IpAddr) {
    let peer = worker.edge.proxies.peer(address);
    let permit = match peer {
        Peer::Client(client) => worker.gate.admit(client),
        Peer::Proxy(_) | Peer::Unknown(_) => worker.gate.admit_proxy(),
    };
    let Some(permit) = permit else { return };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (worker, alive) = (worker.clone(), worker.alive());
    tokio::spawn(async move {
        let _alive = alive;
        connection::serve(worker, stream, permit, peer).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[tokio::test]
    async fn those_before_go_however_often_settings_change() {
        let first = Worker::alone(Config::default());
        let mut connection = first.clone();
        let mut newest = first.clone();
        drop(first);
        let mut before = Vec::new();
        for _ in 0..3 {
            let upstreams = newest.upstreams.renewed(None, &newest.edge).unwrap();
            let next = Arc::new(newest.renewed(newest.edge.clone(), upstreams));
            newest.follow(next.clone());
            before.push(Arc::downgrade(&newest));
            newest = next;
        }
        assert!(before[0].upgrade().is_some(), "the connection has it");
        assert!(before[1].upgrade().is_none() && before[2].upgrade().is_none());
        assert!(Worker::renew(&mut connection) && Arc::ptr_eq(&connection, &newest));
        assert!(!Worker::renew(&mut connection));
        assert!(before[0].upgrade().is_none());
    }
}
