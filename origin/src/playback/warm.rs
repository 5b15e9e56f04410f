//! Telling the chosen edge what a listener is about to ask for, at the moment of the play: it pulls the playlists and the first
//! segments while the answer is still on its way.
//!
//! A hint and nothing more: it never keeps a play waiting, is not tried again, and is given once in a while only.

use std::collections::HashMap;
use std::time::Duration;

use http::Uri;
use moka::sync::Cache;
use segue_manifests::{AssetId, MediaPath, Rev};
use serde_json::json;
use tokio::sync::mpsc;

use crate::edge_admin::{EdgeAdmin, address};

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
    admin: EdgeAdmin,
    /// Where each edge takes hints.
    edges: Vec<Uri>,
}

impl Warm {
    /// `admins`: the admin listeners of the edges, checked before, in the order of the edges; where their number is not
    /// that of the edges nobody is told.
    pub(crate) fn new(edges: usize, admins: &[String], secret: &str) -> Self {
        let told = Cache::builder().max_capacity(REMEMBERED).time_to_live(PAUSE).build();
        let edges_told: Vec<Uri> =
            admins.iter().filter_map(|admin| address(admin, "/prefetch").ok()).collect();
        if edges_told.len() != edges || secret.is_empty() {
            return Self { queue: None, told };
        }
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(Caller { admin: EdgeAdmin::new(secret), edges: edges_told }.work(waiting));
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
        let (uri, body) = (&self.edges[edge], json!({ "paths": paths }));
        match tokio::time::timeout(PATIENCE, self.admin.post(uri, &body, None)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(edge = %uri, error, "an edge takes no hint"),
            Err(_) => tracing::debug!(edge = %uri, "an edge does not answer a hint"),
        }
    }
}
