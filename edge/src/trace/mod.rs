//! The edge's part of a trace: which trace a request belongs to, and spans for OpenTelemetry.
//!
//! A request belongs to the trace of its `traceparent`, and upstreams are told so. Spans are only made where somebody wants
//! them: an endpoint is configured, and the caller has sampled the trace, or this request was picked to begin one.
//!
//! ```text
//!   request --+-- verify
//!             +-- lookup
//!             +-- fill --+-- upstream   one for each attempt; its span is the parent that the upstream is told
//!             |          +-- upstream
//!             +-- wait                  instead of `fill`, for those who join one
//! ```

mod export;
mod span;

use http::{HeaderMap, HeaderName, HeaderValue};
use segue_manifests::trace_context::{self, Parent};

use crate::metrics::Metrics;

pub(crate) use export::Exporter;
pub(crate) use span::{Kind, Scope, Span};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Where traces begin and their spans go.
#[derive(Debug)]
pub(crate) struct Traces {
    /// One in so many requests without a trace begins one; 0: none.
    pub(crate) every: u64,
    spool: Option<span::Spool>,
}

impl Traces {
    /// `exports`: somebody takes the spans; `every`: see there.
    pub(crate) fn new(exports: bool, every: u64, metrics: &Metrics) -> Self {
        let spool = exports.then(|| span::Spool::new(metrics.spans_dropped.clone()));
        Self { every: if exports { every } else { 0 }, spool }
    }

    /// The same, with another share of requests that begin one.
    pub(crate) fn renewed(&self, every: u64) -> Self {
        Self { every: if self.spool.is_some() { every } else { 0 }, spool: self.spool.clone() }
    }

    /// The span of a request: of the caller's trace, or, if it is `picked`, of a new one.
    pub(crate) fn begin(&self, headers: &HeaderMap, picked: bool) -> Option<Box<Span>> {
        let parent = parent(headers);
        if parent.is_none() && !picked {
            return None;
        }
        let state = parent.and_then(|_| state(headers));
        Some(Box::new(Span::root(parent, state, self.spool.as_ref())))
    }

    /// What is to be exported, for the one who does it; `None` where nothing is, or somebody has it.
    pub(crate) fn finished(&self) -> Option<span::Finished> {
        self.spool.as_ref()?.finished()
    }
}

/// One field, and a valid one, or none (Trace Context 3.2).
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut fields = headers.get_all(TRACEPARENT).iter();
    match (fields.next(), fields.next()) {
        (Some(field), None) => Parent::read(field.to_str().ok()?),
        _ => None,
    }
}

fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    // What cannot be read as text spoils it.
    let lines: Option<Vec<&str>> =
        headers.get_all(TRACESTATE).iter().map(|value| value.to_str().ok()).collect();
    HeaderValue::from_str(&trace_context::state(lines?.into_iter())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn told_on(traces: &Traces, pairs: &[(HeaderName, &str)], picked: bool) -> Option<HeaderMap> {
        let span = traces.begin(&headers(pairs), picked)?;
        let mut out = HeaderMap::new();
        span.scope().put(&mut out);
        Some(out)
    }

    #[test]
    fn the_callers_trace_goes_on_under_a_new_parent() {
        let traces = Traces::new(false, 1, &Metrics::new());
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let given = [(TRACEPARENT, &*parent), (TRACESTATE, "a=1"), (TRACESTATE, "b=2")];
        let out = told_on(&traces, &given, false).unwrap();
        let field = out[TRACEPARENT].to_str().unwrap();
        assert!(field.starts_with(&format!("00-{TRACE}-")) && field.ends_with("-01") && field != parent);
        assert_eq!(out[TRACESTATE], "a=1,b=2");
        let bad_state = [(TRACEPARENT, &*parent), (TRACESTATE, "a=1"), (TRACESTATE, "\u{e9}=1")];
        assert!(!told_on(&traces, &bad_state, false).unwrap().contains_key(TRACESTATE));
    }

    #[test]
    fn what_is_no_trace_is_ignored() {
        let traces = Traces::new(true, 1, &Metrics::new());
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let twice = [(TRACEPARENT, &*parent), (TRACEPARENT, &*parent)];
        assert!(told_on(&traces, &twice, false).is_none());
        assert!(told_on(&traces, &[(TRACESTATE, "a=1")], false).is_none());
        let new = told_on(&traces, &[(TRACESTATE, "a=1"), (TRACEPARENT, "00-x")], true).unwrap();
        assert!(new[TRACEPARENT].to_str().unwrap().ends_with("-01") && !new.contains_key(TRACESTATE));
        assert!(!new[TRACEPARENT].to_str().unwrap().contains(TRACE));
    }

    #[test]
    fn nothing_begins_without_an_endpoint() {
        assert_eq!(Traces::new(false, 5, &Metrics::new()).every, 0);
        assert_eq!(Traces::new(true, 5, &Metrics::new()).every, 5);
    }
}
