//! What is counted of each upstream, by its place among the settings and its name: there are as many as are set.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::fill::Fault;

/// What becomes of a request: an answer, or no head.
const OUTCOMES: [&str; 6] =
    ["ok", "client-error", "server-error", "upstream-connect", "upstream-first-byte", "upstream-broken"];

type Who = [(&'static str, String); 2];
type Outcome = [(&'static str, String); 3];

/// The metrics of all upstreams.
#[derive(Debug, Clone)]
pub(crate) struct Upstreams {
    requests: Family<Outcome, Counter>,
    first_byte: Family<Who, Histogram>,
    broken: Family<Who, Counter>,
    asked: Family<Who, Gauge>,
}

/// Those of one upstream, at hand.
#[derive(Debug)]
pub(crate) struct UpstreamMeter {
    requests: [Counter; OUTCOMES.len()],
    first_byte: Histogram,
    broken: Counter,
    asked: Gauge,
}

impl Upstreams {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            first_byte: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
            }),
            broken: Family::default(),
            asked: Family::default(),
        }
    }

    #[rustfmt::skip]
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("upstream_requests", "Requests to upstreams by outcome", self.requests.clone());
        r.register("upstream_first_byte_seconds", "From request to upstream to its response head", self.first_byte.clone());
        r.register("upstream_bodies_broken", "Bodies of upstreams that broke, fell silent, or were not what was announced", self.broken.clone());
        r.register("upstream_asked", "1 while an upstream is asked, 0 while it rests or is on trial after failures", self.asked.clone());
    }

    /// The metrics of the upstream with that number and name, from the start.
    pub(crate) fn of(&self, number: usize, host: &str) -> UpstreamMeter {
        let who = [("upstream", number.to_string()), ("host", host.to_owned())];
        let [place, name] = who.clone();
        let counter = |outcome: &str| {
            let labels = [place.clone(), name.clone(), ("outcome", outcome.to_owned())];
            self.requests.get_or_create(&labels).clone()
        };
        UpstreamMeter {
            requests: OUTCOMES.map(counter),
            first_byte: self.first_byte.get_or_create(&who).clone(),
            broken: self.broken.get_or_create(&who).clone(),
            asked: self.asked.get_or_create(&who).clone(),
        }
    }
}

impl Upstreams {
    /// Shows nothing more of the upstream with that number and name.
    pub(crate) fn forget(&self, number: usize, host: &str) {
        let who = [("upstream", number.to_string()), ("host", host.to_owned())];
        let [place, name] = who.clone();
        for outcome in OUTCOMES {
            self.requests.remove(&[place.clone(), name.clone(), ("outcome", outcome.to_owned())]);
        }
        self.first_byte.remove(&who);
        self.broken.remove(&who);
        self.asked.remove(&who);
    }
}

impl UpstreamMeter {
    /// A request has ended with a head, or without.
    pub(crate) fn answered(&self, outcome: Result<StatusCode, Fault>) {
        let label = match outcome {
            Ok(status) if status.is_server_error() => "server-error",
            Ok(status) if status.is_client_error() => "client-error",
            Ok(_) => "ok",
            Err(fault) => fault.code(),
        };
        // What has no label of its own broke.
        let place = OUTCOMES.iter().position(|outcome| *outcome == label).unwrap_or(OUTCOMES.len() - 1);
        self.requests[place].inc();
    }

    /// Its head came, that long after it was asked.
    pub(crate) fn came(&self, elapsed: Duration) {
        self.first_byte.observe(elapsed.as_secs_f64());
    }

    pub(crate) fn body_broke(&self) {
        self.broken.inc();
    }

    pub(crate) fn set_asked(&self, asked: bool) {
        self.asked.set(i64::from(asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_apart() {
        let meter = Upstreams::new().of(0, "h");
        meter.answered(Ok(StatusCode::OK));
        meter.answered(Ok(StatusCode::NOT_FOUND));
        meter.answered(Ok(StatusCode::BAD_GATEWAY));
        [Fault::Connect, Fault::FirstByte, Fault::Broken]
            .into_iter()
            .for_each(|fault| meter.answered(Err(fault)));
        assert!(meter.requests.iter().all(|counter| counter.get() == 1));
        assert_eq!(OUTCOMES[3..], [Fault::Connect.code(), Fault::FirstByte.code(), Fault::Broken.code()]);
        meter.answered(Err(Fault::Status));
        assert_eq!(meter.requests[5].get(), 2);
    }
}
