//! Counting hits without contention: each worker has cells of its own, which are gathered when someone asks.
//!
//! A counter that all cores write to costs a hit more than the look into memory does.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds of the buckets: 25 us, and twice as much each.
const BUCKETS: usize = 18;
const FIRST_BUCKET_S: f64 = 0.000_025;
/// Workers beyond that share cells.
const SHARDS: usize = 64;

/// What one worker counted.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cells {
    hits: AtomicU64,
    sent_bytes: AtomicU64,
    remembered: AtomicU64,
    waits_ns: AtomicU64,
    /// The last one is for everything beyond.
    waits: [AtomicU64; BUCKETS + 1],
}

/// What was counted since it was last asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) hits: u64,
    /// Bytes of their bodies.
    pub(super) sent_bytes: u64,
    /// Tokens that were checked before.
    pub(super) remembered: u64,
}

/// Fresh answers from memory with status 200, tokens that were checked before, and how long every response head took.
#[derive(Debug)]
pub(crate) struct Tally {
    shards: Box<[Cells]>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Cells::default()).collect() }
    }

    fn cells(&self, worker: usize) -> &Cells {
        &self.shards[worker % SHARDS]
    }

    /// A hit is answered, `wait` after its request came.
    pub(crate) fn hit(&self, worker: usize, wait: Duration) {
        self.cells(worker).hits.fetch_add(1, Relaxed);
        self.responded(worker, wait);
    }

    /// A response head goes out, `wait` after its request came.
    pub(crate) fn responded(&self, worker: usize, wait: Duration) {
        let cells = self.cells(worker);
        let ns = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        cells.waits_ns.fetch_add(ns, Relaxed);
        // Place of the first bound that is not below: the bounds are 25,000 ns times powers of two.
        let steps = ns.saturating_sub(1) / 25_000;
        let bucket = (u64::BITS - steps.leading_zeros()) as usize;
        cells.waits[bucket.min(BUCKETS)].fetch_add(1, Relaxed);
    }

    /// Bytes of a hit's body went out.
    pub(crate) fn sent(&self, worker: usize, bytes: u64) {
        self.cells(worker).sent_bytes.fetch_add(bytes, Relaxed);
    }

    /// A token came that was checked before.
    pub(crate) fn remembered(&self, worker: usize) {
        self.cells(worker).remembered.fetch_add(1, Relaxed);
    }

    pub(super) fn take(&self) -> Taken {
        let taken =
            |cell: fn(&Cells) -> &AtomicU64| self.shards.iter().map(|it| cell(it).swap(0, Relaxed)).sum();
        Taken {
            hits: taken(|cells| &cells.hits),
            sent_bytes: taken(|cells| &cells.sent_bytes),
            remembered: taken(|cells| &cells.remembered),
        }
    }
}

/// The waits as a histogram, seconds.
#[derive(Debug, Clone)]
pub(super) struct Waits(pub(super) std::sync::Arc<Tally>);

impl TypedMetric for Waits {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Waits {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut counts = [0u64; BUCKETS + 1];
        let mut ns = 0u64;
        for cells in &self.0.shards {
            ns = ns.saturating_add(cells.waits_ns.load(Relaxed));
            counts.iter_mut().zip(&cells.waits).for_each(|(count, cell)| *count += cell.load(Relaxed));
        }
        let bound = |place: usize| match place {
            BUCKETS => f64::MAX,
            place => FIRST_BUCKET_S * f64::from(1u32 << place),
        };
        let buckets: Vec<_> =
            counts.iter().enumerate().map(|(place, count)| (bound(place), *count)).collect();
        encoder.encode_histogram::<NoLabelSet>(ns as f64 / 1e9, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_has_its_bucket() {
        let tally = Tally::new();
        for (us, bucket) in [(0, 0), (25, 0), (26, 1), (50, 1), (51, 2), (100, 2), (10_000_000, BUCKETS)] {
            let before = tally.shards[3].waits[bucket].load(Relaxed);
            tally.responded(3, Duration::from_micros(us));
            assert_eq!(tally.shards[3].waits[bucket].load(Relaxed), before + 1, "{us} us");
        }
    }

    #[test]
    fn what_was_taken_is_not_taken_again() {
        let tally = Tally::new();
        tally.hit(1, Duration::ZERO);
        tally.hit(SHARDS + 1, Duration::ZERO);
        tally.sent(2, 7);
        tally.remembered(1);
        assert_eq!(tally.take(), Taken { hits: 2, sent_bytes: 7, remembered: 1 });
        assert_eq!(tally.take(), Taken { hits: 0, sent_bytes: 0, remembered: 0 });
    }
}
