//! Failed sign-ins are counted by account and network, and by network alone: guessing is slow from anywhere, and
//! nobody can lock others out of their account from elsewhere.
//!
//! With Redis, failures at all origins count together. Each origin also counts those that it has seen itself, and goes by
//! them while Redis is away.

use std::net::IpAddr;
use std::time::Duration;

use redis::Script;
use segue_manifests::Sha256;

use crate::shared::Shared;

/// How long failures are remembered after the last one.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Failures for one account from one network.
const PER_ACCOUNT: u32 = 10;
/// Failures from one network.
const PER_NETWORK: u32 = 100;

/// Counts failures.
pub(crate) struct Throttle {
    failures: moka::sync::Cache<[u8; 16], u32>,
    shared: Shared,
    count: Script,
}

/// What one attempt is counted under: account and network, network alone.
struct Keys([[u8; 16]; 2]);

impl Keys {
    fn of(login: &str, from: IpAddr) -> Self {
        let network = network(from);
        Self([key(&network, login), key(&network, "")])
    }

    /// As Redis knows them.
    fn names(&self) -> [String; 2] {
        self.0.map(|key| format!("failed:{}", hex::encode(key)))
    }
}

impl Throttle {
    pub(super) fn new(shared: Shared) -> Self {
        let failures = moka::sync::Cache::builder().max_capacity(200_000).time_to_live(MEMORY).build();
        Self { failures, shared, count: Script::new(include_str!("throttle.lua")) }
    }

    /// Whether another attempt may be made; if not, after which time at the latest.
    pub(super) async fn check(&self, login: &str, from: IpAddr) -> Result<(), Duration> {
        let keys = Keys::of(login, from);
        let own = || keys.0.map(|key| self.failures.get(&key).unwrap_or(0));
        let [account, network] = self.shared_failures(&keys).await.unwrap_or_else(own);
        if account >= PER_ACCOUNT || network >= PER_NETWORK { Err(MEMORY) } else { Ok(()) }
    }

    async fn shared_failures(&self, keys: &Keys) -> Option<[u32; 2]> {
        let [account, network] = keys.names();
        let counts = self.shared.get("throttle", [&account, &network]).await?;
        Some(counts.map(|count| count.map_or(0, |text| number(&text))))
    }

    /// An attempt failed. Of many at once only as many as may fail are told so: the others are answered as if they had
    /// come later.
    pub(super) async fn failed(&self, login: &str, from: IpAddr) -> Result<(), Duration> {
        let keys = Keys::of(login, from);
        let count = |key| {
            let more = |count: Option<moka::Entry<_, u32>>| count.map_or(1, |count| count.into_value() + 1);
            self.failures.entry(key).and_upsert_with(more).into_value()
        };
        let own = keys.0.map(count);
        let [account, network] = keys.names();
        let memory = [MEMORY.as_millis() as u64];
        let shared = self.shared.run("throttle", &self.count, [&account, &network], &memory).await;
        let [account, network]: [u32; 2] = shared.unwrap_or(own);
        if account > PER_ACCOUNT || network > PER_NETWORK { Err(MEMORY) } else { Ok(()) }
    }

    /// An attempt succeeded: this account's failures from there are forgotten.
    pub(super) async fn succeeded(&self, login: &str, from: IpAddr) {
        let keys = Keys::of(login, from);
        self.failures.invalidate(&keys.0[0]);
        self.shared.remove("throttle", &keys.names()[0]).await;
    }
}

/// A count as Redis writes it; what is none counts as too many.
fn number(text: &[u8]) -> u32 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
}

/// A single IPv4 address, or the /64 that one IPv6 customer has at least.
pub(crate) fn network(address: IpAddr) -> [u8; 16] {
    let mut octets = match address.to_canonical() {
        IpAddr::V4(address) => return address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    octets[8..].fill(0);
    octets
}

fn key(network: &[u8; 16], login: &str) -> [u8; 16] {
    let digest = Sha256::of(&[network.as_slice(), login.to_lowercase().as_bytes()].concat());
    let mut key = [0; 16];
    key.copy_from_slice(&digest.0[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn guessing_is_stopped_where_it_comes_from() {
        let throttle = Throttle::new(Shared::off());
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..PER_ACCOUNT {
            assert_eq!(throttle.check("ann", here).await, Ok(()));
            assert_eq!(throttle.failed("ann", here).await, Ok(()));
        }
        assert!(throttle.failed("ann", here).await.is_err(), "it was under way before");
        assert!(throttle.check("Ann", here).await.is_err());
        assert_eq!(throttle.check("ann", there).await, Ok(()), "others are not locked out");
        assert_eq!(throttle.check("ben", here).await, Ok(()));
        for _ in 0..PER_NETWORK {
            let _ = throttle.failed("ben", here).await;
        }
        assert!(throttle.check("cem", here).await.is_err(), "nor can many names be tried");
        throttle.failed("ann", there).await.unwrap();
        throttle.succeeded("ann", there).await;
        assert_eq!(throttle.check("ann", there).await, Ok(()));
    }

    #[tokio::test]
    async fn origins_count_together() {
        let Some(shared) = crate::shared::testing::two().await else { return };
        let [one, other] = shared.map(Throttle::new);
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..PER_ACCOUNT / 2 {
            one.failed("ann", here).await.unwrap();
            other.failed("Ann", here).await.unwrap();
        }
        assert!(one.failed("ann", here).await.is_err());
        assert!(one.check("ann", here).await.is_err() && other.check("ann", here).await.is_err());
        assert_eq!(one.check("ben", here).await, Ok(()));
        other.succeeded("ann", here).await;
        assert_eq!(one.check("ann", here).await, Ok(()));
    }

    #[test]
    fn neighbours_of_ipv6_are_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
