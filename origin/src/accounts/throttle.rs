//! Failed sign-ins are counted by account and network, and by network alone: guessing is slow from anywhere, and
//! nobody can lock others out of their account from elsewhere.

use std::net::IpAddr;
use std::time::Duration;

use segue_manifests::Sha256;

/// How long failures are remembered after the last one.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Failures for one account from one network.
const PER_ACCOUNT: u32 = 10;
/// Failures from one network.
const PER_NETWORK: u32 = 100;

/// Counts failures.
pub(crate) struct Throttle {
    failures: moka::sync::Cache<[u8; 16], u32>,
}

impl Throttle {
    pub(super) fn new() -> Self {
        let failures = moka::sync::Cache::builder().max_capacity(200_000).time_to_live(MEMORY).build();
        Self { failures }
    }

    /// Whether another attempt may be made; if not, after which time at the latest.
    pub(super) fn check(&self, login: &str, from: IpAddr) -> Result<(), Duration> {
        let failed = |key| self.failures.get(&key).unwrap_or(0);
        let network = network(from);
        let blocked = failed(key(&network, login)) >= PER_ACCOUNT || failed(key(&network, "")) >= PER_NETWORK;
        if blocked { Err(MEMORY) } else { Ok(()) }
    }

    /// An attempt failed.
    pub(super) fn failed(&self, login: &str, from: IpAddr) {
        let network = network(from);
        for key in [key(&network, login), key(&network, "")] {
            self.failures.entry(key).and_upsert_with(|count| count.map_or(1, |count| count.into_value() + 1));
        }
    }

    /// An attempt succeeded: this account's failures from there are forgotten.
    pub(super) fn succeeded(&self, login: &str, from: IpAddr) {
        self.failures.invalidate(&key(&network(from), login));
    }
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

    #[test]
    fn guessing_is_stopped_where_it_comes_from() {
        let throttle = Throttle::new();
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..PER_ACCOUNT {
            assert_eq!(throttle.check("ann", here), Ok(()));
            throttle.failed("ann", here);
        }
        assert!(throttle.check("Ann", here).is_err());
        assert_eq!(throttle.check("ann", there), Ok(()), "others are not locked out");
        assert_eq!(throttle.check("ben", here), Ok(()));
        for _ in 0..PER_NETWORK {
            throttle.failed("ben", here);
        }
        assert!(throttle.check("cem", here).is_err(), "nor can many names be tried");
        throttle.failed("ann", there);
        throttle.succeeded("ann", there);
        assert_eq!(throttle.check("ann", there), Ok(()));
    }

    #[test]
    fn neighbours_of_ipv6_are_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
