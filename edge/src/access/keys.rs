//! The key set in use. The last good one stays until a better one comes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use segue_manifests::token::{KeyId, KeySet, KeyState};
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
    /// Keys that are refused whatever the origin publishes; held while keys are replaced.
    revoked: Mutex<BTreeSet<KeyId>>,
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
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(keys, &revoked)
    }

    /// Refuses these keys from now on, also when a copy of the key set that is older than their revocation is polled.
    pub(crate) fn revoke(&self, keys: &[KeyId]) {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.extend(keys);
        if let Some(current) = self.current() {
            self.put(current.keys.clone(), &revoked);
        }
    }

    fn put(&self, mut keys: KeySet, revoked: &BTreeSet<KeyId>) -> bool {
        for key in keys.keys.iter_mut().filter(|key| revoked.contains(&key.kid)) {
            key.state = KeyState::Revoked;
        }
        let current = self.current();
        if current.as_ref().is_some_and(|current| current.keys == keys) {
            return false;
        }
        let number = current.map_or(0, |current| current.number) + 1;
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

    #[test]
    fn a_revoked_key_stays_so_whatever_is_polled() {
        let ring = KeyRing::default();
        let mut signing = SigningKeys::generate(0);
        let before = signing.public();
        let kid = signing.active_kid();
        ring.revoke(&[kid]);
        assert!(!ring.is_loaded());
        assert!(ring.replace(before.clone()) && !ring.replace(before.clone()));
        let state = || ring.current().unwrap().keys.keys.iter().find(|key| key.kid == kid).unwrap().state;
        assert_eq!(state(), KeyState::Revoked);
        let next = before.keys.iter().find(|key| key.kid != kid).unwrap().kid;
        ring.revoke(&[next]);
        assert!(ring.current().unwrap().keys.keys.iter().all(|key| key.state == KeyState::Revoked));
        assert_eq!(ring.current().unwrap().number, 2);
        signing.revoke(kid, 5).unwrap();
        ring.replace(signing.public());
        assert_eq!(state(), KeyState::Revoked);
    }
}
