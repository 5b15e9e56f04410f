//! What an account likes.

use serde::Serialize;
use sqlx::AnyConnection;

use super::{Library, LibraryError};
use crate::accounts::UserId;
use crate::catalog::{Kind, Object, ObjectId, Time, fixed};
use crate::database::DatabaseError;

/// Favourites of one kind that an account may have.
const MOST: i64 = 100_000;

/// Something liked.
#[derive(Debug, Serialize)]
pub(crate) struct Favourite {
    added_at: Time,
    #[serde(flatten)]
    object: Object,
}

/// Place in a list: time in milliseconds since the Unix epoch, then identifier.
pub(crate) type Place = (i64, ObjectId);

/// Part of a list.
pub(crate) struct Favourites {
    pub(crate) items: Vec<Favourite>,
    /// The last one looked at, when there are more.
    pub(crate) next: Option<Place>,
}

impl Library {
    /// Favourites before that place, the newest first. Albums and artists that are gone are left out.
    pub(crate) async fn favourites(
        &self,
        user: UserId,
        kind: Kind,
        before: Place,
        limit: i64,
    ) -> Result<Favourites, LibraryError> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT added_at, object_id FROM favourites
             WHERE user_id = $1 AND kind = $2 AND (added_at, object_id) < ($3, $4)
             ORDER BY added_at DESC, object_id DESC LIMIT $5",
        )
        .bind(user.bytes())
        .bind(kind.as_str())
        .bind(before.0)
        .bind(&before.1[..])
        .bind(limit + 1)
        .fetch_all(self.database.fresh())
        .await?;
        let place = |(at, id): (i64, Vec<u8>)| Ok((at, fixed(&id, "object_id")?));
        let mut places = rows.into_iter().map(place).collect::<Result<Vec<Place>, DatabaseError>>()?;
        let more = places.len() as i64 > limit;
        places.truncate(limit as usize);
        let next = places.last().filter(|_| more).copied();
        Ok(Favourites { items: self.liked(kind, &places).await?, next })
    }

    /// One favourite.
    pub(crate) async fn favourite(
        &self,
        user: UserId,
        kind: Kind,
        id: ObjectId,
    ) -> Result<Option<Favourite>, LibraryError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT added_at FROM favourites WHERE user_id = $1 AND kind = $2 AND object_id = $3",
        )
        .bind(user.bytes())
        .bind(kind.as_str())
        .bind(&id[..])
        .fetch_optional(self.database.fresh())
        .await?;
        let Some((at,)) = row else { return Ok(None) };
        Ok(self.liked(kind, &[(at, id)]).await?.pop())
    }

    async fn liked(&self, kind: Kind, places: &[Place]) -> Result<Vec<Favourite>, LibraryError> {
        let ids: Vec<ObjectId> = places.iter().map(|(_, id)| *id).collect();
        let objects = self.catalog.objects(kind, &ids).await?;
        let liked = |(at, id): &Place| {
            Some(Favourite { added_at: Time(*at as u64), object: objects.get(id)?.clone() })
        };
        Ok(places.iter().filter_map(liked).collect())
    }

    /// Likes something; again changes nothing.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`] when there is no such thing, [`LibraryError::Full`] after 100,000 of its kind.
    pub(crate) async fn like(
        &self,
        user: UserId,
        kind: Kind,
        id: ObjectId,
        now: u64,
    ) -> Result<(), LibraryError> {
        if !self.catalog.objects(kind, &[id]).await?.contains_key(&id) {
            return Err(LibraryError::Unknown(kind));
        }
        let mut tx = self.database.begin_write().await?;
        let added = sqlx::query(
            "INSERT INTO favourites (user_id, kind, object_id, added_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id, kind, object_id) DO NOTHING",
        )
        .bind(user.bytes())
        .bind(kind.as_str())
        .bind(&id[..])
        .bind(now as i64)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if added > 0 && count(&mut tx, user, kind, 1).await? > MOST {
            return Err(LibraryError::Full);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Likes something no more; again changes nothing.
    pub(crate) async fn unlike(&self, user: UserId, kind: Kind, id: ObjectId) -> Result<(), LibraryError> {
        let mut tx = self.database.begin_write().await?;
        let gone = sqlx::query("DELETE FROM favourites WHERE user_id = $1 AND kind = $2 AND object_id = $3")
            .bind(user.bytes())
            .bind(kind.as_str())
            .bind(&id[..])
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if gone > 0 {
            count(&mut tx, user, kind, -1).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Counts favourites in or out; answers with how many there are now.
async fn count(db: &mut AnyConnection, user: UserId, kind: Kind, more: i64) -> Result<i64, DatabaseError> {
    sqlx::query(
        "INSERT INTO favourite_counts (user_id, kind, count) VALUES ($1, $2, 0)
         ON CONFLICT (user_id, kind) DO NOTHING",
    )
    .bind(user.bytes())
    .bind(kind.as_str())
    .execute(&mut *db)
    .await?;
    let (count,): (i64,) = sqlx::query_as(
        "UPDATE favourite_counts SET count = count + $3 WHERE user_id = $1 AND kind = $2 RETURNING count",
    )
    .bind(user.bytes())
    .bind(kind.as_str())
    .bind(more)
    .fetch_one(db)
    .await?;
    Ok(count)
}
