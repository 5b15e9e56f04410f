//! What an account listens to on whichever device.

use segue_manifests::AssetId;
use serde::Serialize;

use super::{Library, LibraryError};
use crate::accounts::UserId;
use crate::catalog::{SongId, Time, fixed};
use crate::database::DatabaseError;

/// Songs in a row, which of them plays, and how far it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Queue {
    pub(crate) songs: Vec<SongId>,
    pub(crate) index: u64,
    pub(crate) position_ms: u64,
    /// `null` as long as there is none.
    pub(crate) updated_at: Option<Time>,
    /// Counts changes; 0 as long as there is none.
    #[serde(skip)]
    pub(crate) version: u64,
}

type Row = (Vec<u8>, i64, i64, i64, i64);

impl Library {
    /// The queue of an account; an empty one where there is none yet.
    pub(crate) async fn queue(&self, user: UserId) -> Result<Queue, DatabaseError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT songs, place, position_ms, updated_at, version FROM queues WHERE user_id = $1",
        )
        .bind(user.bytes())
        .fetch_optional(self.database.fresh())
        .await?;
        row.map_or_else(|| Ok(Queue::default()), queue)
    }

    /// Keeps a queue; with a version only when it is still that one. Answers with the new version.
    ///
    /// # Errors
    /// [`LibraryError::Stale`] when it is another version.
    pub(crate) async fn keep_queue(
        &self,
        user: UserId,
        it: &Queue,
        version: Option<u64>,
        now: u64,
    ) -> Result<u64, LibraryError> {
        let songs: Vec<u8> = it.songs.iter().flat_map(|song| song.0).collect();
        let mut tx = self.database.begin_write().await?;
        // A queue that is not there yet has version 0: only then an insert may be what was asked for.
        let sql = match version {
            None | Some(0) => {
                "INSERT INTO queues (user_id, songs, place, position_ms, updated_at, version)
                 VALUES ($1, $2, $3, $4, $5, 1)
                 ON CONFLICT (user_id) DO UPDATE SET songs = excluded.songs, place = excluded.place,
                     position_ms = excluded.position_ms, updated_at = excluded.updated_at,
                     version = queues.version + 1 WHERE $6 < 0
                 RETURNING version"
            }
            Some(_) => {
                "UPDATE queues SET songs = $2, place = $3, position_ms = $4, updated_at = $5, version = version + 1
                 WHERE user_id = $1 AND version = $6 RETURNING version"
            }
        };
        let kept: Option<(i64,)> = sqlx::query_as(sql)
            .bind(user.bytes())
            .bind(songs)
            .bind(it.index as i64)
            .bind(it.position_ms as i64)
            .bind(now as i64)
            .bind(version.map_or(-1, |version| version as i64))
            .fetch_optional(&mut *tx)
            .await?;
        let (version,) = kept.ok_or(LibraryError::Stale)?;
        tx.commit().await?;
        Ok(version as u64)
    }
}

fn queue((songs, place, position, updated, version): Row) -> Result<Queue, DatabaseError> {
    let songs = songs.chunks(16).map(|id| fixed(id, "songs").map(AssetId)).collect::<Result<_, _>>()?;
    Ok(Queue {
        songs,
        index: place as u64,
        position_ms: position as u64,
        updated_at: Some(Time(updated as u64)),
        version: version as u64,
    })
}
