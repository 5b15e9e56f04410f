//! Polls the public signing keys.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use segue_manifests::token::KeySet;
use tokio::time::{sleep, timeout};

use super::kept::Kept;
use super::keys::KeyRing;
use crate::metrics::Metrics;
use crate::upstream::{Client, Outgoing};

/// Largest key set that is read, bytes.
pub(super) const LIMIT: usize = 64 << 10;
/// Longest time between polls while they fail.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Shortest time between polls, whoever asks.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps a [`KeyRing`] up to date.
#[derive(Debug)]
pub(crate) struct Poller {
    client: Client,
    uri: Uri,
    interval: Duration,
    deadline: Duration,
    ring: Arc<KeyRing>,
    metrics: Metrics,
    kept: Option<Kept>,
    etag: Option<HeaderValue>,
}

enum Polled {
    Replaced,
    Unchanged,
}

impl Poller {
    /// Polls `uri` every `interval`; one poll may take `deadline`.
    pub(crate) fn new(
        client: Client,
        uri: Uri,
        interval: Duration,
        deadline: Duration,
        ring: Arc<KeyRing>,
        metrics: Metrics,
    ) -> Self {
        Self { client, uri, interval, deadline, ring, metrics, kept: None, etag: None }
    }

    /// The same; what is polled is kept there.
    pub(crate) fn keeping(self, kept: Option<Kept>) -> Self {
        Self { kept, ..self }
    }

    /// Polls for ever: at the interval, sooner when a token names an unknown key, later while polls fail.
    pub(crate) async fn run(mut self) {
        let mut failures = 0u32;
        loop {
            let wait = match timeout(self.deadline, self.poll()).await {
                Ok(Ok(polled)) => {
                    failures = 0;
                    self.metrics.keys_polled(polled.label());
                    self.interval
                }
                Ok(Err(reason)) => self.failed(&mut failures, &reason),
                Err(_) => self.failed(&mut failures, "no answer in time"),
            };
            let ring = self.ring.clone();
            let soonest = PAUSE.min(wait);
            sleep(soonest).await;
            tokio::select! {
                () = sleep(wait - soonest) => {}
                () = ring.wanted.notified() => {}
            }
        }
    }

    fn failed(&self, failures: &mut u32, reason: &str) -> Duration {
        self.metrics.keys_polled("failed");
        // The first failure of an edge that starts beside its origin is no news.
        if *failures == 1 || (*failures > 1 && self.ring.is_loaded() && failures.is_power_of_two()) {
            tracing::warn!(
                url = without_query(&self.uri),
                attempts = *failures + 1,
                "signing keys cannot be polled: {reason}"
            );
        }
        *failures = failures.saturating_add(1);
        let quick = Duration::from_millis(100) * 2u32.saturating_pow((*failures).min(12));
        quick.min(BACKOFF_MAX).min(self.interval.max(PAUSE))
    }

    async fn poll(&mut self) -> Result<Polled, String> {
        let mut request = Request::new(Outgoing::default());
        *request.uri_mut() = self.uri.clone();
        if let Some(etag) = self.etag.clone().filter(|_| self.ring.is_loaded()) {
            request.headers_mut().insert(IF_NONE_MATCH, etag);
        }
        let response = self.client.request(request).await.map_err(|error| chain(&error))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(Polled::Unchanged),
            StatusCode::OK => {}
            status => return Err(format!("the origin answered {status}")),
        }
        let etag = response.headers().get(ETAG).cloned();
        let body =
            Limited::new(response.into_body(), LIMIT).collect().await.map_err(|error| error.to_string())?;
        let keys = KeySet::from_json(&body.to_bytes())?;
        self.etag = etag;
        let replaced = self.ring.replace(keys.clone());
        if let Some(kept) = &mut self.kept {
            kept.save(&keys).await;
        }
        if !replaced {
            return Ok(Polled::Unchanged);
        }
        tracing::info!(keys = keys.keys.len(), "signing keys loaded");
        Ok(Polled::Replaced)
    }
}

impl Polled {
    fn label(&self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
        }
    }
}

/// For the log: a query may be a signature.
fn without_query(uri: &Uri) -> String {
    uri.to_string().split('?').next().unwrap_or_default().to_owned()
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_not_logged() {
        let shown = |url: &str| without_query(&url.parse().unwrap());
        assert_eq!(shown("https://h:1/keys.json?signature=hush"), "https://h:1/keys.json");
        assert_eq!(shown("http://h/keys.json"), "http://h/keys.json");
    }
}
