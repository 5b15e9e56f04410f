//! Making, changing and deleting playlists.

use sqlx::AnyConnection;

use super::standing::{Access, take, touch};
use super::{By, Playlist, PlaylistError, PlaylistId, Playlists, Visibility, Words};
use crate::accounts::{Invalid, UserId};
use crate::catalog::fold;

/// Playlists of one account at most.
const MAX_PLAYLISTS: i64 = 10_000;

impl Playlists {
    /// Makes an empty playlist; it needs a name, and is private when nothing else is said.
    pub(crate) async fn create(
        &self,
        owner: UserId,
        words: &Words,
        now: u64,
    ) -> Result<Playlist, PlaylistError> {
        let words = words.checked()?;
        let mut tx = self.database.begin_write().await?;
        let id = put(&mut tx, owner, &words, now).await?;
        tx.commit().await?;
        self.one(id, Some(owner)).await
    }

    /// Changes what a playlist says about itself; with a version only when it is still that one.
    pub(crate) async fn change(
        &self,
        id: PlaylistId,
        words: &Words,
        by: By,
    ) -> Result<Playlist, PlaylistError> {
        let words = words.checked()?;
        let mut tx = self.database.begin_write().await?;
        take(&mut tx, id, by.user, Access::Own, by.version).await?;
        sqlx::query(
            "UPDATE playlists SET name = COALESCE($2, name), name_folded = COALESCE($3, name_folded),
                 description = COALESCE($4, description), visibility = COALESCE($5, visibility)
             WHERE id = $1",
        )
        .bind(id.bytes())
        .bind(words.name.clone())
        .bind(words.name.as_deref().map(fold))
        .bind(words.description)
        .bind(words.visibility.map(|it| it.as_str().to_owned()))
        .execute(&mut *tx)
        .await?;
        touch(&mut tx, id, 0, 0, by.now).await?;
        tx.commit().await?;
        self.one(id, Some(by.user)).await
    }

    /// Deletes a playlist with all of its entries.
    pub(crate) async fn delete(&self, id: PlaylistId, by: By) -> Result<(), PlaylistError> {
        let mut tx = self.database.begin_write().await?;
        take(&mut tx, id, by.user, Access::Own, by.version).await?;
        sqlx::query("DELETE FROM playlists WHERE id = $1").bind(id.bytes()).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Puts an empty playlist of these checked words.
pub(super) async fn put(
    db: &mut AnyConnection,
    owner: UserId,
    words: &Words,
    now: u64,
) -> Result<PlaylistId, PlaylistError> {
    let name = words.name.as_ref().ok_or(Invalid { member: "name", reason: "is missing" })?;
    make_room(db, owner).await?;
    let id = PlaylistId::new(now);
    sqlx::query(
        "INSERT INTO playlists (id, owner_id, name, name_folded, description, visibility, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
    )
    .bind(id.bytes())
    .bind(owner.bytes())
    .bind(name)
    .bind(fold(name))
    .bind(words.description.as_deref().unwrap_or_default())
    .bind(words.visibility.unwrap_or(Visibility::Private).as_str())
    .bind(now as i64)
    .execute(db)
    .await?;
    Ok(id)
}

/// Takes the account's row, so that its playlists are made one after the other, and counts them.
async fn make_room(db: &mut AnyConnection, owner: UserId) -> Result<(), PlaylistError> {
    let taken = sqlx::query("UPDATE users SET version = version WHERE id = $1")
        .bind(owner.bytes())
        .execute(&mut *db)
        .await?;
    if taken.rows_affected() == 0 {
        return Err(PlaylistError::Absent("user"));
    }
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM playlists WHERE owner_id = $1")
        .bind(owner.bytes())
        .fetch_one(db)
        .await?;
    if count < MAX_PLAYLISTS { Ok(()) } else { Err(PlaylistError::Full("10,000 playlists")) }
}
