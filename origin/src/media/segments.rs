//! Media segments as ranged reads of packed objects, with read-ahead.
//!
//! The segments behind the one asked for are what its listener wants next, and they lie right behind it: one
//! read brings a window of them. The one asked for leaves as soon as it is there; the others land in memory.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use segue_manifests::{AssetId, Descriptor, ObjectKey, Packed, RenditionName, Rev, SegmentRef};

use super::MediaError;
use super::fills::{Fills, Promise, Waiter};
use super::window::Cutter;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};

/// Most segments that one read brings.
const MAX_WINDOW: usize = 16;

/// Names a segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SegmentId {
    pub(super) asset: AssetId,
    pub(super) rev: Rev,
    pub(super) rendition: RenditionName,
    pub(super) index: u32,
}

/// A segment in memory, and whether anybody has asked for it yet.
#[derive(Debug, Clone)]
struct Held {
    bytes: Bytes,
    ahead: bool,
}

/// Segments of the store.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    cache: moka::sync::Cache<SegmentId, Held>,
    fills: Fills<SegmentId>,
    read_ahead: u64,
}

enum Found {
    Here(Held),
    Coming(Waiter),
    Begun(Waiter),
}

impl Segments {
    /// Holds at most `budget` bytes, reads at most `read_ahead` bytes behind what was asked for.
    pub(super) fn new(store: Arc<Store>, metrics: Arc<Metrics>, budget: u64, read_ahead: u64) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(budget)
            .weigher(|_, held: &Held| u32::try_from(held.bytes.len() + 128).unwrap_or(u32::MAX))
            .build();
        Self { store, metrics, cache, fills: Fills::new(), read_ahead }
    }

    /// The bytes of a segment that the descriptor has, checked against its digest.
    pub(super) async fn get(&self, descriptor: &Descriptor, id: SegmentId) -> Result<Bytes, MediaError> {
        let packed = descriptor.rendition(&id.rendition).ok_or(MediaError::Unknown)?;
        let waiter = match self.find(packed, &id)? {
            Found::Here(held) => {
                self.metrics.segment(if held.ahead { "read-ahead" } else { "hit" });
                if held.ahead {
                    self.cache.insert(id, Held { ahead: false, ..held.clone() });
                }
                return Ok(held.bytes);
            }
            Found::Coming(waiter) => {
                self.metrics.segment("joined");
                waiter
            }
            Found::Begun(waiter) => {
                self.metrics.segment("miss");
                waiter
            }
        };
        Ok(waiter.wait().await?)
    }

    /// Looks in memory, then among the reads under way; begins a read otherwise. All under one lock, and a
    /// read puts segments into memory before it takes them off the table: none is read twice at once.
    fn find(&self, packed: &Packed, id: &SegmentId) -> Result<Found, MediaError> {
        if let Some(held) = self.cache.get(id) {
            return Ok(Found::Here(held));
        }
        let mut table = self.fills.lock();
        if let Some(waiter) = table.join(id) {
            return Ok(Found::Coming(waiter));
        }
        if let Some(held) = self.cache.get(id) {
            return Ok(Found::Here(held));
        }
        let wanted = self.window(packed, id, |ahead| !table.has(ahead) && !self.cache.contains_key(ahead));
        let (promises, segments): (Vec<_>, Vec<_>) =
            wanted.into_iter().map(|(id, segment)| (table.announce(id), segment)).unzip();
        let waiter = table.join(id).ok_or(MediaError::Unknown)?;
        drop(table);
        let reader = self.clone();
        let object = ObjectKey::Packed { asset: id.asset, rev: id.rev, rendition: id.rendition.clone() };
        tokio::spawn(async move { reader.fill(object, segments, promises).await });
        Ok(Found::Begun(waiter))
    }

    /// The segment itself and those right behind it, as far as the read-ahead goes and they are `missing`.
    fn window(
        &self,
        packed: &Packed,
        id: &SegmentId,
        missing: impl Fn(&SegmentId) -> bool,
    ) -> Vec<(SegmentId, SegmentRef)> {
        let Some(first) = packed.segment(id.index as usize) else { return Vec::new() };
        let mut window = vec![(id.clone(), first)];
        let mut ahead = 0;
        for index in (id.index.saturating_add(1)..).take(MAX_WINDOW - 1) {
            let Some(segment) = packed.segment(index as usize) else { break };
            let id = SegmentId { index, ..id.clone() };
            ahead += u64::from(segment.size);
            if ahead > self.read_ahead || !missing(&id) {
                break;
            }
            window.push((id, segment));
        }
        window
    }

    /// Reads a window and keeps its promises, one by one. It outlives whoever asked first.
    async fn fill(self, object: ObjectKey, segments: Vec<SegmentRef>, promises: Vec<Promise<SegmentId>>) {
        let mut promises = promises.into_iter();
        let mut ahead = false;
        let reading = self.read(&object, segments, |result| {
            let Some(promise) = promises.next() else { return };
            if let Ok(bytes) = &result {
                self.cache.insert(promise.name().clone(), Held { bytes: bytes.clone(), ahead });
            }
            ahead = true;
            promise.keep(result);
        });
        let failed = match tokio::time::timeout(self.store.timeout(), reading).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => StoreError::Unavailable(format!("{}: the read took too long", object.path())),
        };
        for promise in promises {
            promise.keep(Err(failed.clone()));
        }
    }

    async fn read(
        &self,
        object: &ObjectKey,
        segments: Vec<SegmentRef>,
        mut done: impl FnMut(Result<Bytes, StoreError>),
    ) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(()) };
        let range = first.offset..last.offset + u64::from(last.size);
        let alone = first.offset..first.offset + u64::from(first.size);
        let _slot = self.store.slot().await;
        // An object cut behind the first segment can still give that one.
        let mut body = match self.store.open(object, range.clone()).await {
            Err(StoreError::Damaged(_)) if alone != range => self.store.open(object, alone).await,
            opened => opened,
        }
        .map_err(packed_is_missing)?;
        let mut cutter = Cutter::new(segments);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            self.metrics.store_bytes.inc_by(chunk.len() as u64);
            cutter.push(&chunk, &mut done);
        }
        Err(StoreError::Damaged(format!("{}: ends before its last segment", object.path())))
    }
}

/// A descriptor is written last: where it lies and its packed object does not, the store has lost something.
fn packed_is_missing(error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound(path) => {
            StoreError::Damaged(format!("{path} is missing, its descriptor is not"))
        }
        other => other,
    }
}
