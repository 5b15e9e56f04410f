//! Representations: bytes with a validator, perhaps also compressed, answered under conditions (RFC 9110 8, 13).

use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use segue_manifests::Sha256;

use super::accept::Coding;
use super::range::Wanted;
use super::{Conditions, Problem};

/// Below this many bytes compressing is not worth it.
const MIN_CODED: usize = 1024;
/// Of zstd, for what is compressed while a client waits.
const ZSTD_LEVEL: i32 = 3;

/// One encoding of a representation.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    body: Bytes,
    length: u64,
    digest: Sha256,
    etag: HeaderValue,
}

impl Variant {
    /// These bytes, hashed here.
    pub(crate) fn of(body: Bytes) -> Self {
        let digest = Sha256::of(&body);
        Self::known(body, digest)
    }

    /// These bytes, of which the digest is known.
    pub(crate) fn known(body: Bytes, digest: Sha256) -> Self {
        Self { length: body.len() as u64, body, digest, etag: strong_etag(&digest) }
    }

    /// The same as bytes of that length and digest, for answers that need no body.
    pub(crate) fn bodyless(length: u64, digest: Sha256) -> Self {
        Self { body: Bytes::new(), length, digest, etag: strong_etag(&digest) }
    }

    /// The variant that is compressed by gzip, where that is worth it.
    pub(crate) fn gzip(body: &[u8]) -> Option<Self> {
        if body.len() < MIN_CODED {
            return None;
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(5));
        encoder.write_all(body).expect("writing to memory does not fail");
        let packed = encoder.finish().expect("writing to memory does not fail");
        (packed.len() < body.len()).then(|| Self::of(packed.into()))
    }

    /// The variant that is compressed by zstd, where that is worth it.
    pub(crate) fn zstd(body: &[u8]) -> Option<Self> {
        Self::zstd_at(body, ZSTD_LEVEL)
    }

    /// The same at that level, 1 to 19.
    pub(crate) fn zstd_at(body: &[u8], level: i32) -> Option<Self> {
        if body.len() < MIN_CODED {
            return None;
        }
        let packed = zstd::bulk::compress(body, level).ok()?;
        (packed.len() < body.len()).then(|| Self::of(packed.into()))
    }

    /// Bytes that the variant holds.
    pub(crate) fn weight(&self) -> usize {
        self.body.len()
    }

    fn etag(&self) -> &str {
        self.etag.to_str().unwrap_or_default()
    }

    fn repr_digest(&self) -> String {
        format!("sha-256=:{}:", STANDARD.encode(self.digest.0))
    }
}

/// The strong entity-tag of bytes: 128 bits of their digest.
pub(crate) fn strong_etag(digest: &Sha256) -> HeaderValue {
    let text = format!("\"{}\"", hex::encode(&digest.0[..16]));
    HeaderValue::from_str(&text).expect("quotes and hexadecimal digits")
}

/// A resource's content, ready to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Representation {
    content_type: HeaderValue,
    cache_control: &'static str,
    plain: Variant,
    /// Compressed when it is first asked for, unless it was given.
    gzip: OnceLock<Option<Variant>>,
    zstd: OnceLock<Option<Variant>>,
    /// Media answers carry `Repr-Digest` (RFC 9530) and take ranges.
    media: bool,
    headers: HeaderMap,
}

impl Representation {
    /// A representation without a compressed variant.
    pub(crate) fn new(content_type: &'static str, cache_control: &'static str, plain: Variant) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        let none = || OnceLock::from(None);
        let headers = HeaderMap::new();
        Self { content_type, cache_control, plain, gzip: none(), zstd: none(), media: false, headers }
    }

    /// JSON, compressed where that is worth it; to be asked for anew each time.
    pub(crate) fn json(value: &impl serde::Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("answers have only string keys");
        let plain = Self::new("application/json", "no-cache", Variant::of(json.into()));
        Self { gzip: OnceLock::new(), zstd: OnceLock::new(), ..plain }
    }

    /// The same with a variant compressed by gzip.
    pub(crate) fn with_gzip(mut self, gzip: Option<Variant>) -> Self {
        self.gzip = OnceLock::from(gzip);
        self
    }

    /// The same with a variant compressed by zstd.
    pub(crate) fn with_zstd(mut self, zstd: Option<Variant>) -> Self {
        self.zstd = OnceLock::from(zstd);
        self
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same as media: `Repr-Digest` is sent, ranges are taken.
    pub(crate) fn into_media(mut self) -> Self {
        self.media = true;
        self
    }

    /// Bytes that the variants hold in memory; for one that may come half of the plain ones are counted.
    pub(crate) fn weight(&self) -> usize {
        let coded = |it: &OnceLock<Option<Variant>>| match it.get() {
            Some(made) => made.as_ref().map_or(0, Variant::weight),
            None => self.plain.weight() / 2,
        };
        self.plain.weight() + coded(&self.gzip) + coded(&self.zstd)
    }

    /// Whether the body is not needed: the client's copy is still right, or only the head is asked for.
    pub(crate) fn is_bodyless(&self, conditions: &Conditions) -> bool {
        conditions.head || conditions.none_match(self.selected(conditions).0.etag())
    }

    /// Whether a change that asks for this `If-Match` may be made (RFC 9110 13.1.1): it names one of the variants, or
    /// any.
    pub(crate) fn fits(&self, if_match: Option<&str>) -> bool {
        let Some(if_match) = if_match else { return true };
        let mut members = if_match.split(',').map(str::trim);
        let named = |it: &str| {
            Coding::ALL.iter().any(|coding| self.variant(*coding).is_some_and(|variant| variant.etag() == it))
        };
        members.any(|it| it == "*" || named(it))
    }

    /// The variant that the client takes, and how it is written.
    fn selected(&self, conditions: &Conditions) -> (&Variant, Coding) {
        let coding = conditions.accepted.best(|coding| self.variant(coding).is_some());
        (self.variant(coding).unwrap_or(&self.plain), coding)
    }

    /// Whether there are other variants, or will be.
    fn is_coded(&self) -> bool {
        let may_be = |it: &OnceLock<Option<Variant>>| it.get().is_none_or(Option::is_some);
        self.plain.body.len() >= MIN_CODED && (may_be(&self.gzip) || may_be(&self.zstd))
    }

    fn variant(&self, coding: Coding) -> Option<&Variant> {
        match coding {
            Coding::Identity => Some(&self.plain),
            Coding::Gzip => self.gzip.get_or_init(|| Variant::gzip(&self.plain.body)).as_ref(),
            Coding::Zstd => self.zstd.get_or_init(|| Variant::zstd(&self.plain.body)).as_ref(),
        }
    }

    /// The answer under these conditions.
    pub(crate) fn answer(&self, conditions: &Conditions) -> Response {
        let (variant, coding) = self.selected(conditions);
        let mut headers = self.headers.clone();
        self.put_validators(&mut headers, variant);
        if conditions.none_match(variant.etag()) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(CONTENT_TYPE, self.content_type.clone());
        if let Some(name) = coding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        if !self.media {
            return whole(variant, headers, conditions);
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        match conditions.wanted(variant.length, variant.etag()) {
            Wanted::Whole => whole(variant, headers, conditions),
            Wanted::Part(part) => {
                let range = format!("bytes {}-{}/{}", part.start, part.end - 1, variant.length);
                put(&mut headers, CONTENT_RANGE, &range);
                let body = variant.body.slice(part.start as usize..part.end as usize);
                (StatusCode::PARTIAL_CONTENT, headers, body).into_response()
            }
            Wanted::Unsatisfiable => {
                let detail = format!("The representation has {} bytes.", variant.length);
                let status = StatusCode::RANGE_NOT_SATISFIABLE;
                Problem::new(status, "range-not-satisfiable", "Range not satisfiable", detail)
                    .with(CONTENT_RANGE, &format!("bytes */{}", variant.length))
                    .into_response()
            }
        }
    }

    fn put_validators(&self, headers: &mut HeaderMap, variant: &Variant) {
        headers.insert(ETAG, variant.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        if self.is_coded() {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        if self.media {
            put(headers, HeaderName::from_static("repr-digest"), &variant.repr_digest());
        }
    }
}

fn whole(variant: &Variant, mut headers: HeaderMap, conditions: &Conditions) -> Response {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(variant.length));
    let body = if conditions.head { Body::empty() } else { Body::from(variant.body.clone()) };
    (StatusCode::OK, headers, body).into_response()
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use http::header::{ACCEPT_ENCODING, IF_NONE_MATCH, IF_RANGE, RANGE};

    fn media() -> Representation {
        Representation::new("audio/mp4", "public", Variant::of(Bytes::from_static(b"0123456789")))
            .into_media()
    }

    fn ask(it: &Representation, method: Method, headers: &[(HeaderName, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        it.answer(&Conditions::of(&method, &headers))
    }

    #[tokio::test]
    async fn media_answers_ranges_and_conditions() {
        let it = media();
        let etag = it.plain.etag().to_owned();
        let get = |headers: &[(HeaderName, &str)]| ask(&it, Method::GET, headers);
        let whole = get(&[]);
        assert_eq!(
            (whole.status(), &whole.headers()[ETAG]),
            (StatusCode::OK, &HeaderValue::from_str(&etag).unwrap())
        );
        assert!(whole.headers().contains_key("repr-digest"));
        let part = get(&[(RANGE, "bytes=2-4")]);
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.headers()[CONTENT_RANGE], "bytes 2-4/10");
        assert_eq!(axum::body::to_bytes(part.into_body(), 99).await.unwrap(), "234");
        assert_eq!(get(&[(RANGE, "bytes=10-")]).status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(get(&[(RANGE, "bytes=2-4"), (IF_RANGE, "\"old\"")]).status(), StatusCode::OK);
        assert_eq!(get(&[(RANGE, "bytes=2-4"), (IF_RANGE, &etag)]).status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(get(&[(IF_NONE_MATCH, &etag)]).status(), StatusCode::NOT_MODIFIED);
        let head = ask(&it, Method::HEAD, &[(RANGE, "bytes=2-4")]);
        assert_eq!(
            (head.status(), &head.headers()[CONTENT_LENGTH]),
            (StatusCode::OK, &HeaderValue::from_static("10"))
        );
    }

    #[test]
    fn compressed_variants_have_their_own_validator() {
        let text = "{\"a\":1}".repeat(500);
        let it = Representation::json(&text);
        let plain = ask(&it, Method::GET, &[]);
        let mut etags = vec![plain.headers()[ETAG].clone()];
        for coding in ["gzip", "zstd"] {
            let packed = ask(&it, Method::GET, &[(ACCEPT_ENCODING, coding)]);
            assert_eq!(packed.headers()[CONTENT_ENCODING], coding);
            assert_eq!(packed.headers()[VARY], "accept-encoding");
            assert!(!etags.contains(&packed.headers()[ETAG]));
            etags.push(packed.headers()[ETAG].clone());
        }
        let packed = it.variant(Coding::Zstd).unwrap();
        assert_eq!(zstd::bulk::decompress(&packed.body, 9999).unwrap(), *it.plain.body);
        assert!(Representation::json(&"short").variant(Coding::Zstd).is_none());
        assert_eq!(plain.headers()[VARY], "accept-encoding");
        let etag = plain.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(ask(&it, Method::GET, &[(IF_NONE_MATCH, &format!("W/\"x\", {etag}"))]).status(), 304);
        let packed = packed.etag();
        for fits in [None, Some("*"), Some(&*etag), Some(packed), Some(&format!("\"x\", {etag}"))] {
            assert!(it.fits(fits), "{fits:?}");
        }
        for not in ["", "\"x\"", &format!("W/{etag}")] {
            assert!(!it.fits(Some(not)), "{not}");
        }
    }
}
