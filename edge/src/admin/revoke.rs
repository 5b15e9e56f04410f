//! `POST /revoke`:
//!
//! ```json
//! {"tokens": ["<id>"], "playback_sessions": ["<id>"], "keys": ["<key id>"]}
//! ```
//!
//! What is named is refused from now on (403 `token-revoked`, `token-key-revoked`), whatever its signature says: tokens by their
//! id of 32 hexadecimal digits (`cti`, as `segue token inspect` and the access log show it), all tokens of a playback session, all
//! tokens of a signing key.

use std::sync::Arc;

use segue_manifests::token::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Full, Names, TokenId};
use crate::clock;
use crate::edge::Edge;

/// Most names in one request.
const MAX_NAMES: usize = 10_000;
/// Longest name of a playback session, bytes.
const MAX_SESSION: usize = 256;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    tokens: Vec<String>,
    playback_sessions: Vec<String>,
    keys: Vec<KeyId>,
}

/// Why nothing was revoked.
#[derive(Debug)]
pub(super) enum NotRevoked {
    /// The body is not of this shape or names nothing; a text for the client.
    Malformed(String),
    /// There is no room for more.
    Full,
}

impl From<Full> for NotRevoked {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// Revokes what `body` names; takes effect at once, on every worker, and is kept where the edge keeps it.
///
/// # Errors
/// Why nothing was revoked.
pub(super) async fn revoke(edge: &Arc<Edge>, body: &[u8]) -> Result<Value, NotRevoked> {
    let names = read(body).map_err(NotRevoked::Malformed)?;
    let counts = [
        ("tokens", names.tokens.len()),
        ("playback_sessions", names.playback_sessions.len()),
        ("keys", names.keys.len()),
    ];
    edge.revoked.add(names, &edge.keys, clock::unix_s())?;
    counts.iter().for_each(|(kind, count)| edge.metrics.revoked(kind, *count as u64));
    let [(_, tokens), (_, playback_sessions), (_, keys)] = counts;
    tracing::info!(tokens, playback_sessions, keys, "revoked");
    let revoked = edge.revoked.clone();
    let kept = tokio::task::spawn_blocking(move || revoked.keep()).await;
    if let Err(error) = kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        tracing::error!("what was revoked is not kept and will be forgotten at a restart: {error}");
    }
    Ok(json!({ "tokens": tokens, "playback_sessions": playback_sessions, "keys": keys }))
}

fn read(body: &[u8]) -> Result<Names, String> {
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| format!("the body: {error}"))?;
    let count = wanted.tokens.len() + wanted.playback_sessions.len() + wanted.keys.len();
    if count == 0 || count > MAX_NAMES {
        return Err(format!("between 1 and {MAX_NAMES} tokens, playback_sessions and keys are needed"));
    }
    let session = |it: &String| (1..=MAX_SESSION).contains(&it.len());
    if !wanted.playback_sessions.iter().all(session) {
        return Err(format!("playback_sessions: each has 1 to {MAX_SESSION} bytes"));
    }
    let token = |text: &String| {
        let mut id = TokenId::default();
        hex::decode_to_slice(text, &mut id).map(|()| id)
    };
    let tokens: Result<_, _> = wanted.tokens.iter().map(token).collect();
    let tokens = tokens.map_err(|_| "tokens: each is the id of one, 32 hexadecimal digits")?;
    Ok(Names { tokens, playback_sessions: wanted.playback_sessions, keys: wanted.keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let id = "0123456789abcdef0123456789abcdef";
        let body = format!(r#"{{"tokens":["{id}"],"playback_sessions":["s"],"keys":["0123456789abcdef"]}}"#);
        let names = read(body.as_bytes()).unwrap();
        assert_eq!((names.tokens.len(), names.playback_sessions.len(), names.keys.len()), (1, 1, 1));
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"tokens":["01"]}"#,
            r#"{"tokens":["x123456789abcdef0123456789abcdef"]}"#,
            r#"{"playback_sessions":[""]}"#,
            r#"{"keys":["0123"]}"#,
            r#"{"subjects":["x"]}"#,
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
