//! What listeners saw, phase by phase.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Milliseconds that a listener's buffer counts as before it plays.
const SILENT: i64 = i64::MAX;

/// What was seen in some time.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) bodies: u64,
    /// Whole bodies that were not what lies there.
    pub(crate) wrong: u64,
    pub(crate) songs: u64,
    /// Requests that failed, by what was seen; each was made again.
    pub(crate) failed: BTreeMap<String, u64>,
    /// Buffers that ran dry, and for how long altogether.
    pub(crate) stalls: u64,
    pub(crate) stalled: Duration,
    /// The smallest buffer of any listener, milliseconds.
    pub(crate) smallest_ms: Option<i64>,
}

/// Collects from all listeners.
#[derive(Debug)]
pub(crate) struct Board {
    began: Instant,
    tally: Mutex<Tally>,
    /// Until when each listener has something to play, milliseconds since the beginning.
    until_ms: Vec<AtomicI64>,
}

impl Board {
    pub(crate) fn new(listeners: usize) -> Self {
        let until_ms = (0..listeners).map(|_| AtomicI64::new(SILENT)).collect();
        Self { began: Instant::now(), tally: Mutex::default(), until_ms }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(SILENT)
    }

    pub(crate) fn note(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says until when a listener has something to play.
    pub(crate) fn buffered(&self, listener: usize, until_ms: i64) {
        self.until_ms[listener].store(until_ms, Ordering::Relaxed);
    }

    /// How many listeners there are.
    pub(crate) fn listeners(&self) -> usize {
        self.until_ms.len()
    }

    /// How many listeners play.
    pub(crate) fn playing(&self) -> usize {
        self.until_ms.iter().filter(|it| it.load(Ordering::Relaxed) != SILENT).count()
    }

    /// Looks at all buffers.
    pub(crate) fn look(&self) {
        let now = self.now_ms();
        let until = self.until_ms.iter().map(|it| it.load(Ordering::Relaxed)).filter(|it| *it != SILENT);
        let Some(smallest) = until.map(|until| (until - now).max(0)).min() else { return };
        self.note(|tally| {
            tally.smallest_ms = Some(tally.smallest_ms.map_or(smallest, |it| it.min(smallest)))
        });
    }

    /// What was seen since the last call.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut *self.lock())
    }
}

/// All phases.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sum: Tally,
    /// The smallest buffer of the whole run.
    smallest_ms: Option<i64>,
}

impl Report {
    pub(crate) fn heading() {
        println!(
            "| | seconds | smallest buffer, s | stalls | wrong bodies | bodies | songs begun | failed and made again |"
        );
        println!("|---|---|---|---|---|---|---|---|");
    }

    /// Prints the line of a phase.
    pub(crate) fn add(&mut self, phase: &str, took: Duration, tally: Tally) {
        let seconds =
            |ms: Option<i64>| ms.map_or("none plays".into(), |ms| format!("{:.1}", ms as f64 / 1000.0));
        let failed: Vec<String> =
            tally.failed.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        let stalls = match tally.stalls {
            0 => "0".to_owned(),
            count => format!("{count} ({:.1} s)", tally.stalled.as_secs_f64()),
        };
        println!(
            "| {phase} | {} | {} | {stalls} | {} | {} | {} | {} |",
            took.as_secs(),
            seconds(tally.smallest_ms),
            tally.wrong,
            tally.bodies,
            tally.songs,
            if failed.is_empty() { "none".to_owned() } else { failed.join(", ") },
        );
        self.sum.bodies += tally.bodies;
        self.sum.wrong += tally.wrong;
        self.sum.stalls += tally.stalls;
        self.smallest_ms = [self.smallest_ms, tally.smallest_ms].into_iter().flatten().min();
    }

    /// What was wrong; nothing if all holds.
    pub(crate) fn faults(&self, panics: usize, listeners: usize, playing: usize) -> Vec<String> {
        let mut faults = Vec::new();
        if playing < listeners {
            faults.push(format!("{} of {listeners} listeners never played", listeners - playing));
        }
        for (count, what) in
            [(self.sum.wrong, "wrong bodies"), (self.sum.stalls, "stalls"), (panics as u64, "panics")]
        {
            if count > 0 {
                faults.push(format!("{count} {what}"));
            }
        }
        // One that waits for ever has not stalled yet.
        if self.smallest_ms.is_none_or(|smallest| smallest <= 0) {
            faults.push("a buffer was empty".to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_named() {
        let of = |change: fn(&mut Tally), panics, playing| {
            let mut tally = Tally { smallest_ms: Some(1), ..Tally::default() };
            change(&mut tally);
            let mut report = Report::default();
            report.add("all", Duration::from_secs(1), tally);
            report.faults(panics, 2, playing)
        };
        assert!(of(|_| (), 0, 2).is_empty());
        assert!(of(|tally| tally.wrong = 1, 0, 2)[0].contains("1 wrong"));
        assert!(of(|tally| tally.stalls = 3, 0, 2)[0].contains("3 stalls"));
        assert!(of(|tally| tally.smallest_ms = Some(0), 0, 2)[0].contains("empty"));
        assert!(of(|tally| tally.smallest_ms = None, 0, 2)[0].contains("empty"));
        assert!(of(|_| (), 1, 2)[0].contains("1 panics"));
        assert!(of(|_| (), 0, 1)[0].contains("1 of 2 listeners"));
    }

    #[test]
    fn the_smallest_buffer_is_found() {
        let board = Board::new(3);
        board.look();
        assert_eq!(board.take().smallest_ms, None, "nobody plays yet");
        board.buffered(0, board.now_ms() + 60_000);
        board.buffered(2, board.now_ms() - 5);
        board.look();
        board.buffered(2, board.now_ms() + 90_000);
        board.look();
        assert_eq!((board.take().smallest_ms, board.playing()), (Some(0), 2), "also when it is over");
        board.look();
        assert!(board.take().smallest_ms.is_some_and(|ms| (50_000..=60_000).contains(&ms)));
    }
}
