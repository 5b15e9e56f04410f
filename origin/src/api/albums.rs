//! `/albums`

use axum::extract::State;
use axum::response::Response;

use super::list::ListQuery;
use crate::app::App;
use crate::catalog::Album;
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf, Representation};

/// `GET /albums`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let page = app.catalog.albums(&query.window()?).await?;
    Ok(Representation::json(&page).answer(&conditions))
}

/// `GET /albums/{id}`
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    Ok(Representation::json(&find(&app, &text).await?).answer(&conditions))
}

/// `GET /albums/{id}/songs`
pub(super) async fn songs(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let window = query.window()?;
    let album = find(&app, &text).await?;
    let page = app.catalog.songs_of_album(album.id, &window).await?;
    Ok(Representation::json(&page).answer(&conditions))
}

async fn find(app: &App, text: &str) -> Result<Album, Problem> {
    let album = app.catalog.album(id(text, "album")?).await?;
    album.ok_or_else(|| Problem::not_found("There is no album of this identifier."))
}
