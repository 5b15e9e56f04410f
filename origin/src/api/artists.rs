//! `/artists`

use axum::extract::State;
use axum::response::Response;

use super::list::ListQuery;
use crate::app::App;
use crate::catalog::{Artist, ArtistId};
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf};

/// `GET /artists`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let window = query.window()?;
    let reading = async { Ok(app.catalog.artists(&window).await?) };
    app.cached.answer(window.name("/artists"), &conditions, reading).await
}

/// `GET /artists/{id}`
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let artist = id(&text, "artist")?;
    let reading = async { app.catalog.artist_details(artist).await?.ok_or_else(no_artist) };
    app.cached.answer(format!("/artists/{artist}"), &conditions, reading).await
}

/// `GET /artists/{id}/albums`
pub(super) async fn albums(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (window, artist) = (query.window()?, id(&text, "artist")?);
    let reading = async {
        find(&app, artist).await?;
        Ok(app.catalog.albums_of_artist(artist, &window).await?)
    };
    app.cached.answer(window.name(&format!("/artists/{artist}/albums")), &conditions, reading).await
}

/// `GET /artists/{id}/songs`
pub(super) async fn songs(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (window, artist) = (query.window()?, id(&text, "artist")?);
    let reading = async {
        find(&app, artist).await?;
        Ok(app.catalog.songs_of_artist(artist, &window).await?)
    };
    app.cached.answer(window.name(&format!("/artists/{artist}/songs")), &conditions, reading).await
}

async fn find(app: &App, artist: ArtistId) -> Result<Artist, Problem> {
    app.catalog.artist(artist).await?.ok_or_else(no_artist)
}

fn no_artist() -> Problem {
    Problem::not_found("There is no artist of this identifier.")
}
