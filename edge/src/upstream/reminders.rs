//! Shields that have lost what they had. A shield that starts again is only asked for what its edges do not have themselves. What
//! they let go later, when nothing behind the shield may answer, it never had. So it names its process in what it answers
//! edges, and is reminded of what they serve without it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName};

/// Names the process that answers: a number that no other one has.
pub(crate) const NODE: HeaderName = HeaderName::from_static("segue-node");
/// Longest name of a process that is taken, bytes.
const MAX_NODE: usize = 64;
/// Processes that are remembered: there may be more than one behind an address.
const PROCESSES: usize = 64;
/// Time without reminders after one that failed, milliseconds.
const PAUSE_MS: u64 = 1_000;

/// The processes that answered at an address. Times are milliseconds of the edge's clock.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// Their names, the newest first.
    known: Mutex<VecDeque<Box<[u8]>>>,
    newest_ms: AtomicU64,
}

impl Processes {
    /// Notes who answered; says whether it is a process that was not heard of before.
    pub(super) fn heard(&self, answer: &HeaderMap, now_ms: u64) -> bool {
        let Some(node) = answer.get(NODE).filter(|node| node.len() <= MAX_NODE) else { return false };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|known| **known == *node.as_bytes()) {
            return false;
        }
        known.truncate(PROCESSES - 1);
        known.push_front(node.as_bytes().into());
        self.newest_ms.fetch_max(now_ms, Relaxed);
        true
    }

    /// When the newest of them was first heard of; 0: none was.
    pub(super) fn newest_ms(&self) -> u64 {
        self.newest_ms.load(Relaxed)
    }
}

/// Which objects some shield may lack.
#[derive(Debug, Default)]
pub(crate) struct Reminders {
    newest_ms: AtomicU64,
    from_ms: AtomicU64,
}

impl Reminders {
    /// Those of an edge with other settings.
    pub(super) fn known(newest_ms: u64) -> Self {
        Self { newest_ms: newest_ms.into(), from_ms: AtomicU64::default() }
    }

    /// A shield has a new process.
    pub(super) fn anew(&self, now_ms: u64) {
        self.newest_ms.fetch_max(now_ms, Relaxed);
    }

    /// What the shields were not asked for since may be lacking. 0: nothing is.
    pub(crate) fn newest_ms(&self) -> u64 {
        self.newest_ms.load(Relaxed)
    }

    /// Whether reminders are sent now.
    pub(crate) fn may_send(&self, now_ms: u64) -> bool {
        now_ms >= self.from_ms.load(Relaxed)
    }

    /// One failed: the others wait.
    pub(crate) fn pause(&self, now_ms: u64) {
        self.from_ms.fetch_max(now_ms + PAUSE_MS, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn answer(node: &str) -> HeaderMap {
        HeaderMap::from_iter([(NODE, HeaderValue::from_str(node).unwrap())])
    }

    #[test]
    fn a_new_process_is_noticed_once() {
        let processes = Processes::default();
        assert!(!processes.heard(&HeaderMap::new(), 1) && processes.newest_ms() == 0);
        assert!(processes.heard(&answer("a"), 5) && !processes.heard(&answer("a"), 6));
        assert!(processes.heard(&answer("b"), 7) && !processes.heard(&answer("a"), 8), "two at one address");
        assert_eq!(processes.newest_ms(), 7);
        assert!(!processes.heard(&answer(&"x".repeat(MAX_NODE + 1)), 9));
    }

    #[test]
    fn processes_are_forgotten_when_there_are_many() {
        let processes = Processes::default();
        assert!((0..1000).all(|number| processes.heard(&answer(&number.to_string()), 1)));
        assert_eq!(processes.known.lock().unwrap().len(), PROCESSES);
        assert!(!processes.heard(&answer("999"), 1) && processes.heard(&answer("0"), 1));
    }

    #[test]
    fn a_failure_makes_all_wait() {
        let reminders = Reminders::default();
        assert!(reminders.may_send(1));
        reminders.pause(1);
        assert!(!reminders.may_send(PAUSE_MS) && reminders.may_send(PAUSE_MS + 1));
    }
}
