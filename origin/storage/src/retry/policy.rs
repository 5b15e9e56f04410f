//! How often, and for how long.

use std::time::Duration;

/// When to try again and when to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; for bodies and listings, failures in a row without progress.
    pub attempts: u32,
    /// Upper bound of the first pause; it doubles with every failure.
    pub first_pause: Duration,
    /// Upper bound of every pause.
    pub max_pause: Duration,
    /// Longest wait for an answer, and for the next bytes of a body.
    pub attempt_timeout: Duration,
    /// Longest time for an operation with all its attempts; bodies and listings go at their reader's pace and
    /// have none.
    pub deadline: Duration,
    /// A `put` gets extra time as if its bytes moved this slowly (bytes per second).
    pub slowest_upload: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 5,
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(15),
            deadline: Duration::from_secs(60),
            slowest_upload: 256 * 1024,
        }
    }
}

impl RetryPolicy {
    /// The pause after the `failures`th failure (from 1): anything up to a bound that doubles each time, so
    /// that clients which failed together do not come back together.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1));
        let bound = self.first_pause.saturating_mul(doubled).min(self.max_pause);
        // Without the system's randomness the bound itself will do.
        let random = getrandom::u64().unwrap_or(u64::MAX);
        let fraction = (random >> 11) as f64 / (1u64 << 53) as f64;
        bound.mul_f64(fraction.min(1.0))
    }

    pub(super) fn transfer_time(&self, bytes: u64) -> Duration {
        Duration::from_secs(bytes / self.slowest_upload.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_random_below_a_bound_that_doubles() {
        let policy = RetryPolicy::default();
        for (failures, bound_ms) in [(1, 100), (2, 200), (3, 400), (7, 5_000), (1_000, 5_000)] {
            let pauses: Vec<_> = (0..50).map(|_| policy.pause(failures)).collect();
            assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(bound_ms)), "{failures}");
            assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]), "{failures}: always the same");
        }
    }

    #[test]
    fn large_uploads_get_more_time() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.transfer_time(0), Duration::ZERO);
        assert_eq!(policy.transfer_time(10 * 256 * 1024), Duration::from_secs(10));
    }
}
