//! Which upstreams are asked. One that fails again and again rests, so that nobody waits for it; after each rest one
//! request tries it, and every failure of that one makes the next rest longer.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failures in a row after which an upstream rests.
const FAILURES: u32 = 5;
/// The first rest, milliseconds; each is twice as long as the one before.
const FIRST_REST_MS: u64 = 500;
const LONGEST_REST_MS: u64 = 16_000;
/// For which one trial keeps others from trying: its client may be gone before it ends, milliseconds.
const TRIAL_MS: u64 = 15_000;

/// What is known of one upstream. Times are milliseconds of one clock.
#[derive(Debug)]
pub(super) struct Health(Mutex<State>);

impl Default for Health {
    fn default() -> Self {
        Self(Mutex::new(State::Failing(0)))
    }
}

#[derive(Debug)]
enum State {
    /// That many failures in a row, or none.
    Failing(u32),
    /// How many times in a row, and until when.
    Resting(u32, u64),
    /// After how many rests, and until when nobody else tries.
    OnTrial(u32, u64),
}

impl Health {
    /// Whether it is asked now.
    pub(super) fn may_be_asked(&self, now_ms: u64) -> bool {
        let mut state = self.state();
        match *state {
            State::Failing(_) => true,
            State::Resting(_, until) | State::OnTrial(_, until) if now_ms < until => false,
            State::Resting(rests, _) | State::OnTrial(rests, _) => {
                *state = State::OnTrial(rests, now_ms + TRIAL_MS);
                true
            }
        }
    }

    /// It answered.
    pub(super) fn answered(&self) {
        *self.state() = State::Failing(0);
    }

    /// It failed; says whether it begins to rest.
    pub(super) fn failed(&self, now_ms: u64) -> bool {
        let mut state = self.state();
        let rests = match *state {
            State::Failing(failures) if failures + 1 < FAILURES => {
                *state = State::Failing(failures + 1);
                return false;
            }
            State::Failing(_) => 0,
            // It was asked before the rest began.
            State::Resting(..) => return false,
            State::OnTrial(rests, _) => rests,
        };
        let rest = FIRST_REST_MS.saturating_mul(1 << rests.min(16)).min(LONGEST_REST_MS);
        *state = State::Resting(rests + 1, now_ms + rest);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_after_failures_in_a_row() {
        let health = Health::default();
        for _ in 1..FAILURES {
            assert!(!health.failed(10) && health.may_be_asked(10));
        }
        health.answered();
        for _ in 1..FAILURES {
            assert!(!health.failed(20));
        }
        assert!(health.failed(20) && !health.may_be_asked(20));
        assert!(!health.failed(30), "it was asked before");
        assert!(!health.may_be_asked(20 + FIRST_REST_MS - 1));
    }

    #[test]
    fn one_tries_at_a_time_and_rests_grow() {
        let health = Health::default();
        assert_eq!((0..FAILURES).filter(|_| health.failed(0)).count(), 1);
        let mut now = 0;
        for rest in [500, 1000, 2000, 4000, 8000, 16_000, 16_000] {
            assert!(!health.may_be_asked(now + rest - 1));
            now += rest;
            assert!(health.may_be_asked(now) && !health.may_be_asked(now), "one at a time");
            assert!(health.failed(now));
        }
        now += LONGEST_REST_MS;
        assert!(health.may_be_asked(now));
        // The trial never ended: after a while another one is made.
        assert!(!health.may_be_asked(now + TRIAL_MS - 1) && health.may_be_asked(now + TRIAL_MS));
        health.answered();
        assert!(health.may_be_asked(now) && health.may_be_asked(now));
    }
}
