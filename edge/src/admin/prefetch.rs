//! `POST /prefetch`:
//!
//! ```json
//! {"paths": ["/v1/a/<asset>/<rev>/mv.m3u8"], "segments": 2}
//! ```
//!
//! Of a multivariant playlist the edge pulls what starts it: media playlists, init segments and that many segments of every
//! rendition; other paths are pulled as they are. Paths carry no token. The answer does not wait: it says how many pulls
//! were `queued`, how many paths are `refused` as none of Segue's, and how many found the queue `full`.

use segue_manifests::MediaPath;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::prefetch::{Pull, pullable};

/// Most paths in one request.
const MAX_PATHS: usize = 1_000;
/// Most segments of each rendition.
const MAX_SEGMENTS: u32 = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    paths: Vec<String>,
    #[serde(default = "one")]
    segments: u32,
}

fn one() -> u32 {
    1
}

/// Queues what `body` names.
///
/// # Errors
/// A text for the client when the body is not of this shape or names nothing.
pub(super) fn prefetch(edge: &Edge, body: &[u8]) -> Result<Value, String> {
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| format!("the body: {error}"))?;
    if wanted.paths.is_empty() || wanted.paths.len() > MAX_PATHS {
        return Err(format!("between 1 and {MAX_PATHS} paths are needed"));
    }
    if !(1..=MAX_SEGMENTS).contains(&wanted.segments) {
        return Err(format!("segments is {}; set it between 1 and {MAX_SEGMENTS}", wanted.segments));
    }
    if !edge.prefetch.is_on() {
        return Err("prefetching is off; set prefetch_fills to switch it on".into());
    }
    let (mut queued, mut refused, mut full) = (0, 0, 0);
    for path in &wanted.paths {
        let Some(media) = pullable(path) else {
            refused += 1;
            continue;
        };
        let pull = match media {
            MediaPath::Multivariant { .. } => Pull::Start(media.path(), wanted.segments),
            other => Pull::Object(other.path()),
        };
        *if edge.prefetch.leave(pull) { &mut queued } else { &mut full } += 1;
    }
    Ok(json!({ "queued": queued, "refused": refused, "full": full }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn names_are_read_and_mistakes_told() {
        let edge = Edge::new(Config::default()).unwrap();
        let base = "/v1/a/00112233445566778899aabbccddeeff/0a1b2c3d4e5f";
        let body = json!({"paths": [format!("{base}/mv.m3u8"), format!("{base}/aac-256/0.m4s"), "/etc/passwd", "/v1/../x"]});
        let done = prefetch(&edge, body.to_string().as_bytes()).unwrap();
        assert_eq!(done, json!({"queued": 2, "refused": 2, "full": 0}));
        for wrong in
            ["", "{}", r#"{"paths":[]}"#, r#"{"paths":["/a"],"segments":0}"#, r#"{"paths":["/a"],"x":1}"#]
        {
            assert!(prefetch(&edge, wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
