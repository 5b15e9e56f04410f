//! Telling the edges to forget an asset.

use std::time::Duration;

use http::Uri;
use segue_manifests::AssetId;
use tracing::Instrument as _;

use crate::edge_admin::{EdgeAdmin, address};
use crate::http::trace::Trace;

/// Time for one attempt.
const PATIENCE: Duration = Duration::from_secs(2);
/// Attempts for one edge; the pauses between them double from the first.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The admin listeners of all edges.
#[derive(Debug, Clone)]
pub(super) struct Edges {
    admin: EdgeAdmin,
    purge: Vec<Uri>,
}

impl Edges {
    pub(super) fn new(admins: &[String], secret: &str) -> Self {
        let purge = admins.iter().filter_map(|it| address(it, "/purge").ok()).collect();
        Self { admin: EdgeAdmin::new(secret), purge }
    }

    /// Tells every edge, in the background, until each has done it. The calls belong to the trace of the request that
    /// they are made for.
    pub(super) fn purge(&self, asset: AssetId) {
        for uri in self.purge.clone() {
            let (edges, trace) = (self.clone(), Trace::current());
            tokio::spawn(async move { edges.tell(uri, asset, trace).await }.in_current_span());
        }
    }

    async fn tell(&self, uri: Uri, asset: AssetId, trace: Option<Trace>) {
        let body = serde_json::json!({"surrogate_keys": [format!("asset-{asset}")]});
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            match tokio::time::timeout(PATIENCE, self.admin.post(&uri, &body, trace.as_ref())).await {
                Ok(Ok(())) => {
                    return tracing::info!(edge = %uri, asset.id = %asset, "the edge has forgotten the asset");
                }
                Ok(Err(error)) => {
                    tracing::warn!(edge = %uri, asset.id = %asset, error, "an edge did not purge; trying again")
                }
                Err(_) => {
                    tracing::warn!(edge = %uri, asset.id = %asset, "an edge did not answer a purge; trying again")
                }
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        tracing::error!(edge = %uri, asset.id = %asset, "an edge was not told of a takedown; purge it by hand or restart it");
    }
}
