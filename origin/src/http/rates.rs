//! How often one account or address may ask: a bucket that leaks steadily (GCRA).
//!
//! Each origin has buckets of its own. With Redis those there count, for all origins together; the own ones go on
//! counting beside them, and stand in while Redis is away. What is too much for one origin alone is refused without
//! asking Redis: it can never be fine for all of them together.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::Script;

use crate::accounts::{UserId, network};
use crate::shared::Shared;

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
    shared: Shared,
    script: Script,
}

impl Rates {
    /// `burst` requests at once, refilled by `per_second`; no limit when one of them is 0.
    pub(crate) fn new(per_second: u32, burst: u32, shared: Shared) -> Self {
        let idle = Duration::from_secs(600);
        let buckets = moka::sync::Cache::builder().max_capacity(200_000).time_to_idle(idle).build();
        let seconds = burst.checked_div(per_second).map_or(0, |_| burst.div_ceil(per_second));
        let policy = format!("\"default\";q={burst};w={seconds}");
        Self { per_second, burst, policy, buckets, shared, script: Script::new(include_str!("rates.lua")) }
    }

    /// The `RateLimit-Policy` field.
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }

    /// Counts a request; `None` where there is no limit.
    pub(crate) async fn take(&self, user: Option<UserId>, from: IpAddr) -> Option<Standing> {
        let key = key(user, from);
        let own = self.take_own(key, Instant::now())?;
        if own.exhausted {
            return Some(own);
        }
        Some(self.take_shared(key).await.unwrap_or(own))
    }

    async fn take_shared(&self, key: [u8; 17]) -> Option<Standing> {
        if !self.shared.is_on() {
            return None;
        }
        let name = format!("rate:{}", hex::encode(key));
        let limits = [u64::from(self.per_second), u64::from(self.burst)];
        let (exhausted, remaining, reset): (u64, u64, u64) =
            self.shared.run("rate", &self.script, [&name], &limits).await?;
        Some(Standing { exhausted: exhausted != 0, remaining, reset })
    }

    fn take_own(&self, key: [u8; 17], now: Instant) -> Option<Standing> {
        if self.per_second == 0 || self.burst == 0 {
            return None;
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

/// Names the bucket of an account, or of a network.
fn key(user: Option<UserId>, from: IpAddr) -> [u8; 17] {
    let mut key = [0; 17];
    key[0] = u8::from(user.is_some());
    match user {
        Some(user) => key[1..].copy_from_slice(user.bytes()),
        None => key[1..].copy_from_slice(&network(from)),
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_fill_and_leak() {
        let rates = Rates::new(10, 3, Shared::off());
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let start = Instant::now();
        let take = |from, ms| rates.take_own(key(None, from), start + Duration::from_millis(ms)).unwrap();
        assert_eq!([0, 0, 0].map(|ms| take(here, ms).remaining), [2, 1, 0]);
        assert!(take(here, 0).exhausted && take(here, 50).exhausted);
        assert!(!take(there, 0).exhausted, "others are not held up");
        assert!(!take(here, 100).exhausted && take(here, 100).exhausted);
        assert_eq!(take(here, 10_000).remaining, 2);
        let user = Some(UserId::from([1; 16]));
        assert!(!rates.take_own(key(user, here), start).unwrap().exhausted);
        assert_eq!(Rates::new(0, 3, Shared::off()).take_own(key(None, here), start), None);
        assert_eq!(rates.policy(), "\"default\";q=3;w=1");
    }

    #[tokio::test]
    async fn origins_share_buckets() {
        let Some(shared) = crate::shared::testing::two().await else { return };
        let [one, other] = shared.map(|shared| Rates::new(1, 5, shared));
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = one.take(None, here).await.unwrap();
        assert_eq!(first, Standing { exhausted: false, remaining: 4, reset: 2 });
        let mut allowed = 1;
        let (started, mut last) = (Instant::now(), first);
        // A bucket that leaks while the test runs takes a few more.
        for _ in 0..200 {
            for rates in [&one, &other] {
                last = rates.take(None, here).await.unwrap();
                allowed += u32::from(!last.exhausted);
            }
            if last.exhausted {
                break;
            }
        }
        let leaked = started.elapsed().as_secs() as u32 + 1;
        assert!(last.exhausted && last.reset >= 1, "{last:?} after {allowed}");
        assert!((5..=5 + leaked).contains(&allowed), "{allowed}");
        assert!(!other.take(None, there).await.unwrap().exhausted);
    }
}
