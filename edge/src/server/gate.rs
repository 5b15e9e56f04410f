//! How many connections may be open, all together and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::subscriber;
use crate::metrics::Metrics;

/// Counts open connections; shared by all workers.
#[derive(Debug)]
pub(crate) struct Gate {
    limit: AtomicU64,
    limit_per_address: AtomicU64,
    open: AtomicU64,
    by_address: Mutex<HashMap<IpAddr, u64>>,
    metrics: Metrics,
}

/// Leave for one connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    /// As whose it is counted; `None`: a proxy's, that stands for many, or there is no limit.
    client: Option<IpAddr>,
}

impl Gate {
    /// 0 means no limit.
    pub(crate) fn new(limit: u64, limit_per_address: u64, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicU64::new(limit),
            limit_per_address: AtomicU64::new(limit_per_address),
            open: AtomicU64::new(0),
            by_address: Mutex::default(),
            metrics,
        })
    }

    /// Sets other limits for connections that come from now on.
    pub(crate) fn set_limits(&self, limit: u64, limit_per_address: u64) {
        self.limit.store(limit, Ordering::Relaxed);
        self.limit_per_address.store(limit_per_address, Ordering::Relaxed);
    }

    /// Lets a connection in, or counts that it was turned away.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Permit> {
        let mut permit = self.admit_proxy()?;
        permit.belongs_to(address).then_some(permit)
    }

    /// The same for a proxy's, which are many from one address.
    pub(crate) fn admit_proxy(self: &Arc<Self>) -> Option<Permit> {
        let limit = self.limit.load(Ordering::Relaxed);
        if self.open.fetch_add(1, Ordering::Relaxed) >= limit && limit > 0 {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.metrics.turned_away("connections");
            return None;
        }
        self.metrics.connections.inc();
        Some(Permit { gate: self.clone(), client: None })
    }
}

impl Permit {
    /// Counts it as one of this client's; `false`, and counted as turned away, if these are too many. Once for each.
    pub(crate) fn belongs_to(&mut self, address: IpAddr) -> bool {
        let limit = self.gate.limit_per_address.load(Ordering::Relaxed);
        if limit == 0 {
            return true;
        }
        let client = subscriber(address);
        self.client = Some(client);
        let mut by_address = self.gate.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_address.entry(client).or_insert(0);
        *count += 1;
        let fits = *count <= limit;
        if !fits {
            self.gate.metrics.turned_away("connections-per-address");
        }
        fits
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.metrics.connections.dec();
        self.gate.open.fetch_sub(1, Ordering::Relaxed);
        let Some(client) = self.client else { return };
        let mut by_address = self.gate.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_returns() {
        let gate = Gate::new(3, 2, Metrics::new());
        let [a, b]: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let first = gate.admit(a).unwrap();
        let _second = gate.admit(a).unwrap();
        assert!(gate.admit(a).is_none(), "two of one address");
        let _third = gate.admit(b).unwrap();
        assert!(gate.admit(b).is_none(), "three in all");
        drop(first);
        assert!(gate.admit(a).is_some());
        assert_eq!(gate.by_address.lock().unwrap().len(), 2);
    }

    #[test]
    fn other_limits_hold_for_those_that_come() {
        let gate = Gate::new(1, 0, Metrics::new());
        let a: IpAddr = "10.0.0.1".parse().unwrap();
        let _first = gate.admit(a).unwrap();
        assert!(gate.admit(a).is_none());
        gate.set_limits(0, 1);
        let second = gate.admit(a).unwrap();
        assert!(gate.admit(a).is_none());
        gate.set_limits(0, 0);
        drop(second);
        assert!(gate.admit(a).is_some() && gate.by_address.lock().unwrap().is_empty());
    }

    #[test]
    fn connections_of_a_proxy_are_their_clients() {
        let gate = Gate::new(4, 1, Metrics::new());
        let [a, b] = [1, 2].map(|last| IpAddr::from([10, 0, 0, last]));
        let mut permits: Vec<_> = (0..3).map(|_| gate.admit_proxy().unwrap()).collect();
        assert!(permits[0].belongs_to(a) && permits[1].belongs_to(b));
        assert!(!permits[2].belongs_to(a), "two of one client");
        permits.clear();
        assert!(gate.by_address.lock().unwrap().is_empty());
        assert!(gate.admit(a).is_some());
    }

    #[test]
    fn one_subscriber_is_one_address() {
        let gate = Gate::new(0, 1, Metrics::new());
        let _first = gate.admit("2001:db8::1".parse().unwrap()).unwrap();
        assert!(gate.admit("2001:db8::2".parse().unwrap()).is_none());
        assert!(gate.admit("2001:db8:0:1::2".parse().unwrap()).is_some());
        let _v4 = gate.admit("::ffff:10.0.0.1".parse().unwrap()).unwrap();
        assert!(gate.admit("10.0.0.1".parse().unwrap()).is_none());
    }
}
