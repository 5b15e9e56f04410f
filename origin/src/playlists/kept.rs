//! What is kept about an account here, for its export.

use serde::Serialize;

use super::{PlaylistId, Visibility};
use crate::accounts::UserId;
use crate::catalog::{Time, fixed};
use crate::database::{Database, DatabaseError};

/// Playlists in an export at most, of each kind: as many as an account can have.
const MOST: i64 = 10_000;

/// A playlist of the account.
#[derive(Debug, Serialize)]
pub(crate) struct KeptPlaylist {
    id: PlaylistId,
    name: String,
    description: String,
    visibility: Visibility,
    song_count: u64,
    created_at: Time,
    updated_at: Time,
    /// Where its songs are exported.
    songs: String,
}

/// Another's playlist that the account works on.
#[derive(Debug, Serialize)]
pub(crate) struct KeptCollaboration {
    playlist: PlaylistId,
    added_at: Time,
}

/// The account's playlists, the newest first.
pub(crate) async fn playlists(database: &Database, user: UserId) -> Result<Vec<KeptPlaylist>, DatabaseError> {
    type Row = (Vec<u8>, String, String, String, i64, i64, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, description, visibility, song_count, created_at, updated_at FROM playlists
         WHERE owner_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(user.bytes())
    .bind(MOST)
    .fetch_all(database.fresh())
    .await?;
    let read = |(id, name, description, visibility, song_count, created, updated): Row| {
        let id = PlaylistId::from(fixed(&id, "id")?);
        Ok(KeptPlaylist {
            id,
            name,
            description,
            visibility: visibility.parse().map_err(|()| DatabaseError::Column("visibility"))?,
            song_count: song_count as u64,
            created_at: Time(created as u64),
            updated_at: Time(updated as u64),
            songs: format!("/playlists/{id}/export?format=json"),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Where the account works with others, the newest playlist first.
pub(crate) async fn collaborations(
    database: &Database,
    user: UserId,
) -> Result<Vec<KeptCollaboration>, DatabaseError> {
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
        "SELECT playlist_id, added_at FROM playlist_collaborators WHERE user_id = $1
         ORDER BY playlist_id DESC LIMIT $2",
    )
    .bind(user.bytes())
    .bind(MOST)
    .fetch_all(database.fresh())
    .await?;
    let read = |(id, added): (Vec<u8>, i64)| {
        let playlist = PlaylistId::from(fixed(&id, "playlist_id")?);
        Ok(KeptCollaboration { playlist, added_at: Time(added as u64) })
    };
    rows.into_iter().map(read).collect()
}
