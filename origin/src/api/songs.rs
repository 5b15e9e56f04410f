//! `/songs`

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::curation::{self, given};
use super::list::ListQuery;
use crate::app::App;
use crate::catalog::{Kind, Member, Page, SongId};
use crate::http::extract::id;
use crate::http::{Conditions, Curator, JsonBody, PathText, Problem, QueryOf, Representation, if_match_text};
use crate::takedown;

/// Songs that are asked for by identifier at once.
const MAX_IDS: usize = 200;

/// Body of `PATCH /songs/{id}`: a member that is left out stays, null withdraws what was set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SongRequest {
    #[serde(default, deserialize_with = "given")]
    pub(super) title: Member<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) artist: Member<String>,
    /// Empty: on no album.
    #[serde(default, deserialize_with = "given")]
    pub(super) album_id: Member<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) track_number: Member<u32>,
    #[serde(default, deserialize_with = "given")]
    pub(super) disc_number: Member<u32>,
    #[serde(default, deserialize_with = "given")]
    pub(super) isrc: Member<String>,
}

/// `GET /songs`
pub(super) async fn list(
    State(app): State<App>,
    QueryOf(mut query): QueryOf<ListQuery>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    if let Some(ids) = query.ids.take() {
        return Ok(Representation::json(&by_ids(&app, &ids, query).await?).answer(&conditions));
    }
    let window = query.window()?;
    let reading = async { Ok(app.catalog.songs(&window).await?) };
    app.cached.answer(window.name("/songs"), &conditions, reading).await
}

/// `GET /songs?ids=`: those songs in that order, without what is not there.
async fn by_ids(app: &App, ids: &str, rest: ListQuery) -> Result<Page<crate::catalog::Song>, Problem> {
    let wrong = |detail: &str| Problem::bad_request("bad-query", detail);
    if !rest.is_empty() {
        return Err(wrong("ids stands alone. Leave out limit, cursor and name."));
    }
    let ids: Vec<&str> = ids.split(',').filter(|id| !id.is_empty()).collect();
    if ids.len() > MAX_IDS {
        return Err(wrong("ids names more than 200 songs. Ask for the rest in another request."));
    }
    let ids: Result<Vec<SongId>, _> = ids.into_iter().map(str::parse).collect();
    let ids = ids.map_err(|_| wrong("ids must be identifiers of songs, parted by commas."))?;
    let keys: Vec<_> = ids.iter().map(|id| id.0).collect();
    let found = app.catalog.objects(Kind::Song, &keys).await?;
    Ok(Page::whole(keys.iter().filter_map(|id| found.get(id)?.song()).cloned().collect()))
}

/// `GET /songs/{id}`
pub(super) async fn one(
    State(app): State<App>,
    PathText(text): PathText,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let song = find(&app, &text)?;
    let reading = async { app.catalog.song_details(song).await?.ok_or_else(no_song) };
    app.cached.answer(format!("/songs/{song}"), &conditions, reading).await
}

/// `PATCH /songs/{id}`, for curators.
pub(super) async fn change(
    State(app): State<App>,
    Curator(who): Curator,
    PathText(text): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SongRequest>,
) -> Result<Response, Problem> {
    let change = curation::song_change(body)?;
    let song = find(&app, &text)?;
    let descriptor = app.importer.current(song).await?.ok_or_else(no_song)?;
    let if_match = if_match_text(&headers);
    let fits = |shown: &_| Representation::json(shown).fits(if_match);
    let song = app.catalog.edit_song(curation::by(who), &descriptor, &change, fits).await?;
    Ok(Representation::json(&song).answer(&Conditions::default()))
}

/// The identifier of a song that is not taken down.
fn find(app: &App, text: &str) -> Result<SongId, Problem> {
    let song = id(text, "song")?;
    if app.takedowns.holds(song) {
        return Err(takedown::gone());
    }
    Ok(song)
}

fn no_song() -> Problem {
    Problem::not_found("There is no song of this identifier.")
}
