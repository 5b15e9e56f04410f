//! The key set in use. The last good one stays until a better one comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use segue_manifests::token::KeySet;
use tokio::sync::Notify;

/// A key set and how many came before it.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) keys: KeySet,
}

/// The public signing keys.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
    current: ArcSwapOption<Generation>,
    count: AtomicU64,
    /// Asks for a poll ahead of time.
    pub(super) wanted: Notify,
}

impl KeyRing {
    /// The keys, once there are any.
    pub(crate) fn current(&self) -> Option<Arc<Generation>> {
        self.current.load_full()
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.current.load().is_some()
    }

    /// Takes a key set into use; `false` when it is the one in use already.
    pub(crate) fn replace(&self, keys: KeySet) -> bool {
        if self.current().is_some_and(|current| current.keys == keys) {
            return false;
        }
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.current.store(Some(Arc::new(Generation { number, keys })));
        true
    }

    /// A token named a key that is not known: the origin may have a new one.
    pub(crate) fn want_poll(&self) {
        self.wanted.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_manifests::token::SigningKeys;

    #[test]
    fn only_changes_make_a_generation() {
        let ring = KeyRing::default();
        assert!(!ring.is_loaded() && ring.current().is_none());
        let mut signing = SigningKeys::generate(0);
        assert!(ring.replace(signing.public()));
        assert!(!ring.replace(signing.public()));
        signing.rotate(10, 0).unwrap();
        assert!(ring.replace(signing.public()));
        assert_eq!(ring.current().unwrap().number, 2);
    }
}
