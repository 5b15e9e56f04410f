//! Errors towards clients: problem+json (RFC 9457), never cached, readable across origins.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use segue_manifests::path::PathError;
use segue_manifests::token::Refusal;

use crate::body::Body;
use crate::cors;
use crate::fill::Fault;

/// A request that is not answered with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Stable slug: metric label, log field, `type` and `code` of the body.
    pub(crate) code: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    /// The connection cannot be used further (HTTP/1.1 only): what follows on it cannot be told apart.
    close: bool,
    /// Where another try may go well: after how many seconds.
    wait_s: u64,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, title: &'static str, detail: &'static str) -> Self {
        Self { status, code, title, detail: Cow::Borrowed(detail), close: false, wait_s: 1 }
    }

    const fn closing(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: &'static str,
    ) -> Self {
        Self { status, code, title, detail: Cow::Borrowed(detail), close: true, wait_s: 1 }
    }

    pub(crate) const METHOD: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        "only GET, HEAD and OPTIONS are served",
    );
    pub(crate) const BODY: Self = Self::closing(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-refused",
        "Request body refused",
        "requests for what the edge keeps carry no body",
    );
    pub(crate) const HEAD: Self = Self::closing(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "head-too-large",
        "Request head too large",
        "the request has more fields, or longer ones, than this edge accepts",
    );
    pub(crate) const MALFORMED: Self = Self::closing(
        StatusCode::BAD_REQUEST,
        "malformed-request",
        "Bad request",
        "what came is no HTTP/1.1 request, or its end cannot be told",
    );
    pub(crate) const HOST: Self = Self::closing(
        StatusCode::BAD_REQUEST,
        "host-header",
        "Bad request",
        "an HTTP/1.1 request needs exactly one Host field",
    );
    pub(crate) const AUTHORITY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "host-header",
        "Bad request",
        "an HTTP/2 request needs :authority or a Host field",
    );
    pub(crate) const TARGET: Self = Self::new(
        StatusCode::URI_TOO_LONG,
        "target-too-long",
        "Request target too long",
        "the request target is longer than this edge accepts",
    );
    pub(crate) const LOOP: Self = Self::new(
        StatusCode::LOOP_DETECTED,
        "loop-detected",
        "Loop detected",
        "the request came through this edge before; check whom the upstreams of these edges lead to",
    );
    pub(crate) const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", "there is no such resource");
    pub(crate) const NOT_STORED: Self = Self::new(
        StatusCode::GATEWAY_TIMEOUT,
        "only-if-cached",
        "Not in memory",
        "the request wants only what is stored, and nothing that fits is",
    );
    pub(crate) const NO_KEYS: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "keys-not-loaded",
        "Not ready",
        "this edge has no signing keys yet; try again",
    );

    pub(crate) fn path(error: PathError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.code(), "Path refused", "the path could mean two things")
    }

    pub(crate) fn refusal(refusal: Refusal) -> Self {
        let mut problem = Self::new(StatusCode::FORBIDDEN, refusal.code(), "Access refused", "");
        problem.detail = Cow::Owned(refusal.to_string());
        problem
    }

    /// The client has sent too many forged tokens; in `wait_s` seconds another one is checked.
    pub(crate) fn forgeries(wait_s: u64) -> Self {
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-forgeries",
            "Too many forged tokens",
            "many tokens from this address were forged, so that new ones are not checked for a while",
        );
        Self { wait_s, ..problem }
    }

    pub(crate) fn fault(fault: Fault) -> Self {
        let (title, detail) = match fault.status() {
            _ if fault == Fault::Overloaded => (
                "Edge overloaded",
                "this edge fetches as much as it has room for; try again in a moment, or at another edge",
            ),
            StatusCode::GATEWAY_TIMEOUT => ("Upstream too slow", "the upstream did not answer in time"),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("Request body too large", "the content is larger than this edge tells on")
            }
            StatusCode::REQUEST_TIMEOUT => ("Request body missing", "the content did not come to its end"),
            _ => ("Upstream failed", "the object could not be fetched from the upstream"),
        };
        match fault {
            Fault::ContentTooLarge | Fault::ContentBroken => {
                Self::closing(fault.status(), fault.code(), title, detail)
            }
            _ => Self::new(fault.status(), fault.code(), title, detail),
        }
    }

    /// As another edge is told: there 503 says that this edge cannot, and what its upstreams cannot is 502.
    pub(crate) fn for_an_edge(self) -> Self {
        let upstreams = self.code == Fault::Resting.code();
        Self { status: if upstreams { StatusCode::BAD_GATEWAY } else { self.status }, ..self }
    }

    pub(crate) fn response(self) -> Response<Body> {
        let body = serde_json::json!({
            "type": format!("/problems/{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        let mut response = Response::new(Body::full(Bytes::from(body.to_string())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        cors::allow(headers);
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => {
                headers.insert(RETRY_AFTER, HeaderValue::from(self.wait_s));
            }
            _ => {}
        }
        response
    }
}
