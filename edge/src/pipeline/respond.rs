//! Step 5: the response that this request asks for: a part, a coding, only the head, or "not modified".

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE,
    ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use segue_manifests::token::Method;

use super::fill::{Filled, Source};
use super::route::Wanted;
use crate::body::Body;
use crate::cache::{Gzip, Head, Object};
use crate::edge::Edge;
use crate::fill::Reader;
use crate::prefetch;
use crate::semantics::range::{self, RangeRequest};
use crate::semantics::{cmsd, conditional, encoding};

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const CMSD_STATIC: HeaderName = HeaderName::from_static("cmsd-static");
const CMSD_DYNAMIC: HeaderName = HeaderName::from_static("cmsd-dynamic");
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Builds the response.
pub(crate) fn respond(
    edge: &Edge,
    wanted: &Wanted,
    asked: &HeaderMap,
    filled: Filled,
    started: Instant,
) -> Response<Body> {
    let head = filled.head().clone();
    let mut headers = head.headers.clone();
    describe(edge, &filled, &mut headers, started);
    if wanted.told.is_some() {
        let dynamic = cmsd::dynamic_of(&edge.config.name, edge.load.is_in_duress());
        let value = dynamic.and_then(|text| HeaderValue::from_str(&text).ok());
        headers.extend(value.map(|value| (CMSD_DYNAMIC, value)));
    }
    if wanted.told.is_some() && head.status == StatusCode::OK && !headers.contains_key(CMSD_STATIC) {
        let object = match &filled.source {
            Source::Object(object) => Some(object),
            _ => None,
        };
        let description = prefetch::description(edge, wanted.media.as_ref(), object);
        headers.extend(description.map(|value| (CMSD_STATIC, value)));
    }
    if wanted.downstream {
        head.tell_downstream(&mut headers);
    }
    let mut response = if head.status != StatusCode::OK {
        whole(filled.source, head.status, headers)
    } else if not_modified(asked, &head) {
        bare(StatusCode::NOT_MODIFIED, headers)
    } else {
        match (gzip_for(asked, &filled.source), part(asked, wanted.method, &head, filled.source.length())) {
            (_, Part::Range(range)) => partial(filled.source, range, headers),
            (_, Part::Outside(length)) => outside(length, headers),
            (Some(gzip), Part::Whole) => zipped(&gzip, headers),
            (None, Part::Whole) => whole(filled.source, StatusCode::OK, headers),
        }
    };
    if wanted.method == Method::Head {
        drop_body(&mut response);
    }
    response
}

/// The upstream's response to a request that was told on, whatever it is.
pub(crate) fn as_it_came(edge: &Edge, filled: Filled, started: Instant) -> Response<Body> {
    let head = filled.head().clone();
    let mut headers = head.headers.clone();
    headers.remove(ACCEPT_RANGES);
    describe(edge, &filled, &mut headers, started);
    whole(filled.source, head.status, headers)
}

/// The fields that differ from response to response.
fn describe(edge: &Edge, filled: &Filled, headers: &mut HeaderMap, started: Instant) {
    let now_ms = edge.clock.now_ms();
    let (age, ttl) = match &filled.source {
        Source::Object(object) | Source::Slices(object, _) => {
            (object.age_s(now_ms), Some(object.ttl_s(now_ms)))
        }
        Source::Stream(head, _) => (head.policy.initial_age_seconds, Some(head.policy.fresh_s())),
        Source::Pass(head, _) => (head.policy.initial_age_seconds, None),
    };
    // `Age` says that the response is not first-hand (RFC 9111 5.1).
    if age > 0 || filled.cache.is_from_memory() {
        headers.insert(AGE, HeaderValue::from(age));
    }
    if let Some(field) = filled.cache.field(&edge.config.name, ttl, filled.forwarded) {
        headers.append(CACHE_STATUS, field);
    }
    let micros = started.elapsed().as_micros();
    let mut timing = String::with_capacity(48);
    let written = write!(
        timing,
        "cache;desc={}, edge;dur={}.{:03}",
        filled.cache.label(),
        micros / 1000,
        micros % 1000
    );
    if let (Ok(()), Ok(value)) = (written, HeaderValue::from_str(&timing)) {
        headers.append(SERVER_TIMING, value);
    }
}

/// RFC 9110 13.2.2: `If-Modified-Since` counts only where there is no `If-None-Match`. What has no date of its last change
/// is as old as its response (RFC 9111 4.3.2).
pub(super) fn not_modified(asked: &HeaderMap, head: &Head) -> bool {
    let mut tags = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).peekable();
    if tags.peek().is_none() {
        let since = asked.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        return since.is_some_and(|since| {
            conditional::not_modified_since(since, head.last_modified().or(head.text(DATE)))
        });
    }
    let Some(etag) = head.etag() else { return tags.any(|field| field.trim() == "*") };
    let zipped = head.compressible.then(|| conditional::coded_tag(etag, "gzip")).flatten();
    tags.any(|field| {
        conditional::none_match_names(field, etag)
            || zipped.as_deref().is_some_and(|zipped| conditional::none_match_names(field, zipped))
    })
}

/// The gzip form, where there is one and the client takes it.
fn gzip_for(asked: &HeaderMap, source: &Source) -> Option<Gzip> {
    let Source::Object(object) = source else { return None };
    let gzip = object.gzip.as_ref()?;
    let accepted = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(encoding::accepts_gzip).then(|| gzip.clone())
}

/// What of an object is asked for.
pub(super) enum Part {
    Whole,
    Range(std::ops::Range<u64>),
    /// Of a representation of that length.
    Outside(u64),
}

/// Ranges are for GET (RFC 9110 14.2) and are cut from objects whose length is known.
pub(super) fn part(asked: &HeaderMap, method: Method, head: &Head, length: Option<u64>) -> Part {
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let (Some(length), Some(field), Method::Get) = (length, text(RANGE), method) else { return Part::Whole };
    let holds = text(IF_RANGE)
        .is_none_or(|cond| conditional::if_range_holds(cond, head.etag(), head.last_modified()));
    match range::parse(field, length) {
        _ if !holds => Part::Whole,
        RangeRequest::Whole => Part::Whole,
        RangeRequest::Part(range) => Part::Range(range),
        RangeRequest::Unsatisfiable => Part::Outside(length),
    }
}

fn build(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn whole(source: Source, status: StatusCode, headers: HeaderMap) -> Response<Body> {
    let body = match source {
        Source::Object(object) => Body::full(object.body.clone()),
        Source::Slices(_, reader) => Body::slices(reader),
        Source::Stream(head, waiter) => Body::reader(Reader::new(waiter, 0, head.length)),
        Source::Pass(head, body) => Body::pass(body, head.length),
    };
    build(status, headers, body)
}

fn partial(source: Source, range: std::ops::Range<u64>, mut headers: HeaderMap) -> Response<Body> {
    let length_of = source.length();
    let (length, body) = match source {
        Source::Object(object) => (object.body.len() as u64, Body::full(slice(&object, &range))),
        // It was opened for this range.
        Source::Slices(_, reader) => (length_of.unwrap_or(range.end), Body::slices(reader)),
        Source::Stream(head, waiter) => {
            let reader = Reader::new(waiter, range.start, Some(range.end - range.start));
            (head.length.unwrap_or(range.end), Body::reader(reader))
        }
        // Never cut: see `part`.
        Source::Pass(head, body) => return whole(Source::Pass(head, body), StatusCode::OK, headers),
    };
    let field = format!("bytes {}-{}/{length}", range.start, range.end - 1);
    headers.insert(CONTENT_RANGE, HeaderValue::from_str(&field).expect("digits and spaces are field text"));
    build(StatusCode::PARTIAL_CONTENT, headers, body)
}

fn slice(object: &Arc<Object>, range: &std::ops::Range<u64>) -> Bytes {
    object.body.slice(range.start as usize..range.end as usize)
}

/// 416 (RFC 9110 15.5.17).
fn outside(length: u64, mut headers: HeaderMap) -> Response<Body> {
    let field = format!("bytes */{length}");
    headers.insert(CONTENT_RANGE, HeaderValue::from_str(&field).expect("digits and signs are field text"));
    bare(StatusCode::RANGE_NOT_SATISFIABLE, headers)
}

fn zipped(gzip: &Gzip, mut headers: HeaderMap) -> Response<Body> {
    describe_gzip(&mut headers, gzip);
    build(StatusCode::OK, headers, Body::full(gzip.bytes.clone()))
}

/// The fields of the gzip form.
pub(super) fn describe_gzip(headers: &mut HeaderMap, gzip: &Gzip) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(ACCEPT_RANGES);
    headers.remove(REPR_DIGEST);
    match &gzip.etag {
        Some(etag) => drop(headers.insert(ETAG, etag.clone())),
        None => drop(headers.remove(ETAG)),
    }
}

/// A response without content: the fields that describe content go (RFC 9110 15.4.5).
fn bare(status: StatusCode, mut headers: HeaderMap) -> Response<Body> {
    for name in [CONTENT_TYPE, CONTENT_ENCODING, REPR_DIGEST] {
        headers.remove(name);
    }
    build(status, headers, Body::empty())
}

/// HEAD: the fields of the response to GET, `Content-Length` included, without its body (RFC 9110 9.3.2).
fn drop_body(response: &mut Response<Body>) {
    let has_content = !matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
    if let Some(length) = response.body().length().filter(|_| has_content) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}
