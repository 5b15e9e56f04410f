//! `/playlists/{id}/collaborators`

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::super::list::ListQuery;
use super::super::users::user_of;
use super::{by, now_at, playlist};
use crate::app::App;
use crate::http::{PathText, PathTexts, Problem, QueryOf, SignedIn, personal};

/// `GET /playlists/{id}/collaborators`, for those who work on it.
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, Problem> {
    let page = app.playlists.collaborators(playlist(&text)?, it.user, &query.window()?).await?;
    Ok(personal(&page))
}

/// `PUT /playlists/{id}/collaborators/{user}`, for the owner.
pub(super) async fn invite(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([text, user]): PathTexts<2>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (user, by) = (user_of(&user, Some(&it))?, by(&it, &headers)?);
    Ok(now_at(app.playlists.invite(playlist(&text)?, user, by).await?))
}

/// `DELETE /playlists/{id}/collaborators/{user}`, for the owner, and for whoever leaves.
pub(super) async fn dismiss(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([text, user]): PathTexts<2>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (user, by) = (user_of(&user, Some(&it))?, by(&it, &headers)?);
    Ok(now_at(app.playlists.dismiss(playlist(&text)?, user, by).await?))
}
