//! What the edge counts, for Prometheus. Units stand in the names.

mod tally;
mod upstreams;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use segue_manifests::token::Refusal;

use crate::cache::CacheStatus;
use crate::fill::Fault;
use crate::load::{Lack, Load};
use crate::semantics::cmcd::Cmcd;
use crate::upstream::Reminded;

pub(crate) use tally::Tally;
use tally::{Taken, Waits};
pub(crate) use upstreams::{UpstreamMeter, Upstreams};

type Label = [(&'static str, &'static str); 1];
type Labels = [(&'static str, &'static str); 2];

/// Handles on every metric; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: Family<Labels, Counter>,
    responses: Family<[(&'static str, u16); 1], Counter>,
    sent_bytes: Family<Labels, Counter>,
    fetched: Histogram,
    broken: Family<Label, Counter>,
    pub(crate) tally: Arc<Tally>,
    refusals: Family<Label, Counter>,
    problems: Family<Label, Counter>,
    fills: Family<Label, Counter>,
    fill: Histogram,
    pub(crate) fills_resumed: Counter,
    pub(crate) upstreams: Upstreams,
    pub(crate) upstream_rests: Counter,
    retries: Family<Label, Counter>,
    hedges: Family<Label, Counter>,
    pub(crate) downstream_requests: Counter,
    tokens: Family<Label, Counter>,
    key_polls: Family<Label, Counter>,
    pub(crate) prefetched: Counter,
    pub(crate) prefetch_used: Counter,
    prefetch_skipped: Family<Label, Counter>,
    reminders: Family<Label, Counter>,
    cmcd_requests: Counter,
    cmcd_starved: Counter,
    cmcd_start: Histogram,
    cmcd_buffer: Histogram,
    cmcd_bitrate: Histogram,
    cmcd_throughput: Histogram,
    purges: Family<Label, Counter>,
    revocations: Family<Label, Counter>,
    pub(crate) connections: Gauge,
    turned_away: Family<Label, Counter>,
    timed_out: Family<Label, Counter>,
    handshakes_failed: Counter,
    pub(crate) evictions: Counter,
    cached_objects: Gauge,
    cached_bytes: Gauge,
    sealed_bytes: Gauge,
    fills_under_way: Gauge,
    coming_bytes: Gauge,
    body_bytes: Gauge,
    shed: Family<Label, Counter>,
    pub(crate) spans_exported: Counter,
    pub(crate) spans_dropped: Counter,
    ready: Gauge,
    registry: Arc<Registry>,
}

/// How a token was checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenCheck {
    /// Its signature was verified now, not before (those are the [`Tally`]'s to count).
    Verified,
    /// It was found to be forged before.
    KnownForgery,
    /// It was not checked: its client has forged too many.
    Limited,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let buckets = |first| Histogram::new(exponential_buckets(first, 2.0, 18));
        let mut metrics = Self {
            requests: Family::default(),
            responses: Family::default(),
            sent_bytes: Family::default(),
            fetched: buckets(0.000_5),
            broken: Family::default(),
            tally: Arc::new(Tally::new()),
            refusals: Family::default(),
            problems: Family::default(),
            fills: Family::default(),
            fill: buckets(0.000_5),
            fills_resumed: Counter::default(),
            upstreams: Upstreams::new(),
            upstream_rests: Counter::default(),
            retries: Family::default(),
            hedges: Family::default(),
            downstream_requests: Counter::default(),
            tokens: Family::default(),
            key_polls: Family::default(),
            prefetched: Counter::default(),
            prefetch_used: Counter::default(),
            prefetch_skipped: Family::default(),
            reminders: Family::default(),
            cmcd_requests: Counter::default(),
            cmcd_starved: Counter::default(),
            cmcd_start: Histogram::new(exponential_buckets(0.025, 2.0, 12)),
            cmcd_buffer: Histogram::new(exponential_buckets(0.25, 2.0, 12)),
            cmcd_bitrate: Histogram::new(exponential_buckets(32_000.0, 2.0, 8)),
            cmcd_throughput: Histogram::new(exponential_buckets(64_000.0, 2.0, 14)),
            purges: Family::default(),
            revocations: Family::default(),
            connections: Gauge::default(),
            turned_away: Family::default(),
            timed_out: Family::default(),
            handshakes_failed: Counter::default(),
            evictions: Counter::default(),
            cached_objects: Gauge::default(),
            cached_bytes: Gauge::default(),
            sealed_bytes: Gauge::default(),
            fills_under_way: Gauge::default(),
            coming_bytes: Gauge::default(),
            body_bytes: Gauge::default(),
            shed: Family::default(),
            spans_exported: Counter::default(),
            spans_dropped: Counter::default(),
            ready: Gauge::default(),
            registry: Arc::default(),
        };
        metrics.registry = Arc::new(metrics.registered());
        metrics.start_at_zero();
        metrics
    }

    #[rustfmt::skip]
    fn registered(&self) -> Registry {
        let mut r = Registry::with_prefix("segue_edge");
        r.register("requests", "Requests by how the cache took part", self.requests.clone());
        r.register("responses", "Responses by status", self.responses.clone());
        r.register("sent_bytes", "Bytes of bodies sent, by how the cache took part", self.sent_bytes.clone());
        r.register("broken_responses", "Bodies that ended early, by fault", self.broken.clone());
        r.register("first_byte_seconds", "From request to response head", Waits(self.tally.clone()));
        r.register("fetched_first_byte_seconds", "From request to response head, where an upstream had a part", self.fetched.clone());
        r.register("refusals", "Requests refused for their token, by reason", self.refusals.clone());
        r.register("problems", "Requests answered with a problem, by code", self.problems.clone());
        r.register("fills", "Fills by outcome", self.fills.clone());
        r.register("fill_seconds", "From the start of a fill to its end", self.fill.clone());
        r.register("fills_resumed", "Bodies that broke and went on from another upstream", self.fills_resumed.clone());
        self.upstreams.register(&mut r);
        r.register("upstream_rests", "Times that a failing upstream was left alone", self.upstream_rests.clone());
        r.register("retries", "Requests to another upstream after a failure, by outcome", self.retries.clone());
        r.register("hedges", "Requests to another upstream while the first was silent, by outcome", self.hedges.clone());
        r.register("downstream_requests", "Requests of edges that this one shields", self.downstream_requests.clone());
        r.register("token_checks", "Token checks by how they were made", self.tokens.clone());
        r.register("key_polls", "Polls of the signing keys by outcome", self.key_polls.clone());
        r.register("prefetched", "Objects fetched before anyone asked", self.prefetched.clone());
        r.register("prefetch_used", "Prefetched objects that were asked for later", self.prefetch_used.clone());
        r.register("reminders", "Objects in memory that a shield with a new process was told of, by outcome", self.reminders.clone());
        r.register("prefetch_skipped", "Objects that were not prefetched, by reason", self.prefetch_skipped.clone());
        r.register("cmcd_requests", "Requests with CMCD", self.cmcd_requests.clone());
        r.register("cmcd_starved", "Requests of players whose buffer had run dry (CMCD bs)", self.cmcd_starved.clone());
        r.register("cmcd_start_seconds", "From the wish to play to the first sound, as players say (CMCD msd)", self.cmcd_start.clone());
        r.register("cmcd_buffer_seconds", "Buffered media, as players say (CMCD bl)", self.cmcd_buffer.clone());
        r.register("cmcd_bits_per_second", "Bit rate of what is asked for, as players say (CMCD br)", self.cmcd_bitrate.clone());
        r.register("cmcd_throughput_bits_per_second", "Throughput that players measured (CMCD mtp)", self.cmcd_throughput.clone());
        r.register("purges", "Purges by kind", self.purges.clone());
        r.register("revocations", "Revocations by kind", self.revocations.clone());
        r.register("connections", "Open connections", self.connections.clone());
        r.register("connections_turned_away", "Connections closed at once, by limit", self.turned_away.clone());
        r.register("connections_timed_out", "Connections closed for being slow, by limit", self.timed_out.clone());
        r.register("handshakes_failed", "TLS handshakes that failed", self.handshakes_failed.clone());
        r.register("evictions", "Objects evicted for lack of room", self.evictions.clone());
        r.register("cached_objects", "Objects in memory", self.cached_objects.clone());
        r.register("cached_bytes", "Bytes of objects in memory", self.cached_bytes.clone());
        r.register("sealed_bytes", "Bytes of hot objects kept once more to be sent without copying", self.sealed_bytes.clone());
        r.register("fills_under_way", "Fetches under way, those for one client included", self.fills_under_way.clone());
        r.register("coming_bytes", "Bytes of memory reserved for bodies that are coming in", self.coming_bytes.clone());
        r.register("body_bytes", "Bytes of whole bodies in memory: cached, or on their way to clients", self.body_bytes.clone());
        r.register("shed", "Fetches refused for lack of room, by what there was too little of", self.shed.clone());
        r.register("spans_exported", "Spans that the collector took", self.spans_exported.clone());
        r.register("spans_dropped", "Spans that were lost: too many at once, or the collector did not take them", self.spans_dropped.clone());
        r.register("ready", "1 when the edge takes requests", self.ready.clone());
        r
    }

    /// Makes every known label visible before it first happens, so that rates are right from the start.
    fn start_at_zero(&self) {
        for labels in CacheStatus::all().map(cache_labels) {
            drop(self.requests.get_or_create(&labels));
            drop(self.sent_bytes.get_or_create(&labels));
        }
        Refusal::ALL
            .iter()
            .for_each(|refusal| drop(self.refusals.get_or_create(&[("code", refusal.code())])));
        Fault::ALL.iter().for_each(|fault| drop(self.fills.get_or_create(&[("outcome", fault.code())])));
        drop(self.fills.get_or_create(&[("outcome", "ok")]));
        for outcome in ["useful", "vain", "refused"] {
            drop(self.retries.get_or_create(&[("outcome", outcome)]));
        }
        ["won", "lost"].iter().for_each(|it| drop(self.hedges.get_or_create(&[("outcome", *it)])));
        Reminded::ALL.iter().for_each(|it| drop(self.reminders.get_or_create(&[("outcome", it.as_str())])));
        [Lack::Fills, Lack::Bytes]
            .iter()
            .for_each(|lack| drop(self.shed.get_or_create(&[("lack", lack.as_str())])));
    }

    /// A response head goes out from a worker, `elapsed` after its request came.
    pub(crate) fn responded(&self, worker: usize, cache: CacheStatus, status: StatusCode, elapsed: Duration) {
        if (cache, status) == (CacheStatus::Hit, StatusCode::OK) {
            return self.tally.hit(worker, elapsed);
        }
        self.requests.get_or_create(&cache_labels(cache)).inc();
        self.responses.get_or_create(&[("status", status.as_u16())]).inc();
        self.tally.responded(worker, elapsed);
        if cache.is_fetched() {
            self.fetched.observe(elapsed.as_secs_f64());
        }
    }

    /// Brings what workers counted by themselves to the counters.
    fn gather(&self) {
        let Taken { hits, sent_bytes, remembered } = self.tally.take();
        let hit = cache_labels(CacheStatus::Hit);
        self.requests.get_or_create(&hit).inc_by(hits);
        self.responses.get_or_create(&[("status", 200)]).inc_by(hits);
        self.sent_bytes.get_or_create(&hit).inc_by(sent_bytes);
        self.tokens.get_or_create(&[("how", "remembered")]).inc_by(remembered);
    }

    /// A worker's body ended after `bytes`.
    pub(crate) fn body_ended(&self, worker: usize, cache: CacheStatus, bytes: u64, fault: Option<Fault>) {
        match cache {
            CacheStatus::Hit => self.tally.sent(worker, bytes),
            _ => {
                self.sent_bytes.get_or_create(&cache_labels(cache)).inc_by(bytes);
            }
        }
        if let Some(fault) = fault {
            self.broken.get_or_create(&[("fault", fault.code())]).inc();
        }
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refusals.get_or_create(&[("code", refusal.code())]).inc();
    }

    pub(crate) fn problem(&self, code: &'static str) {
        self.problems.get_or_create(&[("code", code)]).inc();
    }

    pub(crate) fn fill_ended(&self, fault: Option<Fault>, elapsed: Duration) {
        self.fills.get_or_create(&[("outcome", fault.map_or("ok", Fault::code))]).inc();
        self.fill.observe(elapsed.as_secs_f64());
    }

    /// Another upstream was asked after a failure, or was not for lack of an allowance.
    pub(crate) fn retried(&self, outcome: &'static str) {
        self.retries.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Another upstream was asked while the first was silent; `won`: it was the one whose answer counts.
    pub(crate) fn hedged(&self, won: bool) {
        self.hedges.get_or_create(&[("outcome", if won { "won" } else { "lost" })]).inc();
    }

    pub(crate) fn token_checked(&self, check: TokenCheck) {
        let label = match check {
            TokenCheck::Verified => "verified",
            TokenCheck::KnownForgery => "known-forgery",
            TokenCheck::Limited => "limited",
        };
        self.tokens.get_or_create(&[("how", label)]).inc();
    }

    pub(crate) fn prefetch_skipped(&self, reason: &'static str) {
        self.prefetch_skipped.get_or_create(&[("reason", reason)]).inc();
    }

    /// What became of a reminder.
    pub(crate) fn reminded(&self, outcome: Reminded) {
        self.reminders.get_or_create(&[("outcome", outcome.as_str())]).inc();
    }

    /// What a player told; what no player can mean is left out.
    pub(crate) fn told(&self, told: &Cmcd) {
        self.cmcd_requests.inc();
        if told.starved {
            self.cmcd_starved.inc();
        }
        let observe = |histogram: &Histogram, value: Option<u32>, scale: f64, most: f64| {
            let value = value.map(|value| f64::from(value) * scale);
            value.filter(|value| *value <= most).into_iter().for_each(|value| histogram.observe(value));
        };
        observe(&self.cmcd_start, told.start_ms, 0.001, 300.0);
        observe(&self.cmcd_buffer, told.buffer_ms, 0.001, 3600.0);
        observe(&self.cmcd_bitrate, told.bitrate_kbps, 1000.0, 100e6);
        observe(&self.cmcd_throughput, told.throughput_kbps, 1000.0, 100e9);
    }

    pub(crate) fn keys_polled(&self, outcome: &'static str) {
        self.key_polls.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub(crate) fn shed(&self, lack: Lack) {
        self.shed.get_or_create(&[("lack", lack.as_str())]).inc();
    }

    pub(crate) fn purged(&self, kind: &'static str, count: u64) {
        self.purges.get_or_create(&[("kind", kind)]).inc_by(count);
    }

    pub(crate) fn revoked(&self, kind: &'static str, count: u64) {
        self.revocations.get_or_create(&[("kind", kind)]).inc_by(count);
    }

    pub(crate) fn turned_away(&self, limit: &'static str) {
        self.turned_away.get_or_create(&[("limit", limit)]).inc();
    }

    pub(crate) fn timed_out(&self, limit: &'static str) {
        self.timed_out.get_or_create(&[("limit", limit)]).inc();
    }

    pub(crate) fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }

    /// The text that Prometheus reads, with the gauges that are taken when asked.
    pub(crate) fn text(&self, cached: (u64, u64), sealed: u64, load: &Load, ready: bool) -> String {
        self.gather();
        let gauges = [
            (&self.cached_objects, cached.0),
            (&self.cached_bytes, cached.1),
            (&self.sealed_bytes, sealed),
            (&self.fills_under_way, load.fills()),
            (&self.coming_bytes, load.coming()),
            (&self.body_bytes, load.bodies()),
        ];
        for (gauge, value) in gauges {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.ready.set(i64::from(ready));
        let mut text = String::with_capacity(16 << 10);
        encode(&mut text, &self.registry).expect("writing to memory does not fail");
        text
    }
}

fn cache_labels(status: CacheStatus) -> Labels {
    [("cache", status.label()), ("reason", status.reason())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_shows() {
        let metrics = Metrics::new();
        metrics.responded(0, CacheStatus::Hit, StatusCode::OK, Duration::from_micros(30));
        metrics.refused(Refusal::Expired);
        metrics.body_ended(1, CacheStatus::Hit, 7, Some(Fault::Damaged));
        metrics.body_ended(1, CacheStatus::Miss, 9, None);
        let text = metrics.text((3, 4), 5, &Load::default(), true);
        for line in [
            "segue_edge_requests_total{cache=\"hit\",reason=\"\"} 1",
            "segue_edge_requests_total{cache=\"miss\",reason=\"\"} 0",
            "segue_edge_responses_total{status=\"200\"} 1",
            "segue_edge_refusals_total{code=\"token-expired\"} 1",
            "segue_edge_broken_responses_total{fault=\"upstream-damaged\"} 1",
            "segue_edge_sent_bytes_total{cache=\"hit\",reason=\"\"} 7",
            "segue_edge_sent_bytes_total{cache=\"miss\",reason=\"\"} 9",
            "segue_edge_fetched_first_byte_seconds_count 0",
            "segue_edge_cached_bytes 4",
            "segue_edge_ready 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
