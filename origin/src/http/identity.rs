//! Who asks: extractors that handlers name what they need with.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;

use super::Problem;
use crate::accounts::{Identity, Role};

/// Whoever asks; `None` is a guest. The gateway has put it there (see `http::gateway`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller(pub(crate) Option<Identity>);

/// Someone with an account; others are answered 401.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedIn(pub(crate) Identity);

/// Someone who may change the catalog; others are answered 401 or 403.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Curator(pub(crate) Identity);

/// Someone who rules over accounts; others are answered 401 or 403.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Administrator(pub(crate) Identity);

impl Caller {
    fn of(parts: &Parts) -> Option<Identity> {
        parts.extensions.get::<Identity>().copied()
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Self::of(parts)))
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Caller::of(parts).map(Self).ok_or_else(sign_in)
    }
}

impl<S: Sync> FromRequestParts<S> for Curator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        at_least(parts, Role::Curator).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        at_least(parts, Role::Administrator).map(Self)
    }
}

fn at_least(parts: &Parts, role: Role) -> Result<Identity, Problem> {
    let caller = Caller::of(parts).ok_or_else(sign_in)?;
    if caller.role >= role { Ok(caller) } else { Err(forbidden()) }
}

/// 401: an account is needed.
pub(crate) fn sign_in() -> Problem {
    let detail =
        "This needs an account. Sign in with POST /users/login and send the token as a bearer token.";
    Problem::new(StatusCode::UNAUTHORIZED, "sign-in", "Sign in first", detail)
        .with(WWW_AUTHENTICATE, "Bearer realm=\"segue\"")
}

/// 403: not with this account.
pub(crate) fn forbidden() -> Problem {
    let detail = "Your account may not do this.";
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
}
