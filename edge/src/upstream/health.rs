//! Which upstreams are asked. One that fails again and again rests, so that nobody waits for it; after each rest one
//! request tries it, and every failure of that one makes the next rest longer.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failures in a row after which an upstream rests.
const FAILURES: u32 = 5;
/// An upstream that sent a head less than so many milliseconds ago is alive, even where requests that came together all fail.
const SILENCE_MS: u64 = 250;
/// The first rest, milliseconds; each is twice as long as the one before.
const FIRST_REST_MS: u64 = 500;
const LONGEST_REST_MS: u64 = 16_000;
/// For which one trial keeps others from trying: its client may be gone before it ends, milliseconds.
const TRIAL_MS: u64 = 15_000;

/// What is known of one upstream, shared by all workers. Times are milliseconds of one clock.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Requests in a row without an answer.
    failures: u32,
    /// Bodies in a row that broke; [`FAILURES`] at most. Heads between them do not count.
    breaks: u32,
    /// Rests in a row.
    rests: u32,
    /// When it last sent a head; 0: never.
    heard_ms: u64,
    phase: Phase,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Asked,
    /// Until when.
    Resting(u64),
    /// Until when nobody else tries.
    OnTrial(u64),
}

impl Health {
    /// Whether it is asked now.
    pub(super) fn may_be_asked(&self, now_ms: u64) -> bool {
        let mut state = self.state();
        match state.phase {
            Phase::Asked => true,
            Phase::Resting(until) | Phase::OnTrial(until) if now_ms < until => false,
            Phase::Resting(_) | Phase::OnTrial(_) => {
                state.phase = Phase::OnTrial(now_ms + TRIAL_MS);
                true
            }
        }
    }

    /// Whether nobody has heard of it for that long, or its rest is over: then a probe is the one that tries it, unless it rests
    /// for its bodies.
    pub(super) fn wants_probe(&self, now_ms: u64, pause_ms: u64) -> bool {
        let state = self.state();
        let heard = matches!(state.phase, Phase::Asked) && now_ms.saturating_sub(state.heard_ms) < pause_ms;
        if state.breaks >= FAILURES {
            // Whether bodies come whole again is for those to see who ask for one; a probe only sees who answers.
            return now_ms.saturating_sub(state.heard_ms) >= pause_ms;
        }
        drop(state);
        !heard && self.may_be_asked(now_ms)
    }

    /// Whether it is trusted, and asked by all.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.state().phase, Phase::Asked)
    }

    /// It sent a head. After bodies that broke that is not enough to be trusted again.
    pub(super) fn answered(&self, now_ms: u64) {
        let mut state = self.state();
        (state.failures, state.heard_ms) = (0, now_ms);
        if state.breaks < FAILURES {
            (state.phase, state.rests) = (Phase::Asked, 0);
        }
    }

    /// A whole body came from it.
    pub(super) fn completed(&self) {
        let mut state = self.state();
        if state.breaks >= FAILURES {
            (state.phase, state.rests) = (Phase::Asked, 0);
        }
        state.breaks = 0;
    }

    /// It gave no answer; says whether it begins to rest.
    pub(super) fn failed(&self, now_ms: u64) -> bool {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let silent = state.heard_ms == 0 || now_ms.saturating_sub(state.heard_ms) >= SILENCE_MS;
        let many = state.failures >= FAILURES && silent;
        state.rest_if(many, now_ms)
    }

    /// A body from it broke or fell silent; says whether it begins to rest.
    pub(super) fn body_failed(&self, now_ms: u64) -> bool {
        let mut state = self.state();
        state.breaks = (state.breaks + 1).min(FAILURES);
        let many = state.breaks >= FAILURES;
        state.rest_if(many, now_ms)
    }

    /// Another process answers there: it is trusted, but where bodies broke, not for one more.
    pub(super) fn anew(&self, now_ms: u64) {
        let mut state = self.state();
        let breaks = state.breaks.min(FAILURES - 1);
        *state = State { heard_ms: now_ms, breaks, ..State::default() };
    }

    /// Another one was quicker, and its answer is not waited for: a trial that ends so is none.
    pub(super) fn left_alone(&self, now_ms: u64) {
        let mut state = self.state();
        if matches!(state.phase, Phase::OnTrial(_)) {
            state.rest_if(true, now_ms);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rest_if(&mut self, many: bool, now_ms: u64) -> bool {
        match self.phase {
            // What fails now was asked for before the rest began.
            Phase::Resting(_) => return false,
            Phase::Asked if !many => return false,
            Phase::Asked | Phase::OnTrial(_) => {}
        }
        let rest = FIRST_REST_MS.saturating_mul(1 << self.rests.min(16)).min(LONGEST_REST_MS);
        self.rests = self.rests.saturating_add(1);
        self.phase = Phase::Resting(now_ms + rest);
        true
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
        health.answered(0);
        for _ in 1..FAILURES {
            assert!(!health.failed(20));
        }
        assert!(health.failed(20) && !health.may_be_asked(20));
        assert!(!health.failed(30), "it was asked before");
        assert!(!health.may_be_asked(20 + FIRST_REST_MS - 1));
    }

    #[test]
    fn who_answered_a_moment_ago_does_not_rest() {
        let health = Health::default();
        health.answered(1_000);
        assert!(!(0..100).any(|_| health.failed(1_000 + SILENCE_MS - 1)));
        assert!(health.may_be_asked(1_000 + SILENCE_MS - 1) && health.failed(1_000 + SILENCE_MS));
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
        health.answered(0);
        assert!(health.may_be_asked(now) && health.may_be_asked(now));
    }

    #[test]
    fn bodies_that_break_count_though_heads_come() {
        let health = Health::default();
        for _ in 1..FAILURES {
            health.answered(0);
            assert!(!health.body_failed(0));
        }
        health.completed();
        for _ in 1..FAILURES {
            health.answered(0);
            assert!(!health.body_failed(0));
        }
        health.answered(0);
        assert!(health.body_failed(0) && !health.may_be_asked(0));
        let now = FIRST_REST_MS;
        assert!(health.wants_probe(now, now) && !health.wants_probe(now, now + 1));
        assert!(health.may_be_asked(now));
        health.answered(0);
        assert!(!health.may_be_asked(now), "a head alone does not end the trial");
        assert!(health.body_failed(now) && !health.may_be_asked(now + 2 * FIRST_REST_MS - 1));
        assert!(health.may_be_asked(now + 2 * FIRST_REST_MS));
        health.answered(0);
        health.completed();
        assert!(health.may_be_asked(now) && health.may_be_asked(now));
        assert!((0..FAILURES).any(|_| health.body_failed(now)) && !health.is_asked());
        health.anew(now);
        assert!(health.is_asked() && health.body_failed(now), "it breaks as the one before");
    }
}
