//! Which fills are under way.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::in_flight::InFlight;
use super::{Fault, Waiter};
use crate::cache::{Object, resource};
use crate::load::{For, Lack, Load, Place};

const SHARDS: usize = 16;

type Shard = HashMap<Arc<str>, Arc<InFlight>>;

/// Fills under way by cache key, shared by all workers.
#[derive(Debug)]
pub(crate) struct Table {
    shards: [Mutex<Shard>; SHARDS],
    load: Arc<Load>,
}

/// What a request has to do about an object that is not there.
#[derive(Debug)]
pub(crate) enum Role {
    /// Start the fill.
    Lead(Lead, Waiter),
    /// Wait for the one that is under way.
    Join(Waiter),
    /// Do without: there is no room for another fill.
    Shed(Lack),
}

/// The duty to fill an object. Dropped without success, it fails the fill, so that nobody waits for ever.
#[derive(Debug)]
pub(crate) struct Lead {
    table: Arc<Table>,
    pub(crate) cache_key: Arc<str>,
    pub(super) flight: Arc<InFlight>,
    pub(super) place: Arc<Place>,
}

impl Table {
    pub(crate) fn new(load: Arc<Load>) -> Self {
        Self { shards: Default::default(), load }
    }

    /// Joins the fill of this object, or begins it if there is room for another one.
    pub(crate) fn join_or_lead(self: &Arc<Self>, cache_key: &str, whom: For) -> Role {
        let mut shard = self.shard(cache_key);
        match shard.entry(cache_key.into()) {
            Entry::Occupied(entry) => Role::Join(Waiter::new(entry.get().clone())),
            Entry::Vacant(entry) => {
                let place = match self.load.begin(whom) {
                    Ok(place) => place,
                    Err(lack) => return Role::Shed(lack),
                };
                let cache_key = entry.key().clone();
                let flight = entry.insert(Arc::new(InFlight::new(self.load.room()))).clone();
                let waiter = Waiter::new(flight.clone());
                Role::Lead(Lead { table: self.clone(), cache_key, flight, place }, waiter)
            }
        }
    }

    /// Makes sure that nothing that is under way for a resource is stored: something has changed it since.
    pub(crate) fn outdate(&self, changed: &str) {
        let shard = self.shard(changed);
        let of_it = shard.iter().filter(|(cache_key, _)| resource(cache_key) == changed);
        of_it.for_each(|(_, flight)| flight.outdate());
    }

    /// All fills of one resource are in one shard.
    fn shard(&self, cache_key: &str) -> MutexGuard<'_, Shard> {
        let mut hasher = DefaultHasher::new();
        resource(cache_key).hash(&mut hasher);
        let index = hasher.finish() as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    /// There is nothing to fill: another fill has ended in between.
    pub(crate) fn found(self, object: Arc<Object>) {
        self.flight.finish(object);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // First out of the table, so that nobody joins a fill that has ended.
        self.table.shard(&self.cache_key).remove(&self.cache_key);
        self.flight.fail(Fault::Aborted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn what_a_change_overtakes_is_outdated() {
        let table = Arc::new(Table::new(Arc::default()));
        let lead = |cache_key: &str| match table.join_or_lead(cache_key, For::Client) {
            Role::Lead(lead, _) => lead,
            _ => panic!("{cache_key} is under way"),
        };
        let (plain, variant, other) = (lead("/a"), lead("/a\0hash"), lead("/ab"));
        table.outdate("/a");
        assert!(plain.flight.is_outdated() && variant.flight.is_outdated() && !other.flight.is_outdated());
    }

    #[test]
    fn one_leads_and_the_others_join() {
        let load = Arc::new(Load::default());
        let table = Arc::new(Table::new(load.clone()));
        let role = |cache_key| table.join_or_lead(cache_key, For::Client);
        let Role::Lead(lead, _) = role("/a") else { panic!("the first leads") };
        let Role::Join(waiter) = role("/a") else { panic!("the second joins") };
        assert!(matches!(role("/b"), Role::Lead(..)), "another object");
        assert_eq!(load.fills(), 1, "a dropped lead leaves");
        assert!(waiter.begun().now_or_never().is_none());
        drop(lead);
        assert!(matches!(waiter.begun().now_or_never(), Some(Err(Fault::Aborted))));
        assert!(matches!(role("/a"), Role::Lead(..)), "it starts anew");
    }
}
