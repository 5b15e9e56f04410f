//! Telling the edges to forget an asset.

use std::time::Duration;

use http::Uri;
use segue_manifests::AssetId;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::edge_admin::{EdgeAdmin, address};
use crate::http::trace::Trace;

/// The admin listeners of all edges, and of the shields that those fetch through.
#[derive(Debug, Clone)]
pub(super) struct Edges {
    admin: EdgeAdmin,
    edges: Vec<Uri>,
    shields: Vec<Uri>,
}

impl Edges {
    pub(super) fn new(edges: &[String], shields: &[String], secret: &str) -> Self {
        let purge = |admins: &[String]| admins.iter().filter_map(|it| address(it, "/purge").ok()).collect();
        Self { admin: EdgeAdmin::new(secret), edges: purge(edges), shields: purge(shields) }
    }

    /// Tells every edge, in the background, until each has done it; and once more when the shields have, from which an
    /// edge may have fetched the asset again before. The calls belong to the trace of the request that they are made for.
    pub(super) fn purge(&self, asset: AssetId) {
        let (all, trace) = (self.clone(), Trace::current());
        let work = async move {
            let told = all.tell_all(&all.edges, asset, &trace);
            all.tell_all(&all.shields, asset, &trace).await;
            told.await;
            if !all.shields.is_empty() {
                all.tell_all(&all.edges, asset, &trace).await;
            }
        };
        tokio::spawn(work.in_current_span());
    }

    /// Tells them all at once; the tasks go on by themselves from now on.
    fn tell_all(
        &self,
        uris: &[Uri],
        asset: AssetId,
        trace: &Option<Trace>,
    ) -> impl Future<Output = ()> + use<> {
        let mut tasks = JoinSet::new();
        for uri in uris.iter().cloned() {
            let (edges, trace) = (self.clone(), trace.clone());
            tasks.spawn(async move { edges.tell(uri, asset, trace).await }.in_current_span());
        }
        async move { while tasks.join_next().await.is_some() {} }
    }

    /// The same after that time.
    pub(super) fn purge_later(&self, time: Duration, asset: AssetId) {
        let edges = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            edges.purge(asset);
        });
    }

    async fn tell(&self, uri: Uri, asset: AssetId, trace: Option<Trace>) {
        let body = serde_json::json!({"surrogate_keys": [format!("asset-{asset}")]});
        let what = format!("the takedown or return of {asset}");
        self.admin.insist(&uri, &body, trace.as_ref(), &what).await;
    }
}
