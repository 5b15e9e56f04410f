//! Reads under way: who else wants a segment that is already coming waits for it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::store::StoreError;

/// What a read comes to; `None` while it is under way.
type Outcome = Option<Result<Bytes, StoreError>>;

/// Waits for a segment that is coming.
pub(super) struct Waiter(watch::Receiver<Outcome>);

impl Waiter {
    /// The segment, or why it did not come.
    pub(super) async fn wait(mut self) -> Result<Bytes, StoreError> {
        let gone = || StoreError::Unavailable("the read was given up".into());
        let outcome = self.0.wait_for(Option::is_some).await.map_err(|_| gone())?;
        outcome.clone().unwrap_or_else(|| Err(gone()))
    }
}

/// The segments that are coming, by name.
#[derive(Debug)]
pub(super) struct Fills<K>(Arc<Mutex<HashMap<K, watch::Receiver<Outcome>>>>);

impl<K> Clone for Fills<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> Fills<K> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Looks at the table with nobody else changing it.
    pub(super) fn lock(&self) -> Table<'_, K> {
        Table { fills: self, map: self.0.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// The locked table.
pub(super) struct Table<'a, K> {
    fills: &'a Fills<K>,
    map: MutexGuard<'a, HashMap<K, watch::Receiver<Outcome>>>,
}

impl<K: Eq + Hash + Clone> Table<'_, K> {
    /// Waits for a segment if it is coming.
    pub(super) fn join(&self, name: &K) -> Option<Waiter> {
        self.map.get(name).cloned().map(Waiter)
    }

    /// Whether a segment is coming.
    pub(super) fn has(&self, name: &K) -> bool {
        self.map.contains_key(name)
    }

    /// Announces a segment.
    pub(super) fn announce(&mut self, name: K) -> Promise<K> {
        let (sender, receiver) = watch::channel(None);
        self.map.insert(name.clone(), receiver);
        Promise { fills: self.fills.clone(), name, sender }
    }
}

/// An announced segment. Dropped without a result, its waiters learn that it will not come.
pub(super) struct Promise<K: Eq + Hash + Clone> {
    fills: Fills<K>,
    name: K,
    sender: watch::Sender<Outcome>,
}

impl<K: Eq + Hash + Clone> Promise<K> {
    /// The segment's name.
    pub(super) fn name(&self) -> &K {
        &self.name
    }

    /// Wakes the waiters.
    pub(super) fn keep(self, result: Result<Bytes, StoreError>) {
        self.sender.send_replace(Some(result));
    }
}

impl<K: Eq + Hash + Clone> Drop for Promise<K> {
    fn drop(&mut self) {
        self.fills.lock().map.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiters_get_the_result_or_learn_that_none_comes() {
        let fills: Fills<u32> = Fills::new();
        let kept = fills.lock().announce(1);
        let broken = fills.lock().announce(2);
        let one = fills.lock().join(&1).unwrap();
        let two = fills.lock().join(&2).unwrap();
        kept.keep(Ok(Bytes::from_static(b"x")));
        drop(broken);
        assert_eq!(one.wait().await.unwrap(), "x");
        assert!(matches!(two.wait().await, Err(StoreError::Unavailable(_))));
        assert!(!fills.lock().has(&1));
        assert!(fills.lock().join(&2).is_none());
    }
}
