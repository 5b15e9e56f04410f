//! `/songs`

use axum::extract::State;
use axum::response::Response;

use super::list::ListQuery;
use crate::app::App;
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf, Representation};
use crate::takedown;

/// `GET /songs`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let page = app.catalog.songs(&query.window()?).await?;
    Ok(Representation::json(&page).answer(&conditions))
}

/// `GET /songs/{id}`
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let song = id(&text, "song")?;
    if app.takedowns.holds(song) {
        return Err(takedown::gone());
    }
    let song = app.catalog.song(song).await?;
    let song = song.ok_or_else(|| Problem::not_found("There is no song of this identifier."))?;
    Ok(Representation::json(&song).answer(&conditions))
}
