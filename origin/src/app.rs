//! What every handler shares.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::accounts::{Accounts, Registration};
use crate::catalog::{Catalog, Totals};
use crate::covers::Covers;
use crate::database::{Database, DatabaseError};
use crate::http::cached::Cached;
use crate::http::layers::Shell;
use crate::http::rates::Rates;
use crate::http::secret::Secret;
use crate::import::Importer;
use crate::library::Library;
use crate::media::Media;
use crate::metrics::Metrics;
use crate::playback::{KeyRing, Playback, Revocations};
use crate::playlists::Playlists;
use crate::shared::Shared;
use crate::store::Store;
use crate::takedown::Takedowns;
use arc_swap::ArcSwap;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// The shared state of one origin.
pub(crate) type App = Arc<AppState>;

pub(crate) struct AppState {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) database: Database,
    pub(crate) store: Arc<Store>,
    pub(crate) catalog: Catalog,
    /// Answers of the catalog.
    pub(crate) cached: Cached,
    pub(crate) accounts: Accounts,
    pub(crate) library: Library,
    pub(crate) playlists: Playlists,
    pub(crate) importer: Importer,
    pub(crate) media: Arc<Media>,
    pub(crate) takedowns: Arc<Takedowns>,
    pub(crate) covers: Covers,
    pub(crate) playback: Playback,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) revocations: Revocations,
    pub(crate) media_secret: Arc<ArcSwap<Secret>>,
    pub(crate) admin_secret: Secret,
    /// Whether the catalog is open to those without an account.
    pub(crate) guests: bool,
    pub(crate) registration: Registration,
    pub(crate) login_seconds: u64,
    pub(crate) rates: Rates,
    pub(crate) shared: Shared,
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    pub(crate) shell: Arc<Shell>,
    pub(crate) status: StatusBoard,
}

/// How far an ingest that feeds this origin has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IngestStatus {
    /// Whether it is at work.
    pub running: bool,
    /// Files dealt with.
    pub done: u64,
    /// Files found.
    pub total: u64,
    /// Files that failed, among those done.
    pub failed: u64,
}

impl Serialize for IngestStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("IngestStatus", 4)?;
        out.serialize_field("state", if self.running { "running" } else { "idle" })?;
        out.serialize_field("done", &self.done)?;
        out.serialize_field("total", &self.total)?;
        out.serialize_field("failed", &self.failed)?;
        out.end()
    }
}

/// What `GET /status` tells.
pub(crate) struct StatusBoard {
    ingest: Mutex<Option<IngestStatus>>,
    totals: moka::future::Cache<(), Totals>,
}

impl StatusBoard {
    pub(crate) fn new() -> Self {
        // Counting walks whole tables: the answer may be a second old.
        let totals =
            moka::future::Cache::builder().max_capacity(1).time_to_live(Duration::from_secs(1)).build();
        Self { ingest: Mutex::new(None), totals }
    }

    pub(crate) fn set_ingest(&self, status: Option<IngestStatus>) {
        *self.ingest.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    pub(crate) fn ingest(&self) -> Option<IngestStatus> {
        *self.ingest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn totals(&self, catalog: &Catalog) -> Result<Totals, Arc<DatabaseError>> {
        self.totals.try_get_with((), catalog.totals()).await
    }
}
