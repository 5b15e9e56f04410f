//! The memory: a byte budget with TinyLFU admission, so that a scan does not push out what is hot.

use std::sync::Arc;

use moka::notification::RemovalCause;
use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;

use super::object::{Freshness, Object};
use super::purge::{PurgeLog, Standing};

/// Cached objects by cache key.
#[derive(Debug)]
pub(crate) struct Store {
    objects: Cache<Arc<str>, Arc<Object>>,
    pub(crate) purges: PurgeLog,
}

impl Store {
    /// Holds up to `bytes`; `evictions` counts what had to go for lack of room.
    pub(crate) fn new(bytes: u64, evictions: Counter) -> Self {
        let objects = Cache::builder()
            .max_capacity(bytes)
            .weigher(|cache_key: &Arc<str>, object: &Arc<Object>| {
                u32::try_from(cache_key.len() + object.weight()).unwrap_or(u32::MAX)
            })
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evictions.inc();
                }
            })
            .build();
        Self { objects, purges: PurgeLog::default() }
    }

    /// The object, fresh or stale, unless it was purged.
    pub(crate) fn get(&self, cache_key: &str) -> Option<Arc<Object>> {
        let object = self.objects.get(cache_key)?;
        match self.purges.apply(cache_key, &object) {
            Standing::Kept => Some(object),
            Standing::Gone => {
                self.objects.invalidate(cache_key);
                None
            }
        }
    }

    /// Whether there is something fresh under a cache key. That nothing is there does not count as a use.
    pub(crate) fn holds(&self, cache_key: &str, now_ms: u64) -> bool {
        self.objects.contains_key(cache_key)
            && self.get(cache_key).is_some_and(|object| object.freshness(now_ms) == Freshness::Fresh)
    }

    /// Keeps an object, unless it was purged while it came.
    pub(crate) fn put(&self, cache_key: Arc<str>, object: Arc<Object>) {
        if self.purges.apply(&cache_key, &object) == Standing::Kept {
            self.objects.insert(cache_key, object);
        }
    }

    /// Frees the memory of everything that hard purges named. Takes time: not for a worker.
    pub(crate) fn sweep(&self) {
        for (cache_key, object) in &self.objects {
            if self.purges.apply(&cache_key, &object) == Standing::Gone {
                self.objects.invalidate(&*cache_key);
            }
        }
        self.objects.run_pending_tasks();
    }

    /// Objects and bytes held.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.objects.run_pending_tasks();
        (self.objects.entry_count(), self.objects.weighted_size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Purge;
    use crate::cache::object::tests::object;

    fn put(store: &Store, cache_key: &str) {
        let fields = [("cache-control", "max-age=9"), ("surrogate-key", "k")];
        let object = object(&fields, b"0123456789", 1, store.purges.latest());
        store.put(cache_key.into(), Arc::new(object));
    }

    #[test]
    fn the_budget_holds() {
        let evictions = Counter::default();
        let store = Store::new(20_000, evictions.clone());
        for number in 0..200 {
            put(&store, &format!("/{number}"));
        }
        let (objects, bytes) = store.size();
        assert!(bytes <= 20_000 && objects > 10 && objects < 50, "{objects} objects, {bytes} bytes");
        assert_eq!(evictions.get() + objects, 200);
    }

    #[test]
    fn a_sweep_frees_what_was_purged() {
        let store = Store::new(1 << 20, Counter::default());
        put(&store, "/a");
        put(&store, "/b");
        store.purges.purge_path("/a", Purge::Hard, 1);
        store.sweep();
        assert_eq!(store.size().0, 1);
        store.purges.purge_surrogate_key("k", Purge::Hard, 1);
        assert!(store.get("/b").is_none());
        assert_eq!(store.size().0, 0);
    }
}
