//! Tombstones: the store says what is taken down, for edges that have nothing but the store.
//!
//! Origins work at it until the store says what the database says: what was missed, because the store was away or the
//! process was killed, is made good at the next start.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use segue_manifests::{AssetId, ObjectKey};
use tokio::sync::Notify;

use crate::metrics::Metrics;
use crate::store::{Store, StoreError};

/// How long a reader goes by what it has read.
pub(super) const REMEMBERED: Duration = Duration::from_secs(5);
/// Assets of which a reader remembers that they have a tombstone, or none.
const MAX_REMEMBERED: u64 = 100_000;
/// Tombstones that are looked at, or written, at one time.
const AT_ONCE: usize = 8;
/// Time until what could not be written is tried again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
const CONTENT: Bytes = Bytes::from_static(b"{\"version\":1}\n");

/// Reads tombstones.
#[derive(Debug)]
pub(crate) struct Stored {
    store: Arc<Store>,
    known: moka::future::Cache<AssetId, bool>,
}

impl Stored {
    /// Of that store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        let known =
            moka::future::Cache::builder().max_capacity(MAX_REMEMBERED).time_to_live(REMEMBERED).build();
        Self { store, known }
    }

    /// Whether an asset has a tombstone. Where the store does not say, nothing may be played.
    pub(super) async fn hold(&self, asset: AssetId) -> Result<bool, StoreError> {
        let looking = async { self.store.has(&ObjectKey::Tombstone { asset }).await };
        let looked = self.known.try_get_with(asset, looking).await;
        looked.map_err(|error: Arc<StoreError>| StoreError::clone(&error))
    }
}

/// Writes tombstones and takes them away.
#[derive(Debug)]
pub(crate) struct Tombstones {
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    /// Those whose tombstone may be missing, or one too many.
    due: Mutex<HashSet<AssetId>>,
    work: Notify,
}

impl Tombstones {
    /// In that store.
    pub(crate) fn new(store: Arc<Store>, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics, due: Mutex::default(), work: Notify::new() }
    }

    /// Looks whether these have a tombstone if they should, and none if they should not.
    pub(super) fn settle(&self, assets: impl IntoIterator<Item = AssetId>) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.extend(assets);
        self.metrics.tombstones_due.set(i64::try_from(due.len()).unwrap_or(i64::MAX));
        if !due.is_empty() {
            self.work.notify_one();
        }
    }

    fn due(&self) -> Vec<AssetId> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// It is as it should be, if it should `still` be so. Asked under the lock: whoever changes it puts it among what is
    /// due after that.
    fn done(&self, asset: AssetId, still: impl FnOnce() -> bool) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if still() {
            due.remove(&asset);
        }
        self.metrics.tombstones_due.set(i64::try_from(due.len()).unwrap_or(i64::MAX));
    }

    /// Works for ever. `down` says what is taken down now; `written` is called for each new tombstone.
    pub(super) async fn keep(&self, down: impl Fn(AssetId) -> bool, written: impl Fn(AssetId)) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(error) = self.round(&down, &written).await else {
                pause = FIRST_PAUSE;
                self.work.notified().await;
                continue;
            };
            tracing::warn!(
                songs = self.due().len(),
                retry_s = pause.as_secs(),
                "tombstones of songs cannot be written or removed: {error}; give the origin the right to write \
                 a/*/gone.json in the store, or edges that fall back to it may play what was taken down"
            );
            let _ = tokio::time::timeout(pause, self.work.notified()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Does what is due, once. What failed last, if anything did, stays due.
    async fn round(&self, down: &impl Fn(AssetId) -> bool, written: &impl Fn(AssetId)) -> Option<StoreError> {
        let mut failed = None;
        let works = futures_util::stream::iter(self.due()).map(|asset| {
            let gone = down(asset);
            async move { (asset, gone, self.make(asset, gone).await) }
        });
        let mut works = std::pin::pin!(works.buffer_unordered(AT_ONCE));
        while let Some((asset, gone, made)) = works.next().await {
            match made {
                Ok(new) => {
                    if gone && new {
                        written(asset);
                    }
                    self.done(asset, || down(asset) == gone);
                }
                Err(error) => failed = Some(error),
            }
        }
        failed
    }

    /// Makes the store say whether the asset is gone; `true` when it said something else before.
    async fn make(&self, asset: AssetId, gone: bool) -> Result<bool, StoreError> {
        let tombstone = ObjectKey::Tombstone { asset };
        if self.store.has(&tombstone).await? == gone {
            return Ok(false);
        }
        match gone {
            true => self.store.put(&tombstone, CONTENT).await?,
            false => self.store.delete(&tombstone).await?,
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_storage::testing::{Chaos, Faults};
    use segue_storage::{Memory, Storage as _};

    const SONG: AssetId = AssetId([7; 16]);

    fn store() -> (Arc<Chaos>, Arc<Store>) {
        let chaos = Arc::new(Chaos::new(Arc::new(Memory::default()), Faults::default(), 1));
        let metrics = Arc::new(Metrics::new());
        let store = Store::new(chaos.clone(), metrics, 4, Duration::from_secs(5));
        (chaos, Arc::new(store))
    }

    #[tokio::test]
    async fn the_store_says_what_is_down() {
        let (_, store) = store();
        let tombstones = Tombstones::new(store.clone(), Arc::new(Metrics::new()));
        let says = async || Stored::new(store.clone()).hold(SONG).await.unwrap();
        for (down, new) in [(false, 0), (true, 1), (true, 0), (false, 0), (false, 0)] {
            let written = Mutex::new(0);
            tombstones.settle([SONG]);
            assert!(tombstones.round(&|_| down, &|_| *written.lock().unwrap() += 1).await.is_none());
            assert_eq!((says().await, *written.lock().unwrap()), (down, new));
            assert!(tombstones.due().is_empty());
        }
    }

    #[tokio::test]
    async fn what_the_store_does_not_take_stays_due() {
        let (chaos, store) = store();
        let tombstones = Tombstones::new(store.clone(), Arc::new(Metrics::new()));
        chaos.set(Faults { offline: true, ..Faults::default() });
        tombstones.settle([SONG]);
        assert!(tombstones.round(&|_| true, &|_| ()).await.is_some());
        assert_eq!(tombstones.due(), [SONG]);
        assert!(Stored::new(store.clone()).hold(SONG).await.is_err(), "nobody knows");
        chaos.set(Faults::default());
        assert!(tombstones.round(&|_| true, &|_| ()).await.is_none());
        assert!(chaos.head(&ObjectKey::Tombstone { asset: SONG }.path()).await.is_ok());
    }

    #[tokio::test]
    async fn what_changes_meanwhile_stays_due() {
        let (_, store) = store();
        let tombstones = Tombstones::new(store, Arc::new(Metrics::new()));
        let asked = Mutex::new(0);
        let down = |_| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            *asked == 1
        };
        tombstones.settle([SONG]);
        assert!(tombstones.round(&down, &|_| ()).await.is_none());
        assert_eq!(tombstones.due(), [SONG]);
    }
}
