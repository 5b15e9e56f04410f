//! `/playlists/{id}/songs`, `/playlists/{id}/entries`, `/playlists/{id}/moves`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::super::list::ListQuery;
use super::{by, changed, now_at, playlist};
use crate::app::App;
use crate::catalog::SongId;
use crate::http::extract::id;
use crate::http::{Caller, JsonBody, PathText, PathTexts, Problem, QueryOf, SignedIn, personal};
use crate::playlists::{EntryId, MAX_BATCH, Snapshot};

/// Body of `POST /playlists/{id}/songs`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddRequest {
    songs: Option<Vec<SongId>>,
    /// The entry that they go before; the end when it is absent.
    before: Option<EntryId>,
}

/// Body of `POST /playlists/{id}/moves`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveRequest {
    entries: Option<Vec<EntryId>>,
    /// The entry that they go before; the end when it is `null`.
    before: Option<EntryId>,
}

#[derive(Serialize)]
struct Added {
    snapshot: Snapshot,
    entries: Vec<EntryId>,
}

/// `GET /playlists/{id}/songs`
pub(super) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, Problem> {
    let (id, window) = (playlist(&text)?, query.window()?);
    if !window.filter.is_empty() {
        return Err(Problem::bad_request("bad-query", "This list takes no name."));
    }
    Ok(personal(&app.playlists.entries(id, &window, caller.map(|it| it.user)).await?))
}

/// `POST /playlists/{id}/songs`
pub(super) async fn add(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<AddRequest>,
) -> Result<Response, Problem> {
    let songs = some(body.songs, "songs")?;
    let by = by(&it, &headers)?;
    let (snapshot, entries) = app.playlists.add(playlist(&text)?, &songs, body.before, by).await?;
    Ok((StatusCode::CREATED, changed(snapshot, &Added { snapshot, entries })).into_response())
}

/// `POST /playlists/{id}/moves`
pub(super) async fn shift(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<MoveRequest>,
) -> Result<Response, Problem> {
    let entries = some(body.entries, "entries")?;
    let by = by(&it, &headers)?;
    Ok(now_at(app.playlists.move_entries(playlist(&text)?, &entries, body.before, by).await?))
}

/// `DELETE /playlists/{id}/songs/{song}`: every entry of that song.
pub(super) async fn remove(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([text, song]): PathTexts<2>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let by = by(&it, &headers)?;
    Ok(now_at(app.playlists.remove_song(playlist(&text)?, id(&song, "song")?, by).await?))
}

/// `DELETE /playlists/{id}/entries/{entry}`
pub(super) async fn remove_entry(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([text, entry]): PathTexts<2>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let by = by(&it, &headers)?;
    Ok(now_at(app.playlists.remove_entry(playlist(&text)?, id(&entry, "entry")?, by).await?))
}

/// As many as one request may name.
fn some<T>(given: Option<Vec<T>>, member: &str) -> Result<Vec<T>, Problem> {
    match given {
        Some(given) if (1..=MAX_BATCH).contains(&given.len()) => Ok(given),
        Some(_) => Err(Problem::invalid(format!("{member}: 1 to {MAX_BATCH}."))),
        None => Err(Problem::invalid(format!("{member}: is missing."))),
    }
}
