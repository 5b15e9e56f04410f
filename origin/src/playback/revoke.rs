//! Telling the edges what may not be played any more though its tokens are right: playback sessions of accounts that are erased,
//! and signing keys that are revoked, which an edge would otherwise learn of at its next poll.

use http::Uri;
use segue_manifests::token::{KeyId, MAX_LIFETIME, SKEW};
use serde_json::{Value, json};
use tracing::Instrument as _;

use crate::edge_admin::{EdgeAdmin, address};
use crate::http::trace::Trace;

/// How long before now a token may have been minted that is not over yet, milliseconds.
pub(crate) const LIFE_MS: u64 = (MAX_LIFETIME + SKEW) * 1000;
/// Most names in one call, as edges take them.
const BATCH: usize = 10_000;

/// The admin listeners of all edges that check tokens.
#[derive(Debug, Clone)]
pub(crate) struct Revocations {
    admin: EdgeAdmin,
    edges: Vec<Uri>,
}

impl Revocations {
    /// `admins`: the addresses, checked before.
    pub(crate) fn new(admins: &[String], secret: &str) -> Self {
        let edges = admins.iter().filter_map(|it| address(it, "/revoke").ok()).collect();
        Self { admin: EdgeAdmin::new(secret), edges }
    }

    /// These playback sessions are over, in the background.
    pub(crate) fn sessions(&self, sessions: &[[u8; 16]]) {
        for batch in sessions.chunks(BATCH) {
            let names: Vec<_> = batch.iter().map(hex::encode).collect();
            self.tell(&json!({ "playback_sessions": names }), "revoked playback sessions");
        }
    }

    /// These keys are revoked, in the background.
    pub(crate) fn keys(&self, keys: &[KeyId]) {
        if !keys.is_empty() {
            self.tell(&json!({ "keys": keys }), "revoked signing keys");
        }
    }

    fn tell(&self, body: &Value, what: &'static str) {
        let trace = Trace::current();
        for uri in &self.edges {
            let (admin, uri) = (self.admin.clone(), uri.clone());
            let (body, trace) = (body.clone(), trace.clone());
            let work = async move { admin.insist(&uri, &body, trace.as_ref(), what).await };
            tokio::spawn(work.in_current_span());
        }
    }
}
