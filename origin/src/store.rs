//! Reading the object store: bounded, timed, counted, with the few kinds of failure that answers tell apart. Tombstones
//! are all that is written.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use segue_manifests::ObjectKey;
use segue_storage::{ErrorKind, ObjectMeta, StorageRef};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::metrics::Metrics;

/// Why an object could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// Nothing lies there.
    #[error("nothing lies at {0}")]
    NotFound(String),
    /// What lies there contradicts its descriptor.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The store does not answer, or not in time.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl StoreError {
    fn of(error: &segue_storage::Error, path: &str) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound(path.to_owned()),
            // Ranges come from descriptors: an object that lacks them is cut.
            ErrorKind::Range => Self::Damaged(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not-found",
            Self::Damaged(_) => "damaged",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// A body that arrives.
pub(crate) type Body = BoxStream<'static, Result<Bytes, segue_storage::Error>>;

/// The store behind the origin.
#[derive(Debug)]
pub(crate) struct Store {
    inner: StorageRef,
    metrics: Arc<Metrics>,
    slots: Semaphore,
    timeout: Duration,
}

impl Store {
    /// At most `reads` at once, each done within `timeout`.
    pub(crate) fn new(inner: StorageRef, metrics: Arc<Metrics>, reads: usize, timeout: Duration) -> Self {
        Self { inner, metrics, slots: Semaphore::new(reads.min(Semaphore::MAX_PERMITS)), timeout }
    }

    /// A whole object of at most `limit` bytes.
    pub(crate) async fn read(&self, object: &ObjectKey, limit: u64) -> Result<Bytes, StoreError> {
        let path = object.path();
        let reading = async {
            let _slot = self.slot().await;
            let found = self.inner.get(&path, None).await?;
            found.bytes(limit).await
        };
        let read = self.in_time(&path, reading).await;
        self.count(object, &read);
        if let Ok(bytes) = &read {
            self.metrics.store_bytes.inc_by(bytes.len() as u64);
        }
        read
    }

    /// Opens bytes of an object. The caller holds a [`Self::slot`] while they arrive.
    pub(crate) async fn open(&self, object: &ObjectKey, range: Range<u64>) -> Result<Body, StoreError> {
        let path = object.path();
        let opened = self.in_time(&path, self.inner.get(&path, Some(range))).await.map(|object| object.body);
        self.count(object, &opened);
        opened
    }

    /// Whether an object is there.
    pub(crate) async fn has(&self, object: &ObjectKey) -> Result<bool, StoreError> {
        let path = object.path();
        let looking = async {
            let _slot = self.slot().await;
            self.inner.head(&path).await
        };
        let found = match self.in_time(&path, looking).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        };
        self.count(object, &found);
        found
    }

    /// Writes a small object.
    pub(crate) async fn put(&self, object: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        let path = object.path();
        self.in_time(&path, self.inner.put(&path, bytes.into(), object.content_type())).await
    }

    /// Removes an object; one that is not there is fine.
    pub(crate) async fn delete(&self, object: &ObjectKey) -> Result<(), StoreError> {
        let path = object.path();
        self.in_time(&path, self.inner.delete(&path)).await
    }

    async fn in_time<T>(
        &self,
        path: &str,
        work: impl Future<Output = Result<T, segue_storage::Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => done.map_err(|error| StoreError::of(&error, path)),
            Err(_) => Err(self.too_late(path)),
        }
    }

    /// A place among the reads at work.
    pub(crate) async fn slot(&self) -> SemaphorePermit<'_> {
        self.slots.acquire().await.expect("the semaphore is never closed")
    }

    /// How long one read may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Every object below a prefix.
    pub(crate) fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, segue_storage::Error>> {
        self.inner.list(prefix)
    }

    /// Whether the store answers at all.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        let path = "ready";
        match tokio::time::timeout(Duration::from_secs(3).min(self.timeout), self.inner.head(path)).await {
            Ok(Err(error)) if error.kind() != ErrorKind::NotFound => Err(StoreError::of(&error, path)),
            Ok(_) => Ok(()),
            Err(_) => Err(self.too_late(path)),
        }
    }

    fn too_late(&self, path: &str) -> StoreError {
        StoreError::Unavailable(format!("{path}: no answer within {} s", self.timeout.as_secs()))
    }

    fn count<T>(&self, object: &ObjectKey, read: &Result<T, StoreError>) {
        let outcome = read.as_ref().map_or_else(StoreError::label, |_| "ok");
        self.metrics.store_read(label(object), outcome);
    }
}

fn label(object: &ObjectKey) -> &'static str {
    match object {
        ObjectKey::Packed { .. } => "packed",
        ObjectKey::Init { .. } => "init",
        ObjectKey::Cover { .. } => "cover",
        ObjectKey::Descriptor { .. } => "descriptor",
        ObjectKey::StaticMedia { .. } | ObjectKey::StaticMultivariant { .. } => "playlist",
        ObjectKey::Tombstone { .. } => "tombstone",
    }
}
