//! `POST /purge`:
//!
//! ```json
//! {"paths": ["/v1/i/<sha256>.mp4"], "surrogate_keys": ["asset-<id>"], "soft": true}
//! ```
//!
//! `soft` makes objects stale: the next use renews them, and they may be served as far as their
//! `stale-while-revalidate` and `stale-if-error` go. Without it they are gone, and their memory is freed. Paths
//! carry no token.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cache::Purge;
use crate::edge::Edge;

/// Most names in one request.
const MAX_NAMES: usize = 10_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    paths: Vec<String>,
    surrogate_keys: Vec<String>,
    soft: bool,
}

/// Purges what `body` names; takes effect at once, on every worker.
///
/// # Errors
/// A text for the client when the body is not of this shape or names nothing.
pub(super) fn purge(edge: &Edge, body: &[u8]) -> Result<Value, String> {
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| format!("the body: {error}"))?;
    let count = wanted.paths.len() + wanted.surrogate_keys.len();
    if count == 0 || count > MAX_NAMES {
        return Err(format!("between 1 and {MAX_NAMES} paths and surrogate_keys are needed"));
    }
    let purge = if wanted.soft { Purge::Soft } else { Purge::Hard };
    let (log, now_ms) = (&edge.store.purges, edge.clock.now_ms());
    wanted.paths.iter().for_each(|path| log.purge_path(path, purge, now_ms));
    wanted.surrogate_keys.iter().for_each(|name| log.purge_surrogate_key(name, purge, now_ms));
    edge.metrics.purged(if wanted.soft { "soft" } else { "hard" }, count as u64);
    tracing::info!(
        paths = wanted.paths.len(),
        surrogate_keys = wanted.surrogate_keys.len(),
        soft = wanted.soft,
        "purged"
    );
    Ok(json!({
        "paths": wanted.paths.len(),
        "surrogate_keys": wanted.surrogate_keys.len(),
        "soft": wanted.soft,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn shapes() {
        let edge = Edge::new(Config::default()).unwrap();
        let done = purge(&edge, br#"{"paths":["/a"],"surrogate_keys":["x","y"],"soft":true}"#).unwrap();
        assert_eq!(done, json!({"paths": 1, "surrogate_keys": 2, "soft": true}));
        assert_eq!(edge.store.purges.latest(), 3);
        for wrong in ["", "{}", "[]", r#"{"paths":["/a"],"hard":true}"#, r#"{"paths":"/a"}"#] {
            assert!(purge(&edge, wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
