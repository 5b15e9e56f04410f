//! Spans, and where they wait to be exported.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue};
use prometheus_client::metrics::counter::Counter;
use segue_manifests::trace_context::Parent;
use tokio::sync::mpsc;

use super::{TRACEPARENT, TRACESTATE};

/// Most spans that wait; what comes then is dropped and counted.
const WAITING: usize = 4096;

/// Spans on their way to the exporter.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    queue: mpsc::Sender<Ended>,
    waiting: Arc<Mutex<Option<Finished>>>,
    dropped: Counter,
}

/// Spans that have ended.
pub(crate) type Finished = mpsc::Receiver<Ended>;

impl Spool {
    pub(super) fn new(dropped: Counter) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        Self { queue, waiting: Arc::new(Mutex::new(Some(waiting))), dropped }
    }

    pub(super) fn finished(&self) -> Option<Finished> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What a span may be a part of.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    me: Parent,
    state: Option<HeaderValue>,
    /// Only where its spans are recorded.
    spool: Option<Spool>,
}

/// Which side of a call a span is, by OTLP's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// A part of a trace; ends when dropped.
#[derive(Debug)]
pub(crate) struct Span {
    scope: Scope,
    record: Option<Record>,
}

#[derive(Debug)]
struct Record {
    parent: Option<[u8; 8]>,
    name: &'static str,
    kind: Kind,
    start: SystemTime,
    begun: Instant,
    notes: Vec<(&'static str, Note)>,
    failed: bool,
}

/// What is said about a span.
#[derive(Debug)]
pub(crate) enum Note {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for Note {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Note {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A span that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    me: Parent,
    state: Option<HeaderValue>,
    record: Record,
    took: Duration,
}

impl Scope {
    /// A part of it that begins now.
    pub(crate) fn part(&self, name: &'static str, kind: Kind) -> Span {
        let me = Parent { span: random(), ..self.me };
        let scope = Self { me, ..self.clone() };
        let record = self.spool.is_some().then(|| Record::new(Some(self.me.span), name, kind));
        Span { scope, record }
    }

    /// The same, where it is recorded: nobody else is told of it.
    pub(crate) fn step(&self, name: &'static str) -> Option<Span> {
        self.spool.is_some().then(|| self.part(name, Kind::Internal))
    }

    /// Tells an upstream what its request is a part of.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        if let Ok(field) = HeaderValue::from_str(&self.me.field()) {
            headers.insert(TRACEPARENT, field);
        }
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

impl Span {
    /// The part of a trace that a request is: the caller's trace, or a new one, which is sampled.
    pub(super) fn root(parent: Option<Parent>, state: Option<HeaderValue>, spool: Option<&Spool>) -> Self {
        let me = match parent {
            Some(parent) => Parent { span: random(), ..parent },
            None => Parent { trace: random(), span: random(), sampled: true },
        };
        let spool = spool.filter(|_| me.sampled).cloned();
        let record = spool.is_some().then(|| Record::new(parent.map(|it| it.span), "request", Kind::Server));
        Self { scope: Scope { me, state, spool }, record }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The trace: 32 hexadecimal digits.
    pub(crate) fn trace_id(&self) -> String {
        hex::encode(self.scope.me.trace)
    }

    /// Says something about it.
    pub(crate) fn note(&mut self, name: &'static str, note: impl Into<Note>) {
        if let Some(record) = &mut self.record {
            record.notes.push((name, note.into()));
        }
    }

    /// Says that it went wrong, and why.
    pub(crate) fn failed(&mut self, why: &'static str) {
        self.note("error.type", why);
        self.record.iter_mut().for_each(|record| record.failed = true);
    }

    /// Whether what is said about it is kept.
    pub(crate) fn is_recorded(&self) -> bool {
        self.record.is_some()
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(record), Some(spool)) = (self.record.take(), &self.scope.spool) else { return };
        let took = record.begun.elapsed();
        let ended = Ended { me: self.scope.me, state: self.scope.state.clone(), record, took };
        if spool.queue.try_send(ended).is_err() {
            spool.dropped.inc();
        }
    }
}

impl Record {
    fn new(parent: Option<[u8; 8]>, name: &'static str, kind: Kind) -> Self {
        let (start, begun) = (SystemTime::now(), Instant::now());
        Self { parent, name, kind, start, begun, notes: Vec::new(), failed: false }
    }
}

impl Ended {
    /// The span in OTLP's JSON (opentelemetry-proto, `Span`).
    pub(super) fn json(&self) -> serde_json::Value {
        let record = &self.record;
        let start = record.start.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut span = serde_json::json!({
            "traceId": hex::encode(self.me.trace),
            "spanId": hex::encode(self.me.span),
            "name": record.name,
            "kind": record.kind as u8,
            "startTimeUnixNano": start.as_nanos().to_string(),
            "endTimeUnixNano": (start + self.took).as_nanos().to_string(),
            "attributes": record.notes.iter().map(|(name, note)| attribute(name, note)).collect::<Vec<_>>(),
        });
        if let Some(parent) = record.parent {
            span["parentSpanId"] = hex::encode(parent).into();
        }
        if let Some(state) = self.state.as_ref().and_then(|state| state.to_str().ok()) {
            span["traceState"] = state.into();
        }
        if record.failed {
            span["status"] = serde_json::json!({ "code": 2 });
        }
        span
    }
}

/// A `KeyValue`; numbers of 64 bits are texts in JSON.
pub(super) fn attribute(name: &str, note: &Note) -> serde_json::Value {
    let value = match note {
        Note::Text(text) => serde_json::json!({ "stringValue": text }),
        Note::Number(number) => serde_json::json!({ "intValue": number.to_string() }),
    };
    serde_json::json!({ "key": name, "value": value })
}

/// All zeros stand for "invalid".
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() || bytes == [0; N] {
        bytes[N - 1] = 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: Parent = Parent { trace: [1; 16], span: [2; 8], sampled: true };

    #[test]
    fn parts_name_what_they_are_part_of() {
        let spool = Spool::new(Counter::default());
        let mut finished = spool.finished().unwrap();
        let mut root = Span::root(Some(CALLER), Some(HeaderValue::from_static("a=1")), Some(&spool));
        let mut fill = root.scope().part("fill", Kind::Internal);
        fill.failed("upstream-idle");
        let fill_id = hex::encode(fill.scope.me.span);
        drop(fill.scope().part("upstream", Kind::Client));
        drop(fill);
        root.note("http.response.status_code", 504);
        let root_id = hex::encode(root.scope.me.span);
        drop(root);
        let mut next = || finished.try_recv().unwrap().json();
        let (upstream, fill, root) = (next(), next(), next());
        assert_eq!((&upstream["parentSpanId"], &upstream["kind"]), (&fill_id.clone().into(), &3.into()));
        assert_eq!((&fill["spanId"], &fill["parentSpanId"]), (&fill_id.into(), &root_id.clone().into()));
        assert_eq!(fill["status"]["code"], 2);
        assert_eq!((&root["spanId"], &root["parentSpanId"]), (&root_id.into(), &"02".repeat(8).into()));
        assert_eq!(root["attributes"][0]["value"]["intValue"], "504");
        for span in [&upstream, &fill, &root] {
            assert_eq!((&span["traceId"], &span["traceState"]), (&"01".repeat(16).into(), &"a=1".into()));
            let time = |name: &str| span[name].as_str().unwrap().parse::<u128>().unwrap();
            assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
        }
    }

    #[test]
    fn what_nobody_wants_is_not_recorded() {
        let spool = Spool::new(Counter::default());
        let root = Span::root(Some(Parent { sampled: false, ..CALLER }), None, Some(&spool));
        assert!(!root.is_recorded() && root.scope().step("verify").is_none());
        drop((root.scope().part("upstream", Kind::Client), root));
        assert!(!Span::root(Some(CALLER), None, None).is_recorded());
        assert!(spool.finished().unwrap().try_recv().is_err());
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let dropped = Counter::default();
        let spool = Spool::new(dropped.clone());
        for _ in 0..WAITING + 3 {
            drop(Span::root(None, None, Some(&spool)));
        }
        assert_eq!(dropped.get(), 3);
    }
}
