//! Shields that have lost what they had. A shield that starts again is only asked for what its edges do not have themselves. What
//! they let go later, when nothing behind the shield may answer, it never had. So it names its process in what it answers
//! edges, and is reminded of what they serve without it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::backlog::Backlog;
use crate::cache::Object;

/// Names the process that answers: a number that no other one has.
pub(crate) const NODE: HeaderName = HeaderName::from_static("segue-node");
/// Longest name of a process that is taken, bytes.
const MAX_NODE: usize = 64;
/// Processes that are remembered for each address.
const PROCESSES: usize = 64;
/// Reminders that wait; what finds no room comes up again with another request.
const QUEUE: usize = 64;
/// Time without reminders for a shield after one that failed, milliseconds.
const PAUSE_MS: u64 = 1_000;

/// Processes by name.
#[derive(Debug, Default)]
struct Known {
    /// The one that answered last comes first.
    names: VecDeque<Box<[u8]>>,
    newest: Box<[u8]>,
}

/// The processes that answered at a shield's address. Times are milliseconds of the edge's clock.
#[derive(Debug, Default)]
pub(super) struct Processes {
    known: Mutex<Known>,
    newest_ms: AtomicU64,
    from_ms: AtomicU64,
}

impl Processes {
    /// Notes who answered; says whether it is a process that was not heard of before, so that what the shield was asked for until
    /// now it may lack.
    pub(super) fn heard(&self, answer: &HeaderMap, now_ms: u64) -> bool {
        let Some(node) = node(answer) else { return false };
        let mut known = self.known();
        let place = known.names.iter().position(|known| **known == *node);
        let again = place.and_then(|place| known.names.remove(place));
        let is_new = again.is_none();
        known.names.truncate(PROCESSES - 1);
        known.names.push_front(again.unwrap_or_else(|| node.into()));
        if is_new {
            known.newest = node.into();
            self.anew(now_ms);
        }
        is_new
    }

    /// Since when the shield that gave this answer to what it was asked for at `asked_ms` has that: one that names no process, or an
    /// older one than the newest, since then.
    pub(super) fn asked_ms(&self, answer: &HeaderMap, asked_ms: u64) -> u64 {
        let known = self.known();
        match node(answer).is_some_and(|node| *known.newest == *node) {
            true => asked_ms.max(self.newest_ms()),
            false => asked_ms,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it was asked for before it may lack.
    pub(super) fn anew(&self, now_ms: u64) {
        self.newest_ms.fetch_max(now_ms, Relaxed);
    }

    /// The same time, as it stands; 0: there is nothing.
    pub(super) fn newest_ms(&self) -> u64 {
        self.newest_ms.load(Relaxed)
    }

    /// Whether it is reminded now.
    pub(super) fn may_be_reminded(&self, now_ms: u64) -> bool {
        now_ms >= self.from_ms.load(Relaxed)
    }

    /// A reminder failed: the others wait.
    pub(super) fn pause(&self, now_ms: u64) {
        self.from_ms.fetch_max(now_ms + PAUSE_MS, Relaxed);
    }
}

/// The process that gave an answer, by name.
fn node(answer: &HeaderMap) -> Option<&[u8]> {
    answer.get(NODE).map(HeaderValue::as_bytes).filter(|node| node.len() <= MAX_NODE)
}

/// An object that is served here and that its shield may lack.
#[derive(Debug)]
pub(crate) struct Reminder {
    pub(crate) cache_key: String,
    /// Gone when the edge has let go of it.
    pub(crate) object: Weak<Object>,
}

/// What became of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reminded {
    /// The shield has the object, or begins to fetch it.
    Taken,
    /// No other process answers there than the one that was asked before.
    Needless,
    /// The shield rests, refuses, or gives no answer.
    Failed,
    /// There is more urgent work, or one for this shield failed a moment ago.
    PutOff,
}

impl Reminded {
    pub(crate) const ALL: [Self; 4] = [Self::Taken, Self::Needless, Self::Failed, Self::PutOff];

    /// As metrics call it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Needless => "needless",
            Self::Failed => "failed",
            Self::PutOff => "put-off",
        }
    }
}

/// What is served here and some shield may lack; one for all workers and settings.
#[derive(Debug)]
pub(crate) struct Reminders {
    newest_ms: AtomicU64,
    pub(crate) backlog: Backlog<Reminder>,
}

impl Reminders {
    pub(super) fn new() -> Self {
        Self { newest_ms: AtomicU64::default(), backlog: Backlog::new(QUEUE) }
    }

    /// Some shield may lack what it was asked for before.
    pub(super) fn anew(&self, now_ms: u64) {
        self.newest_ms.fetch_max(now_ms, Relaxed);
    }

    /// The same time, as it stands; 0: there is nothing.
    pub(crate) fn newest_ms(&self) -> u64 {
        self.newest_ms.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let asked_ms = |node, asked_ms| processes.asked_ms(&answer(node), asked_ms);
        assert_eq!(
            (asked_ms("a", 6), asked_ms("b", 6), asked_ms("b", 8)),
            (6, 7, 8),
            "b was asked before it was heard of"
        );
        assert!(!processes.heard(&answer(&"x".repeat(MAX_NODE + 1)), 9));
    }

    #[test]
    fn processes_that_are_gone_are_forgotten_when_there_are_many() {
        let processes = Processes::default();
        assert!(processes.heard(&answer("stays"), 1));
        for number in 0..1000 {
            assert!(
                processes.heard(&answer(&number.to_string()), 2) && !processes.heard(&answer("stays"), 3)
            );
        }
        assert_eq!(processes.known().names.len(), PROCESSES);
        assert!(processes.heard(&answer("0"), 4));
    }

    #[test]
    fn a_failure_makes_others_wait() {
        let processes = Processes::default();
        assert!(processes.may_be_reminded(1));
        processes.pause(1);
        assert!(!processes.may_be_reminded(PAUSE_MS) && processes.may_be_reminded(PAUSE_MS + 1));
    }
}
