//! The scan: whatever lies in the store and not in the catalog is imported.
//!
//! Publishers usually say what they have published; the scan finds what nobody said, and fills a new database
//! from a full store. One bad descriptor never stops it.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::TryChunksError;
use futures_util::{StreamExt as _, TryStreamExt as _};
use segue_manifests::{AssetId, Descriptor, ObjectKey, Rev};

use super::{ImportError, Importer};
use crate::catalog::{Change, Trigger};
use crate::clock;
use crate::database::DatabaseError;

/// Descriptors that are read at once.
const AT_ONCE: usize = 8;
/// Descriptors that are imported in one transaction.
const BATCH: usize = 512;
/// Bad descriptors that are remembered, so that each is reported once.
const MAX_REMEMBERED: usize = 100_000;

/// Why a scan ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("the store cannot be listed: {0}")]
    List(segue_storage::Error),
    #[error(transparent)]
    Database(DatabaseError),
}

/// What a scan came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Descriptors in the store.
    pub(crate) seen: u64,
    /// Descriptors brought into the catalog.
    pub(crate) imported: u64,
    /// Descriptors that cannot be used, or could not be read this time.
    pub(crate) failed: u64,
}

/// Scans the store again and again.
#[derive(Debug)]
pub(crate) struct Scanner {
    importer: Importer,
    /// Descriptors never change: one that is bad stays bad for this process.
    bad: HashSet<(AssetId, Rev)>,
}

impl Scanner {
    /// Scans through that importer.
    pub(crate) fn new(importer: Importer) -> Self {
        Self { importer, bad: HashSet::new() }
    }

    /// Scans now, then every `interval`; only once when that is zero.
    pub(crate) async fn run(mut self, interval: Duration) {
        loop {
            match self.scan().await {
                Ok(report) if report.imported + report.failed > 0 => {
                    tracing::info!(
                        scan.seen = report.seen,
                        scan.imported = report.imported,
                        scan.failed = report.failed,
                        "scanned the store"
                    );
                }
                Ok(report) => tracing::debug!(scan.seen = report.seen, "scanned the store: nothing new"),
                Err(error) => tracing::warn!(%error, "the scan ended early; the next one tries again"),
            }
            if interval.is_zero() {
                return;
            }
            tokio::time::sleep(interval).await;
        }
    }

    /// One pass over the store. While a batch is written, the next is read.
    pub(crate) async fn scan(&mut self) -> Result<Report, ScanError> {
        let began = clock::now_ms();
        let importer = self.importer.clone();
        let listed = importer.store.list("a/").try_filter_map(async |meta| Ok(descriptor_of(&meta.path)));
        let mut report = Report::default();
        let mut batches = pin!(listed.try_chunks(BATCH));
        let mut looked = self.look_at(batches.next().await).await;
        while let Some(Looked { looks, broken }) = looked {
            let fresh = self.sort_out(looks.map_err(ScanError::Database)?, &mut report);
            let next = async { self.look_at(batches.next().await).await };
            let (done, next) = tokio::join!(importer.import_all(&fresh, began), next);
            report.imported += done.map_err(ScanError::Database)?;
            // What came before the listing broke off is imported all the same.
            if let Some(error) = broken {
                return Err(ScanError::List(error));
            }
            looked = next;
        }
        Ok(report)
    }

    /// Reads what is unknown of a batch; none when the store's end is reached.
    async fn look_at(&self, batch: Option<Listed>) -> Option<Looked> {
        let (found, broken) = match batch? {
            Ok(found) => (found, None),
            Err(error) => (error.0, Some(error.1)),
        };
        Some(Looked { looks: self.importer.look_at(&found, &self.bad).await, broken })
    }

    /// Counts what was found; answers what is to be imported.
    fn sort_out(&mut self, looks: Vec<Look>, report: &mut Report) -> Vec<Descriptor> {
        let mut fresh = Vec::new();
        for look in looks {
            report.seen += 1;
            match look {
                Look::Known => {}
                Look::KnownBad => report.failed += 1,
                Look::New(descriptor) => fresh.push(*descriptor),
                Look::Failed(asset, rev, error) => {
                    report.failed += 1;
                    self.note_failure(asset, rev, &error);
                }
            }
        }
        fresh
    }

    fn note_failure(&mut self, asset: AssetId, rev: Rev, error: &ImportError) {
        tracing::warn!(%error, asset.id = %asset, asset.rev = %rev, "a descriptor was not imported");
        self.importer.metrics.import(error.label());
        if matches!(error, ImportError::Bad(_)) && self.bad.len() < MAX_REMEMBERED {
            self.bad.insert((asset, rev));
        }
    }
}

/// Descriptors of the store; those before its listing broke off, and why.
type Listed = Result<Vec<(AssetId, Rev)>, TryChunksError<(AssetId, Rev), segue_storage::Error>>;

/// What a batch turned out to be.
struct Looked {
    looks: Result<Vec<Look>, DatabaseError>,
    /// Why the listing broke off behind it.
    broken: Option<segue_storage::Error>,
}

/// What one descriptor of the store turned out to be.
enum Look {
    Known,
    New(Box<Descriptor>),
    Failed(AssetId, Rev, ImportError),
    KnownBad,
}

impl Importer {
    /// Reads the descriptors of packagings that are not known.
    async fn look_at(
        &self,
        found: &[(AssetId, Rev)],
        bad: &HashSet<(AssetId, Rev)>,
    ) -> Result<Vec<Look>, DatabaseError> {
        let known = self.catalog.known(found).await?;
        let looks: Vec<_> = found
            .iter()
            .map(|packaging| {
                self.clone().look(*packaging, known.contains(packaging), bad.contains(packaging))
            })
            .collect();
        Ok(futures_util::stream::iter(looks).buffered(AT_ONCE).collect().await)
    }

    async fn look(self, (asset, rev): (AssetId, Rev), known: bool, bad: bool) -> Look {
        match (known, bad) {
            (true, _) => Look::Known,
            (_, true) => Look::KnownBad,
            _ => match self.read(asset, rev).await {
                Ok(descriptor) => Look::New(Box::new(descriptor)),
                Err(error) => Look::Failed(asset, rev, error),
            },
        }
    }

    /// Imports what a scan that began then has found; says how many songs it added or changed.
    async fn import_all(&self, found: &[Descriptor], began: u64) -> Result<u64, DatabaseError> {
        if found.is_empty() {
            return Ok(0);
        }
        let changes = self.catalog.apply_all(found, Trigger::Scan { began }, clock::now_ms()).await?;
        changes.iter().for_each(|change| self.metrics.import(change.as_str()));
        Ok(changes.iter().filter(|it| matches!(it, Change::Added | Change::Moved)).count() as u64)
    }
}

/// The packaging whose descriptor lies at that path.
fn descriptor_of(path: &str) -> Option<(AssetId, Rev)> {
    match ObjectKey::parse(path)? {
        ObjectKey::Descriptor { asset, rev } => Some((asset, rev)),
        _ => None,
    }
}
