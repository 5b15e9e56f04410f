//! Ingest beside serving: the demo album and the music folders, then every change in them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use segue_manifests::{AssetId, Rev};
use segue_origin::IngestStatus;
use segue_transcoder::{Event, Ingest, StopHandle, demo};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::data::DataDir;
use super::watch::Watch;
use crate::config::Config;
use crate::progress::Progress;

/// The running ingest.
pub(super) struct Running {
    stop: StopHandle,
    task: JoinHandle<()>,
}

impl Running {
    /// Begins nothing new and waits for the tracks under way to end or be given up.
    pub(super) async fn stop(self) {
        self.stop.stop();
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Starts ingest in the background.
pub(super) async fn start(
    config: &Config,
    data: &DataDir,
    origin: Arc<segue_origin::Running>,
) -> anyhow::Result<Running> {
    let folders: Vec<PathBuf> = config.up.music.iter().map(PathBuf::from).collect();
    let store = segue_storage::open(&data.store_url()).await.context("opening the store")?;
    let ingest = Arc::new(Ingest::new(store, config.transcoder.clone(), Some(data.path("journal.jsonl"))));
    let stop = ingest.stop_handle();
    let demo = config.up.demo.then(|| data.path("demo"));
    let worker = Worker { ingest, importer: Importer::start(origin) };
    let watching = config.up.watch;
    let task = tokio::spawn(async move { worker.work(demo, folders, watching).await });
    Ok(Running { stop, task })
}

struct Worker {
    ingest: Arc<Ingest>,
    importer: Importer,
}

impl Worker {
    async fn work(self, demo: Option<PathBuf>, folders: Vec<PathBuf>, watching: bool) {
        // Watching begins before the first walk, so that nothing falls between them.
        let mut watch = match Watch::new(&folders) {
            _ if !watching || folders.is_empty() => None,
            Ok(watch) => Some(watch),
            Err(error) => {
                tracing::error!(%error, "the music folders are not watched; restart to pick up changes");
                None
            }
        };
        if let Some(folder) = demo {
            self.compose(folder).await;
        }
        if !folders.is_empty() {
            self.pass(&folders, false).await;
        }
        while let Some(watch) = &mut watch {
            match watch.changed().await {
                Some(()) => self.pass(&folders, true).await,
                None => return,
            }
        }
    }

    /// Composes the demo album piece by piece; each is published while the next is made.
    async fn compose(&self, folder: PathBuf) {
        let (send, mut pieces) = mpsc::channel(1);
        let composing = tokio::task::spawn_blocking(move || {
            for piece in 0..demo::pieces() {
                let path = demo::compose_piece(&folder, piece)?;
                if send.blocking_send(path).is_err() {
                    break;
                }
            }
            Ok::<_, demo::DemoError>(())
        });
        while let Some(path) = pieces.recv().await {
            self.pass(&[path], true).await;
        }
        match composing.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the demo album could not be composed"),
            Err(error) => tracing::error!(%error, "composing the demo album ended early"),
        }
    }

    /// One walk over the paths. A quiet pass shows progress only when there is something to do.
    async fn pass(&self, paths: &[PathBuf], quiet: bool) {
        let progress = if quiet { Progress::quiet() } else { Progress::new(false) };
        let importer = &self.importer;
        let summary = self
            .ingest
            .run(paths, &|event| {
                progress.event(&event);
                importer.event(&event);
            })
            .await;
        importer.done();
        progress.finish(&summary);
    }
}

/// Tells the origin what is published, in order, without holding up the encoders.
struct Importer {
    origin: Arc<segue_origin::Running>,
    queue: mpsc::UnboundedSender<(AssetId, Rev)>,
    status: std::sync::Mutex<IngestStatus>,
}

impl Importer {
    fn start(origin: Arc<segue_origin::Running>) -> Self {
        let (queue, mut published) = mpsc::unbounded_channel();
        let importing = Arc::clone(&origin);
        tokio::spawn(async move {
            while let Some((asset, rev)) = published.recv().await {
                if let Err(error) = importing.import(asset, rev).await {
                    tracing::error!(%error, asset.id = %asset, asset.rev = %rev, "a published track is not in the catalog; the next scan tries again");
                }
            }
        });
        Self { origin, queue, status: std::sync::Mutex::default() }
    }

    fn event(&self, event: &Event) {
        if let Event::Published { asset, rev, .. } | Event::Unchanged { asset, rev, .. } = event {
            let _ = self.queue.send((*asset, *rev));
        }
        self.update(|status| match event {
            Event::Found { files } => {
                *status = IngestStatus { running: true, total: *files as u64, ..IngestStatus::default() }
            }
            Event::Failed { .. } => {
                status.done += 1;
                status.failed += 1;
            }
            Event::Started { .. } => {}
            _ => status.done += 1,
        });
    }

    fn done(&self) {
        self.update(|status| status.running = false);
    }

    fn update(&self, change: impl FnOnce(&mut IngestStatus)) {
        let mut status = self.status.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut status);
        self.origin.set_ingest_status(Some(*status));
    }
}
