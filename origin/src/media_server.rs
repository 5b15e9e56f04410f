//! The media endpoint over a store alone, for an edge whose origins are gone: no database, no accounts, no catalog.
//!
//! It answers as an origin does, field by field: the same routes, the same code. What is taken down it learns from
//! tombstones in the store. It listens on the loopback address only, and who asks must show a secret, as at an origin that has
//! one.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use segue_storage::StorageRef;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{self, Door};
use crate::http::layers::Shell;
use crate::http::secret::Secret;
use crate::listen;
use crate::media::{Budget, Media};
use crate::metrics::Metrics;
use crate::server::{StartError, bind};
use crate::store::Store;
use crate::takedown::{Gone, Stored};

/// Where it listens: on this machine only.
const LISTEN: &str = "127.0.0.1:0";
/// Open connections, and requests worked on at once: one edge asks.
const CONNECTIONS: usize = 1024;
const REQUESTS: usize = 1024;
/// Time for a request's head, and for which the edge may take nothing of its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How far behind a segment the next ones are read with it, bytes.
const READ_AHEAD: u64 = 1 << 20;
/// The part of the memory that is for descriptors and playlists; the rest is for segments read ahead.
const DESCRIPTORS_SHARE: u64 = 3;
const NO_SECRET: &str = "a media endpoint over a store needs a secret";

/// Settings of a media endpoint over a store.
#[derive(Clone)]
pub struct MediaConfig {
    /// Bearer secret that must be shown.
    pub secret: String,
    /// Reads from the store at once.
    pub reads: usize,
    /// How long one read may take.
    pub read_timeout: Duration,
    /// Bytes of memory for descriptors, playlists and segments that are read ahead.
    pub cache_bytes: u64,
}

impl std::fmt::Debug for MediaConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { secret: _, reads, read_timeout, cache_bytes } = self;
        let mut shown = f.debug_struct("MediaConfig");
        shown.field("reads", reads).field("read_timeout", read_timeout).field("cache_bytes", cache_bytes);
        shown.finish_non_exhaustive()
    }
}

/// A running media endpoint. Dropping it stops it at once; [`MediaServer::drain`] lets open requests end.
pub struct MediaServer {
    addr: SocketAddr,
    secret: Arc<ArcSwap<Secret>>,
    stop: watch::Sender<Option<Duration>>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl MediaServer {
    /// Serves media of that store on a free port of the loopback address.
    ///
    /// # Errors
    /// When a setting cannot work, or there is no port.
    pub async fn start(config: &MediaConfig, store: StorageRef) -> Result<Self, StartError> {
        config.check().map_err(StartError::Config)?;
        let metrics = Arc::new(Metrics::with(false));
        let store = Arc::new(Store::new(store, Arc::clone(&metrics), config.reads, config.read_timeout));
        let descriptors = config.cache_bytes / DESCRIPTORS_SHARE;
        let budget =
            Budget { descriptors, segments: config.cache_bytes - descriptors, read_ahead: READ_AHEAD };
        let gone = Gone::Stored(Stored::new(Arc::clone(&store)));
        let media = Arc::new(Media::new(store, Arc::clone(&metrics), budget, gone));
        // The wait for a place among the reads counts, too.
        let timeout = config.read_timeout * 3;
        let shell = Shell::new(Arc::clone(&metrics), REQUESTS, timeout, vec!["*".into()]);
        let secret = Arc::new(ArcSwap::from_pointee(Secret::new(&config.secret)));
        let router = api::media_router(Door { media, secret: Arc::clone(&secret) }, shell);
        let (addr, listener) = bind(LISTEN).await?;
        let (stop, stopped) = watch::channel(None);
        let limits =
            listen::Limits { connections: CONNECTIONS, header_timeout: PATIENCE, stall_timeout: PATIENCE };
        let service = listen::Service::new(router, limits, None, metrics);
        let listener = Mutex::new(Some(tokio::spawn(listen::serve(listener, service, stopped))));
        Ok(Self { addr, secret, stop, listener })
    }

    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Wants another secret from now on. The one before is taken as well, from those who began with it.
    ///
    /// # Errors
    /// When it is empty; the one before stays.
    pub fn set_secret(&self, secret: &str) -> Result<(), StartError> {
        if secret.is_empty() {
            return Err(StartError::Config(NO_SECRET.into()));
        }
        let next = Secret::new(secret).after(&self.secret.load());
        self.secret.store(Arc::new(next));
        Ok(())
    }

    /// Takes no more connections, gives open requests `grace` to end, then closes everything.
    pub async fn drain(&self, grace: Duration) {
        self.stop.send_replace(Some(grace));
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listener) = listener
            && let Err(error) = listener.await
        {
            tracing::error!(%error, "the listener ended early");
        }
    }
}

impl Drop for MediaServer {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            listener.abort();
        }
    }
}

impl MediaConfig {
    fn check(&self) -> Result<(), String> {
        if self.reads == 0 {
            return Err("store_reads is 0; give at least 1".into());
        }
        if self.read_timeout.is_zero() {
            return Err("store_timeout_seconds is 0; give at least 1".into());
        }
        if self.secret.is_empty() {
            return Err(NO_SECRET.into());
        }
        Ok(())
    }
}
