//! `/songs/{id}/takedown`, for curators.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::catalog::SongId;
use crate::clock;
use crate::http::extract::id;
use crate::http::{Curator, JsonBody, PathText, Problem};

/// Longest reason that is kept, characters.
const MAX_REASON: usize = 500;

/// Body of `PUT /songs/{id}/takedown`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TakedownRequest {
    /// For the audit log.
    #[serde(default)]
    reason: String,
}

/// `PUT`: nobody can play the song any more, here or at an edge.
pub(super) async fn put(
    State(app): State<App>,
    Curator(it): Curator,
    PathText(text): PathText,
    JsonBody(body): JsonBody<TakedownRequest>,
) -> Result<Response, Problem> {
    if body.reason.chars().count() > MAX_REASON || body.reason.chars().any(char::is_control) {
        return Err(Problem::invalid("reason: at most 500 characters on one line."));
    }
    answer(app.takedowns.set(&it, song(&text)?, true, &body.reason, clock::now_ms()).await?)
}

/// `DELETE`: it can be played again.
pub(super) async fn delete(
    State(app): State<App>,
    Curator(it): Curator,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    answer(app.takedowns.set(&it, song(&text)?, false, "", clock::now_ms()).await?)
}

fn song(text: &str) -> Result<SongId, Problem> {
    id(text, "song")
}

fn answer(found: bool) -> Result<Response, Problem> {
    if found {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Problem::not_found("There is no song of this identifier."))
}
