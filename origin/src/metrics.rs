//! What the origin counts, in the OpenMetrics text format.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Buckets for requests, seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
    object: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Every metric of one origin.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram>,
    imports: Family<OutcomeLabels, Counter>,
    segments: Family<OutcomeLabels, Counter>,
    catalog_answers: Family<OutcomeLabels, Counter>,
    /// Bytes of answers of the catalog that are kept.
    pub(crate) catalog_answer_bytes: Gauge<i64, AtomicI64>,
    store_reads: Family<ReadLabels, Counter>,
    redis_up: Gauge<i64, AtomicI64>,
    redis_calls: Family<CallLabels, Histogram>,
    redis_errors: Family<ReasonLabels, Counter>,
    /// Bytes read from the store.
    pub(crate) store_bytes: Counter,
    /// Songs of which the store does not say yet that they are taken down, or no longer.
    pub(crate) tombstones_due: Gauge<i64, AtomicI64>,
    /// Playback sessions started.
    pub(crate) plays: Counter,
    /// Requests refused because too many were at work.
    pub(crate) shed: Counter,
    /// TLS handshakes that failed or took too long.
    pub(crate) handshakes_failed: Counter,
    /// Open connections.
    pub(crate) connections: Gauge<i64, AtomicI64>,
}

impl Metrics {
    /// Everything at zero, without Redis.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::with(false)
    }

    /// Everything at zero; `redis`: whether there is one, whose state is shown.
    pub(crate) fn with(redis: bool) -> Self {
        let mut registry = Registry::with_prefix("segue_origin");
        let requests: Family<RequestLabels, Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let (imports, segments, store_reads) = (Family::default(), Family::default(), Family::default());
        let redis_calls: Family<CallLabels, Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let (redis_up, redis_errors) = (Gauge::default(), Family::default());
        let (store_bytes, plays, shed) = (Counter::default(), Counter::default(), Counter::default());
        let (handshakes_failed, connections) = (Counter::default(), Gauge::default());
        let (catalog_answers, catalog_answer_bytes) = (Family::default(), Gauge::default());
        let tombstones_due = Gauge::default();
        registry.register(
            "request_seconds",
            "Time to answer, by route template, method and status",
            requests.clone(),
        );
        registry.register("imports", "Descriptors imported, by outcome", imports.clone());
        registry.register("segments", "Media segments asked for, by where they came from", segments.clone());
        registry.register("store_reads", "Reads from the store, by object and outcome", store_reads.clone());
        registry.register("store_bytes", "Bytes read from the store", store_bytes.clone());
        registry.register(
            "tombstones_due",
            "Songs of which the store does not say yet that they are taken down, or no longer",
            tombstones_due.clone(),
        );
        registry.register(
            "catalog_answers",
            "Answers of the catalog, by whether they were kept, made, or being made for another request",
            catalog_answers.clone(),
        );
        registry.register(
            "catalog_answer_bytes",
            "Bytes of answers of the catalog that are kept",
            catalog_answer_bytes.clone(),
        );
        registry.register("plays", "Playback sessions started", plays.clone());
        registry.register("shed", "Requests refused because too many were at work", shed.clone());
        registry.register(
            "handshakes_failed",
            "TLS handshakes that failed or took too long",
            handshakes_failed.clone(),
        );
        registry.register("connections", "Open connections", connections.clone());
        if redis {
            registry.register("redis_up", "Whether Redis answers", redis_up.clone());
        }
        registry.register("redis_seconds", "Time of calls to Redis, by purpose", redis_calls.clone());
        registry.register("redis_errors", "Calls to Redis that were late or refused", redis_errors.clone());
        Self {
            registry,
            requests,
            imports,
            segments,
            catalog_answers,
            catalog_answer_bytes,
            store_reads,
            redis_up,
            redis_calls,
            redis_errors,
            store_bytes,
            tombstones_due,
            plays,
            shed,
            handshakes_failed,
            connections,
        }
    }

    /// A request was answered. `route` is the template, never the path: paths are unbounded and may hold
    /// tokens.
    pub(crate) fn request(&self, method: &http::Method, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels { method: method_label(method), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// An import ended.
    pub(crate) fn import(&self, outcome: &'static str) {
        self.imports.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A media segment was asked for: `hit`, `read-ahead`, `joined` or `miss`.
    pub(crate) fn segment(&self, outcome: &'static str) {
        self.segments.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// An answer of the catalog was asked for: `hit`, `miss` or `collapsed`.
    pub(crate) fn catalog_answer(&self, outcome: &'static str) {
        self.catalog_answers.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// The store was read.
    pub(crate) fn store_read(&self, object: &'static str, outcome: &'static str) {
        self.store_reads.get_or_create(&ReadLabels { object, outcome }).inc();
    }

    /// Whether Redis answers.
    pub(crate) fn redis_up(&self, up: bool) {
        self.redis_up.set(i64::from(up));
    }

    /// A call to Redis ended, well or not.
    pub(crate) fn redis_call(&self, call: &'static str, took: Duration) {
        self.redis_calls.get_or_create(&CallLabels { call }).observe(took.as_secs_f64());
    }

    /// A call to Redis was `late` or `refused`.
    pub(crate) fn redis_error(&self, reason: &'static str) {
        self.redis_errors.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Everything as text.
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("writing to a string does not fail");
        out
    }
}

/// Methods are strangers' text: those beyond the usual share one label.
fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "OPTIONS" => "OPTIONS",
        "PUT" | "PATCH" | "DELETE" => "write",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_show_in_the_text() {
        let metrics = Metrics::new();
        metrics.plays.inc();
        metrics.segment("read-ahead");
        metrics.request(&http::Method::GET, "/songs/{id}", 200, Duration::from_millis(3));
        let text = metrics.to_text();
        for line in [
            "segue_origin_plays_total 1",
            "segue_origin_segments_total{outcome=\"read-ahead\"} 1",
            "route=\"/songs/{id}\"",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
