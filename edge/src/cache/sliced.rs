//! Objects that are too large to be kept in one piece: their bytes are kept in slices, each an entry of its own.
//!
//! ```text
//!   /path                  -> the object: head, length, version; no bytes
//!   /path NUL version.n    -> slice n of that version
//! ```
//!
//! The version is a number that no other object of this store has had, so that slices of two representations never meet.
//! The slices live as long as their object: what is said about its freshness holds for them, and what is purged by its path
//! or surrogate keys is purged with them.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::variants::SEPARATOR;

/// How an object is cut.
#[derive(Debug)]
pub(crate) struct Sliced {
    /// Bytes of the whole object.
    pub(crate) length: u64,
    slice_bytes: u64,
    version: u64,
    refused: AtomicBool,
}

impl Sliced {
    /// `slice_bytes`: more than 0.
    pub(super) fn new(length: u64, slice_bytes: u64, version: u64) -> Self {
        Self { length, slice_bytes, version, refused: AtomicBool::new(false) }
    }

    /// Number of the slice that has the byte at `position`.
    pub(crate) fn index_of(&self, position: u64) -> u64 {
        position / self.slice_bytes
    }

    /// Place of a slice within the object.
    pub(crate) fn range(&self, index: u64) -> Range<u64> {
        let start = index.saturating_mul(self.slice_bytes).min(self.length);
        start..start.saturating_add(self.slice_bytes).min(self.length)
    }

    /// The cache key of a slice of the object that stands under `object`.
    pub(crate) fn cache_key(&self, object: &str, index: u64) -> String {
        format!("{object}{SEPARATOR}{}.{index}", self.version)
    }

    /// Notes that no upstream gives parts of it.
    pub(crate) fn refuse(&self) {
        self.refused.store(true, Relaxed);
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::resource;
    use proptest::prelude::*;

    #[test]
    fn slices_have_keys_of_their_own() {
        let (one, two) = (Sliced::new(10, 4, 7), Sliced::new(10, 4, 8));
        assert_ne!(one.cache_key("/a", 1), two.cache_key("/a", 1));
        assert_ne!(one.cache_key("/a", 1), one.cache_key("/a", 11));
        assert_eq!(resource(&one.cache_key("/a\0hash", 1)), "/a");
    }

    proptest! {
        #[test]
        fn slices_cover_the_object_once(length in 1u64..5000, slice_bytes in 1u64..600) {
            let sliced = Sliced::new(length, slice_bytes, 1);
            let last = sliced.index_of(length - 1);
            let mut position = 0;
            for index in 0..=last {
                let range = sliced.range(index);
                prop_assert!(range.start == position && range.end > position && range.end - position <= slice_bytes);
                prop_assert!(sliced.index_of(range.start) == index && sliced.index_of(range.end - 1) == index);
                position = range.end;
            }
            prop_assert_eq!(position, length);
        }
    }
}
