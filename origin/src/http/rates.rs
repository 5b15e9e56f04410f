//! How often one account or address may ask: a bucket that leaks steadily (GCRA).

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::accounts::{UserId, network};

/// Where a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether this request is one too many.
    pub(crate) exhausted: bool,
    /// Requests that could follow at once.
    pub(crate) remaining: u64,
    /// Seconds until the next one could follow, if none is left; else until all could.
    pub(crate) reset: u64,
}

impl Standing {
    /// As the `RateLimit` field (draft-ietf-httpapi-ratelimit-headers-10) says it.
    pub(crate) fn header(&self) -> String {
        format!("\"default\";r={};t={}", self.remaining, self.reset)
    }
}

/// The buckets.
pub(crate) struct Rates {
    per_second: u32,
    burst: u32,
    policy: String,
    /// When the bucket of an account or network will be empty.
    buckets: moka::sync::Cache<[u8; 17], Arc<Mutex<Instant>>>,
}

impl Rates {
    /// `burst` requests at once, refilled by `per_second`; no limit when one of them is 0.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let idle = Duration::from_secs(600);
        let buckets = moka::sync::Cache::builder().max_capacity(200_000).time_to_idle(idle).build();
        let seconds = burst.checked_div(per_second).map_or(0, |_| burst.div_ceil(per_second));
        Self { per_second, burst, policy: format!("\"default\";q={burst};w={seconds}"), buckets }
    }

    /// The `RateLimit-Policy` field.
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }

    /// Counts a request; `None` where there is no limit.
    pub(crate) fn take(&self, user: Option<UserId>, from: IpAddr) -> Option<Standing> {
        self.take_at(user, from, Instant::now())
    }

    fn take_at(&self, user: Option<UserId>, from: IpAddr, now: Instant) -> Option<Standing> {
        if self.per_second == 0 || self.burst == 0 {
            return None;
        }
        let mut key = [0; 17];
        key[0] = u8::from(user.is_some());
        match user {
            Some(user) => key[1..].copy_from_slice(user.bytes()),
            None => key[1..].copy_from_slice(&network(from)),
        }
        let bucket = self.buckets.get_with(key, || Arc::new(Mutex::new(now)));
        let mut empty_at = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let drop = Duration::from_secs(1) / self.per_second;
        let full = drop * self.burst;
        let after = (*empty_at).max(now) + drop;
        let fill = after - now;
        if fill > full {
            return Some(Standing { exhausted: true, remaining: 0, reset: (fill - full).as_secs() + 1 });
        }
        *empty_at = after;
        let remaining = ((full - fill).as_nanos() / drop.as_nanos()) as u64;
        Some(Standing { exhausted: false, remaining, reset: fill.as_secs() + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_fill_and_leak() {
        let rates = Rates::new(10, 3);
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let start = Instant::now();
        let take = |from, ms| rates.take_at(None, from, start + Duration::from_millis(ms)).unwrap();
        assert_eq!([0, 0, 0].map(|ms| take(here, ms).remaining), [2, 1, 0]);
        assert!(take(here, 0).exhausted && take(here, 50).exhausted);
        assert!(!take(there, 0).exhausted, "others are not held up");
        assert!(!take(here, 100).exhausted && take(here, 100).exhausted);
        assert_eq!(take(here, 10_000).remaining, 2);
        let user = Some(UserId::from([1; 16]));
        assert!(!rates.take_at(user, here, start).unwrap().exhausted);
        assert_eq!(Rates::new(0, 3).take(None, here), None);
        assert_eq!(rates.policy(), "\"default\";q=3;w=1");
    }
}
