//! The scan: whatever lies in the store and not in the catalog is imported.
//!
//! Publishers usually say what they have published; the scan finds what nobody said, and fills a new database
//! from a full store. One bad descriptor never stops it.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use segue_manifests::{AssetId, ObjectKey, Rev};

use super::{ImportError, Importer};
use crate::catalog::{Change, Trigger};
use crate::clock;
use crate::database::DatabaseError;

/// Descriptors that are read at once.
const AT_ONCE: usize = 8;
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

    /// One pass over the store.
    pub(crate) async fn scan(&mut self) -> Result<Report, ScanError> {
        let began = clock::now_ms();
        let importer = self.importer.clone();
        let listed = importer.store.list("a/").try_filter_map(async |meta| Ok(descriptor_of(&meta.path)));
        let looks = listed.map(|found| {
            let known_bad = found.as_ref().is_ok_and(|found| self.bad.contains(found));
            let importer = importer.clone();
            async move {
                let (asset, rev) = found?;
                let outcome = if known_bad { Look::KnownBad } else { importer.look(asset, rev, began).await };
                Ok((asset, rev, outcome))
            }
        });
        let mut report = Report::default();
        let mut bad = Vec::new();
        {
            let mut looks = pin!(looks.buffered(AT_ONCE));
            while let Some(look) = looks.next().await {
                let (asset, rev, look) = look.map_err(ScanError::List)?;
                report.add(&look);
                if let Look::Failed(ImportError::Database(error)) = look {
                    return Err(ScanError::Database(error));
                }
                if let Look::Failed(error) = &look {
                    tracing::warn!(%error, asset.id = %asset, asset.rev = %rev, "a descriptor was not imported");
                }
                if matches!(look, Look::Failed(ImportError::Bad(_))) {
                    bad.push((asset, rev));
                }
            }
        }
        bad.truncate(MAX_REMEMBERED.saturating_sub(self.bad.len()));
        self.bad.extend(bad);
        Ok(report)
    }
}

/// What one descriptor of the store turned out to be.
enum Look {
    Known,
    Imported,
    Failed(ImportError),
    KnownBad,
}

impl Report {
    fn add(&mut self, look: &Look) {
        self.seen += 1;
        match look {
            Look::Known => {}
            Look::Imported => self.imported += 1,
            Look::Failed(_) | Look::KnownBad => self.failed += 1,
        }
    }
}

impl Importer {
    /// Imports a packaging that was found by a scan, unless it is known.
    async fn look(&self, asset: AssetId, rev: Rev, began: u64) -> Look {
        match self.catalog.knows(asset, rev).await {
            Ok(true) => return Look::Known,
            Ok(false) => {}
            Err(error) => return Look::Failed(error.into()),
        }
        match self.import(asset, rev, Trigger::Scan { began }).await {
            Ok(Change::Added | Change::Moved) => Look::Imported,
            Ok(Change::Unchanged | Change::Noted) => Look::Known,
            Err(error) => Look::Failed(error),
        }
    }
}

/// The packaging whose descriptor lies at that path.
fn descriptor_of(path: &str) -> Option<(AssetId, Rev)> {
    match ObjectKey::parse(path)? {
        ObjectKey::Descriptor { asset, rev } => Some((asset, rev)),
        _ => None,
    }
}
