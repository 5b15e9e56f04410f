//! How much is under way, and whether more may be begun: the edge says 503 before its memory runs out.
//!
//! Beside the cache, memory is taken by bodies that are coming in, and by bodies that clients still take although the cache
//! has let go of them. All workers count both together, without locks, and only when a fill begins, grows or ends:
//!
//! ```text
//!   coming in (reserved by length) + bodies alive (cached, or on their way to clients) <= cache_bytes + fill_bytes
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;

use crate::config::Config;

/// The last one of so many parts of `fill_bytes` is left to fills that have begun: their lengths are not known before.
const SPARE: u64 = 16;
/// The edge is in duress when no more than one in so many of the fills, or of `fill_bytes`, are left.
const DURESS: u64 = 4;
/// Prefetching begins nothing while more than one in so many of the fills are under way, or half of `fill_bytes` is taken.
const PREFETCH_FILLS: u64 = 16;
const PREFETCH_BYTES: u64 = 2;

/// What is under way, shared by all workers.
#[derive(Debug)]
pub(crate) struct Load {
    most_fills: AtomicU64,
    cache_bytes: u64,
    fill_bytes: AtomicU64,
    fills: AtomicU64,
    coming: AtomicU64,
    bodies: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    fills: u64,
    cache_bytes: u64,
    fill_bytes: u64,
}

/// Whom a fill is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Someone who waits.
    Client,
    /// Nobody yet.
    Prefetch,
}

/// What there is too little of to begin a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    Fills,
    Bytes,
}

impl Lack {
    /// Metric label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fills => "fills",
            Self::Bytes => "bytes",
        }
    }
}

impl Load {
    pub(crate) fn new(config: &Config) -> Self {
        let &Config { fills, cache_bytes, fill_bytes, .. } = config;
        Self::within(Limits { fills, cache_bytes, fill_bytes })
    }

    fn within(limits: Limits) -> Self {
        Self {
            most_fills: AtomicU64::new(limits.fills),
            cache_bytes: limits.cache_bytes,
            fill_bytes: AtomicU64::new(limits.fill_bytes),
            fills: AtomicU64::new(0),
            coming: AtomicU64::new(0),
            bodies: AtomicU64::new(0),
        }
    }

    /// Sets other limits for what begins from now on; that of the cache stays.
    pub(crate) fn set_limits(&self, config: &Config) {
        self.most_fills.store(config.fills, Relaxed);
        self.fill_bytes.store(config.fill_bytes, Relaxed);
    }

    fn limits(&self) -> Limits {
        Limits {
            fills: self.most_fills.load(Relaxed),
            cache_bytes: self.cache_bytes,
            fill_bytes: self.fill_bytes.load(Relaxed),
        }
    }

    /// A place among the fetches that are under way.
    ///
    /// # Errors
    /// What there is too little of.
    pub(crate) fn begin(self: &Arc<Self>, whom: For) -> Result<Arc<Place>, Lack> {
        let place = Place { load: self.clone() };
        let before = self.fills.fetch_add(1, Relaxed);
        self.has_room(before, whom).map(|()| Arc::new(place))
    }

    /// Whether prefetching may go on.
    pub(crate) fn may_prefetch(&self) -> bool {
        self.has_room(self.fills(), For::Prefetch).is_ok()
    }

    fn has_room(&self, fills: u64, whom: For) -> Result<(), Lack> {
        let limits @ Limits { fills: most, fill_bytes, .. } = self.limits();
        let (most, kept_free) = match whom {
            For::Client => (most, fill_bytes / SPARE),
            For::Prefetch => ((most / PREFETCH_FILLS).max(1), fill_bytes / PREFETCH_BYTES),
        };
        let has_bytes = self.taken().saturating_add(kept_free) <= limits.bytes();
        match (fills < most, has_bytes) {
            (false, _) => Err(Lack::Fills),
            (true, false) => Err(Lack::Bytes),
            (true, true) => Ok(()),
        }
    }

    /// Whether requests may have to be refused soon.
    pub(crate) fn is_in_duress(&self) -> bool {
        let limits @ Limits { fills: most, fill_bytes, .. } = self.limits();
        let few_fills = self.fills() > 0 && self.fills() >= most - most / DURESS;
        few_fills || self.taken().saturating_add(fill_bytes / DURESS) > limits.bytes()
    }

    /// Room for a body that is coming in, of no size yet.
    pub(crate) fn room(self: &Arc<Self>) -> Room {
        Room { load: self.clone(), bytes: 0 }
    }

    /// A whole body; it counts until the last handle on its bytes is gone.
    pub(crate) fn body(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        if bytes.is_empty() {
            return Bytes::new();
        }
        self.bodies.fetch_add(bytes.len() as u64, Relaxed);
        Bytes::from_owner(Counted { bytes, load: self.clone() })
    }

    /// Whether there are more bytes of whole bodies than the cache keeps.
    pub(crate) fn exceeds_cache(&self) -> bool {
        self.bodies() > self.cache_bytes
    }

    /// Fetches under way.
    pub(crate) fn fills(&self) -> u64 {
        self.fills.load(Relaxed)
    }

    /// Bytes reserved for bodies that are coming in.
    pub(crate) fn coming(&self) -> u64 {
        self.coming.load(Relaxed)
    }

    /// Bytes of whole bodies: in the cache, or on their way to clients.
    pub(crate) fn bodies(&self) -> u64 {
        self.bodies.load(Relaxed)
    }

    fn taken(&self) -> u64 {
        self.coming().saturating_add(self.bodies())
    }
}

impl Limits {
    fn bytes(&self) -> u64 {
        self.cache_bytes.saturating_add(self.fill_bytes)
    }
}

#[cfg(test)]
impl Default for Load {
    /// No limits.
    fn default() -> Self {
        Self::within(Limits { fills: u64::MAX, cache_bytes: u64::MAX, fill_bytes: 0 })
    }
}

/// A fetch that is under way, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    load: Arc<Load>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.fills.fetch_sub(1, Relaxed);
    }
}

/// Room for a body that is coming in, given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    load: Arc<Load>,
    bytes: u64,
}

impl Room {
    /// Makes room for so many bytes altogether; `false` where there is none.
    pub(crate) fn hold(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return true;
        }
        self.load.coming.fetch_add(more, Relaxed);
        let fits = self.load.taken() <= self.load.limits().bytes();
        if fits {
            self.bytes = bytes;
        } else {
            self.load.coming.fetch_sub(more, Relaxed);
        }
        fits
    }

    /// A whole body, counted beside this room.
    pub(crate) fn body(&self, bytes: Vec<u8>) -> Bytes {
        self.load.body(bytes)
    }

    /// Gives all of it back.
    pub(crate) fn clear(&mut self) {
        self.load.coming.fetch_sub(std::mem::take(&mut self.bytes), Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The bytes of a whole body.
struct Counted {
    bytes: Vec<u8>,
    load: Arc<Load>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.load.bodies.fetch_sub(self.bytes.len() as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(fills: u64, cache_bytes: u64, fill_bytes: u64) -> Arc<Load> {
        Arc::new(Load::within(Limits { fills, cache_bytes, fill_bytes }))
    }

    #[test]
    fn fills_are_counted_until_they_end() {
        let load = load(2, 100, 160);
        let first = load.begin(For::Client).unwrap();
        let second = load.begin(For::Client).unwrap();
        assert_eq!(load.begin(For::Client).unwrap_err(), Lack::Fills);
        let passed_on = second.clone();
        drop(second);
        assert_eq!((load.begin(For::Client).unwrap_err(), load.fills()), (Lack::Fills, 2));
        drop((first, passed_on));
        assert!(load.begin(For::Client).is_ok());
        assert_eq!(load.fills(), 0);
    }

    #[test]
    fn other_limits_hold_for_what_begins() {
        let load = load(1, 100, 160);
        let first = load.begin(For::Client).unwrap();
        assert_eq!(load.begin(For::Client).unwrap_err(), Lack::Fills);
        load.set_limits(&Config { fills: 2, fill_bytes: 32, cache_bytes: 7, ..Config::default() });
        let second = load.begin(For::Client).unwrap();
        assert!(load.room().hold(132) && !load.room().hold(133), "the cache's limit stays");
        drop((first, second));
    }

    #[test]
    fn prefetching_is_shed_first() {
        let many = load(64, 0, 1000);
        let under_way: Vec<_> = (0..4).map(|_| many.begin(For::Prefetch).unwrap()).collect();
        assert_eq!(many.begin(For::Prefetch).unwrap_err(), Lack::Fills);
        assert!(!many.may_prefetch() && many.begin(For::Client).is_ok());
        drop(under_way);
        let mut room = many.room();
        assert!(room.hold(501) && !many.may_prefetch());
        assert_eq!(many.begin(For::Prefetch).unwrap_err(), Lack::Bytes);
        assert!(many.begin(For::Client).is_ok());
    }

    #[test]
    fn duress_comes_before_refusal() {
        let load = load(4, 0, 1000);
        let under_way: Vec<_> = (0..2).map(|_| load.begin(For::Client).unwrap()).collect();
        assert!(!load.is_in_duress());
        let third = load.begin(For::Client).unwrap();
        assert!(load.is_in_duress() && load.begin(For::Client).is_ok());
        drop((third, under_way));
        let mut room = load.room();
        assert!(room.hold(750) && !load.is_in_duress() && room.hold(751) && load.is_in_duress());
    }

    #[test]
    fn bytes_count_from_the_head_of_a_fill_to_the_last_client() {
        let load = load(9, 100, 160);
        let (mut one, mut two) = (load.room(), load.room());
        assert!(one.hold(200) && one.hold(150) && !two.hold(61) && two.hold(60));
        assert_eq!((load.coming(), load.begin(For::Client).unwrap_err()), (260, Lack::Bytes));
        two.clear();
        assert_eq!(load.coming(), 200);
        let body = one.body(vec![0; 40]);
        drop(one);
        let part = body.slice(3..5);
        drop(body);
        assert_eq!((load.coming(), load.bodies()), (0, 40), "a part holds the whole");
        assert!(!load.exceeds_cache());
        drop(part);
        assert_eq!(load.bodies(), 0);
    }

    #[test]
    fn the_last_part_is_for_what_has_begun() {
        let load = load(9, 0, 160);
        let mut room = load.room();
        assert!(room.hold(150) && load.begin(For::Client).is_ok());
        assert!(room.hold(151) && load.begin(For::Client).is_err());
        assert!(load.room().hold(9));
    }
}
