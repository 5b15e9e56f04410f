//! `/albums`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::curation::{self, given};
use super::list::ListQuery;
use crate::app::App;
use crate::catalog::{Album, AlbumId, Member};
use crate::http::extract::id;
use crate::http::{Conditions, Curator, JsonBody, PathText, Problem, QueryOf, Representation, if_match_text};

/// Body of `POST /albums`, and of `PATCH /albums/{id}`, where a member that is left out stays and null withdraws what
/// was set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlbumRequest {
    #[serde(default, deserialize_with = "given")]
    pub(super) title: Member<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) artist: Member<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) date: Member<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) release_group_id: Member<String>,
}

/// `GET /albums`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let window = query.window()?;
    let reading = async { Ok(app.catalog.albums(&window).await?) };
    app.cached.answer(window.name("/albums"), &conditions, reading).await
}

/// `GET /albums/{id}`
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let album = album(&text)?;
    let reading = async { app.catalog.album_details(album).await?.ok_or_else(no_album) };
    app.cached.answer(format!("/albums/{album}"), &conditions, reading).await
}

/// `POST /albums`, for curators.
pub(super) async fn create(
    State(app): State<App>,
    Curator(who): Curator,
    JsonBody(body): JsonBody<AlbumRequest>,
) -> Result<Response, Problem> {
    let made = app.catalog.make_album(curation::by(who), &curation::new_album(body)?).await?;
    let location = [(LOCATION, format!("/albums/{}", made.album.id))];
    let answer = Representation::json(&made).answer(&Conditions::default());
    Ok((StatusCode::CREATED, location, answer).into_response())
}

/// `PATCH /albums/{id}`, for curators.
pub(super) async fn change(
    State(app): State<App>,
    Curator(who): Curator,
    PathText(text): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<AlbumRequest>,
) -> Result<Response, Problem> {
    let (id, change) = (album(&text)?, curation::album_change(body)?);
    let source = match app.catalog.source_of_album(id, &change).await? {
        Some((asset, rev)) => Some(app.importer.read(asset, rev).await?),
        None => None,
    };
    let if_match = if_match_text(&headers);
    let fits = |shown: &_| Representation::json(shown).fits(if_match);
    let album = app.catalog.edit_album(curation::by(who), id, source.as_ref(), &change, fits).await?;
    Ok(Representation::json(&album).answer(&Conditions::default()))
}

/// `DELETE /albums/{id}`, for curators: its songs become singles.
pub(super) async fn delete(
    State(app): State<App>,
    Curator(who): Curator,
    PathText(text): PathText,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let if_match = if_match_text(&headers);
    let fits = |shown: &_| Representation::json(shown).fits(if_match);
    app.catalog.delete_album(curation::by(who), album(&text)?, fits).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /albums/{id}/songs`
pub(super) async fn songs(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (window, album) = (query.window()?, id(&text, "album")?);
    let reading = async {
        find(&app, album).await?;
        Ok(app.catalog.songs_of_album(album, &window).await?)
    };
    app.cached.answer(window.name(&format!("/albums/{album}/songs")), &conditions, reading).await
}

async fn find(app: &App, album: AlbumId) -> Result<Album, Problem> {
    app.catalog.album(album).await?.ok_or_else(no_album)
}

fn album(text: &str) -> Result<AlbumId, Problem> {
    id(text, "album")
}

fn no_album() -> Problem {
    Problem::not_found("There is no album of this identifier.")
}
