//! The connections of one worker, looked after together: one timer for all of them, instead of one for each.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use slab::Slab;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::activity::{Activity, Verdict};
use super::running::Phase;
use super::worker::Worker;

thread_local! {
    /// A worker is a thread.
    static ROSTER: RefCell<Slab<Arc<Entry>>> = const { RefCell::new(Slab::new()) };
}

#[derive(Debug)]
struct Entry {
    activity: Arc<Activity>,
    call: Notify,
    dropped: AtomicBool,
}

/// A connection's place on the roster of its thread, given up when dropped.
#[derive(Debug)]
pub(super) struct Member {
    place: usize,
    entry: Arc<Entry>,
}

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing that holds any more.
    Nothing,
    /// The edge drains: close with all due form after what is under way.
    Drain,
    /// It was idle for long: close with all due form.
    Idle,
    /// It is slow on purpose or broken.
    Drop,
}

impl Member {
    /// Puts a connection on the roster of this thread.
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        let entry = Arc::new(Entry { activity, call: Notify::new(), dropped: AtomicBool::new(false) });
        let place = ROSTER.with(|roster| roster.borrow_mut().insert(entry.clone()));
        Self { place, entry }
    }

    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.entry.activity
    }

    /// Whether it has answered a request.
    pub(super) fn has_served(&self) -> bool {
        self.entry.activity.has_served()
    }

    /// Resolves when the connection is told something.
    pub(super) async fn told(&self, worker: &Worker) -> Order {
        self.entry.call.notified().await;
        let now_ms = worker.edge.clock.now_ms();
        match self.entry.activity.verdict(now_ms, &worker.deadlines_now()) {
            _ if self.entry.dropped.load(Relaxed) => Order::Drop,
            Verdict::Close => Order::Idle,
            _ if worker.edge.is_draining() => Order::Drain,
            _ => Order::Nothing,
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // A task that outlives its thread has nothing to leave.
        let _ = ROSTER.try_with(|roster| roster.borrow_mut().try_remove(self.place));
    }
}

/// Looks after this thread's connections for as long as it runs.
pub(super) async fn look_after(mut worker: Arc<Worker>) {
    let mut phase = worker.phase.clone();
    let mut tick = ticks(&worker);
    let mut draining = false;
    loop {
        if Worker::renew(&mut worker) {
            tick = ticks(&worker);
        }
        tokio::select! {
            _ = tick.tick() => look(&worker, |_| draining),
            () = Phase::draining(&mut phase), if !draining => {
                draining = true;
                // Those that were just accepted may have a request on its way: they are told at the next tick.
                look(&worker, Activity::has_served);
            }
        }
    }
}

fn ticks(worker: &Worker) -> Interval {
    let mut tick = interval(worker.deadlines.tick());
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// Calls each connection that has outstayed its welcome, and each that `ends` picks.
fn look(worker: &Worker, ends: impl Fn(&Activity) -> bool) {
    let now_ms = worker.edge.clock.now_ms();
    ROSTER.with(|roster| {
        for (_, entry) in roster.borrow().iter() {
            match entry.activity.verdict(now_ms, &worker.deadlines) {
                Verdict::Keep if !ends(&entry.activity) => continue,
                Verdict::Keep | Verdict::Close => {}
                Verdict::Drop(limit) => {
                    if !entry.dropped.swap(true, Relaxed) {
                        worker.edge.metrics.timed_out(limit);
                    }
                }
            }
            entry.call.notify_one();
        }
    });
}
