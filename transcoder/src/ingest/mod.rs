//! From folders of music to a store: every file is read, packed and published, or reported with the reason why not.

mod event;
mod fault;
mod look;
mod run;
mod sources;
mod stop;
mod walk;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use segue_storage::StorageRef;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

pub use event::{Event, Failure, Summary};
pub use stop::StopHandle;

use crate::config::Config;
use crate::journal::Journal;
use crate::publish::Settings;
use run::Run;
use sources::{Files, Sources};

/// Publishes music. One instance may run many times, over new paths or the same.
pub struct Ingest {
    store: StorageRef,
    config: Config,
    settings: Arc<Settings>,
    sources: Arc<dyn Sources>,
    journal_path: Option<PathBuf>,
    journal: OnceCell<Option<Arc<Journal>>>,
    stop: StopHandle,
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Ingest {
    /// An ingest into `store`. The journal, if any, spares reading unchanged files again; it is made when missing.
    pub fn new(store: StorageRef, config: Config, journal: Option<PathBuf>) -> Self {
        Self::with_sources(store, config, journal, Arc::new(Files))
    }

    fn with_sources(
        store: StorageRef,
        config: Config,
        journal_path: Option<PathBuf>,
        sources: Arc<dyn Sources>,
    ) -> Self {
        let settings = Arc::new(Settings::new(&config.ladder));
        let journal = OnceCell::new();
        Self { store, config, settings, sources, journal_path, journal, stop: StopHandle::new() }
    }

    /// Ends this run and every later one early.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Walks the paths and publishes what the store lacks, over all cores. A broken file never stops the others;
    /// a store that is full, refuses or cannot be reached does.
    ///
    /// Events come as things happen, from several files interleaved. Dropping the future gives up what is under way
    /// and leaves nothing half-published visible.
    pub async fn run(&self, paths: &[PathBuf], on_event: &(dyn Fn(Event) + Send + Sync)) -> Summary {
        let started = Instant::now();
        let paths = paths.to_vec();
        let walk = spawn_blocking(move || walk::walk(&paths)).await.unwrap_or_default();
        let run = Run::new(self, on_event, self.journal().await);
        let mut summary = run.all(walk).await;
        summary.wall_seconds = started.elapsed().as_secs_f64();
        summary
    }

    async fn journal(&self) -> Option<Arc<Journal>> {
        let path = self.journal_path.clone()?;
        let fingerprint = self.settings.fingerprint();
        let open = || async {
            let opened = spawn_blocking(move || Journal::open(&path, fingerprint)).await;
            match opened {
                Ok(Ok(journal)) => Some(Arc::new(journal)),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the journal cannot be opened; every file will be read again");
                    None
                }
                Err(_) => None,
            }
        };
        self.journal.get_or_init(open).await.clone()
    }
}

#[cfg(test)]
mod tests;
