//! Caches that need no server: least recently used, and one that knows the future.

use std::collections::BTreeMap;

use crate::trace::Object;

/// What a cache answered of the measured part of a trace.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Score {
    pub(crate) requests: u64,
    pub(crate) hits: u64,
    pub(crate) bytes: u64,
    pub(crate) hit_bytes: u64,
}

impl Score {
    pub(crate) fn add(&mut self, size: u64, hit: bool) {
        self.requests += 1;
        self.bytes += size;
        self.hits += u64::from(hit);
        self.hit_bytes += if hit { size } else { 0 };
    }

    /// Parts of requests and bytes that were hits.
    pub(crate) fn ratios(&self) -> (f64, f64) {
        (self.hits as f64 / self.requests as f64, self.hit_bytes as f64 / self.bytes as f64)
    }
}

/// Objects by when they are to go: the first goes first.
struct Queue {
    places: Vec<Option<u64>>,
    objects: BTreeMap<u64, Object>,
    bytes: u64,
}

impl Queue {
    fn new(objects: usize) -> Self {
        Self { places: vec![None; objects], objects: BTreeMap::new(), bytes: 0 }
    }

    fn put(&mut self, object: Object, place: u64, size: u64) {
        self.take(object, size);
        self.objects.insert(place, object);
        self.places[object as usize] = Some(place);
        self.bytes += size;
    }

    /// Whether it was there.
    fn take(&mut self, object: Object, size: u64) -> bool {
        let Some(place) = self.places[object as usize].take() else { return false };
        self.objects.remove(&place);
        self.bytes -= size;
        true
    }

    fn shrink(&mut self, limit: u64, sizes: &[u32]) {
        while self.bytes > limit {
            let Some((_, object)) = self.objects.pop_first() else { return };
            self.places[object as usize] = None;
            self.bytes -= u64::from(sizes[object as usize]);
        }
    }
}

/// A cache of `limit` bytes from which the least recently used goes first.
pub(crate) fn lru(trace: &[Object], sizes: &[u32], limit: u64, warm: usize) -> Score {
    run(trace, sizes, limit, warm, |at| at as u64)
}

/// One from which that goes first whose next request is farthest away (Belady). With objects of one size nothing does
/// better; with sizes as near to one another as these, hardly anything.
pub(crate) fn clairvoyant(trace: &[Object], sizes: &[u32], limit: u64, warm: usize) -> Score {
    let mut next = vec![0u64; trace.len()];
    let mut seen: Vec<Option<usize>> = vec![None; sizes.len()];
    for (at, object) in trace.iter().enumerate().rev() {
        // Later requests have smaller numbers; those that never come again the smallest, each its own.
        let never = at as u64;
        next[at] = seen[*object as usize].map_or(never, |later| 2 * trace.len() as u64 - later as u64);
        seen[*object as usize] = Some(at);
    }
    run(trace, sizes, limit, warm, |at| next[at])
}

fn run(trace: &[Object], sizes: &[u32], limit: u64, warm: usize, place: impl Fn(usize) -> u64) -> Score {
    let (mut queue, mut score) = (Queue::new(sizes.len()), Score::default());
    for (at, object) in trace.iter().enumerate() {
        let size = u64::from(sizes[*object as usize]);
        let hit = queue.take(*object, size);
        if at >= warm {
            score.add(size, hit);
        }
        queue.put(*object, place(at), size);
        queue.shrink(limit, sizes);
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_one_longer_than_the_cache() {
        let trace: Vec<Object> = (0..400).map(|at| at % 4).collect();
        let sizes = [10; 4];
        assert_eq!(lru(&trace, &sizes, 30, 0).hits, 0);
        // Three of four stay for good, and the fourth is never let in.
        let (requests, _) = clairvoyant(&trace, &sizes, 30, 100).ratios();
        assert!((requests - 0.75).abs() < 0.01, "{requests}");
        assert_eq!(lru(&trace, &sizes, 40, 4).ratios(), (1.0, 1.0));
    }

    #[test]
    fn bytes_count() {
        let score = lru(&[0, 1, 1, 0], &[30, 10], 30, 0);
        assert_eq!((score.hits, score.hit_bytes, score.bytes), (1, 10, 80));
    }
}
