//! Bearer secrets that others show to this edge (RFC 6750 2.1).

use aws_lc_rs::digest::{Digest, SHA256, digest};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

/// A secret, known by its digest: neither content nor length of it shows in the time that a comparison takes.
#[derive(Clone)]
pub(crate) struct Secret(Digest);

impl Secret {
    /// `None` for an empty text: what the secret opens is closed.
    pub(crate) fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(digest(&SHA256, text.as_bytes())))
    }

    /// Whether a request shows it.
    pub(crate) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        given.is_some_and(|given| digest(&SHA256, given).as_ref().ct_eq(self.0.as_ref()).into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_whole_secret_opens() {
        let shown = |value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            Secret::new("hush").unwrap().is_shown(&headers)
        };
        assert!(shown("Bearer hush"));
        for wrong in ["Bearer hus", "Bearer hushh", "Bearer ", "hush", "Basic hush"] {
            assert!(!shown(wrong), "{wrong}");
        }
        assert!(Secret::new("").is_none() && !Secret::new("hush").unwrap().is_shown(&HeaderMap::new()));
    }
}
