//! `POST /play/{id}`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, Uri};
use serde::Deserialize;

use crate::app::App;
use crate::http::extract::id;
use crate::http::{JsonBody, PathText, Problem};
use crate::playback::host_of;
use crate::takedown;

/// What a player may say about itself.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlayRequest {
    /// Highest bit rate wanted, kbit/s.
    #[serde(default)]
    max_kbps: Option<u32>,
}

/// Starts a playback session.
pub(super) async fn start(
    State(app): State<App>,
    PathText(text): PathText,
    uri: Uri,
    headers: HeaderMap,
    JsonBody(request): JsonBody<PlayRequest>,
) -> Result<Response, Problem> {
    let song = id(&text, "song")?;
    if app.takedowns.holds(song) {
        return Err(takedown::gone());
    }
    let start = app.playback.play(song, host_of(&uri, &headers), request.max_kbps).await?;
    let json = serde_json::to_vec(&start).expect("answers have only string keys");
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], json).into_response())
}
