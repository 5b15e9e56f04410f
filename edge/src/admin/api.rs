//! The admin API:
//!
//! | request | answer |
//! |---|---|
//! | `GET /healthz` | 200 while the process runs |
//! | `GET /readyz` | 200 when the edge takes requests, else 503 |
//! | `GET /metrics` | metrics for Prometheus |
//! | `POST /purge` | see [`super::purge`]; needs the bearer secret |
//! | `POST /revoke` | see [`super::revoke`]; needs the bearer secret |
//! | `POST /prefetch` | see [`super::prefetch`]; needs the bearer secret |

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use tokio::sync::Notify;

use super::revoke::NotRevoked;
use super::{prefetch, purge, revoke};
use crate::edge::Edge;
use crate::secret::Secret;

/// Largest request body, bytes.
const BODY_LIMIT: usize = 1 << 20;
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) type Answer = Response<Full<Bytes>>;

pub(super) async fn answer(edge: &Arc<Edge>, sweep: &Notify, request: Request<Incoming>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") => text(StatusCode::OK, "text/plain", "ok\n"),
        (&Method::GET | &Method::HEAD, "/readyz") => ready(edge),
        (&Method::GET, "/metrics") => {
            edge.bases.show();
            let metrics =
                edge.metrics.text(edge.store.size(), edge.depot.bytes(), &edge.load, edge.is_ready());
            text(StatusCode::OK, METRICS_TYPE, metrics)
        }
        (&Method::POST, "/purge") => purge(edge, sweep, request).await,
        (&Method::POST, "/prefetch") => match authorised_body(edge, request).await {
            Ok(body) => match prefetch::prefetch(edge, &body) {
                Ok(done) => text(StatusCode::OK, "application/json", done.to_string()),
                Err(detail) => problem(StatusCode::BAD_REQUEST, "prefetch-malformed", &detail),
            },
            Err(refused) => refused,
        },
        (&Method::POST, "/revoke") => revoke(edge, request).await,
        (_, "/healthz" | "/readyz" | "/metrics" | "/purge" | "/revoke" | "/prefetch") => {
            problem(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this resource has another method")
        }
        _ => problem(StatusCode::NOT_FOUND, "not-found", "there is no such resource"),
    }
}

fn ready(edge: &Edge) -> Answer {
    if edge.is_ready() {
        text(StatusCode::OK, "text/plain", "ready\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "not ready\n")
    }
}

async fn purge(edge: &Arc<Edge>, sweep: &Notify, request: Request<Incoming>) -> Answer {
    let body = match authorised_body(edge, request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match purge::purge(edge, &body) {
        Ok(done) => {
            sweep.notify_one();
            text(StatusCode::OK, "application/json", done.to_string())
        }
        Err(detail) => problem(StatusCode::BAD_REQUEST, "purge-malformed", &detail),
    }
}

async fn revoke(edge: &Arc<Edge>, request: Request<Incoming>) -> Answer {
    let body = match authorised_body(edge, request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match revoke::revoke(edge, &body).await {
        Ok(done) => text(StatusCode::OK, "application/json", done.to_string()),
        Err(NotRevoked::Malformed(detail)) => problem(StatusCode::BAD_REQUEST, "revoke-malformed", &detail),
        Err(NotRevoked::Full) => {
            let detail = "too much is revoked already; revoke the signing key instead";
            problem(StatusCode::INSUFFICIENT_STORAGE, "revoke-full", detail)
        }
    }
}

/// The body of a request that shows the bearer secret.
async fn authorised_body(edge: &Edge, request: Request<Incoming>) -> Result<Bytes, Answer> {
    if let Some(refused) = refusal(&edge.config.admin_secret, request.headers()) {
        return Err(refused);
    }
    let body = Limited::new(request.into_body(), BODY_LIMIT).collect().await;
    body.map(|body| body.to_bytes()).map_err(|_| {
        let detail = "the body is larger than 1 MiB, or broke off; use several requests";
        problem(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
    })
}

/// Why the request may do nothing here; `None` when it may.
fn refusal(secret: &str, headers: &HeaderMap) -> Option<Answer> {
    let Some(secret) = Secret::new(secret) else {
        let detail = "purging, revoking and prefetching are off; set admin_secret to switch them on";
        return Some(problem(StatusCode::FORBIDDEN, "purge-off", detail));
    };
    if secret.is_shown(headers) {
        return None;
    }
    let mut refused =
        problem(StatusCode::UNAUTHORIZED, "unauthorized", "the bearer secret is missing or wrong");
    refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Some(refused)
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error (RFC 9457).
fn problem(status: StatusCode, code: &str, detail: &str) -> Answer {
    let body = serde_json::json!({
        "type": format!("/problems/{code}"),
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    text(status, "application/problem+json", body.to_string())
}
