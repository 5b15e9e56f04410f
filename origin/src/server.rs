//! The life of an origin: start, serve, drain.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use segue_certificate::Certificate;
use segue_manifests::{AssetId, Rev};
use segue_storage::StorageRef;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::accounts::Accounts;
use crate::app::{App, AppState, IngestStatus, StatusBoard};
use crate::catalog::{Catalog, Trigger};
use crate::config::Config;
use crate::covers::Covers;
use crate::database::{Database, DatabaseError};
use crate::http::cached::Cached;
use crate::http::client;
use crate::http::layers::Shell;
use crate::http::rates::Rates;
use crate::http::secret::Secret;
use crate::import::{ImportError, Importer, Scanner};
use crate::library::Library;
use crate::media::{Budget, Media};
use crate::metrics::Metrics;
use crate::playback::{Edges, KeyRing, KeysFileError, Playback, Revocations, Warm, upkeep};
use crate::playlists::Playlists;
use crate::shared::Shared;
use crate::store::Store;
use crate::takedown::{Gone, Takedowns, Tombstones};
use crate::{api, listen};

/// Connections to the admin listener at once.
const ADMIN_CONNECTIONS: usize = 64;

/// An origin that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot work.
    #[error("origin configuration: {0}")]
    Config(String),
    /// The address cannot be listened on.
    #[error("origin: cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] segue_storage::Error),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysFileError),
}

/// A running origin. Dropping it stops it at once; [`Running::drain`] lets open requests end.
pub struct Running {
    addr: SocketAddr,
    admin_addr: Option<SocketAddr>,
    app: App,
    stop: watch::Sender<Option<Duration>>,
    listener: Mutex<Option<JoinHandle<()>>>,
    background: Vec<JoinHandle<()>>,
}

/// Opens the store, the database and the keys, binds, and serves in the background.
///
/// # Errors
/// When a setting cannot work, or something it names cannot be opened. A store's folder must exist: an origin makes none.
pub async fn start(config: Config) -> Result<Running, StartError> {
    config.check().map_err(StartError::Config)?;
    let store = segue_storage::open_existing(&config.store).await?;
    start_with(config, store).await
}

/// The same over a store that is open already; `config.store` is not looked at.
///
/// # Errors
/// As [`start`].
pub async fn start_with(config: Config, store: StorageRef) -> Result<Running, StartError> {
    config.check().map_err(StartError::Config)?;
    let certificate = certificate(&config).map_err(StartError::Config)?;
    let app = Arc::new(assemble(&config, store).await?);
    let (addr, listener) = bind(&config.listen).await?;
    let admin = if config.admin_listen.is_empty() { None } else { Some(bind(&config.admin_listen).await?) };
    warn_about_openness(&config, addr);
    let sharing = tokio::spawn(app.shared.clone().keep());
    app.shared.settle().await;
    let (stop, stopped) = watch::channel(None);
    let limits = listen::Limits {
        connections: config.max_connections,
        header_timeout: Duration::from_secs(config.header_timeout_seconds),
        stall_timeout: Duration::from_secs(config.stall_timeout_seconds),
    };
    let tls = certificate.clone().map(listen::tls::server_config).transpose().map_err(StartError::Config)?;
    let service = listen::Service::new(api::router(Arc::clone(&app)), limits, tls, Arc::clone(&app.metrics));
    let listener = Mutex::new(Some(tokio::spawn(listen::serve(listener, service, stopped))));
    let scanner = Scanner::new(app.importer.clone());
    let mut background = vec![
        tokio::spawn(scanner.run(Duration::from_secs(config.scan_seconds))),
        tokio::spawn(app.database.clone().follow()),
        tokio::spawn(Arc::clone(&app.takedowns).follow()),
        tokio::spawn(Arc::clone(&app.takedowns).mark()),
        tokio::spawn(
            Arc::clone(&app.keys)
                .follow(Duration::from_secs(config.keys_poll_seconds), app.revocations.clone()),
        ),
        tokio::spawn(upkeep::run(app.database.clone())),
        tokio::spawn(app.accounts.follow()),
        sharing,
    ];
    background.extend(certificate.map(|it| tokio::spawn(listen::tls::follow(it))));
    let admin_addr = admin.as_ref().map(|(addr, _)| *addr);
    if let Some((_, listener)) = admin {
        let limits = listen::Limits { connections: ADMIN_CONNECTIONS, ..limits };
        let router = api::admin_router(Arc::clone(&app));
        let service = listen::Service::new(router, limits, None, Arc::clone(&app.metrics));
        background.push(tokio::spawn(listen::serve(listener, service, stop.subscribe())));
    }
    Ok(Running { addr, admin_addr, app, stop, listener, background })
}

pub(crate) async fn bind(listen: &str) -> Result<(SocketAddr, TcpListener), StartError> {
    let bound = async {
        let listener = TcpListener::bind(listen).await?;
        Ok((listener.local_addr()?, listener))
    };
    bound.await.map_err(|source| StartError::Listen { listen: listen.to_owned(), source })
}

fn certificate(config: &Config) -> Result<Option<Arc<Certificate>>, String> {
    if config.tls_cert.is_empty() {
        return Ok(None);
    }
    Certificate::from_files(&config.tls_cert, &config.tls_key).map(|certificate| Some(Arc::new(certificate)))
}

async fn assemble(config: &Config, store: StorageRef) -> Result<AppState, StartError> {
    let metrics = Arc::new(Metrics::with(!config.redis.is_empty()));
    let store = Store::new(store, Arc::clone(&metrics), config.store_reads, config.store_timeout());
    let store = Arc::new(store);
    let edges = Edges::new(&config.edges, config.backup_edges);
    let edges = edges.map_err(|error| StartError::Config(error.to_string()))?;
    let keys = Arc::new(KeyRing::open(&config.keys_file)?);
    let database =
        Database::open(&config.database, &config.database_replicas, config.database_connections).await?;
    upkeep::prepare(&database).await;
    let catalog = Catalog::new(database.clone());
    let budget = Budget {
        descriptors: config.descriptor_cache_bytes,
        segments: config.media_cache_bytes,
        read_ahead: config.read_ahead_bytes,
    };
    let shared = Shared::new(config.shared(), Arc::clone(&metrics)).map_err(StartError::Config)?;
    let (admins, secret) = (&config.edge_admins, &config.edge_admin_secret);
    let all_admins = (&admins[..], &config.shield_admins[..]);
    let tombstones = Tombstones::new(Arc::clone(&store), Arc::clone(&metrics));
    let takedowns = Takedowns::load(database.clone(), all_admins, secret, tombstones, shared.clone()).await?;
    let takedowns = Arc::new(takedowns);
    let warm = Warm::new(edges.count(), admins, secret);
    let revocations = Revocations::new(admins, secret);
    let gone = Gone::Known(Arc::clone(&takedowns));
    let media = Arc::new(Media::new(Arc::clone(&store), Arc::clone(&metrics), budget, gone));
    Ok(AppState {
        accounts: Accounts::new(
            database.clone(),
            config.registration,
            config.login_lifetime(),
            shared.clone(),
        ),
        cached: Cached::new(config.answer_cache_bytes, database.clone(), Arc::clone(&metrics)),
        library: Library::new(database.clone()),
        playlists: Playlists::new(database.clone()),
        importer: Importer::new(catalog.clone(), Arc::clone(&store), Arc::clone(&metrics)),
        covers: Covers::new(catalog.clone(), Arc::clone(&store), config.cover_cache_bytes, config.cover_jobs),
        playback: Playback::new(
            database.clone(),
            Arc::clone(&media),
            Arc::clone(&keys),
            (edges, warm),
            config.issuer.clone(),
            Arc::clone(&metrics),
        ),
        media_secret: Arc::new(ArcSwap::from_pointee(Secret::new(&config.media_secret))),
        admin_secret: Secret::new(&config.admin_secret),
        guests: config.guests,
        registration: config.registration,
        login_seconds: config.login_lifetime().as_secs(),
        rates: Rates::new(config.rate_per_second, config.rate_burst, shared.clone()),
        trusted_proxies: client::networks(&config.trusted_proxies).map_err(StartError::Config)?,
        shell: Shell::new(
            Arc::clone(&metrics),
            config.max_requests,
            config.request_timeout(),
            config.cors_origins.clone(),
        ),
        status: StatusBoard::new(),
        metrics,
        database,
        store,
        catalog,
        media,
        takedowns,
        keys,
        revocations,
        shared,
    })
}

fn warn_about_openness(config: &Config, addr: SocketAddr) {
    if config.media_secret.is_empty() && !addr.ip().is_loopback() {
        tracing::warn!("media_secret is empty: whoever reaches this origin can read media without a token");
    }
    if !config.tls_cert.is_empty() && config.edges.iter().any(|edge| edge.starts_with("http://")) {
        tracing::warn!(
            "edges are named by http:// and the player by https://: browsers will not play from them"
        );
    }
}

impl Running {
    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of the admin listener, if there is one.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin_addr
    }

    /// Brings a published packaging into the catalog and makes it the current one of its asset; the same again
    /// changes nothing.
    ///
    /// # Errors
    /// When the store has no usable descriptor of it, or store or database do not answer.
    pub async fn import(&self, asset: AssetId, rev: Rev) -> Result<(), ImportError> {
        self.app.importer.import(asset, rev, Trigger::Named).await.map(drop)
    }

    /// Shows on `GET /status` how far an ingest has come; `None` where there is none.
    pub fn set_ingest_status(&self, status: Option<IngestStatus>) {
        self.app.status.set_ingest(status);
    }

    /// Takes no more connections, gives open requests `grace` to end, then closes everything. A second call
    /// does nothing.
    pub async fn drain(&self, grace: Duration) {
        self.stop.send_replace(Some(grace));
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(listener) = listener else { return };
        if let Err(error) = listener.await {
            tracing::error!(%error, "the listener ended early");
        }
        self.background.iter().for_each(JoinHandle::abort);
        self.app.playback.close().await;
        self.app.database.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.background.iter().for_each(JoinHandle::abort);
        if let Some(listener) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            listener.abort();
        }
    }
}
