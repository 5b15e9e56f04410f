//! `/users/{id}/...`: what an account has played, likes, listens to, and might like.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use segue_manifests::AssetId;
use serde::{Deserialize, Serialize};

use super::list::{self, PageQuery};
use super::users::own;
use crate::accounts::UserId;
use crate::app::App;
use crate::catalog::{Kind, ObjectId, Page, SongId};
use crate::clock;
use crate::http::extract::id;
use crate::http::{
    JsonBody, PathText, PathTexts, Problem, QueryOf, SignedIn, etag, if_match, needed, personal, private,
};
use crate::library::{Period, Queue};

/// Longest list of the most played.
const MAX_TOPS: u32 = 100;
/// Songs in a queue.
const MAX_QUEUE: usize = 1000;
/// Largest body with a queue, bytes.
pub(super) const MAX_QUEUE_BODY: usize = 64 << 10;
/// Farthest place in a song, milliseconds: a week.
const MAX_POSITION_MS: u64 = 7 * 24 * 3600 * 1000;

/// `?period=&limit=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct TopQuery {
    #[serde(default)]
    period: Period,
    limit: Option<u32>,
}

/// Body of `PUT /users/{id}/queue`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueRequest {
    songs: Option<Vec<SongId>>,
    index: Option<u64>,
    position_ms: Option<u64>,
}

#[derive(Serialize)]
struct Recommendations<T> {
    source: &'static str,
    items: Vec<T>,
}

/// `GET /users/{id}/history`: plays, the newest first.
pub(super) async fn history(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let before = match &query.cursor {
        Some(cursor) => cursor.parse::<AssetId>().map_err(|_| Problem::bad_cursor())?.0,
        None => [0xff; 16],
    };
    let plays = app.library.history(user, before, i64::from(query.limit()?)).await?;
    Ok(personal(&Page { items: plays.items, next_cursor: plays.next.map(hex::encode) }))
}

/// `DELETE /users/{id}/history`: forgets what was played.
pub(super) async fn clear_history(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    app.library.clear_history(own(&text, &it)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /users/{id}/recent`: songs played lately, each once.
pub(super) async fn recent(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let items = app.library.recent(user, query.limit()? as usize).await?;
    Ok(personal(&Page::whole(items)))
}

/// `GET /users/{id}/top/{kind}`: the songs or artists that were played most.
pub(super) async fn tops(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([user, kind]): PathTexts<2>,
    QueryOf(query): QueryOf<TopQuery>,
) -> Result<Response, Problem> {
    let user = own(&user, &it)?;
    let kind = Kind::of_plural(&kind).filter(|kind| *kind != Kind::Album).ok_or_else(nothing)?;
    let limit = list::limit(query.limit, MAX_TOPS)?;
    let items = app.library.tops(user, kind, query.period, i64::from(limit), clock::now_ms()).await?;
    Ok(personal(&Page::whole(items)))
}

/// `GET /users/{id}/favourites/{kind}`: the newest first.
pub(super) async fn favourites(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([user, kind]): PathTexts<2>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let user = own(&user, &it)?;
    let kind = Kind::of_plural(&kind).ok_or_else(nothing)?;
    let before = match &query.cursor {
        Some(cursor) => read_place(cursor)?,
        None => (i64::MAX, [0xff; 16]),
    };
    let liked = app.library.favourites(user, kind, before, i64::from(query.limit()?)).await?;
    let next_cursor = liked.next.map(|(at, id)| format!("{at}-{}", hex::encode(id)));
    Ok(personal(&Page { items: liked.items, next_cursor }))
}

fn read_place(cursor: &str) -> Result<(i64, ObjectId), Problem> {
    let read = cursor.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    read.map(|(at, AssetId(id))| (at, id)).ok_or_else(Problem::bad_cursor)
}

/// `GET /users/{id}/favourites/{kind}/{object}`: whether and since when it is one.
pub(super) async fn favourite(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts(texts): PathTexts<3>,
) -> Result<Response, Problem> {
    let (user, kind, object) = named(&texts, &it)?;
    let favourite = app.library.favourite(user, kind, object).await?;
    let favourite = favourite.ok_or_else(|| Problem::not_found("This is not among the favourites."))?;
    Ok(personal(&favourite))
}

/// `PUT /users/{id}/favourites/{kind}/{object}`
pub(super) async fn like(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts(texts): PathTexts<3>,
) -> Result<Response, Problem> {
    let (user, kind, object) = named(&texts, &it)?;
    app.library.like(user, kind, object, clock::now_ms()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /users/{id}/favourites/{kind}/{object}`
pub(super) async fn unlike(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts(texts): PathTexts<3>,
) -> Result<Response, Problem> {
    let (user, kind, object) = named(&texts, &it)?;
    app.library.unlike(user, kind, object).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn named(
    [user, kind, object]: &[String; 3],
    it: &crate::accounts::Identity,
) -> Result<(UserId, Kind, ObjectId), Problem> {
    let user = own(user, it)?;
    let kind = Kind::of_plural(kind).ok_or_else(nothing)?;
    let AssetId(object) = id(object, kind.as_str())?;
    Ok((user, kind, object))
}

fn nothing() -> Problem {
    Problem::not_found("Nothing lies at this path.")
}

/// `GET /users/{id}/queue`
pub(super) async fn queue(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    let queue = app.library.queue(own(&text, &it)?).await?;
    Ok(([(ETAG, etag(queue.version))], personal(&queue)).into_response())
}

/// `PUT /users/{id}/queue`
pub(super) async fn keep_queue(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<QueueRequest>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let mut queue = Queue {
        songs: needed(body.songs, "songs")?,
        index: body.index.unwrap_or(0),
        position_ms: body.position_ms.unwrap_or(0),
        ..Queue::default()
    };
    check_queue(&queue)?;
    let now = clock::now_ms();
    queue.version = app.library.keep_queue(user, &queue, if_match(&headers)?, now).await?;
    queue.updated_at = Some(crate::catalog::Time(now));
    Ok(([(ETAG, etag(queue.version))], private(&queue)).into_response())
}

fn check_queue(queue: &Queue) -> Result<(), Problem> {
    let count = queue.songs.len();
    if count > MAX_QUEUE {
        return Err(Problem::invalid(format!("songs: at most {MAX_QUEUE}.")));
    }
    if queue.index >= count.max(1) as u64 {
        return Err(Problem::invalid("index: the place of one of the songs, counted from 0."));
    }
    if queue.position_ms > MAX_POSITION_MS {
        return Err(Problem::invalid("position_ms: at most a week."));
    }
    Ok(())
}

/// `GET /users/{id}/recommendations`: songs that might be liked.
pub(super) async fn recommendations(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let items = app.library.recommend(user, query.limit()? as usize).await?;
    Ok(personal(&Recommendations { source: "fallback", items }))
}
