//! `GET /covers/{sha256}`

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::covers;
use crate::http::extract::id;
use crate::http::{Conditions, PathText, Problem, QueryOf};

/// `?size=`
#[derive(Debug, Deserialize)]
pub(super) struct SizeQuery {
    /// Edge of the square that the cover is fitted into, pixels; absent: as published.
    size: Option<u32>,
}

/// A cover, perhaps made smaller.
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    QueryOf(query): QueryOf<SizeQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let cover = app.covers.get(id(&text, "cover")?, query.size.map(covers::nearest)).await?;
    Ok(cover.answer(&conditions))
}
