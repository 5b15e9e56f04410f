//! `/playlists`

mod collaborators;
mod songs;
mod transfer;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::list::ListQuery;
use super::users::user_of;
use crate::accounts::Identity;
use crate::app::App;
use crate::clock;
use crate::http::extract::id;
use crate::http::{
    Caller, JsonBody, PathText, Problem, QueryOf, SignedIn, etag, identity, if_match, personal, private,
};
use crate::playlists::{By, Playlist, PlaylistError, PlaylistId, Snapshot, Visibility, Words};

/// Largest body that names songs or entries, bytes.
const MAX_BATCH_BODY: usize = 64 << 10;

/// Every route of playlists.
pub(super) fn routes() -> Router<App> {
    let batch = DefaultBodyLimit::max(MAX_BATCH_BODY);
    Router::new()
        .route("/playlists", get(list).post(create))
        .route("/playlists/import", post(transfer::import).layer(DefaultBodyLimit::max(transfer::MAX_FILE)))
        .route("/playlists/{id}", get(one).patch(change).delete(erase))
        .route("/playlists/{id}/songs", get(songs::list).post(songs::add).layer(batch))
        .route("/playlists/{id}/songs/{song}", delete(songs::remove))
        .route("/playlists/{id}/entries/{entry}", delete(songs::remove_entry))
        .route("/playlists/{id}/export", get(transfer::export))
        .route("/playlists/{id}/moves", post(songs::shift).layer(batch))
        .route("/playlists/{id}/collaborators", get(collaborators::list))
        .route(
            "/playlists/{id}/collaborators/{user}",
            put(collaborators::invite).delete(collaborators::dismiss),
        )
        .route("/users/{id}/playlists", get(of_user))
}

/// Body of `POST /playlists` and `PATCH /playlists/{id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsRequest {
    name: Option<String>,
    description: Option<String>,
    visibility: Option<Visibility>,
}

impl From<WordsRequest> for Words {
    fn from(it: WordsRequest) -> Self {
        Self { name: it.name, description: it.description, visibility: it.visibility }
    }
}

/// `POST /playlists`
async fn create(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    JsonBody(body): JsonBody<WordsRequest>,
) -> Result<Response, Problem> {
    let made = app.playlists.create(it.user, &body.into(), clock::now_ms()).await?;
    let location = [(LOCATION, format!("/playlists/{}", made.id))];
    Ok((StatusCode::CREATED, location, changed(made.snapshot, &made)).into_response())
}

/// `GET /playlists`: public ones.
async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, Problem> {
    let page = app.playlists.public(&query.window()?, caller.map(|it| it.user)).await?;
    Ok(personal(&page))
}

/// `GET /users/{id}/playlists`: the own ones and those worked on; of others the public ones.
async fn of_user(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, Problem> {
    let user = user_of(&text, caller.as_ref())?;
    let window = query.window()?;
    if !window.filter.is_empty() {
        return Err(Problem::bad_request(
            "bad-query",
            "This list takes no name. Look in /playlists instead.",
        ));
    }
    let page = app.playlists.of_user(user, &window, caller.map(|it| it.user)).await?;
    if page.items.is_empty() && app.accounts.account(user).await?.is_none() {
        return Err(Problem::not_found("There is no user of this identifier."));
    }
    Ok(personal(&page))
}

/// `GET /playlists/{id}`
async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    let playlist = app.playlists.one(playlist(&text)?, caller.map(|it| it.user)).await?;
    Ok(shown(&playlist))
}

/// The playlist with its validator. What is editable depends on who asks.
fn shown(playlist: &Playlist) -> Response {
    ([(ETAG, etag(playlist.snapshot.0))], personal(playlist)).into_response()
}

/// `PATCH /playlists/{id}`, for the owner.
async fn change(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<WordsRequest>,
) -> Result<Response, Problem> {
    let changed_one = app.playlists.change(playlist(&text)?, &body.into(), by(&it, &headers)?).await?;
    Ok(changed(changed_one.snapshot, &changed_one))
}

/// `DELETE /playlists/{id}`, for the owner.
async fn erase(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.playlists.delete(playlist(&text)?, by(&it, &headers)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn playlist(text: &str) -> Result<PlaylistId, Problem> {
    id(text, "playlist")
}

/// Who changes what was seen, now.
fn by(it: &Identity, headers: &HeaderMap) -> Result<By, Problem> {
    Ok(By { user: it.user, version: if_match(headers)?, now: clock::now_ms() })
}

/// An answer to a change, with the new entity-tag.
fn changed(snapshot: Snapshot, value: &impl Serialize) -> Response {
    ([(ETAG, etag(snapshot.0))], private(value)).into_response()
}

/// An answer that tells the new state alone.
fn now_at(snapshot: Snapshot) -> Response {
    #[derive(Serialize)]
    struct Changed {
        snapshot: Snapshot,
    }
    changed(snapshot, &Changed { snapshot })
}

impl From<PlaylistError> for Problem {
    fn from(error: PlaylistError) -> Self {
        use PlaylistError as E;
        match error {
            E::Unknown => Self::not_found("There is no playlist of this identifier."),
            E::Absent(what) => Self::not_found(format!("There is no {what} of this identifier here.")),
            E::Unreadable { line, column } => {
                let detail = format!("The body is no export of a playlist (line {line}, column {column}).");
                Self::bad_request("bad-json", detail)
            }
            E::Forbidden => identity::forbidden(),
            E::Stale => Self::stale(),
            E::Invalid(invalid) => Self::invalid(format!("{invalid}.")),
            E::UnknownSongs(songs) => unknown("unknown-songs", "Unknown songs", "songs", &songs),
            E::UnknownEntries(entries) => unknown("unknown-entries", "Unknown entries", "entries", &entries),
            E::Full(what) => {
                Self::conflict("full", format!("There can be {what} at most. Take some away first."))
            }
            E::Cursor(_) => Self::bad_cursor(),
            E::Database(error) => error.into(),
        }
    }
}

/// 422: these are not there; the first of them are named.
fn unknown(slug: &'static str, title: &'static str, what: &str, these: &[impl std::fmt::Display]) -> Problem {
    const NAMED: usize = 10;
    let named: Vec<String> = these.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if these.len() > NAMED { format!(" and {} more", these.len() - NAMED) } else { String::new() };
    let detail =
        format!("Nothing was changed: there are no {what} {}{more}. Leave them out.", named.join(", "));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, detail)
}
