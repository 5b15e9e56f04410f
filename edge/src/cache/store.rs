//! The memory: a byte budget with TinyLFU admission, so that a scan does not push out what is hot.
//!
//! Every look at a cache key counts as a request for it, found or not. So there is one for each request of a client, and whatever
//! else looks asks first whether there is something: else what is fetched counts for more than what is hit, and pushes
//! that out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::header::{HeaderMap, HeaderName};
use moka::notification::RemovalCause;
use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;

use super::object::{Freshness, Object};
use super::purge::{PurgeLog, Standing};
use super::sketch::Sketch;
use super::sliced::Sliced;
use super::variants::{Variant, Varying, resource};
use crate::semantics::vary;

/// Cached objects by cache key.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) entries: Cache<Arc<str>, Entry>,
    room: u64,
    pub(super) sketch: Arc<Sketch>,
    pub(crate) purges: PurgeLog,
    /// Versions of objects in slices so far.
    versions: AtomicU64,
}

/// What stands under a cache key.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Object(Arc<Object>),
    /// The resource's objects stand under keys of their own.
    Varying(Arc<Varying>),
    /// No object, but so heavy. No request finds it: see [`Sketch`].
    Placeholder(u32),
}

/// Bytes that the list of a resource's variants takes, at most and roughly.
const VARYING_WEIGHT: usize = 4 << 10;

impl Store {
    /// Holds up to `bytes`; `evictions` counts what had to go for lack of room.
    pub(crate) fn new(bytes: u64, evictions: Counter) -> Self {
        let entries = Cache::builder()
            .max_capacity(bytes)
            .weigher(|cache_key: &Arc<str>, entry: &Entry| {
                let weight = match entry {
                    Entry::Object(object) => object.weight(),
                    Entry::Varying(_) => VARYING_WEIGHT,
                    Entry::Placeholder(weight) => return *weight,
                };
                u32::try_from(cache_key.len() + weight).unwrap_or(u32::MAX)
            })
            .eviction_listener(move |_, entry, cause| {
                if cause == RemovalCause::Size && !matches!(entry, Entry::Placeholder(_)) {
                    evictions.inc();
                }
            })
            .build();
        let (sketch, versions) = (Arc::default(), AtomicU64::new(0));
        Self { entries, room: bytes, sketch, purges: PurgeLog::default(), versions }
    }

    /// The entry, fresh or stale, unless it was purged.
    pub(crate) fn get(&self, cache_key: &str) -> Option<Entry> {
        let entry = self.entries.get(cache_key)?;
        let Entry::Object(object) = &entry else { return Some(entry) };
        match self.purges.apply(cache_key, object) {
            Standing::Kept => Some(entry),
            Standing::Gone => {
                self.entries.invalidate(cache_key);
                None
            }
        }
    }

    /// The object of a resource without variants, as all of Segue's own are. That nothing is there does not count as a use.
    pub(crate) fn object(&self, cache_key: &str) -> Option<Arc<Object>> {
        self.has(cache_key).then(|| self.requested(cache_key)).flatten()
    }

    fn requested(&self, cache_key: &str) -> Option<Arc<Object>> {
        match self.get(cache_key)? {
            Entry::Object(object) => Some(object),
            Entry::Varying(_) | Entry::Placeholder(_) => None,
        }
    }

    /// Whether there is anything under a cache key, which may be stale or purged. Does not count as a use.
    pub(crate) fn has(&self, cache_key: &str) -> bool {
        self.entries.contains_key(cache_key)
    }

    /// Whether there is something fresh under a cache key. That nothing is there does not count as a use.
    pub(crate) fn holds(&self, cache_key: &str, now_ms: u64) -> bool {
        self.object(cache_key).is_some_and(|object| object.freshness(now_ms) == Freshness::Fresh)
    }

    /// Keeps the object of a resource, unless it was purged while it came. One that belongs among variants is put there.
    pub(crate) fn put(&self, resource: &Arc<str>, object: Arc<Object>) {
        if self.purges.apply(resource, &object) == Standing::Gone {
            return;
        }
        match object.head.variant.clone() {
            None => {
                self.forget_variants(resource);
                self.insert(resource, Entry::Object(object));
            }
            Some(Variant { varying, cache_key }) => {
                if let Some(oldest) = varying.note(&cache_key) {
                    self.entries.invalidate(&*oldest);
                }
                self.insert(&cache_key, Entry::Object(object));
            }
        }
    }

    /// A new version of an object in slices.
    pub(crate) fn sliced(&self, length: u64, slice_bytes: u64) -> Sliced {
        Sliced::new(length, slice_bytes, self.versions.fetch_add(1, Relaxed))
    }

    /// A slice, unless it was purged. Whether it is fresh is its object's affair.
    pub(crate) fn slice(&self, cache_key: &str) -> Option<Arc<Object>> {
        self.requested(cache_key)
    }

    /// Keeps a slice, unless its object was purged while it came.
    pub(crate) fn put_slice(&self, cache_key: &Arc<str>, slice: Arc<Object>) {
        if self.purges.apply(cache_key, &slice) == Standing::Kept {
            self.insert(cache_key, Entry::Object(slice));
        }
    }

    fn insert(&self, cache_key: &Arc<str>, entry: Entry) {
        self.entries.insert(cache_key.clone(), entry);
        if self.sketch.is_due(self.entries.weighted_size(), self.room) {
            let (entries, room, sketch) = (self.entries.clone(), self.room, self.sketch.clone());
            let make = move || sketch.make(&entries, room);
            // Without it fewer requests are hits, and that is all.
            let _ = std::thread::Builder::new().name("edge-sketch".into()).spawn(make);
        }
    }

    /// Drops all that is kept of a resource, if the object under this key is still that version.
    pub(crate) fn forget_version(&self, cache_key: &str, version: &Arc<Sliced>) {
        let is_it = |object: &Arc<Object>| object.sliced.as_ref().is_some_and(|it| Arc::ptr_eq(it, version));
        if self.object(cache_key).as_ref().is_some_and(is_it) {
            self.forget(resource(cache_key));
        }
    }

    /// The place of a response among the variants of its resource, when `names` select among them. What other responses
    /// named before goes on to count: the fields only become more, so that they settle.
    pub(crate) fn place(&self, resource: &Arc<str>, names: &[HeaderName], request: &HeaderMap) -> Variant {
        let before = self.varying(resource);
        let wanted = vary::union(names, before.as_ref().map_or(&[], |before| before.names()));
        let same = before.filter(|before| before.names() == wanted);
        let varying = same.unwrap_or_else(|| {
            self.forget_variants(resource);
            let varying =
                Arc::new(Varying::new(if wanted.len() > vary::MAX_NAMES { names.to_vec() } else { wanted }));
            self.insert(resource, Entry::Varying(varying.clone()));
            varying
        });
        let cache_key = varying.cache_key(resource, request).into();
        Variant { varying, cache_key }
    }

    /// Drops all that is kept of a resource (RFC 9111 4.4).
    pub(crate) fn forget(&self, resource: &str) {
        self.forget_variants(resource);
        self.entries.invalidate(resource);
    }

    fn forget_variants(&self, resource: &str) {
        if let Some(varying) = self.varying(resource) {
            varying.kept().iter().for_each(|cache_key| self.entries.invalidate(&**cache_key));
        }
    }

    fn varying(&self, resource: &str) -> Option<Arc<Varying>> {
        match self.has(resource).then(|| self.entries.get(resource))?? {
            Entry::Varying(varying) => Some(varying),
            Entry::Object(_) | Entry::Placeholder(_) => None,
        }
    }

    /// Frees the memory of everything that hard purges named. Takes time: not for a worker.
    pub(crate) fn sweep(&self) {
        for (cache_key, entry) in &self.entries {
            let Entry::Object(object) = entry else { continue };
            if self.purges.apply(&cache_key, &object) == Standing::Gone {
                self.entries.invalidate(&*cache_key);
            }
        }
        self.entries.run_pending_tasks();
    }

    /// Lets go at once of what is to go for lack of room, instead of some time soon.
    pub(crate) fn settle(&self) {
        self.entries.run_pending_tasks();
    }

    /// Objects and bytes held.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks();
        let (entries, bytes) = self.sketch.placeholders();
        (
            self.entries.entry_count().saturating_sub(entries),
            self.entries.weighted_size().saturating_sub(bytes),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Purge;
    use crate::cache::object::tests::object;
    use crate::cache::variants::MAX_VARIANTS;

    fn put(store: &Store, cache_key: &str) {
        let fields = [("cache-control", "max-age=9"), ("surrogate-key", "k")];
        let object = object(&fields, b"0123456789", 1, store.purges.latest());
        store.put(&cache_key.into(), Arc::new(object));
    }

    fn variant(store: &Store, vary: &[&'static str], request: &[(&'static str, &str)]) -> Arc<str> {
        let names: Vec<_> = vary.iter().map(|name| HeaderName::from_static(name)).collect();
        let request = HeaderMap::from_iter(
            request.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())),
        );
        let place = store.place(&"/v".into(), &names, &request);
        assert!(place.suits(&request));
        let mut object = object(&[("cache-control", "max-age=9")], b"x", 1, store.purges.latest());
        Arc::get_mut(&mut object.head).unwrap().variant = Some(place.clone());
        store.put(&"/v".into(), Arc::new(object));
        place.cache_key
    }

    fn has(store: &Store, cache_key: &str) -> bool {
        matches!(store.get(cache_key), Some(Entry::Object(_)))
    }

    #[test]
    fn variants_stand_side_by_side() {
        let store = Store::new(1 << 20, Counter::default());
        let (one, two) =
            (variant(&store, &["a"], &[("a", "1")]), variant(&store, &["a"], &[("a", "2"), ("b", "1")]));
        assert!(one != two && has(&store, &one) && has(&store, &two));
        let again = variant(&store, &["b"], &[("a", "1"), ("b", "1")]);
        assert!(!has(&store, &one) && has(&store, &again), "the fields became more");
        assert_eq!(again, variant(&store, &["a"], &[("a", "1"), ("b", "1")]), "and stay as many");
        store.purges.purge_path("/v", Purge::Hard, 1);
        assert!(!has(&store, &again), "they are purged by the path of their resource");
        let last = variant(&store, &["a"], &[]);
        store.forget("/v");
        assert!(!has(&store, &last) && store.get("/v").is_none());
    }

    #[test]
    fn variants_are_bounded_and_give_way_to_what_does_not_vary() {
        let store = Store::new(1 << 20, Counter::default());
        let number = |n: usize| variant(&store, &["a"], &[("a", n.to_string().as_str())]);
        let all: Vec<_> = (0..MAX_VARIANTS + 3).map(number).collect();
        assert_eq!(all.iter().filter(|cache_key| has(&store, cache_key)).count(), MAX_VARIANTS);
        assert!(!has(&store, &all[2]) && has(&store, &all[3]), "the oldest go");
        put(&store, "/v");
        assert!(has(&store, "/v") && !has(&store, &all[3]));
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
    fn what_is_fetched_counts_for_no_more_than_what_is_hit() {
        let store = Store::new(100_000, Counter::default());
        let settled = |store: &Store| store.entries.run_pending_tasks();
        let asked = |path: &str| {
            if store.get(path).is_none() {
                put(&store, path);
            }
            settled(&store);
        };
        let hot: Vec<_> = (0..50).map(|number| format!("/hot/{number:03}")).collect();
        // Frequencies are counted from when half of the room is taken.
        (0..200).for_each(|number| asked(&format!("/old/{number:03}")));
        (0..5).for_each(|_| hot.iter().for_each(|path| asked(path)));
        let there = || hot.iter().filter(|path| store.has(path)).count();
        let before = there();
        assert!(before > 40, "{before}");
        for _ in 0..4 {
            (0..40).for_each(|number| asked(&format!("/new/{number:03}")));
        }
        assert!(there() * 10 >= before * 9, "{} of {before}", there());
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
