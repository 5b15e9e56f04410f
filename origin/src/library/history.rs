//! What an account has played.

use serde::Serialize;

use super::Library;
use crate::accounts::UserId;
use crate::catalog::{Kind, Object, ObjectId, Time, fixed};
use crate::database::DatabaseError;

/// Plays that are looked at for what was played lately.
const LATELY: i64 = 500;

/// A play of the own.
#[derive(Debug, Serialize)]
pub(crate) struct Played {
    playback_session: String,
    started_at: Time,
    heard_ms: u64,
    /// Whether enough was heard to count.
    counted: bool,
    #[serde(flatten)]
    song: Object,
}

/// A song that was played lately.
#[derive(Debug, Serialize)]
pub(crate) struct Recent {
    /// The last time.
    played_at: Time,
    #[serde(flatten)]
    song: Object,
}

/// Part of a history.
pub(crate) struct Plays {
    pub(crate) items: Vec<Played>,
    /// The last playback session looked at, when there are more.
    pub(crate) next: Option<[u8; 16]>,
}

impl Library {
    /// Plays before that playback session, the newest first.
    pub(crate) async fn history(
        &self,
        user: UserId,
        before: [u8; 16],
        limit: i64,
    ) -> Result<Plays, DatabaseError> {
        type Row = (Vec<u8>, Vec<u8>, i64, i64, i64);
        let mut rows: Vec<Row> = sqlx::query_as(
            "SELECT playback_session, song_id, started_at, heard_ms, counted FROM plays
             WHERE user_id = $1 AND playback_session < $2 ORDER BY playback_session DESC LIMIT $3",
        )
        .bind(user.bytes())
        .bind(&before[..])
        .bind(limit + 1)
        .fetch_all(self.database.fresh())
        .await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|(session, ..)| fixed(session, "playback_session")).transpose()?;
        let ids = rows.iter().map(|row| fixed(&row.1, "song_id")).collect::<Result<Vec<ObjectId>, _>>()?;
        let songs = self.catalog.objects(Kind::Song, &ids).await?;
        let played = |((session, _, started, heard, counted), id): (Row, &ObjectId)| {
            Some(Played {
                playback_session: hex::encode(session),
                started_at: Time(started as u64),
                heard_ms: heard as u64,
                counted: counted != 0,
                song: songs.get(id)?.clone(),
            })
        };
        Ok(Plays { items: rows.into_iter().zip(&ids).filter_map(played).collect(), next })
    }

    /// Songs played lately, each once, the latest first.
    pub(crate) async fn recent(&self, user: UserId, limit: usize) -> Result<Vec<Recent>, DatabaseError> {
        let lately = self.lately(user, limit).await?;
        let ids: Vec<ObjectId> = lately.iter().map(|(song, _)| *song).collect();
        let songs = self.catalog.objects(Kind::Song, &ids).await?;
        let recent =
            |(id, at): (ObjectId, Time)| Some(Recent { played_at: at, song: songs.get(&id)?.clone() });
        Ok(lately.into_iter().filter_map(recent).collect())
    }

    /// The songs of the latest plays, at most that many, and when each was played last, the latest first.
    pub(super) async fn lately(
        &self,
        user: UserId,
        limit: usize,
    ) -> Result<Vec<(ObjectId, Time)>, DatabaseError> {
        let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT song_id, MAX(started_at) AS played_at FROM (
                 SELECT song_id, started_at FROM plays
                 WHERE user_id = $1 ORDER BY playback_session DESC LIMIT $2) latest
             GROUP BY song_id ORDER BY MAX(started_at) DESC, song_id LIMIT $3",
        )
        .bind(user.bytes())
        .bind(LATELY)
        .bind(limit as i64)
        .fetch_all(self.database.fresh())
        .await?;
        rows.into_iter().map(|(song, at)| Ok((fixed(&song, "song_id")?, Time(at as u64)))).collect()
    }

    /// Forgets what the account has played. Counts of everyone stay: they name nobody.
    pub(crate) async fn clear_history(&self, user: UserId) -> Result<(), DatabaseError> {
        let mut tx = self.database.begin_write().await?;
        for sql in [
            "DELETE FROM plays WHERE user_id = $1",
            "DELETE FROM user_counts WHERE user_id = $1",
            "DELETE FROM play_events WHERE user_id = $1",
        ] {
            sqlx::query(sql).bind(user.bytes()).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
