//! Songs, albums and artists by their identifiers, many at a time.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, FromRow};

use super::model::{Album, Artist, Song};
use super::rows::{AlbumRow, ArtistRow, SongRow, fixed};
use super::{Catalog, albums, artists, songs};
use crate::database::{DatabaseError, bound, list};

/// What the catalog has identifiers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Song,
    Album,
    Artist,
}

/// An identifier of whichever kind.
pub(crate) type ObjectId = [u8; 16];

/// A song, an album or an artist, shown as a member of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Object {
    Song(Box<Song>),
    Album(Box<Album>),
    Artist(Box<Artist>),
}

impl Object {
    /// The song, if it is one.
    pub(crate) fn song(&self) -> Option<&Song> {
        match self {
            Self::Song(song) => Some(song),
            _ => None,
        }
    }
}

impl Kind {
    /// As the database spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Song => "song",
            Self::Album => "album",
            Self::Artist => "artist",
        }
    }

    /// The kind of a list's name: `songs`, `albums`, `artists`.
    pub(crate) fn of_plural(text: &str) -> Option<Self> {
        let kinds = [Self::Song, Self::Album, Self::Artist];
        kinds.into_iter().find(|kind| text.strip_suffix('s') == Some(kind.as_str()))
    }
}

impl Catalog {
    /// Those of the objects that are there, by identifier. What a replica does not have yet is read from the writer.
    pub(crate) async fn objects(
        &self,
        kind: Kind,
        ids: &[ObjectId],
    ) -> Result<HashMap<ObjectId, Object>, DatabaseError> {
        let mut found = read(self.database.readers(), kind, ids).await?;
        let missing: Vec<ObjectId> = ids.iter().filter(|id| !found.contains_key(*id)).copied().collect();
        found.extend(read(self.database.fresh(), kind, &missing).await?);
        Ok(found)
    }
}

async fn read(
    pool: &AnyPool,
    kind: Kind,
    ids: &[ObjectId],
) -> Result<HashMap<ObjectId, Object>, DatabaseError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    match kind {
        Kind::Song => {
            let rows: Vec<SongRow> = fetch(pool, songs::MANY, ids).await?;
            rows.into_iter()
                .map(|row| Song::try_from(row).map(|it| (it.id.0, Object::Song(it.into()))))
                .collect()
        }
        Kind::Album => {
            let rows: Vec<AlbumRow> = fetch(pool, albums::MANY, ids).await?;
            let read = |row| {
                let it = Album::try_from(row)?;
                Ok((fixed(it.id.bytes(), "id")?, Object::Album(it.into())))
            };
            rows.into_iter().map(read).collect()
        }
        Kind::Artist => {
            let rows: Vec<ArtistRow> = fetch(pool, artists::MANY, ids).await?;
            let read = |row| {
                let it = Artist::try_from(row)?;
                Ok((fixed(it.id.bytes(), "id")?, Object::Artist(it.into())))
            };
            rows.into_iter().map(read).collect()
        }
    }
}

async fn fetch<R: for<'r> FromRow<'r, AnyRow> + Send + Unpin>(
    pool: &AnyPool,
    sql: &str,
    ids: &[ObjectId],
) -> Result<Vec<R>, DatabaseError> {
    // Few lengths, so that few statements are prepared; the last identifier fills up.
    let length = ids.len().next_power_of_two();
    let mut db = pool.acquire().await?;
    let sql = sql.replace('#', &list(1, length));
    let mut query = sqlx::query_as(bound(&db, sql));
    for at in 0..length {
        query = query.bind(&ids[at.min(ids.len() - 1)][..]);
    }
    Ok(query.fetch_all(&mut *db).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_plurals() {
        assert_eq!(Kind::of_plural("songs"), Some(Kind::Song));
        assert_eq!(Kind::of_plural("artists"), Some(Kind::Artist));
        for bad in ["song", "songss", "", "s", "playlists"] {
            assert_eq!(Kind::of_plural(bad), None, "{bad}");
        }
    }
}
