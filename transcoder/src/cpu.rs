//! What work costs: processor time of the calling thread.

use std::time::Duration;

/// Processor time that the calling thread has used so far, user and system. Zero where it cannot be asked for.
#[cfg(unix)]
pub(crate) fn of_this_thread() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

/// Processor time that the calling thread has used so far. Zero where it cannot be asked for.
#[cfg(not(unix))]
pub(crate) fn of_this_thread() -> Duration {
    Duration::ZERO
}

/// Runs `work` and says what it cost the calling thread; threads that it starts are not counted.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = of_this_thread();
    let done = work();
    (done, of_this_thread().saturating_sub(before))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn work_costs_and_waiting_does_not() {
        let (_, worked) = measured(|| (0..3_000_000u64).fold(0, |a, b| std::hint::black_box(a ^ b)));
        let ((), waited) = measured(|| std::thread::sleep(Duration::from_millis(20)));
        assert!(worked > Duration::ZERO);
        assert!(waited < Duration::from_millis(20), "{waited:?}");
    }
}
