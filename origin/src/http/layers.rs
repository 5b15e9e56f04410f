//! Around every route: request ids, traces, metrics, logs; shedding, deadlines, panics; headers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::Problem;
use super::trace::Trace;
use crate::listen::Peer;
use crate::metrics::Metrics;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const MEDIA: &str = "/v1/{*path}";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Routes that must answer when everything else is too much.
const ALWAYS: [&str; 2] = ["/healthz", "/readyz"];
/// A year. Only this host: names below it are not the origin's business.
const HSTS: &str = "max-age=31536000";
const CSP: &str = "default-src 'self'; connect-src *; media-src * blob:; img-src 'self' data: blob:; \
                   style-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; \
                   frame-ancestors 'none'";
const EXPOSED: &str = "Age, Cache-Status, Content-Range, ETag, Location, RateLimit, RateLimit-Policy, Retry-After, \
                       Server-Timing, X-Request-Id";

/// What the layers work with.
#[derive(Debug)]
pub(crate) struct Shell {
    metrics: Arc<Metrics>,
    /// Requests at work.
    gate: Semaphore,
    request_timeout: Duration,
    cors_origins: Vec<String>,
}

impl Shell {
    /// At most `requests` are worked on at once, each for `request_timeout`.
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        requests: usize,
        request_timeout: Duration,
        cors_origins: Vec<String>,
    ) -> Arc<Self> {
        let gate = Semaphore::new(requests.min(Semaphore::MAX_PERMITS));
        Arc::new(Self { metrics, gate, request_timeout, cors_origins })
    }
}

/// Names the request, measures it and logs it: by route template, never by path, which may hold a token.
pub(crate) async fn observe(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trace = Trace::of(request.headers());
    let id = request_id(request.headers(), &trace);
    let method = request.method().clone();
    let route = route(&request).to_owned();
    let span = tracing::info_span!("request", request.id = %id, trace.id = %trace.id());
    let mut response = trace.cover(next.run(request)).instrument(span.clone()).await;
    let took = started.elapsed();
    shell.metrics.request(&method, &route, response.status().as_u16(), took);
    span.in_scope(|| {
        let duration_ms = took.as_secs_f64() * 1000.0;
        tracing::debug!(%method, %route, status = response.status().as_u16(), duration_ms, "request answered");
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    // Edges keep media with its headers.
    if route != MEDIA {
        response.headers_mut().insert(SERVER_TIMING, server_timing(took));
    }
    response
}

/// How long the answer took to be made, in milliseconds (W3C Server Timing).
fn server_timing(took: Duration) -> HeaderValue {
    let text = format!("total;dur={:.3}", took.as_secs_f64() * 1000.0);
    HeaderValue::from_str(&text).expect("ASCII")
}

fn route(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str)
}

/// The caller's request id if it is a sane one, else that of the trace.
fn request_id(headers: &HeaderMap, trace: &Trace) -> String {
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(|| trace.id(), str::to_owned)
}

/// Refuses work beyond the limit, ends what takes too long, and turns a panic into an answer.
pub(crate) async fn guard(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response {
    if !has_host(&request) {
        let detail = "An HTTP/1.1 request needs exactly one Host field.";
        return Problem::bad_request("host-header", detail).into_response();
    }
    let always = ALWAYS.contains(&route(&request));
    let permit = shell.gate.try_acquire();
    if permit.is_err() && !always {
        shell.metrics.shed.inc();
        return Problem::busy("overloaded", "Too many requests are at work. Try again.").into_response();
    }
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(shell.request_timeout, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal(&"a handler panicked").into_response(),
        Err(_) => Problem::busy("too-slow", "The answer took too long. Try again.").into_response(),
    }
}

/// RFC 9112 3.2: 400 for HTTP/1.1 without exactly one `Host`. HTTP/2 has `:authority`.
fn has_host(request: &Request) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    if request.version() == Version::HTTP_11 { hosts == 1 } else { hosts <= 1 }
}

/// Security headers, and CORS with its preflight (Fetch standard 3.2).
pub(crate) async fn headers(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response {
    let allowed = cors_origin(&shell.cors_origins, request.headers().get(ORIGIN));
    let secure = request.extensions().get::<Peer>().is_some_and(|peer| peer.secure);
    // Media is no page, and edges pass its headers on with every segment.
    let media = request.uri().path().starts_with("/v1/");
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if preflight {
        put(headers, ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE");
        put(
            headers,
            ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, If-Match, If-None-Match, Range, Traceparent, Tracestate, X-Request-Id",
        );
        put(headers, ACCESS_CONTROL_MAX_AGE, "86400");
    }
    if let Some(allowed) = allowed {
        if allowed != "*" {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        put(headers, ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    if !media {
        put(headers, CONTENT_SECURITY_POLICY, CSP);
        put(headers, X_FRAME_OPTIONS, "DENY");
        put(headers, REFERRER_POLICY, "no-referrer");
        if secure {
            put(headers, STRICT_TRANSPORT_SECURITY, HSTS);
        }
        put(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    response
}

/// The value of `Access-Control-Allow-Origin` for a request, if scripts from there may read the answer.
fn cors_origin(configured: &[String], origin: Option<&HeaderValue>) -> Option<HeaderValue> {
    if configured.iter().any(|it| it == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    origin.filter(|origin| configured.iter().any(|it| it.as_bytes() == origin.as_bytes())).cloned()
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cors_follows_the_configuration() {
        let page = HeaderValue::from_static("https://app.example");
        assert_eq!(cors_origin(&["*".into()], None), Some(HeaderValue::from_static("*")));
        assert_eq!(cors_origin(&["https://app.example".into()], Some(&page)), Some(page.clone()));
        assert_eq!(cors_origin(&["https://other.example".into()], Some(&page)), None);
        assert_eq!(cors_origin(&[], Some(&page)), None);
    }

    #[test]
    fn request_ids_of_strangers_are_checked() {
        let with = |id: &'static str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(id))]);
        let trace = Trace::of(&HeaderMap::new());
        assert_eq!(request_id(&with("abc-1.2_3"), &trace), "abc-1.2_3");
        for bad in ["", "a b", "a\"b", "x=1"] {
            assert_eq!(request_id(&with(bad), &trace), trace.id(), "{bad}");
        }
    }
}
