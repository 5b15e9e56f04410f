//! One run over a set of files: `look, claim, check, pack, publish`, each step with its own limit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use segue_manifests::{AssetId, Rev};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::fault::Fault;
use super::look::{Known, Look, look, read};
use super::stop::Halt;
use super::walk::{FoundFile, Walk};
use super::{Event, Ingest, Summary};
use crate::journal::{Journal, Stamp};
use crate::package::{self, Package};
use crate::panics;
use crate::publish::{self, Release};
use crate::scratch::Scratch;
use crate::source::Identity;

/// Files that may be between looking and publishing: their descriptors are asked for at the same time.
const CHECKS: usize = 16;
/// How long uploads may go on after somebody asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// The state that the files of a run share.
pub(super) struct Run<'a> {
    ingest: &'a Ingest,
    on_event: &'a (dyn Fn(Event) + Send + Sync),
    journal: Option<Arc<Journal>>,
    halt: Arc<Halt>,
    /// Tracks being decoded and encoded.
    cores: Arc<Semaphore>,
    /// Tracks that have temporary files: a few more, so that encoders work while others upload.
    rooms: Semaphore,
    scratch: Arc<Mutex<Option<Arc<Scratch>>>>,
    summary: Mutex<Summary>,
}

impl Drop for Run<'_> {
    /// A run that is dropped before its end must not leave encoders working.
    fn drop(&mut self) {
        self.halt.halt("the ingest was dropped");
    }
}

/// How a file ended.
enum Outcome {
    Published(Box<Release>, f64),
    Unchanged(AssetId, Rev),
    Duplicate(AssetId, Rev, PathBuf),
}

impl Outcome {
    /// What the file is.
    fn identity(&self) -> (AssetId, Rev) {
        match self {
            Self::Published(release, _) => (release.descriptor().asset, release.descriptor().rev),
            Self::Unchanged(asset, rev) | Self::Duplicate(asset, rev, _) => (*asset, *rev),
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        ingest: &'a Ingest,
        on_event: &'a (dyn Fn(Event) + Send + Sync),
        journal: Option<Arc<Journal>>,
    ) -> Self {
        let jobs = ingest.config.parallel_jobs();
        Self {
            ingest,
            on_event,
            journal,
            halt: Arc::new(Halt::new(ingest.stop.clone())),
            cores: Arc::new(Semaphore::new(jobs)),
            rooms: Semaphore::new(2 * jobs),
            scratch: Arc::default(),
            summary: Mutex::default(),
        }
    }

    /// Brings every file to its end.
    pub(super) async fn all(self, walk: Walk) -> Summary {
        self.tell(Event::Found { files: walk.files.len() + walk.failures.len() });
        for failure in walk.failures {
            self.tell(failure.into());
        }
        let jobs = self.ingest.config.parallel_jobs();
        let mut claims = HashMap::new();
        // Looking keeps the order of the files, so that of two with the same audio the first always wins. It waits
        // for nothing that later steps hold, or the two could block one another.
        stream::iter(walk.files)
            .map(|file| self.look(file))
            .buffered(jobs)
            .map(|look| {
                let first = claim(&mut claims, &look);
                self.settle(look, first)
            })
            .buffer_unordered(CHECKS.max(2 * jobs))
            .for_each(|()| std::future::ready(()))
            .await;
        let mut summary = std::mem::take(&mut *self.summary());
        summary.stopped = self.halt.reason().filter(|_| summary.skipped > 0 || !summary.failed.is_empty());
        summary
    }

    async fn look(&self, file: FoundFile) -> Look {
        let given_up =
            Look { file: file.clone(), stamp: None, known: Err(Fault::Stopped), cpu: Duration::ZERO };
        if self.halt.is_set() {
            return given_up;
        }
        let (sources, settings) = (Arc::clone(&self.ingest.sources), Arc::clone(&self.ingest.settings));
        let journal = self.journal.clone();
        let looked = spawn_blocking(move || look(file, &*sources, &settings, journal.as_deref())).await;
        looked.unwrap_or(given_up)
    }

    /// Brings a file to its end and tells of it.
    async fn settle(&self, look: Look, first: Option<PathBuf>) {
        let Look { file, stamp, known, cpu } = look;
        self.summary().cpu_seconds += cpu.as_secs_f64();
        let path = file.path.clone();
        let ended = match (known, first) {
            (Err(fault), _) => Err(fault),
            (Ok(known), Some(first)) => Ok(Outcome::Duplicate(known.asset, known.rev, first)),
            (Ok(known), None) => self.ingest_one(&file, known).await,
        };
        if let Ok(outcome) = &ended {
            self.remember(stamp, outcome).await;
        }
        self.tell(self.ending(path, ended));
    }

    /// Journals a file that needs no reading next time. A duplicate is remembered as what it is itself: should the
    /// file that stands for it go away, it is published.
    async fn remember(&self, stamp: Option<Stamp>, outcome: &Outcome) {
        let (asset, rev) = outcome.identity();
        let (Some(stamp), Some(journal)) = (stamp, self.journal.clone()) else { return };
        let recorded = spawn_blocking(move || journal.record(&stamp, asset, rev)).await;
        if let Ok(Err(error)) = recorded {
            tracing::warn!(%error, "the journal cannot be written; the file will be read again next time");
        }
    }

    fn ending(&self, path: PathBuf, ended: Result<Outcome, Fault>) -> Event {
        match ended {
            Ok(Outcome::Unchanged(asset, rev)) => Event::Unchanged { path, asset, rev },
            Ok(Outcome::Duplicate(asset, _, of)) => Event::Duplicate { path, of, asset },
            Ok(Outcome::Published(release, cpu_seconds)) => Event::Published {
                path,
                asset: release.descriptor().asset,
                rev: release.descriptor().rev,
                title: release.descriptor().tags.title.clone(),
                audio_seconds: release.descriptor().duration_seconds(),
                cpu_seconds,
            },
            Err(fault) => {
                if let Some(why) = fault.ends_batch() {
                    self.halt.halt(&why);
                }
                match fault.into_failure(&path) {
                    Some(failure) => failure.into(),
                    None => Event::Skipped { path, reason: self.halt.reason().unwrap_or_default() },
                }
            }
        }
    }

    /// Checks the store, and packs and publishes what it lacks.
    async fn ingest_one(&self, file: &FoundFile, known: Known) -> Result<Outcome, Fault> {
        let store = &*self.ingest.store;
        self.unless_halted()?;
        if publish::is_published(store, known.asset, known.rev).await? {
            return Ok(Outcome::Unchanged(known.asset, known.rev));
        }
        let _room = self.rooms.acquire().await.map_err(|_| Fault::Stopped)?;
        let (identity, rev) = self.identity(file, known).await?;
        let package = self.pack(file).await?;
        let cpu_seconds = package.cpu.as_secs_f64();
        self.summary().cpu_seconds += cpu_seconds;
        let release = Release::new(identity, rev, package, &self.ingest.settings)?;
        tokio::select! {
            done = publish::publish(store, &release) => done?,
            () = self.grace_is_over() => return Err(Fault::Stopped),
        }
        let about = release.descriptor();
        tracing::debug!(asset.id = %about.asset, asset.rev = %about.rev, duration_ms = about.duration_ms(), "published");
        Ok(Outcome::Published(Box::new(release), cpu_seconds))
    }

    /// The identity of a file, read now where the journal had answered for it.
    async fn identity(&self, file: &FoundFile, known: Known) -> Result<(Identity, Rev), Fault> {
        self.unless_halted()?;
        if let Some(identity) = known.identity {
            return Ok((identity, known.rev));
        }
        let (sources, settings) = (Arc::clone(&self.ingest.sources), Arc::clone(&self.ingest.settings));
        let path = file.path.clone();
        let known =
            spawn_blocking(move || read(&path, &*sources, &settings)).await.map_err(|_| Fault::Stopped)??;
        known.identity.map(|identity| (identity, known.rev)).ok_or(Fault::Stopped)
    }

    /// Decodes and encodes, one of as many as there are cores.
    async fn pack(&self, file: &FoundFile) -> Result<Package, Fault> {
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| Fault::Stopped)?;
        self.unless_halted()?;
        self.tell(Event::Started { path: file.path.clone() });
        let (sources, settings) = (Arc::clone(&self.ingest.sources), Arc::clone(&self.ingest.settings));
        let (scratch, parent) = (Arc::clone(&self.scratch), self.ingest.config.scratch_parent());
        let (halt, path) = (Arc::clone(&self.halt), file.path.clone());
        let packing = spawn_blocking(move || {
            let _core = core;
            let dir = shared_scratch(&scratch, &parent).and_then(|scratch| scratch.job());
            let dir = dir.map_err(|e| Fault::scratch(&e))?;
            let packed = panics::caught(|| {
                let mut source = sources.open(&path)?;
                package::package(&mut *source, settings.ladder(), dir, &|| halt.is_set())
            });
            packed.map_err(|message| Fault::crashed("decoding", &message))?.map_err(Fault::from)
        });
        packing.await.map_err(|_| Fault::Stopped)?
    }

    async fn grace_is_over(&self) {
        self.halt.asked().await;
        tokio::time::sleep(GRACE).await;
    }

    fn unless_halted(&self) -> Result<(), Fault> {
        if self.halt.is_set() { Err(Fault::Stopped) } else { Ok(()) }
    }

    fn tell(&self, event: Event) {
        self.summary().add(&event);
        (self.on_event)(event);
    }

    fn summary(&self) -> MutexGuard<'_, Summary> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file that already stands for this audio, if there is one; otherwise this file does from now on.
fn claim(claims: &mut HashMap<AssetId, PathBuf>, look: &Look) -> Option<PathBuf> {
    let known = look.known.as_ref().ok()?;
    if let Some(first) = claims.get(&known.asset) {
        return Some(first.clone());
    }
    claims.insert(known.asset, look.file.path.clone());
    None
}

/// The run's folder of temporary files, made when the first track needs it.
fn shared_scratch(
    scratch: &Mutex<Option<Arc<Scratch>>>,
    parent: &std::path::Path,
) -> std::io::Result<Arc<Scratch>> {
    let mut shared = scratch.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(open) = &*shared {
        return Ok(Arc::clone(open));
    }
    let opened = Scratch::open(parent)?;
    *shared = Some(Arc::clone(&opened));
    Ok(opened)
}
