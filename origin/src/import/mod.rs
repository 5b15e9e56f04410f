//! Bringing published packagings into the catalog: when told, and by scanning the store.

mod scan;

use std::sync::Arc;

use segue_manifests::{AssetId, Descriptor, Rev};

use crate::catalog::{Catalog, Change, SongId, Trigger};
use crate::clock;
use crate::database::DatabaseError;
use crate::http::Problem;
use crate::media::{DescriptorFault, read_descriptor};
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};

pub(crate) use scan::Scanner;

/// A packaging that could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No descriptor lies in the store: the packaging was not published, or not yet.
    #[error("import: there is no descriptor of asset {asset} rev {rev} in the store; publish it first")]
    NotPublished {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
    },
    /// The descriptor cannot be used.
    #[error("import: {0}")]
    Bad(String),
    /// The store does not answer.
    #[error("import: the store is {0}")]
    Store(String),
    /// The database did not take it.
    #[error("import: {0}")]
    Database(#[from] DatabaseError),
}

impl ImportError {
    fn label(&self) -> &'static str {
        match self {
            Self::NotPublished { .. } => "not-published",
            Self::Bad(_) => "bad",
            Self::Store(_) => "store",
            Self::Database(_) => "database",
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotPublished { .. } => {
                Self::not_found("The store has no descriptor of this asset and rev. Publish it first.")
            }
            ImportError::Bad(reason) => Self::new(
                http::StatusCode::UNPROCESSABLE_ENTITY,
                "bad-descriptor",
                "Bad descriptor",
                format!("The descriptor in the store cannot be used: {reason}."),
            ),
            ImportError::Store(_) => {
                Self::unavailable("The object store is not reachable at the moment. Try again.", &error)
            }
            ImportError::Database(error) => error.into(),
        }
    }
}

/// Imports packagings.
#[derive(Debug, Clone)]
pub(crate) struct Importer {
    catalog: Catalog,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
}

impl Importer {
    /// From that store into that catalog.
    pub(crate) fn new(catalog: Catalog, store: Arc<Store>, metrics: Arc<Metrics>) -> Self {
        Self { catalog, store, metrics }
    }

    /// Imports one packaging; the same again changes nothing.
    pub(crate) async fn import(
        &self,
        asset: AssetId,
        rev: Rev,
        trigger: Trigger,
    ) -> Result<Change, ImportError> {
        let done = self.try_import(asset, rev, trigger).await;
        self.metrics.import(done.as_ref().map_or_else(ImportError::label, |change| change.as_str()));
        if let Ok(change @ (Change::Added | Change::Moved)) = &done {
            tracing::debug!(asset.id = %asset, asset.rev = %rev, "song {}", change.as_str());
        }
        done
    }

    /// The descriptor of a song's current packaging.
    pub(crate) async fn current(&self, song: SongId) -> Result<Option<Descriptor>, ImportError> {
        match self.catalog.current_rev(song).await? {
            Some(rev) => self.read(song, rev).await.map(Some),
            None => Ok(None),
        }
    }

    /// The descriptor of a packaging, checked.
    pub(crate) async fn read(&self, asset: AssetId, rev: Rev) -> Result<Descriptor, ImportError> {
        read_descriptor(&self.store, asset, rev).await.map_err(|fault| match fault {
            DescriptorFault::Store(StoreError::NotFound(_)) => ImportError::NotPublished { asset, rev },
            DescriptorFault::Store(error) => ImportError::Store(error.to_string()),
            DescriptorFault::Bad(reason) => ImportError::Bad(reason),
        })
    }

    async fn try_import(&self, asset: AssetId, rev: Rev, trigger: Trigger) -> Result<Change, ImportError> {
        if self.catalog.current_rev(asset).await? == Some(rev) {
            return Ok(Change::Unchanged);
        }
        let descriptor = self.read(asset, rev).await?;
        Ok(self.catalog.apply(&descriptor, trigger, clock::now_ms()).await?)
    }
}
