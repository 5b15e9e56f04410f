//! The sketch of frequencies that admission decides by, made large enough for all that the cache will hold.
//!
//! moka makes it once, when half of the room is taken, for `objects held * bytes held / room` objects: a quarter of what there will be. Such a
//! sketch forgets four times as fast as it should, which costs 1 to 4 of a hundred hits. So when a quarter of the room is
//! taken, and with that known how large objects are, entries without weight are added until there are as many as the room
//! will hold, then heavy ones until it looks full. moka makes its sketch for those, and they are taken away again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use moka::sync::Cache;

use super::store::Entry;

/// An object counts for as many bytes at least, so that placeholders take little room themselves (some 300 bytes each).
const OBJECT_BYTES: u64 = 8 << 10;
/// Placeholders that are added before moka is made to look at them: fewer than make workers wait that add objects.
const BATCH: u64 = 64;

/// What was done about the sketch, and the placeholders that stand in the cache for it.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    begun: AtomicBool,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Sketch {
    /// Whether it is to be made now, when so much of the room is `taken`: true once.
    pub(super) fn is_due(&self, taken: u64, room: u64) -> bool {
        taken >= room / 4 && !self.begun.load(Relaxed) && !self.begun.swap(true, Relaxed)
    }

    /// Makes it. Takes microseconds for each object that there is room for: not for a worker.
    pub(super) fn make(&self, cache: &Cache<Arc<str>, Entry>, room: u64) {
        let (held, taken) = (cache.entry_count(), cache.weighted_size().max(1));
        let wanted = (u128::from(held) * u128::from(room) / u128::from(taken)) as u64;
        let light = wanted.min(room / OBJECT_BYTES).saturating_sub(held);
        self.add(cache, "light", light, 0);
        // An eighth stays free for what comes meanwhile.
        let weight = (room - room / 8).saturating_sub(cache.weighted_size());
        let heavy = weight.div_ceil(u64::from(u32::MAX)).max(1);
        self.add(cache, "heavy", heavy, (weight / heavy) as u32);
        self.take(cache, "heavy", heavy, (weight / heavy) as u32);
        self.take(cache, "light", light, 0);
        tracing::debug!(cache.sketch.objects = held + light, "sketch of frequencies made");
    }

    fn add(&self, cache: &Cache<Arc<str>, Entry>, name: &str, count: u64, weight: u32) {
        for number in 0..count {
            self.entries.fetch_add(1, Relaxed);
            self.bytes.fetch_add(weight.into(), Relaxed);
            cache.insert(key(name, number).into(), Entry::Placeholder(weight));
            settle(cache, number, count);
        }
    }

    fn take(&self, cache: &Cache<Arc<str>, Entry>, name: &str, count: u64, weight: u32) {
        for number in 0..count {
            cache.invalidate(&*key(name, number));
            settle(cache, number, count);
            self.entries.fetch_sub(1, Relaxed);
            self.bytes.fetch_sub(weight.into(), Relaxed);
        }
    }

    /// Entries and bytes that are nothing but placeholders. An estimate while they come and go.
    pub(super) fn placeholders(&self) -> (u64, u64) {
        (self.entries.load(Relaxed), self.bytes.load(Relaxed))
    }
}

/// A key that no request has, as it holds a zero byte.
fn key(name: &str, number: u64) -> String {
    format!("\0{name} {number}")
}

fn settle(cache: &Cache<Arc<str>, Entry>, number: u64, count: u64) {
    if number % BATCH == BATCH - 1 || number + 1 == count {
        cache.run_pending_tasks();
    }
}
