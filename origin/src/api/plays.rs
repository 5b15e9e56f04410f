//! `/play`, `/stream` and `/plays`: starting songs, and saying how much of them was heard.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, Method, StatusCode, Uri};
use segue_manifests::AssetId;
use serde::Deserialize;

use crate::accounts::UserId;
use crate::app::App;
use crate::catalog::SongId;
use crate::clock;
use crate::http::extract::id;
use crate::http::{Caller, JsonBody, PathText, Problem, QueryOf, needed, private};
use crate::playback::{Report, Wanted, host_of};
use crate::takedown;

/// Longest name of an event, characters.
const MAX_EVENT: usize = 64;

/// What a player may say about itself.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlayRequest {
    /// Highest bit rate wanted, kbit/s.
    #[serde(default)]
    max_kbps: Option<u32>,
    /// The client's own name for this play: the same again starts nothing new.
    event_id: Option<String>,
}

/// `?max_kbps=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct StreamQuery {
    max_kbps: Option<u32>,
}

/// Body of `POST /plays/{playback_session}/progress`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgressRequest {
    /// Really heard so far, milliseconds.
    heard_ms: Option<u64>,
    /// Whether it was the end.
    #[serde(default)]
    ended: bool,
}

/// Starts a playback session.
pub(super) async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
    uri: Uri,
    headers: HeaderMap,
    JsonBody(request): JsonBody<PlayRequest>,
) -> Result<Response, Problem> {
    if let Some(event) = &request.event_id {
        check_event(event)?;
    }
    let wanted = Wanted {
        user: caller.map_or(UserId::GUEST, |it| it.user),
        song: song(&app, &text)?,
        host: host_of(&uri, &headers),
        max_kbps: request.max_kbps,
        event: request.event_id.as_deref(),
    };
    Ok(private(&app.playback.play(&wanted).await?))
}

/// The song, if it may be played.
fn song(app: &App, text: &str) -> Result<SongId, Problem> {
    let song = id(text, "song")?;
    if app.takedowns.holds(song) { Err(takedown::gone()) } else { Ok(song) }
}

fn check_event(event: &str) -> Result<(), Problem> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match (1..=MAX_EVENT).contains(&event.len()) && event.bytes().all(good) {
        true => Ok(()),
        false => Err(Problem::invalid("event_id: 1 to 64 letters, digits, dots, underscores and hyphens.")),
    }
}

/// `GET /stream/{id}`: for players that take nothing but an address. Looking at the head starts nothing.
pub(super) async fn stream(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
    QueryOf(query): QueryOf<StreamQuery>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = Wanted {
        user: caller.map_or(UserId::GUEST, |it| it.user),
        song: song(&app, &text)?,
        host: host_of(&uri, &headers),
        max_kbps: query.max_kbps,
        event: None,
    };
    let start = match method {
        Method::HEAD => app.playback.preview(&wanted).await?,
        _ => app.playback.play(&wanted).await?,
    };
    let location = [(LOCATION, start.manifest_url()), (CACHE_CONTROL, "no-store")];
    Ok((StatusCode::SEE_OTHER, location).into_response())
}

/// `POST /plays/{playback_session}/progress`: how much was heard so far.
pub(super) async fn progress(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
    JsonBody(request): JsonBody<ProgressRequest>,
) -> Result<Response, Problem> {
    let session: AssetId = id(&text, "playback session")?;
    let report = Report {
        session: session.0,
        user: caller.map_or(UserId::GUEST, |it| it.user),
        heard_ms: needed(request.heard_ms, "heard_ms")?,
        ended: request.ended,
        at_ms: clock::now_ms(),
    };
    app.playback.report(report).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
