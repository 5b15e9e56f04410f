//! The head of a response as clients will see it, prepared once.

use http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    EXPIRES, HeaderName, LAST_MODIFIED, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode, response};

use super::object::GZIP_BYTES;
use super::policy::{CDN_CACHE_CONTROL, Context, Policy};
use super::variants::Variant;
use crate::cors;
use crate::semantics::{encoding, hop_by_hop, repr_digest};
use crate::upstream::NODE;

pub(crate) const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
pub(crate) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Most surrogate keys that are taken from one response.
const MAX_SURROGATE_KEYS: usize = 64;

/// Fields between an upstream and this edge that clients never see (RFC 9213, RFC 9530), beside those of one hop.
const PRIVATE: [HeaderName; 10] = [
    HeaderName::from_static("alt-svc"),
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("content-digest"),
    SURROGATE_KEY,
    // How an upstream was when it sent this (CTA-5006).
    HeaderName::from_static("cmsd-dynamic"),
    CDN_CACHE_CONTROL,
    // Which process of a shield sent it.
    NODE,
    // Names one request of the edge's, not those of its clients.
    HeaderName::from_static("x-request-id"),
    // Written anew for every response.
    CONTENT_LENGTH,
    AGE,
];

/// Fields of a stored response that a confirmation does not change: they belong to the bytes (RFC 9111 3.2). A
/// `Set-Cookie` is for the client that asked, and the copy is for all.
const KEPT: [HeaderName; 7] = [
    CONTENT_ENCODING,
    CONTENT_RANGE,
    CONTENT_LENGTH,
    HeaderName::from_static("content-md5"),
    REPR_DIGEST,
    ETAG,
    SET_COOKIE,
];

/// Status, fields and policy of one response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// What clients see, but for the fields of each response (`Age`, `Content-Length`, `Cache-Status`, ...).
    pub(crate) headers: HeaderMap,
    pub(crate) policy: Policy,
    pub(crate) surrogate_keys: Box<[Box<str>]>,
    /// What caches were told apart from clients (RFC 9213).
    targeted: Option<HeaderValue>,
    /// Bytes of the body, where known.
    pub(crate) length: Option<u64>,
    /// SHA-256 that the body must have.
    pub(crate) digest: Option<[u8; 32]>,
    /// Text: it is waited for, and offered in gzip form where that saves something.
    pub(crate) compressible: bool,
    /// Where it belongs, when its resource has several responses.
    pub(crate) variant: Option<Variant>,
}

impl Head {
    /// Reads an upstream's response head. `length`: that of its body, where known; `framed`: see [`Policy::of`].
    pub(crate) fn read(
        parts: &response::Parts,
        length: Option<u64>,
        framed: bool,
        context: &Context,
    ) -> Self {
        let policy = Policy::of(parts.status, &parts.headers, framed, context);
        let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let compressible = parts.status == StatusCode::OK
            && !parts.headers.contains_key(CONTENT_ENCODING)
            && text(CONTENT_TYPE).is_some_and(encoding::is_compressible);
        let may_shrink = length.is_none_or(|length| GZIP_BYTES.contains(&length));
        Self {
            status: parts.status,
            headers: client_headers(parts, compressible && may_shrink, context.media),
            policy,
            surrogate_keys: surrogate_keys(&parts.headers),
            targeted: targeted(&parts.headers),
            length,
            digest: repr_digest::sha256(
                parts.headers.get_all(REPR_DIGEST).into_iter().filter_map(|value| value.to_str().ok()),
            ),
            compressible,
            variant: None,
        }
    }

    /// The head after an upstream confirmed it with 304: fields that came replace those that stood
    /// (RFC 9111 3.2), and freshness starts again.
    pub(crate) fn confirmed_by(&self, parts: &response::Parts, context: &Context) -> Self {
        let mut merged = parts.clone();
        merged.status = self.status;
        for name in &KEPT {
            merged.headers.remove(name);
        }
        let says_nothing =
            [CACHE_CONTROL, CDN_CACHE_CONTROL, EXPIRES].iter().all(|name| !parts.headers.contains_key(name));
        let kept: Vec<_> = self.headers.keys().filter(|name| !merged.headers.contains_key(*name)).collect();
        for name in kept {
            for value in self.headers.get_all(name) {
                merged.headers.append(name, value.clone());
            }
        }
        let mut head = Self::read(&merged, self.length, true, context);
        if says_nothing {
            head.policy = Policy { initial_age_seconds: head.policy.initial_age_seconds, ..self.policy };
            head.targeted = self.targeted.clone();
        }
        if head.surrogate_keys.is_empty() {
            head.surrogate_keys = self.surrogate_keys.clone();
        }
        head.digest = self.digest;
        head.variant = self.variant.clone();
        head
    }

    /// The fields for another edge, which caches as this one does.
    pub(crate) fn tell_downstream(&self, headers: &mut HeaderMap) {
        let surrogate_keys = HeaderValue::from_str(&self.surrogate_keys.join(" "));
        headers.extend(surrogate_keys.ok().filter(|keys| !keys.is_empty()).map(|keys| (SURROGATE_KEY, keys)));
        headers.extend(self.targeted.clone().map(|value| (CDN_CACHE_CONTROL, value)));
    }

    /// Whether the response is for a request with such fields.
    pub(crate) fn suits(&self, request: &HeaderMap) -> bool {
        self.variant.as_ref().is_none_or(|variant| variant.suits(request))
    }

    pub(crate) fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        self.text(ETAG)
    }

    pub(crate) fn last_modified(&self) -> Option<&str> {
        self.text(LAST_MODIFIED)
    }
}

/// `coded`: there is, or may be, a gzip form.
fn client_headers(parts: &response::Parts, coded: bool, media: bool) -> HeaderMap {
    // Values lie in the buffer that the head was read into: a copy lets go of it.
    let copied = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.clone(), HeaderValue::from_bytes(value.as_bytes()).expect("it was a value before"))
    };
    let mut headers: HeaderMap = HeaderMap::with_capacity(parts.headers.len());
    for (name, value) in parts.headers.iter().map(copied) {
        headers.append(name, value);
    }
    hop_by_hop::remove(&mut headers);
    for name in &PRIVATE {
        headers.remove(name);
    }
    if media {
        // How long the next tier took for one request of this edge's says nothing to those who get the copy.
        headers.remove(SERVER_TIMING);
    }
    if parts.status == StatusCode::OK {
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    let varies = headers.get_all(VARY).iter().any(|value| {
        value
            .to_str()
            .unwrap_or_default()
            .split(',')
            .any(|name| name.trim().eq_ignore_ascii_case("accept-encoding"))
    });
    if coded && !varies {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if media {
        cors::allow(&mut headers);
    }
    headers
}

fn targeted(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines: Vec<&[u8]> = headers.get_all(CDN_CACHE_CONTROL).iter().map(HeaderValue::as_bytes).collect();
    if lines.is_empty() { None } else { HeaderValue::from_bytes(&lines.join(&b", "[..])).ok() }
}

fn surrogate_keys(headers: &HeaderMap) -> Box<[Box<str>]> {
    let lines = headers.get_all(SURROGATE_KEY).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(str::split_ascii_whitespace).take(MAX_SURROGATE_KEYS).map(Box::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    const CONTEXT: Context = Context {
        media: true,
        authorised: false,
        personal: false,
        object_bytes: 100,
        negative_seconds: 30,
        error_seconds: 2,
        stale_if_error_seconds: 7,
    };

    fn parts(status: u16, fields: &[(&str, &str)]) -> response::Parts {
        let builder = fields.iter().fold(Response::builder().status(status), |b, (k, v)| b.header(*k, *v));
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn private_fields_stay_here() {
        let parts = parts(
            200,
            &[
                ("connection", "x-hop, close"),
                ("x-hop", "1"),
                ("surrogate-key", "asset-1  rev-2"),
                ("cdn-cache-control", "max-age=9"),
                ("age", "4"),
                ("content-digest", "sha-256=:AA==:"),
                ("cmsd-dynamic", "\"origin\";du"),
                ("segue-node", "0123456789abcdef"),
                ("content-type", "application/vnd.apple.mpegurl"),
                ("x-kept", "1"),
            ],
        );
        let head = Head::read(&parts, Some(300), true, &CONTEXT);
        for name in ["connection", "x-hop", "surrogate-key", "cdn-cache-control", "age", "content-digest"] {
            assert!(!head.headers.contains_key(name), "{name}");
        }
        assert_eq!(&*head.surrogate_keys, ["asset-1".into(), "rev-2".into()]);
        assert_eq!(head.headers["x-kept"], "1");
        assert_eq!(head.headers["vary"], "Accept-Encoding");
        assert_eq!(head.headers["access-control-allow-origin"], "*");
        assert_eq!((head.policy.lifetime_seconds, head.policy.initial_age_seconds), (9, 4));
    }

    /// An upstream's head lies in the buffer that it was read into, with what came behind it.
    #[test]
    fn what_is_kept_holds_no_buffer_of_the_upstream() {
        let buffer = bytes::Bytes::from(vec![b'a'; 1 << 20]);
        let mut parts = parts(200, &[("cache-control", "max-age=9")]);
        let value = |from| HeaderValue::from_maybe_shared(buffer.slice(from..from + 3)).unwrap();
        parts.headers.insert(ETAG, value(0));
        parts.headers.insert("x", value(3));
        let head = Head::read(&parts, Some(3), true, &CONTEXT);
        let again = head.confirmed_by(&parts, &CONTEXT);
        drop(parts);
        assert_eq!((head.etag(), again.etag()), (Some("aaa"), Some("aaa")));
        assert!(buffer.is_unique(), "a megabyte is kept for six bytes");
    }

    #[test]
    fn confirmation_renews() {
        let first = parts(
            200,
            &[("cdn-cache-control", "max-age=9"), ("etag", "\"a\""), ("surrogate-key", "k"), ("x", "1")],
        );
        let head = Head::read(&first, Some(3), true, &CONTEXT);
        let silent = head.confirmed_by(&parts(304, &[("x", "2"), ("etag", "\"a\""), ("age", "1")]), &CONTEXT);
        assert_eq!(
            (silent.status, silent.policy.lifetime_seconds, silent.policy.initial_age_seconds),
            (StatusCode::OK, 9, 1)
        );
        assert_eq!((silent.headers["x"].to_str().unwrap(), silent.etag()), ("2", Some("\"a\"")));
        assert_eq!(silent.surrogate_keys.len(), 1);
        let told = head.confirmed_by(&parts(304, &[("cache-control", "max-age=5")]), &CONTEXT);
        assert_eq!(told.policy.lifetime_seconds, 5);
    }
}
