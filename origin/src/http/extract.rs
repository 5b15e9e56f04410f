//! Extractors whose refusals are problems.

use std::convert::Infallible;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Problem;
use super::accept::Accepted;
use super::range::{self, Wanted};
use crate::json::holds_nul;

/// What a request asks of a representation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// Only the head.
    pub(crate) head: bool,
    /// Content codings that are accepted.
    pub(super) accepted: Accepted,
    none_match: Vec<String>,
    range: Option<String>,
    if_range: Option<String>,
}

impl Conditions {
    /// Reads the conditions of a request.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        Self {
            head: method == Method::HEAD,
            accepted: Accepted::of(headers),
            none_match: headers.get_all(IF_NONE_MATCH).iter().filter_map(text).collect(),
            // Ranges are defined for GET alone (RFC 9110 14.2).
            range: headers.get(RANGE).filter(|_| method == Method::GET).and_then(text),
            if_range: headers.get(IF_RANGE).and_then(text),
        }
    }

    /// Whether `If-None-Match` names that entity-tag; the comparison is the weak one (RFC 9110 13.1.2).
    pub(crate) fn none_match(&self, etag: &str) -> bool {
        let mut members = self.none_match.iter().flat_map(|value| value.split(',')).map(str::trim);
        members.any(|member| member == "*" || member.strip_prefix("W/").unwrap_or(member) == etag)
    }

    /// The bytes asked for. `If-Range` holds only with the same strong tag (RFC 9110 13.1.5).
    pub(super) fn wanted(&self, length: u64, etag: &str) -> Wanted {
        let current = self.if_range.as_deref().is_none_or(|given| given == etag);
        match &self.range {
            Some(range) if current => range::wanted(range, length),
            _ => Wanted::Whole,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.method, &parts.headers))
    }
}

/// The one parameter of the path, percent-decoded.
pub(crate) struct PathText(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        // Not UTF-8 when decoded: no resource has such a name.
        let Path(text) = read.map_err(|_| Problem::not_found("Nothing lies at this path."))?;
        Ok(Self(text))
    }
}

/// The parameters of the path, percent-decoded.
pub(crate) struct PathTexts<const N: usize>(pub(crate) [String; N]);

impl<const N: usize, S: Send + Sync> FromRequestParts<S> for PathTexts<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let nothing = || Problem::not_found("Nothing lies at this path.");
        let Path(texts) =
            Path::<Vec<String>>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        texts.try_into().map(Self).map_err(|_| nothing())
    }
}

/// Query parameters.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        let Query(query) = read.map_err(|error: QueryRejection| {
            Problem::bad_request("bad-query", format!("The query cannot be read: {}.", error.body_text()))
        })?;
        Ok(Self(query))
    }
}

/// A JSON object as body; an absent one is the default.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await.map_err(unread)?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        read_object(&body).map(Self).map_err(|reason| Problem::bad_request("bad-json", reason))
    }
}

/// The body as it is.
pub(crate) struct WholeBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for WholeBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(unread)
    }
}

/// A member that a body must have.
pub(crate) fn needed<T>(given: Option<T>, member: &str) -> Result<T, Problem> {
    given.ok_or_else(|| Problem::invalid(format!("{member}: is missing.")))
}

fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        format!("The body is not JSON (line {}, column {}).", error.line(), error.column())
    })?;
    if !value.is_object() {
        return Err("The body must be a JSON object.".to_owned());
    }
    if holds_nul(&value) {
        return Err("The body holds the character U+0000, which stands in no text.".to_owned());
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        match reason.rsplit_once(", expected ") {
            Some((_, expected)) if reason.starts_with("invalid ") => {
                format!("{path}: {} is expected here.", in_words(expected))
            }
            // Unknown and missing members are named by the text itself.
            _ => format!("The body cannot be taken: {reason}."),
        }
    })
}

/// What serde expects, without the names of Rust's types.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") => "an object",
        other => other,
    }
}

fn unread(error: BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = "The body is longer than this route takes.";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large", detail);
    }
    Problem::bad_request("bad-body", "The body ended before it was complete.")
}

/// An identifier from the path; text that cannot be one names nothing.
pub(crate) fn id<T: FromStr>(text: &str, what: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found(format!("There is no {what} of this identifier.")))
}
