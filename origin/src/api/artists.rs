//! `/artists`

use axum::extract::State;
use axum::response::Response;

use super::list::ListQuery;
use crate::app::App;
use crate::catalog::Artist;
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf, Representation};

/// `GET /artists`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let page = app.catalog.artists(&query.window()?).await?;
    Ok(Representation::json(&page).answer(&conditions))
}

/// `GET /artists/{id}`
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let artist = app.catalog.artist_details(id(&text, "artist")?).await?.ok_or_else(no_artist)?;
    Ok(Representation::json(&artist).answer(&conditions))
}

/// `GET /artists/{id}/albums`
pub(super) async fn albums(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let window = query.window()?;
    let artist = find(&app, &text).await?;
    let page = app.catalog.albums_of_artist(artist.id, &window).await?;
    Ok(Representation::json(&page).answer(&conditions))
}

/// `GET /artists/{id}/songs`
pub(super) async fn songs(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let window = query.window()?;
    let artist = find(&app, &text).await?;
    let page = app.catalog.songs_of_artist(artist.id, &window).await?;
    Ok(Representation::json(&page).answer(&conditions))
}

async fn find(app: &App, text: &str) -> Result<Artist, Problem> {
    let artist = app.catalog.artist(id(text, "artist")?).await?;
    artist.ok_or_else(no_artist)
}

fn no_artist() -> Problem {
    Problem::not_found("There is no artist of this identifier.")
}
