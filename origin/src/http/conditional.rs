//! Validators for answers that bring none, and 304 where the client's copy is still right (RFC 9110 8.8.3, 13.1.2).

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{Method, StatusCode};
use segue_manifests::Sha256;

use super::representation::strong_etag;
use super::{Conditions, Problem};

/// Longest body that is hashed, bytes.
const MAX_HASHED: u64 = 64 << 20;

/// Gives every whole answer to GET and HEAD an entity-tag, and cuts those that the client has already.
pub(crate) async fn validate(request: Request, next: Next) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return next.run(request).await;
    }
    let conditions = Conditions::of(request.method(), request.headers());
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let response = match with_etag(response).await {
        Ok(response) => response,
        Err(problem) => return problem.into_response(),
    };
    let known = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
    if known.is_some_and(|etag| conditions.none_match(etag)) { not_modified(response) } else { response }
}

/// Bodies that arrive bit by bit stay as they are; none of the API's do.
async fn with_etag(response: Response) -> Result<Response, Problem> {
    let whole = response.body().size_hint().exact().is_some_and(|length| length <= MAX_HASHED);
    if response.headers().contains_key(ETAG) || !whole {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_HASHED as usize).await.map_err(|error| Problem::internal(&error))?;
    parts.headers.insert(ETAG, strong_etag(&Sha256::of(&body)));
    Ok(Response::from_parts(parts, body.into()))
}

fn not_modified(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, Body::empty())
}
