//! What a connection is doing, and for how long it may.
//!
//! One coarse timer for all connections of a worker looks at a few numbers, instead of a timer for each request: hyper's
//! own `header_read_timeout` costs up to a microsecond for each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::address::Peer;
use crate::clock::Clock;
use crate::config::Config;

/// Numbers about one connection. Times are milliseconds of the edge's clock; 0: not so.
#[derive(Debug)]
pub(crate) struct Activity {
    peer: Peer,
    requests: AtomicU32,
    /// When the first byte of a request head came that is not complete yet.
    head_since: AtomicU64,
    /// When the last response ended.
    idle_since: AtomicU64,
    /// Since when the client takes no bytes.
    blocked_since: AtomicU64,
    /// Since when its windows are shut (HTTP/2).
    shut_since: AtomicU64,
    /// Bytes between requests are no request head, or whoever reads them says so.
    heads_are_told: bool,
    served: AtomicBool,
}

/// How long a connection may do what, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    header_ms: u64,
    idle_ms: u64,
    stall_ms: u64,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    /// It has been idle for long: closed with all due form.
    Close,
    /// It is slow on purpose or broken: dropped. The limit's name is for metrics.
    Drop(&'static str),
}

impl Deadlines {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            header_ms: config.header_timeout_ms,
            idle_ms: config.idle_timeout_ms,
            stall_ms: config.stall_timeout_ms,
        }
    }

    /// How often to look: deadlines are met to within half of the shortest one.
    pub(crate) fn tick(&self) -> Duration {
        let shortest = self.header_ms.min(self.idle_ms).min(self.stall_ms);
        Duration::from_millis((shortest / 2).clamp(10, 10_000))
    }
}

impl Activity {
    /// A connection that was just accepted: its first request head is awaited.
    pub(crate) fn accepted(peer: Peer, clock: Clock) -> Self {
        let now = clock.now_ms();
        Self {
            peer,
            requests: AtomicU32::new(0),
            head_since: AtomicU64::new(now),
            idle_since: AtomicU64::new(now),
            blocked_since: AtomicU64::new(0),
            shut_since: AtomicU64::new(0),
            heads_are_told: false,
            served: AtomicBool::new(false),
        }
    }

    /// The same for HTTP/2, where bytes between requests are no request head, and for those who tell of heads themselves.
    pub(crate) fn told(peer: Peer, clock: Clock) -> Self {
        Self { heads_are_told: true, ..Self::accepted(peer, clock) }
    }

    /// Whose connection it is.
    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }

    /// The first byte of a request head has come, but not the last.
    pub(crate) fn head_begun(&self, clock: Clock) {
        if self.head_since.load(Relaxed) == 0 {
            self.head_since.store(clock.now_ms(), Relaxed);
        }
    }

    /// A request head is complete, or what should have become one has ended.
    pub(crate) fn head_ended(&self) {
        self.head_since.store(0, Relaxed);
    }

    /// Whether a request was answered.
    pub(crate) fn has_served(&self) -> bool {
        self.served.load(Relaxed)
    }

    /// A request head is complete. The guard ends the request.
    pub(crate) fn begin(self: Arc<Self>, clock: Clock) -> InFlightRequest {
        self.requests.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
        InFlightRequest { activity: Some(self), clock }
    }

    /// Bytes came.
    pub(crate) fn read(&self, clock: Clock) {
        if !self.heads_are_told && self.requests.load(Relaxed) == 0 {
            self.head_begun(clock);
        }
    }

    /// The client took bytes.
    pub(crate) fn wrote(&self) {
        if self.blocked_since.load(Relaxed) != 0 {
            self.blocked_since.store(0, Relaxed);
        }
    }

    /// The client takes no bytes for now.
    pub(crate) fn blocked(&self, clock: Clock) {
        if self.blocked_since.load(Relaxed) == 0 {
            self.blocked_since.store(clock.now_ms(), Relaxed);
        }
    }

    /// The client's windows let nothing through for now, though there is something to send.
    pub(crate) fn shut(&self, clock: Clock) {
        if self.shut_since.load(Relaxed) == 0 {
            self.shut_since.store(clock.now_ms(), Relaxed);
        }
    }

    /// They let something through.
    pub(crate) fn opened(&self) {
        self.shut_since.store(0, Relaxed);
    }

    /// Judges the connection.
    pub(crate) fn verdict(&self, now_ms: u64, deadlines: &Deadlines) -> Verdict {
        let beyond = |since: u64, limit: u64| since != 0 && now_ms.saturating_sub(since) >= limit;
        let stalled = [&self.blocked_since, &self.shut_since];
        if stalled.iter().any(|since| beyond(since.load(Relaxed), deadlines.stall_ms)) {
            return Verdict::Drop("stall");
        }
        if self.requests.load(Relaxed) > 0 {
            return Verdict::Keep;
        }
        if beyond(self.head_since.load(Relaxed), deadlines.header_ms) {
            return Verdict::Drop("header");
        }
        if beyond(self.idle_since.load(Relaxed), deadlines.idle_ms) { Verdict::Close } else { Verdict::Keep }
    }
}

/// A request under way, until its response has ended.
#[derive(Debug)]
pub(crate) struct InFlightRequest {
    activity: Option<Arc<Activity>>,
    clock: Clock,
}

impl InFlightRequest {
    pub(crate) fn end(&mut self) {
        if let Some(activity) = self.activity.take() {
            activity.idle_since.store(self.clock.now_ms(), Relaxed);
            activity.served.store(true, Relaxed);
            activity.requests.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Peer = Peer::Client(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    const LIMITS: Deadlines = Deadlines { header_ms: 100, idle_ms: 1000, stall_ms: 500 };

    #[test]
    fn life_of_a_connection() {
        let clock = Clock::start();
        let activity = Arc::new(Activity::accepted(NOBODY, clock));
        let now = clock.now_ms();
        assert_eq!(activity.verdict(now, &LIMITS), Verdict::Keep);
        assert_eq!(activity.verdict(now + 200, &LIMITS), Verdict::Drop("header"));
        let request = activity.clone().begin(clock);
        assert_eq!(activity.verdict(now + 5000, &LIMITS), Verdict::Keep);
        activity.blocked(clock);
        assert_eq!(activity.verdict(now + 5000, &LIMITS), Verdict::Drop("stall"));
        activity.wrote();
        activity.shut(clock);
        activity.wrote();
        assert_eq!(
            activity.verdict(now + 5000, &LIMITS),
            Verdict::Drop("stall"),
            "pings do not open windows"
        );
        activity.opened();
        drop(request);
        assert_eq!(activity.verdict(now + 200, &LIMITS), Verdict::Keep);
        assert_eq!(activity.verdict(now + 5000, &LIMITS), Verdict::Close);
        activity.read(clock);
        assert_eq!(activity.verdict(now + 5000, &LIMITS), Verdict::Drop("header"));
    }

    #[test]
    fn frames_between_requests_are_no_head() {
        let clock = Clock::start();
        let activity = Arc::new(Activity::told(NOBODY, clock));
        drop(activity.clone().begin(clock));
        activity.read(clock);
        assert_eq!(activity.verdict(clock.now_ms() + 200, &LIMITS), Verdict::Keep);
        assert_eq!(activity.verdict(clock.now_ms() + 5000, &LIMITS), Verdict::Close);
    }
}
