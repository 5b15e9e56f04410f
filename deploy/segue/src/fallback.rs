//! Object storage as the last of an edge's upstreams: the origin's media endpoint over it, in this process. The edge fetches from
//! there as from any other upstream.

use std::time::Duration;

use anyhow::{Context as _, bail};
use segue_origin::{MediaConfig, MediaServer};

use crate::config::Edge;
use crate::secrets::random_secret;

/// The media endpoint that an edge falls back to.
pub(crate) struct Fallback {
    server: MediaServer,
    /// For an edge that has no `media_secret`: whoever else is on this machine must not read the store.
    own_secret: String,
}

impl Fallback {
    /// Opens the store of the settings, if they name one.
    pub(crate) async fn start(edge: &Edge) -> anyhow::Result<Option<Self>> {
        let store = &edge.store;
        if store.store.is_empty() {
            return Ok(None);
        }
        if edge.open {
            bail!("edge.store has Segue's media only and does not go with edge.open; take one of them out");
        }
        let own_secret = random_secret()?;
        let config = MediaConfig {
            secret: own_secret.clone(),
            reads: store.store_reads,
            read_timeout: Duration::from_secs(store.store_timeout_seconds),
            cache_bytes: store.store_cache_bytes,
        };
        let opened = segue_storage::open_existing(&store.store).await.context("opening edge.store")?;
        let server = MediaServer::start(&config, opened).await.context("serving edge.store to the edge")?;
        tracing::info!("object storage is the last upstream");
        Ok(Some(Self { server, own_secret }))
    }

    /// Puts it behind the other upstreams of these settings, at the start and whenever they are read again.
    pub(crate) fn join(&self, edge: &mut segue_edge::Config) -> anyhow::Result<()> {
        if edge.media_secret.is_empty() {
            edge.media_secret.clone_from(&self.own_secret);
        }
        self.server.set_secret(&edge.media_secret)?;
        edge.upstreams.push(format!("http://{}", self.server.addr()));
        Ok(())
    }

    /// Gives open requests `grace` to end.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.server.drain(grace).await;
    }
}
