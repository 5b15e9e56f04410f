//! `/albums`

use axum::extract::State;
use axum::response::Response;

use super::list::ListQuery;
use crate::app::App;
use crate::catalog::{Album, AlbumId};
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf};

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
    let album = id(&text, "album")?;
    app.cached.answer(format!("/albums/{album}"), &conditions, find(&app, album)).await
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
    let found = app.catalog.album(album).await?;
    found.ok_or_else(|| Problem::not_found("There is no album of this identifier."))
}
