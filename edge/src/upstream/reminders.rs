//! Shields that have lost what they had. A shield that starts again is only asked for what its edges do not have themselves. What
//! they let go later, when nothing behind the shield may answer, it never had. So it names its process in what it answers
//! edges, and is reminded of what they serve without it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName};
use tokio::sync::mpsc;

/// Names the process that answers: a number that no other one has.
pub(crate) const NODE: HeaderName = HeaderName::from_static("segue-node");
/// Longest name of a process that is taken, bytes.
const MAX_NODE: usize = 64;
/// Processes that are remembered for each address.
const PROCESSES: usize = 64;
/// Reminders that wait; objects that find no room are told of at another request.
const QUEUE: usize = 64;
/// Time without reminders after one that failed, milliseconds.
const PAUSE_MS: u64 = 1_000;

/// The processes that answered at an address. Times are milliseconds of the edge's clock.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// Their names; the one that answered last comes first.
    known: Mutex<VecDeque<Box<[u8]>>>,
    newest_ms: AtomicU64,
}

impl Processes {
    /// Notes who answered; says whether it is a process that was not heard of before.
    pub(super) fn heard(&self, answer: &HeaderMap, now_ms: u64) -> bool {
        let Some(node) = answer.get(NODE).map(|node| node.as_bytes()).filter(|it| it.len() <= MAX_NODE)
        else {
            return false;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.iter().position(|known| **known == *node) {
            known.swap(0, place);
            return false;
        }
        known.truncate(PROCESSES - 1);
        known.push_front(node.into());
        self.anew(now_ms);
        true
    }

    /// What it was not asked for since it may lack.
    pub(super) fn anew(&self, now_ms: u64) {
        self.newest_ms.fetch_max(now_ms, Relaxed);
    }

    /// When the newest of them was first heard of; 0: none was.
    pub(super) fn newest_ms(&self) -> u64 {
        self.newest_ms.load(Relaxed)
    }
}

/// An object that is served here and that its shield may lack.
#[derive(Debug)]
pub(crate) struct Reminder {
    pub(crate) cache_key: String,
    /// When the shield was last asked for it, milliseconds of the edge's clock; 0: not since it came.
    pub(crate) asked_ms: u64,
}

/// What became of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reminded {
    /// The shield answered as one that has the object, or begins to fetch it.
    Taken,
    /// No other process answers there than the one that was asked before.
    Needless,
    /// The shield rests, refuses, or gives no answer.
    Failed,
    /// There is more urgent work, or one failed a moment ago.
    PutOff,
}

impl Reminded {
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

/// The reminders that wait; one for all workers and settings.
#[derive(Debug)]
pub(crate) struct Reminders {
    newest_ms: AtomicU64,
    from_ms: AtomicU64,
    queue: mpsc::Sender<Reminder>,
    waiting: Mutex<Option<mpsc::Receiver<Reminder>>>,
}

impl Reminders {
    pub(super) fn new() -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (newest_ms, from_ms) = Default::default();
        Self { newest_ms, from_ms, queue, waiting: Mutex::new(Some(waiting)) }
    }

    /// Some shield has a new process.
    pub(super) fn anew(&self, now_ms: u64) {
        self.newest_ms.fetch_max(now_ms, Relaxed);
    }

    /// What a shield was last asked for before that may be lacking; 0: nothing is.
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

    /// Whether there is room for another.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.capacity() > 0
    }

    /// Leaves one for the task that sends them; `false` where there is no room.
    pub(crate) fn leave(&self, reminder: Reminder) -> bool {
        self.queue.try_send(reminder).is_ok()
    }

    /// The queue, for the first who asks.
    pub(crate) fn waiting(&self) -> Option<mpsc::Receiver<Reminder>> {
        self.waiting.lock().map_or(None, |mut waiting| waiting.take())
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
    fn processes_that_are_gone_are_forgotten_when_there_are_many() {
        let processes = Processes::default();
        assert!(processes.heard(&answer("stays"), 1));
        for number in 0..1000 {
            assert!(
                processes.heard(&answer(&number.to_string()), 1) && !processes.heard(&answer("stays"), 1)
            );
        }
        assert_eq!(processes.known.lock().unwrap().len(), PROCESSES);
        assert!(processes.heard(&answer("0"), 1));
    }

    #[test]
    fn few_wait_and_a_failure_makes_all_wait() {
        let reminders = Reminders::new();
        let reminder = || Reminder { cache_key: "/".into(), asked_ms: 0 };
        assert!((0..QUEUE).all(|_| reminders.has_room() && reminders.leave(reminder())));
        assert!(!reminders.has_room() && !reminders.leave(reminder()));
        assert!(reminders.may_send(1));
        reminders.pause(1);
        assert!(!reminders.may_send(PAUSE_MS) && reminders.may_send(PAUSE_MS + 1));
        assert!(reminders.waiting().is_some() && reminders.waiting().is_none());
    }
}
