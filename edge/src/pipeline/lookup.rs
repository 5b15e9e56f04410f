//! Step 3: is it in memory, and may it be used?

use std::sync::Arc;

use crate::cache::{Entry, Freshness, Object, Varying};
use crate::edge::Edge;

/// What memory holds.
#[derive(Debug)]
pub(crate) enum Found {
    /// A copy to serve.
    Fresh(Arc<Object>),
    /// A copy to serve, and to renew behind the client's back.
    Renewing(Arc<Object>),
    /// A copy to serve because the upstream failed a moment ago.
    Resting(Arc<Object>),
    /// A copy to validate first; `if_error`: it may stand in when that fails.
    Stale { object: Arc<Object>, if_error: bool },
    /// Several copies, told apart by what requests say.
    Varying(Arc<Varying>),
    /// Nothing.
    Absent,
}

/// Looks a cache key up.
pub(crate) fn lookup(edge: &Edge, cache_key: &str) -> Found {
    let object = match edge.store.get(cache_key) {
        Some(Entry::Object(object)) => object,
        Some(Entry::Varying(varying)) => return Found::Varying(varying),
        Some(Entry::Placeholder(_)) | None => return Found::Absent,
    };
    match object.freshness(edge.clock.now_ms()) {
        Freshness::Fresh => Found::Fresh(object),
        Freshness::Stale { if_error: true, resting: true, .. } => Found::Resting(object),
        Freshness::Stale { while_revalidate: true, .. } => Found::Renewing(object),
        Freshness::Stale { if_error, .. } => Found::Stale { object, if_error },
    }
}
