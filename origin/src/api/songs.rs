//! `/songs`

use axum::extract::State;
use axum::response::Response;

use super::list::ListQuery;
use crate::app::App;
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf};
use crate::takedown;

/// `GET /songs`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let window = query.window()?;
    let reading = async { Ok(app.catalog.songs(&window).await?) };
    app.cached.answer(window.name("/songs"), &conditions, reading).await
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
    let reading = async {
        let found = app.catalog.song(song).await?;
        found.ok_or_else(|| Problem::not_found("There is no song of this identifier."))
    };
    app.cached.answer(format!("/songs/{song}"), &conditions, reading).await
}
