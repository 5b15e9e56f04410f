//! The wall clock, and how times are written.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch; 0 before it.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    now_ms() / 1000
}

/// The day of a time (milliseconds since the Unix epoch), counted since the epoch.
pub(crate) fn day(ms: u64) -> i64 {
    (ms / (24 * 3600 * 1000)) as i64
}

/// A time in seconds since the Unix epoch as `2026-01-02T03:04:05Z`.
pub(crate) fn iso(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_utc() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(1_767_323_045), "2026-01-02T03:04:05Z");
        assert!(iso(u64::MAX).ends_with('Z'));
    }
}
