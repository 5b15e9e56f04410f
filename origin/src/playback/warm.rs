//! Telling the chosen edge what a listener is about to ask for, at the moment of the play: it pulls the playlists and the first
//! segments while the answer is still on its way.
//!
//! A hint and nothing more: it never keeps a play waiting, is not tried again, and is given once in a while only.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use moka::sync::Cache;
use segue_manifests::{AssetId, MediaPath, Rev};
use tokio::sync::mpsc;

/// Hints that wait; more are dropped.
const QUEUE: usize = 4096;
/// Most hints of one call.
const BATCH: usize = 256;
/// How long an edge that was told of an asset is not told again, and of how many assets that is remembered.
const PAUSE: Duration = Duration::from_secs(300);
const REMEMBERED: u64 = 100_000;
/// Time for one call.
const PATIENCE: Duration = Duration::from_secs(2);

/// Place of an edge among the configured ones, and what it is to pull.
type Hint = (usize, String);

/// Where hints are left.
#[derive(Debug)]
pub(crate) struct Warm {
    queue: Option<mpsc::Sender<Hint>>,
    told: Cache<(AssetId, Rev), ()>,
}

/// Makes the calls.
struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    admins: Vec<Uri>,
    authorization: Option<HeaderValue>,
}

impl Warm {
    /// `admins`: the admin listeners of the edges, checked before, in the order of the edges; where their number is not
    /// that of the edges nobody is told.
    pub(crate) fn new(edges: usize, admins: &[String], secret: &str) -> Self {
        let told = Cache::builder().max_capacity(REMEMBERED).time_to_live(PAUSE).build();
        let uri = |admin: &String| format!("{}/prefetch", admin.trim_end_matches('/')).parse::<Uri>();
        let admins: Vec<Uri> = admins.iter().filter_map(|admin| uri(admin).ok()).collect();
        if admins.len() != edges || secret.is_empty() {
            return Self { queue: None, told };
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {secret}")).ok();
        authorization.iter_mut().for_each(|value| value.set_sensitive(true));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(Caller { client, admins, authorization }.work(waiting));
        Self { queue: Some(queue), told }
    }

    /// Somebody begins to play an asset from an edge.
    pub(crate) fn tell(&self, edge: Option<usize>, asset: AssetId, rev: Rev) {
        let (Some(queue), Some(edge)) = (&self.queue, edge) else { return };
        if self.told.contains_key(&(asset, rev)) {
            return;
        }
        if queue.try_send((edge, MediaPath::Multivariant { asset, rev }.path())).is_ok() {
            self.told.insert((asset, rev), ());
        }
    }
}

impl Caller {
    async fn work(self, mut waiting: mpsc::Receiver<Hint>) {
        let mut hints = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut hints, BATCH).await > 0 {
            let mut by_edge: HashMap<usize, Vec<String>> = HashMap::new();
            for (edge, path) in hints.drain(..) {
                by_edge.entry(edge).or_default().push(path);
            }
            let calls = by_edge.into_iter().map(|(edge, paths)| self.call(edge, paths));
            futures_util::future::join_all(calls).await;
        }
    }

    async fn call(&self, edge: usize, paths: Vec<String>) {
        let uri = &self.admins[edge];
        let body = serde_json::json!({ "paths": paths }).to_string();
        let mut request = Request::post(uri.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let Ok(request) = request.body(Full::from(body)) else { return };
        match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => {}
            Ok(Ok(answer)) => {
                tracing::debug!(edge = %uri, status = answer.status().as_u16(), "an edge takes no hint")
            }
            Ok(Err(error)) => tracing::debug!(edge = %uri, %error, "an edge cannot be told"),
            Err(_) => tracing::debug!(edge = %uri, "an edge does not answer a hint"),
        }
    }
}
