//! Errors as clients see them: RFC 9457 problem details.
//!
//! The reason inside is logged where the problem is made and never sent.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::trace::Trace;

/// A refused or failed request. `slug` is the stable, machine-readable type.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
    // Boxed: problems travel in results, and most requests have none.
    headers: Box<HeaderMap>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// This occurrence: the trace that it belongs to, as log lines name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

impl Problem {
    /// A problem; `detail` tells the client what to do about it.
    pub(crate) fn new(
        status: StatusCode,
        slug: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { status, slug, title, detail: detail.into(), headers: Box::new(headers) }
    }

    /// 404
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 400
    pub(crate) fn bad_request(slug: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, slug, "Bad request", detail)
    }

    /// 422: a member of the body cannot be taken; the detail names it.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Invalid member", detail)
    }

    /// 400: a cursor that the list did not hand out.
    pub(crate) fn bad_cursor() -> Self {
        let detail = "The cursor is not one that this list handed out. Start over without a cursor.";
        Self::bad_request("bad-cursor", detail)
    }

    /// 412: someone else has changed it.
    pub(crate) fn stale() -> Self {
        let detail =
            "It has changed since it was read. Read it again, then change it with the new entity-tag.";
        Self::new(StatusCode::PRECONDITION_FAILED, "stale", "Changed meanwhile", detail)
    }

    /// 409: it is at odds with what is there.
    pub(crate) fn conflict(slug: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, slug, "Conflict", detail)
    }

    /// 503 with `Retry-After`; the reason inside is logged.
    pub(crate) fn unavailable(detail: &'static str, reason: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%reason, "answering 503: {detail}");
        Self::busy("unavailable", detail)
    }

    /// 503 with `Retry-After`.
    pub(crate) fn busy(slug: &'static str, detail: &'static str) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, slug, "Temporarily unavailable", detail);
        problem.with(RETRY_AFTER, "2")
    }

    /// 502: what lies behind this server is damaged; the reason inside is logged.
    pub(crate) fn damaged(detail: &'static str, reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "answering 502: {detail}");
        Self::new(StatusCode::BAD_GATEWAY, "damaged", "Damaged in the store", detail)
    }

    /// 500; the reason inside is logged.
    pub(crate) fn internal(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "answering 500");
        let detail = "Something went wrong inside the server. Its log says more.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let body = Body {
            r#type: format!("/problems/{}", self.slug),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: Trace::current().map(|trace| format!("/traces/{}", trace.id())),
        };
        let json = serde_json::to_vec(&body).expect("a problem is text and a number");
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        (self.status, *self.headers, json).into_response()
    }
}

impl From<crate::database::DatabaseError> for Problem {
    fn from(error: crate::database::DatabaseError) -> Self {
        if error.is_temporary() {
            return Self::unavailable("The catalog is not reachable at the moment. Try again.", &error);
        }
        Self::internal(&error)
    }
}

impl From<crate::catalog::CatalogError> for Problem {
    fn from(error: crate::catalog::CatalogError) -> Self {
        match error {
            crate::catalog::CatalogError::Cursor(_) => Self::bad_cursor(),
            crate::catalog::CatalogError::Database(error) => error.into(),
        }
    }
}

impl From<crate::accounts::AccountError> for Problem {
    fn from(error: crate::accounts::AccountError) -> Self {
        use crate::accounts::AccountError as E;
        match error {
            E::Invalid(invalid) => Self::invalid(format!("{invalid}.")),
            E::Taken(what) => Self::conflict("taken", format!("This {what} is taken. Choose another.")),
            E::Closed => {
                let detail = "This server takes no new accounts.";
                Self::new(StatusCode::FORBIDDEN, "registration-closed", "Registration is closed", detail)
            }
            E::Uninvited => {
                let detail =
                    "An account needs a valid invitation. Ask an administrator of this server for one.";
                Self::new(StatusCode::FORBIDDEN, "invitation-needed", "Invitation needed", detail)
            }
            E::Wrong => {
                let detail = "Name or password is wrong.";
                Self::new(StatusCode::FORBIDDEN, "wrong-password", "Wrong name or password", detail)
            }
            E::Throttled(wait) => {
                let detail = "Too many failed attempts. Wait as long as Retry-After says.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts", detail)
                    .with(RETRY_AFTER, &wait.as_secs().to_string())
            }
            E::Unknown => Self::not_found("There is no user of this identifier."),
            E::Stale => Self::stale(),
            E::LastAdministrator => Self::conflict(
                "last-administrator",
                "This is the only administrator. Make another one first.",
            ),
            E::Full(what) => Self::conflict("full", format!("There are {what} already. Delete one first.")),
            E::Busy(error) => Self::unavailable("Too many sign-ins at once. Try again.", &error),
            E::Database(error) => error.into(),
        }
    }
}

/// 404 for paths that are nothing.
pub(crate) async fn no_such_path() -> Problem {
    Problem::not_found("Nothing lies at this path.")
}

/// 405; the router adds `Allow`.
pub(crate) async fn no_such_method() -> Problem {
    let detail = "The resource does not have this method. The Allow header names those that it has.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
}
