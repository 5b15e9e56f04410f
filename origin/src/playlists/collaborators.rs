//! Those who change the songs of another's playlist.

use super::entries::By;
use super::model::{Collaborator, Person, PersonPlace};
use super::standing::{Access, find, take, touch};
use super::{PlaylistError, PlaylistId, Playlists, Snapshot};
use crate::accounts::{Invalid, UserId};
use crate::catalog::{Page, Time, Window, cursor, fixed};
use crate::database::DatabaseError;

const MAX_COLLABORATORS: i64 = 100;

impl Playlists {
    /// Lets someone change the songs; the same again changes nothing.
    pub(crate) async fn invite(
        &self,
        id: PlaylistId,
        user: UserId,
        by: By,
    ) -> Result<Snapshot, PlaylistError> {
        let mut tx = self.database.begin_write().await?;
        let standing = take(&mut tx, id, by.user, Access::Own, by.version).await?;
        if user == standing.owner {
            return Err(Invalid { member: "user", reason: "the owner may change the songs anyway" }.into());
        }
        let added = sqlx::query(
            "INSERT INTO playlist_collaborators (user_id, playlist_id, added_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id, playlist_id) DO NOTHING",
        )
        .bind(user.bytes())
        .bind(id.bytes())
        .bind(by.now as i64)
        .execute(&mut *tx)
        .await
        .map_err(no_user)?;
        if added.rows_affected() == 0 {
            return Ok(Snapshot(standing.version));
        }
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM playlist_collaborators WHERE playlist_id = $1")
                .bind(id.bytes())
                .fetch_one(&mut *tx)
                .await?;
        if count > MAX_COLLABORATORS {
            return Err(PlaylistError::Full("100 collaborators"));
        }
        let version = touch(&mut tx, id, 0, 0, by.now).await?;
        tx.commit().await?;
        Ok(Snapshot(version))
    }

    /// Takes that away again; collaborators may also leave by themselves.
    pub(crate) async fn dismiss(
        &self,
        id: PlaylistId,
        user: UserId,
        by: By,
    ) -> Result<Snapshot, PlaylistError> {
        let mut tx = self.database.begin_write().await?;
        let needed = if user == by.user { Access::Edit } else { Access::Own };
        take(&mut tx, id, by.user, needed, by.version).await?;
        let gone = sqlx::query("DELETE FROM playlist_collaborators WHERE user_id = $1 AND playlist_id = $2")
            .bind(user.bytes())
            .bind(id.bytes())
            .execute(&mut *tx)
            .await?;
        if gone.rows_affected() == 0 {
            return Err(PlaylistError::Absent("collaborator"));
        }
        let version = touch(&mut tx, id, 0, 0, by.now).await?;
        tx.commit().await?;
        Ok(Snapshot(version))
    }

    /// Who works on it, for those who do.
    pub(crate) async fn collaborators(
        &self,
        id: PlaylistId,
        by: UserId,
        window: &Window,
    ) -> Result<Page<Collaborator>, PlaylistError> {
        type Row = (Vec<u8>, String, String, i64);
        const LIST: &str = "collaborators";
        let PersonPlace(behind) = cursor::read(LIST, window.cursor.as_deref())?;
        let mut db = self.database.fresh().acquire().await?;
        let standing = find(&mut db, id, Some(by)).await?.ok_or(PlaylistError::Unknown)?;
        if standing.access < Access::Edit {
            return Err(PlaylistError::Forbidden);
        }
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT u.id, u.username, u.name, c.added_at
             FROM playlist_collaborators c JOIN users u ON u.id = c.user_id
             WHERE c.playlist_id = $2 AND c.user_id > $3 ORDER BY c.user_id LIMIT $1",
        )
        .bind(window.rows())
        .bind(id.bytes())
        .bind(behind.bytes())
        .fetch_all(&mut *db)
        .await?;
        let read = |(id, username, name, added): Row| {
            let user = Person { id: UserId::from(fixed(&id, "id")?), username, name };
            Ok(Collaborator { user, added_at: Time(added as u64) })
        };
        let items = rows.into_iter().map(read).collect::<Result<Vec<_>, DatabaseError>>()?;
        Ok(window.page(LIST, items, |it| PersonPlace(it.user.id)))
    }
}

fn no_user(error: sqlx::Error) -> PlaylistError {
    match error {
        sqlx::Error::Database(error) if error.is_foreign_key_violation() => PlaylistError::Absent("user"),
        error => error.into(),
    }
}
