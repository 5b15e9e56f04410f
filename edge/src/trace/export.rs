//! Spans on their way to a collector: OTLP over HTTP, in its JSON form, some at a time.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::span::{Ended, Finished, attribute};
use crate::edge::Edge;
use crate::metrics::Metrics;
use crate::server::Phase;
use crate::upstream::Connector;

/// Most spans of one message.
const BATCH: usize = 512;
/// How long spans gather.
const GATHER: Duration = Duration::from_secs(1);
/// Rest between two messages: whoever has requests recorded must not keep this thread busy.
const REST: Duration = Duration::from_millis(125);
/// Longest time for one message.
const DEADLINE: Duration = Duration::from_secs(5);
/// Where a collector takes traces, below its base URL (OTLP 1.0, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// Sends spans to a collector.
#[derive(Debug)]
pub(crate) struct Exporter {
    client: legacy::Client<Connector, Full<Bytes>>,
    uri: Uri,
    finished: Finished,
    /// Whose spans they are.
    resource: serde_json::Value,
    metrics: Metrics,
}

impl Exporter {
    /// One for the edge's spans, if they are to be exported.
    ///
    /// # Errors
    /// When the endpoint is not a URL.
    pub(crate) fn new(edge: &Edge, connector: Connector) -> Result<Option<Self>, String> {
        let Some(finished) = edge.traces.finished() else { return Ok(None) };
        let base = edge.config.otlp_endpoint.trim_end_matches('/');
        let uri = format!("{base}{PATH}").parse().map_err(|_| "otlp_endpoint is not a URL")?;
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        let client =
            builder.pool_timer(TokioTimer::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector);
        let name = attribute("service.name", &"segue-edge".into());
        let instance = attribute("service.instance.id", &edge.config.name.clone().into());
        let version = attribute("service.version", &env!("CARGO_PKG_VERSION").into());
        let resource = serde_json::json!({ "attributes": [name, instance, version] });
        Ok(Some(Self { client, uri, finished, resource, metrics: edge.metrics.clone() }))
    }

    /// Exports until the edge stops; what is there then goes out as well.
    pub(crate) async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let stopped = tokio::select! {
                () = self.gather(&mut batch) => false,
                () = Phase::stopped(&mut phase) => true,
            };
            if stopped {
                while batch.len() < BATCH
                    && let Ok(ended) = self.finished.try_recv()
                {
                    batch.push(ended);
                }
            }
            self.send(&mut batch).await;
            match stopped {
                true if self.finished.is_empty() => return,
                true => {}
                false => sleep(REST).await,
            }
        }
    }

    /// Waits for the first span, and for others a while. What was taken stays in `batch` when this is given up.
    async fn gather(&mut self, batch: &mut Vec<Ended>) {
        if self.finished.recv_many(batch, BATCH).await == 0 {
            // Nobody can leave any more.
            return std::future::pending().await;
        }
        let more = async {
            while batch.len() < BATCH && self.finished.recv_many(batch, BATCH - batch.len()).await > 0 {}
        };
        let _ = timeout(GATHER, more).await;
    }

    async fn send(&self, batch: &mut Vec<Ended>) {
        if batch.is_empty() {
            return;
        }
        let spans: Vec<_> = batch.iter().map(Ended::json).collect();
        let count = spans.len() as u64;
        batch.clear();
        let scope = serde_json::json!({ "name": "segue-edge", "version": env!("CARGO_PKG_VERSION") });
        let message = serde_json::json!({
            "resourceSpans": [{
                "resource": self.resource,
                "scopeSpans": [{ "scope": scope, "spans": spans }],
            }],
        });
        match timeout(DEADLINE, self.client.request(self.request(message.to_string()))).await {
            Ok(Ok(response)) if response.status().is_success() => {
                self.metrics.spans_exported.inc_by(count);
            }
            outcome => {
                self.metrics.spans_dropped.inc_by(count);
                let status = outcome.ok().and_then(Result::ok).map(|response| response.status().as_u16());
                tracing::debug!(status, count, "the collector did not take spans: they are dropped");
                // What it cannot take now it need not be asked for at once.
                sleep(GATHER).await;
            }
        }
    }

    fn request(&self, message: String) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::from(message)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let agent = concat!("segue-edge/", env!("CARGO_PKG_VERSION"));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
        request
    }
}
