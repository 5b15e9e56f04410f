//! How long an upstream lets one wait for its response heads.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Steps of the scale: four for each doubling, from 1 ms to about 65 s.
const STEPS: usize = 64;
/// Waits after which those before count half.
const HALF_LIFE: u32 = 512;
/// Waits that are needed to say anything.
const ENOUGH: u32 = 64;

/// The waits of late.
#[derive(Debug)]
pub(super) struct Waits(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    counts: [u32; STEPS],
    sum: u32,
}

impl Waits {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Seen { counts: [0; STEPS], sum: 0 }))
    }

    /// One waited that long.
    pub(super) fn add(&self, wait: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.sum >= HALF_LIFE * 2 {
            seen.counts.iter_mut().for_each(|count| *count /= 2);
            seen.sum = seen.counts.iter().sum();
        }
        seen.counts[step(wait)] += 1;
        seen.sum += 1;
    }

    /// What nineteen of twenty were shorter than; `None` while too few are known.
    pub(super) fn long(&self) -> Option<Duration> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.sum < ENOUGH {
            return None;
        }
        let mut beyond = seen.sum / 20;
        let longest = seen.counts.iter().rposition(|count| match beyond.checked_sub(*count) {
            Some(left) => {
                beyond = left;
                false
            }
            None => true,
        });
        longest.map(end)
    }
}

fn step(wait: Duration) -> usize {
    let ms = (wait.as_secs_f64() * 1000.0).max(1.0);
    ((ms.log2() * 4.0) as usize).min(STEPS - 1)
}

/// The end of a step.
fn end(step: usize) -> Duration {
    Duration::from_secs_f64(((step + 1) as f64 / 4.0).exp2() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn nineteen_of_twenty_are_shorter() {
        let waits = Waits::new();
        (1..ENOUGH).for_each(|_| waits.add(10 * MS));
        assert_eq!(waits.long(), None, "too few");
        (0..200).for_each(|n| waits.add(if n % 40 == 0 { 5000 * MS } else { 10 * MS }));
        let long = waits.long().unwrap();
        assert!((10 * MS..13 * MS).contains(&long), "{long:?}");
        (0..200).for_each(|n| waits.add(if n % 5 == 0 { 900 * MS } else { 10 * MS }));
        let long = waits.long().unwrap();
        assert!((900 * MS..1100 * MS).contains(&long), "{long:?}");
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let waits = Waits::new();
        (0..2000).for_each(|_| waits.add(3000 * MS));
        (0..20_000).for_each(|_| waits.add(2 * MS));
        assert!(waits.long().unwrap() < 4 * MS);
    }

    #[test]
    fn the_scale_has_ends() {
        for wait in [Duration::ZERO, Duration::from_secs(1_000_000)] {
            let waits = Waits::new();
            (0..ENOUGH).for_each(|_| waits.add(wait));
            assert!(waits.long().unwrap() <= Duration::from_secs(70));
        }
    }
}
