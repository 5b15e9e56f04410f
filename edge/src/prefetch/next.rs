//! What comes after an object.

use segue_manifests::path;
use segue_manifests::playlists::{MediaPlaylist, MultivariantPlaylist};

use crate::cache::Object;
use crate::semantics::reference;

/// Longest URL that is resolved, bytes.
const MAX_URL: usize = 2 << 10;

/// The cache key of a URL that is relative to another object (RFC 3986 5.2): same host, no tricks; a token in it is taken
/// out. `None` where it leads elsewhere.
pub(crate) fn resolve(base: &str, url: &str) -> Option<String> {
    if url.len() > MAX_URL {
        return None;
    }
    if url.starts_with('/') {
        // Held to what a request's own path is: no dots, for one.
        path::normalise(path_of(url)).ok()?;
    }
    let joined = reference::join(base, url)?;
    let normal = path::normalise(path_of(&joined)).ok()?;
    Some(path::split_token(&normal).1.into_owned())
}

/// A URL without query and fragment.
fn path_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// Duration of a segment in milliseconds, and the URL of the next one.
pub(super) fn segment(playlist: &Object, index: u32) -> Option<(u64, Option<String>)> {
    let text = std::str::from_utf8(&playlist.body).ok()?;
    let mut segments = MediaPlaylist::parse(text).ok()?.segments.into_iter().skip(index as usize);
    let duration_ms = (segments.next()?.duration_us + 500) / 1000;
    Some((duration_ms, segments.next().map(|segment| segment.uri)))
}

/// The media playlists of a multivariant playlist, by cache key.
pub(super) fn media_playlists(cache_key: &str, playlist: &Object) -> Vec<String> {
    let parsed =
        std::str::from_utf8(&playlist.body).ok().and_then(|text| MultivariantPlaylist::parse(text).ok());
    let variants = parsed.map(|playlist| playlist.variants).unwrap_or_default();
    variants.iter().filter_map(|variant| resolve(cache_key, &variant.uri)).collect()
}

/// The init segment and the first segments of a media playlist, by cache key.
pub(super) fn start_of(cache_key: &str, playlist: &Object, count: u32) -> Vec<String> {
    let parsed = std::str::from_utf8(&playlist.body).ok().and_then(|text| MediaPlaylist::parse(text).ok());
    let Some(playlist) = parsed else { return Vec::new() };
    let first = playlist.segments.iter().take(count as usize).map(|segment| segment.uri.as_str());
    std::iter::once(playlist.map.uri.as_str())
        .chain(first)
        .filter_map(|uri| resolve(cache_key, uri))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: &str = "/v1/a/asset/rev/aac-256/3.m4s";

    #[test]
    fn urls_lead_to_cache_keys() {
        for (url, key) in [
            ("4.m4s", "/v1/a/asset/rev/aac-256/4.m4s"),
            ("./4.m4s?x=1", "/v1/a/asset/rev/aac-256/4.m4s"),
            ("../aac-128/4.m4s#x", "/v1/a/asset/rev/aac-128/4.m4s"),
            ("/v1/i/x.mp4", "/v1/i/x.mp4"),
            ("/v1/~token/a/asset/rev/mv.m3u8", "/v1/a/asset/rev/mv.m3u8"),
        ] {
            assert_eq!(resolve(SEGMENT, url).as_deref(), Some(key), "{url}");
        }
    }

    #[test]
    fn urls_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(MAX_URL + 1);
        for url in [
            "//evil/4.m4s",
            "https://evil/4.m4s",
            "../../../../../../../x",
            "a%2fb",
            "/a/../b",
            "a\\b",
            "a b",
            &long,
        ] {
            assert_eq!(resolve(SEGMENT, url), None, "{url}");
        }
    }
}
