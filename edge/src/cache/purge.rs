//! Purging by path and by surrogate key, in constant time however much is cached.
//!
//! Purges are numbered. An object remembers the last one that it was compared with, starting with those that came
//! before its fill began: so a fill that is under way while its surrogate key is purged cannot bring the old
//! content back. Objects are compared when they are next looked up; a sweep frees the memory of the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::object::Object;
use super::variants::resource;

/// Most purges that are told apart; beyond, everything older counts as purged.
const MAX_ENTRIES: usize = 100_000;

/// How thorough a purge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purge {
    /// Stale at once: what `stale-while-revalidate` and `stale-if-error` allow still holds, from now on.
    Soft,
    /// Gone.
    Hard,
}

/// What purges left of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Untouched, or touched only by purges that were applied before.
    Kept,
    /// Purged hard.
    Gone,
}

#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    soft: u64,
    hard: u64,
    /// Milliseconds of the edge's clock at the last soft one.
    soft_ms: u64,
}

/// All purges so far.
#[derive(Debug, Default)]
pub(crate) struct PurgeLog {
    latest: AtomicU64,
    entries: RwLock<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    paths: HashMap<Box<str>, Numbers>,
    surrogate_keys: HashMap<Box<str>, Numbers>,
    /// Its hard number is that of the last purge whose entry was dropped: objects that have not seen it are gone.
    floor: Numbers,
}

impl PurgeLog {
    /// Number of the latest purge; a fill takes it when it begins.
    pub(crate) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Purges the object of one path (a cache key).
    pub(crate) fn purge_path(&self, path: &str, purge: Purge, now_ms: u64) {
        self.add(|entries| &mut entries.paths, path, purge, now_ms);
    }

    /// Purges every object that names the surrogate key.
    pub(crate) fn purge_surrogate_key(&self, surrogate_key: &str, purge: Purge, now_ms: u64) {
        self.add(|entries| &mut entries.surrogate_keys, surrogate_key, purge, now_ms);
    }

    fn add(
        &self,
        map: impl Fn(&mut Entries) -> &mut HashMap<Box<str>, Numbers>,
        name: &str,
        purge: Purge,
        now_ms: u64,
    ) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let number = self.latest() + 1;
        if entries.paths.len() + entries.surrogate_keys.len() >= MAX_ENTRIES {
            *entries =
                Entries { floor: Numbers { hard: number - 1, soft: 0, soft_ms: 0 }, ..Entries::default() };
        }
        let numbers = map(&mut entries).entry(name.into()).or_default();
        match purge {
            Purge::Hard => numbers.hard = number,
            Purge::Soft => (numbers.soft, numbers.soft_ms) = (number, now_ms),
        }
        self.latest.store(number, Ordering::Release);
    }

    /// Compares an object with the purges that it has not seen, and expires it where a soft one names it. Variants and
    /// slices are purged by the path of their resource.
    pub(crate) fn apply(&self, cache_key: &str, object: &Object) -> Standing {
        let seen = object.purges_seen.load(Ordering::Acquire);
        if seen == self.latest() {
            return Standing::Kept;
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (latest, path) = (self.latest(), resource(cache_key));
        let by_key = object.head.surrogate_keys.iter().filter_map(|name| entries.surrogate_keys.get(name));
        for numbers in entries.paths.get(path).into_iter().chain(by_key).chain([&entries.floor]) {
            if numbers.hard > seen {
                return Standing::Gone;
            }
            if numbers.soft > seen {
                object.expire(numbers.soft_ms);
            }
        }
        object.purges_seen.store(latest, Ordering::Release);
        Standing::Kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::object::{Freshness, tests::object};

    const FIELDS: [(&str, &str); 2] = [("cache-control", "max-age=100"), ("surrogate-key", "asset-1 rev-1")];

    #[test]
    fn hard_and_soft() {
        let log = PurgeLog::default();
        let old = object(&FIELDS, b"x", 1, log.latest());
        assert_eq!(log.apply("/p", &old), Standing::Kept);
        log.purge_surrogate_key("asset-2", Purge::Hard, 5);
        log.purge_path("/q", Purge::Hard, 5);
        assert_eq!((log.apply("/p", &old), old.freshness(9)), (Standing::Kept, Freshness::Fresh));
        log.purge_surrogate_key("rev-1", Purge::Soft, 7);
        assert_eq!(log.apply("/p", &old), Standing::Kept);
        assert_ne!(old.freshness(9), Freshness::Fresh);
        log.purge_path("/p", Purge::Hard, 8);
        assert_eq!(log.apply("/p", &old), Standing::Gone);
        assert_eq!(log.apply("/p", &object(&FIELDS, b"x", 9, log.latest())), Standing::Kept);
    }

    #[test]
    fn a_fill_that_began_before_the_purge_is_purged() {
        let log = PurgeLog::default();
        let begun = log.latest();
        log.purge_surrogate_key("asset-1", Purge::Hard, 5);
        assert_eq!(log.apply("/p", &object(&FIELDS, b"x", 9, begun)), Standing::Gone);
    }

    #[test]
    fn a_purge_storm_forgets_nothing() {
        let log = PurgeLog::default();
        let old = object(&FIELDS, b"x", 1, log.latest());
        log.purge_surrogate_key("asset-1", Purge::Hard, 5);
        for number in 0..=MAX_ENTRIES {
            log.purge_path(&format!("/{number}"), Purge::Hard, 6);
        }
        assert_eq!(log.apply("/p", &old), Standing::Gone);
        assert!(log.entries.read().unwrap().paths.len() < 10);
    }
}
