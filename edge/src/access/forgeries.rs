//! How many forged tokens one client may try. Each costs a check of its signature; whoever guesses, or floods, is not checked
//! any more for a while.
//!
//! A forgery that is remembered costs no check, and is not counted again. Tokens that were found to be good are known
//! before anything is counted, so that listeners who share an address with somebody who forges go on listening.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use moka::sync::Cache;

/// Most clients that are remembered. Those who come back often stay, so that a flood from many addresses pushes out itself.
const CLIENTS: u64 = 65_536;
/// In this time a client may use up its allowance, milliseconds; after it, nothing is held against it.
const WINDOW_MS: u64 = 60_000;

/// Forgeries of each client, IPv6 by /64, as a bucket that leaks steadily.
#[derive(Debug)]
pub(crate) struct Forgeries {
    /// Until when, in milliseconds of the edge's clock, what a client forged is held against it.
    owed_until: Cache<IpAddr, Arc<AtomicU64>>,
}

impl Forgeries {
    pub(crate) fn new() -> Self {
        let life = Duration::from_millis(WINDOW_MS);
        Self { owed_until: Cache::builder().max_capacity(CLIENTS).time_to_idle(life).build() }
    }

    /// Seconds after which another token of this client is checked; `None`: at once. `per_minute` 0: there is no limit, as there
    /// is none for a proxy that stands for many, which is no client.
    pub(crate) fn wait_s(&self, client: Option<IpAddr>, per_minute: u64, now_ms: u64) -> Option<u64> {
        let each = cost_ms(per_minute)?;
        let owed = self.owed_until.get(&client?)?.load(Relaxed).saturating_sub(now_ms);
        let wait_ms = (owed + each).saturating_sub(WINDOW_MS);
        (wait_ms > 0).then(|| wait_ms.div_ceil(1000))
    }

    /// A token of this client was found to be forged.
    pub(crate) fn found(&self, client: Option<IpAddr>, per_minute: u64, now_ms: u64) {
        let (Some(client), Some(each)) = (client, cost_ms(per_minute)) else { return };
        let owed = self.owed_until.get_with(client, Arc::default);
        // Two at a time may count as one; the next one counts.
        owed.store(owed.load(Relaxed).max(now_ms) + each, Relaxed);
    }
}

/// What one forgery takes of an allowance; `None`: there is no limit.
fn cost_ms(per_minute: u64) -> Option<u64> {
    WINDOW_MS.checked_div(per_minute).map(|cost| cost.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_used_up_and_comes_back() {
        let forgeries = Forgeries::new();
        let [client, other] = [1, 2].map(|last| Some(IpAddr::from([192, 0, 2, last])));
        for _ in 0..6 {
            assert_eq!(forgeries.wait_s(client, 6, 5_000), None);
            forgeries.found(client, 6, 5_000);
        }
        assert_eq!(forgeries.wait_s(client, 6, 5_000), Some(10));
        assert_eq!(forgeries.wait_s(client, 6, 14_500), Some(1));
        assert_eq!(forgeries.wait_s(other, 6, 5_000), None);
        assert_eq!(forgeries.wait_s(client, 0, 5_000), None, "no limit");
        (0..9).for_each(|_| forgeries.found(None, 6, 5_000));
        assert_eq!(forgeries.wait_s(None, 6, 5_000), None, "a proxy");
        assert_eq!(forgeries.wait_s(client, 6, 15_000), None, "one more");
        forgeries.found(client, 6, 15_000);
        assert_eq!(forgeries.wait_s(client, 6, 15_000), Some(10));
        assert_eq!(forgeries.wait_s(client, 6, 15_000 + WINDOW_MS), None, "all is forgotten");
    }

    #[test]
    fn the_largest_allowance_is_one_as_well() {
        let forgeries = Forgeries::new();
        let client = Some(IpAddr::from([192, 0, 2, 1]));
        let many = u64::from(u32::MAX);
        (0..WINDOW_MS).for_each(|_| forgeries.found(client, many, 1));
        assert_eq!(forgeries.wait_s(client, many, 1), Some(1));
    }
}
