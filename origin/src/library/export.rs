//! Everything that a library keeps about an account, to be given out.

use serde::Serialize;

use super::{Library, Queue};
use crate::accounts::UserId;
use crate::catalog::Time;
use crate::database::{Database, DatabaseError};

/// Plays read at once.
const CHUNK: i64 = 10_000;

/// All that a library keeps about an account. What is counted follows from the plays.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    /// The oldest first.
    plays: Vec<Play>,
    /// The oldest first.
    favourites: Vec<Favourite>,
    queue: Queue,
}

#[derive(Debug, Serialize)]
struct Play {
    playback_session: String,
    song_id: String,
    started_at: Time,
    heard_ms: u64,
    counted: bool,
    ended: bool,
}

#[derive(Debug, Serialize)]
struct Favourite {
    kind: String,
    id: String,
    added_at: Time,
}

impl Export {
    /// Gathers it.
    pub(crate) async fn gather(database: &Database, user: UserId) -> Result<Self, DatabaseError> {
        Ok(Self {
            plays: plays(database, user).await?,
            favourites: favourites(database, user).await?,
            queue: Library::new(database.clone()).queue(user).await?,
        })
    }
}

async fn plays(database: &Database, user: UserId) -> Result<Vec<Play>, DatabaseError> {
    type Row = (Vec<u8>, Vec<u8>, i64, i64, i64, i64);
    let (mut plays, mut behind) = (Vec::new(), vec![0; 16]);
    loop {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT playback_session, song_id, started_at, heard_ms, counted, ended FROM plays
             WHERE user_id = $1 AND playback_session > $2 ORDER BY playback_session LIMIT $3",
        )
        .bind(user.bytes())
        .bind(&behind)
        .bind(CHUNK)
        .fetch_all(database.fresh())
        .await?;
        let full = rows.len() as i64 == CHUNK;
        if let Some((session, ..)) = rows.last() {
            behind.clone_from(session);
        }
        plays.extend(rows.into_iter().map(|(session, song, started, heard, counted, ended)| Play {
            playback_session: hex::encode(session),
            song_id: hex::encode(song),
            started_at: Time(started as u64),
            heard_ms: heard as u64,
            counted: counted != 0,
            ended: ended != 0,
        }));
        if !full {
            return Ok(plays);
        }
    }
}

async fn favourites(database: &Database, user: UserId) -> Result<Vec<Favourite>, DatabaseError> {
    let rows: Vec<(String, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT kind, object_id, added_at FROM favourites WHERE user_id = $1 ORDER BY kind, added_at, object_id",
    )
    .bind(user.bytes())
    .fetch_all(database.fresh())
    .await?;
    let favourite = |(kind, id, at): (String, Vec<u8>, i64)| Favourite {
        kind,
        id: hex::encode(id),
        added_at: Time(at as u64),
    };
    Ok(rows.into_iter().map(favourite).collect())
}
