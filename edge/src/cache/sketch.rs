//! The sketch of frequencies that admission decides by, made large enough for all that the cache will hold.
//!
//! moka makes it once, when half of the room is taken, for `objects held * bytes held / room` objects: a quarter of what there will be. Such a
//! sketch forgets four times as fast as it should, for which 1 to 3 of a hundred requests are no hits. So when a quarter of the
//! room is taken, and with that known how large objects are, entries without weight are added until there are twice as many as the
//! room will hold, then heavy ones until it looks a little more than half full. moka makes its sketch for those, and they are taken
//! away again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use moka::sync::Cache;

use super::store::Entry;

/// There are no more entries than one for so much room, so that placeholders take little themselves (some 300 bytes each).
const ENTRY_BYTES: u64 = 8 << 10;
/// moka's sketch is never for fewer objects.
const LEAST: u64 = 128;
/// Placeholders that are added before moka is made to look at them: fewer than make workers wait that add objects.
const BATCH: u64 = 64;

/// What was done about the sketch, and the placeholders that stand in the cache for it.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    begun: AtomicBool,
    added: AtomicU64,
    taken: AtomicU64,
    bytes: AtomicU64,
}

impl Sketch {
    /// Whether it is to be made now, when so much of the room is `taken`: true once.
    pub(super) fn is_due(&self, taken: u64, room: u64) -> bool {
        taken >= room / 4 && !self.begun.load(Relaxed) && !self.begun.swap(true, Relaxed)
    }

    /// Makes it, where it becomes larger than moka's own. Takes microseconds for each object that there is room for: not for a worker.
    pub(super) fn make(&self, cache: &Cache<Arc<str>, Entry>, room: u64) {
        let (held, taken) = (cache.entry_count(), cache.weighted_size().max(1));
        let objects = (u128::from(held) * u128::from(room) / u128::from(taken)) as u64;
        let entries = objects.saturating_mul(2).min(room / ENTRY_BYTES);
        if entries / 2 <= LEAST.max(objects / 4) {
            return;
        }
        let light = entries.saturating_sub(held);
        self.add(cache, "light", light, 0);
        // However many of the heavy ones moka sees when it looks: it does nothing before half of the room is taken.
        let weight = (room / 2 + room / 16).saturating_sub(cache.weighted_size());
        let heavy = weight.div_ceil(u64::from(u32::MAX)).max(1);
        let each = (weight / heavy) as u32;
        self.add(cache, "heavy", heavy, each);
        self.take(cache, "heavy", heavy, each);
        self.take(cache, "light", light, 0);
        tracing::debug!(cache.objects = objects, "the sketch of frequencies is large enough");
    }

    fn add(&self, cache: &Cache<Arc<str>, Entry>, name: &str, count: u64, weight: u32) {
        for number in 0..count {
            self.added.fetch_add(1, Relaxed);
            self.bytes.fetch_add(weight.into(), Relaxed);
            cache.insert(key(name, number).into(), Entry::Placeholder(weight));
            settle(cache, number, count);
        }
    }

    fn take(&self, cache: &Cache<Arc<str>, Entry>, name: &str, count: u64, weight: u32) {
        for number in 0..count {
            cache.invalidate(&*key(name, number));
            settle(cache, number, count);
            self.bytes.fetch_sub(weight.into(), Relaxed);
            self.taken.fetch_add(1, Relaxed);
        }
    }

    /// Entries and bytes that are nothing but placeholders. An estimate while they come and go.
    pub(super) fn placeholders(&self) -> (u64, u64) {
        let taken = self.taken.load(Relaxed);
        (self.added.load(Relaxed).saturating_sub(taken), self.bytes.load(Relaxed))
    }
}

/// A key that no request has, as it does not begin with a slash.
fn key(name: &str, number: u64) -> String {
    format!("{name} {number}")
}

fn settle(cache: &Cache<Arc<str>, Entry>, number: u64, count: u64) {
    if number % BATCH == BATCH - 1 || number + 1 == count {
        cache.run_pending_tasks();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;
    use crate::cache::Store;
    use crate::cache::object::tests::object;

    const ROOM: u64 = 400 * (17 << 10);

    fn put(store: &Store, number: usize) {
        let object = object(&[("cache-control", "max-age=9")], &[0; 16 << 10], 1, store.purges.latest());
        store.put(&format!("/{number}").into(), Arc::new(object));
        store.settle();
    }

    /// Hits of requests for objects of 16 KB after Zipf(0.8), with room for 400 of 8,000; with a sketch for all of these, or
    /// moka's own.
    fn hits(for_all: bool) -> usize {
        let store = Store::new(ROOM, Counter::default());
        store.sketch.begun.store(true, Relaxed);
        let mut sums = Vec::new();
        (1..=8_000).fold(0.0, |sum, rank| {
            sums.push(sum + f64::from(rank).powf(-0.8));
            sums[sums.len() - 1]
        });
        let (mut random, mut wanted) = (1u64, for_all);
        let asked = |number: usize| {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            let at = (random >> 11) as f64 / (1u64 << 53) as f64 * sums[sums.len() - 1];
            let name = sums.partition_point(|sum| *sum < at);
            let hit = store.get(&format!("/{name}")).is_some();
            store.settle();
            if !hit {
                put(&store, name);
            }
            if wanted && store.size().1 >= ROOM / 4 {
                store.sketch.make(&store.entries, ROOM);
                wanted = false;
            }
            hit && number > 20_000
        };
        (0..60_000).map(asked).filter(|hit| *hit).count()
    }

    #[test]
    fn a_sketch_for_all_objects_remembers_more() {
        let (with, without) = (hits(true), hits(false));
        assert!(with > without + without / 50, "{with} hits, without {without}");
    }

    #[test]
    fn it_is_made_once_when_a_quarter_is_taken() {
        let sketch = Sketch::default();
        assert!(!sketch.is_due(24, 100) && sketch.is_due(25, 100) && !sketch.is_due(26, 100));
        let store = Store::new(ROOM, Counter::default());
        let filled = |count: usize| (0..count).for_each(|number| put(&store, number));
        filled(80);
        assert!(!store.sketch.begun.load(Relaxed));
        filled(120);
        assert!(store.sketch.begun.load(Relaxed));
        while store.sketch.added.load(Relaxed) == 0 || store.sketch.placeholders() != (0, 0) {
            std::thread::yield_now();
        }
        assert!(store.sketch.added.load(Relaxed) > 400);
        assert_eq!(store.size().0, 120, "and nothing else went");
    }

    #[test]
    fn it_is_left_alone_where_nothing_is_gained() {
        for (room, body) in [(100 * (17 << 10), 16 << 10), (16 << 20, 100)] {
            let store = Store::new(room, Counter::default());
            store.sketch.begun.store(true, Relaxed);
            (0..20).for_each(|number| {
                let body: &'static [u8] = &[0; 16 << 10][..body];
                let object = object(&[("cache-control", "max-age=9")], body, 1, store.purges.latest());
                store.put(&format!("/{number}").into(), Arc::new(object));
            });
            store.settle();
            store.sketch.make(&store.entries, room);
            assert_eq!(store.sketch.added.load(Relaxed), 0, "objects of {body} bytes");
        }
    }

    #[test]
    fn placeholders_are_no_objects() {
        let evictions = Counter::default();
        let store = Store::new(ROOM, evictions.clone());
        (0..10).for_each(|number| put(&store, number));
        let before = store.size();
        store.sketch.add(&store.entries, "light", 100, 0);
        store.sketch.add(&store.entries, "heavy", 1, 1000);
        assert_eq!((store.size(), store.entries.entry_count()), (before, 111));
        store.sketch.add(&store.entries, "too heavy", 1, ROOM as u32 + 1);
        assert_eq!(evictions.get(), 0);
    }
}
