//! Answers for one account: JSON that no shared cache keeps, entity-tags that count changes.

use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, IF_MATCH, VARY};
use serde::Serialize;

use super::Problem;

/// JSON that no cache keeps.
pub(crate) fn private(value: &impl Serialize) -> Response {
    let json = serde_json::to_vec(value).expect("answers have only string keys");
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], json).into_response()
}

/// JSON that depends on who asks: clients may keep it and ask each time whether it still holds, by the entity-tag that
/// `conditional` gives it.
pub(crate) fn personal(value: &impl Serialize) -> Response {
    let headers = [(CACHE_CONTROL, "private, no-cache"), (VARY, "authorization, cookie")];
    (headers, private(value)).into_response()
}

/// The entity-tag of something that counts its changes.
pub(crate) fn etag(version: u64) -> String {
    format!("\"v{version}\"")
}

/// The version that `If-Match` asks for (RFC 9110 13.1.1); `*` asks for any.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix("\"v").and_then(|text| text.strip_suffix('"')?.parse().ok());
    version.map(Some).ok_or_else(Problem::stale)
}

/// What `If-Match` says; text that is none matches nothing.
pub(crate) fn if_match_text(headers: &HeaderMap) -> Option<&str> {
    headers.get(IF_MATCH).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_their_tags() {
        let of = |tag: &str| if_match(&HeaderMap::from_iter([(IF_MATCH, tag.parse().unwrap())]));
        assert_eq!(of(&etag(12)).unwrap(), Some(12));
        assert_eq!(of("*").unwrap(), None);
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        for other in ["\"x\"", "v12", "W/\"v12\"", ""] {
            assert!(of(other).is_err(), "{other}");
        }
    }
}
