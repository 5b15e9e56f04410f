//! What curators do: each act is one transaction, alone on the catalog, with its line in the audit log.

use segue_manifests::{AssetId, Descriptor, Rev};
use sqlx::AnyConnection;

use super::Catalog;
use super::credits::Credits;
use super::details::{self, AlbumDetails, SongDetails};
use super::edits::{AlbumChange, AlbumEdits, Placement, SongChange, SongEdits};
use super::ids::{AlbumId, GroupId, SongId};
use super::rows::fixed;
use super::tags::{Name, NamedAlbum, Place, Shelf};
use super::write::{AlbumState, Batch, Wanted, standing, state};
use crate::accounts::{Identity, note};
use crate::database::{Alone, DatabaseError};
use crate::ids::timed_id;

/// Why an act of a curator was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CurateError {
    #[error("curation: no such {0}")]
    Unknown(&'static str),
    /// A member names what is not there.
    #[error("curation: {0} names nothing")]
    Nothing(&'static str),
    #[error("curation: it has changed meanwhile")]
    Stale,
    /// Something was withdrawn that no tags say.
    #[error("curation: no tags to go back to")]
    NoTags,
    /// Another packaging has become the current one meanwhile.
    #[error("curation: the song was published anew meanwhile")]
    Moved,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for CurateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Who acts, and when: milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub(crate) who: Identity,
    pub(crate) now: u64,
}

/// An album to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewAlbum {
    pub(crate) title: String,
    pub(crate) artist: String,
    pub(crate) date: String,
    pub(crate) release_group: Option<GroupId>,
}

impl Catalog {
    /// Changes what is set for a song, if it still is as `fits` wants it. `descriptor` is of its current packaging.
    pub(crate) async fn edit_song(
        &self,
        by: By,
        descriptor: &Descriptor,
        change: &SongChange,
        fits: impl Fn(&SongDetails) -> bool,
    ) -> Result<SongDetails, CurateError> {
        let id = descriptor.asset;
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        let mut before = standing(&mut tx, id).await?.ok_or(CurateError::Unknown("song"))?;
        let shown = details::song(&mut tx, id).await?.ok_or(CurateError::Unknown("song"))?;
        if before.rev != descriptor.rev {
            return Err(CurateError::Moved);
        }
        if !fits(&shown) {
            return Err(CurateError::Stale);
        }
        let edits = before.edits.with(change);
        if edits == before.edits {
            return Ok(shown);
        }
        if let Some(Placement::On(album)) = edits.album
            && state(&mut tx, album).await?.row.is_none()
        {
            return Err(CurateError::Nothing("album_id"));
        }
        put_song_edits(&mut tx, id, &edits).await?;
        before.edits = edits;
        let mut batch = Batch::new(&mut tx, by.now);
        batch.place(descriptor, Shelf::of(&descriptor.tags), Some(&before)).await?;
        batch.finish().await?;
        note(&mut tx, &by.who, "edit-song", &id.to_string(), &change.names().join(", "), by.now).await?;
        let after = details::song(&mut tx, id).await?.ok_or(CurateError::Unknown("song"))?;
        self.database.commit_catalog(tx).await?;
        Ok(after)
    }

    /// Makes an album without songs.
    pub(crate) async fn make_album(&self, by: By, new: &NewAlbum) -> Result<AlbumDetails, CurateError> {
        let id = AlbumId::from(timed_id(by.now));
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        check_group(&mut tx, new.release_group).await?;
        let credits = Name::of(&new.artist).map(|line| Credits::of(line, &[], &[]));
        let wanted = Wanted {
            title: Name::of(&new.title).ok_or(CurateError::Nothing("title"))?,
            credits: Some(credits.ok_or(CurateError::Nothing("artist"))?),
            date: new.date.clone(),
            release: None,
            group: (new.release_group.unwrap_or_else(|| GroupId::of(id, None)), None),
            disc_total: None,
            made: true,
        };
        let mut batch = Batch::new(&mut tx, by.now);
        batch.write_album(id, &wanted, None, false).await?;
        batch.finish().await?;
        note(&mut tx, &by.who, "make-album", &id.to_string(), &wanted.title.shown, by.now).await?;
        let made = details::album(&mut tx, id).await?.ok_or(CurateError::Unknown("album"))?;
        self.database.commit_catalog(tx).await?;
        Ok(made)
    }

    /// A packaging whose tags name that album, where the change withdraws something that was set: its descriptor says
    /// what to go back to.
    pub(crate) async fn source_of_album(
        &self,
        id: AlbumId,
        change: &AlbumChange,
    ) -> Result<Option<(AssetId, Rev)>, DatabaseError> {
        let mut db = self.database.fresh().acquire().await?;
        if !change.withdraws(&state(&mut db, id).await?.edits) {
            return Ok(None);
        }
        let row: Option<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT s.id, s.rev FROM songs s LEFT JOIN song_edits e ON e.song_id = s.id
             WHERE s.album_id = $1 AND e.album_id IS NULL
             ORDER BY s.disc_place, s.track_place, s.title_folded, s.id LIMIT 1",
        )
        .bind(id.bytes())
        .fetch_optional(&mut *db)
        .await?;
        row.map(|(id, rev)| Ok((AssetId(fixed(&id, "id")?), Rev(fixed(&rev, "rev")?)))).transpose()
    }

    /// Changes what is set for an album, if it still is as `fits` wants it. `source` is as [`Self::source_of_album`]
    /// said.
    pub(crate) async fn edit_album(
        &self,
        by: By,
        id: AlbumId,
        source: Option<&Descriptor>,
        change: &AlbumChange,
        fits: impl Fn(&AlbumDetails) -> bool,
    ) -> Result<AlbumDetails, CurateError> {
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        let shown = details::album(&mut tx, id).await?.ok_or(CurateError::Unknown("album"))?;
        if !fits(&shown) {
            return Err(CurateError::Stale);
        }
        let before = state(&mut tx, id).await?;
        let edits = before.edits.with(change);
        if edits == before.edits {
            return Ok(shown);
        }
        if edits.release_group != before.edits.release_group {
            check_group(&mut tx, edits.release_group).await?;
        }
        let named = source.and_then(|it| named_album(it, id));
        let wanted = wanted(id, &before, &edits, named.as_ref())?;
        put_album_edits(&mut tx, id, &edits).await?;
        let mut batch = Batch::new(&mut tx, by.now);
        batch.write_album(id, &wanted, before.row.as_ref(), true).await?;
        batch.finish().await?;
        note(&mut tx, &by.who, "edit-album", &id.to_string(), &change.names().join(", "), by.now).await?;
        let after = details::album(&mut tx, id).await?.ok_or(CurateError::Unknown("album"))?;
        self.database.commit_catalog(tx).await?;
        Ok(after)
    }

    /// Deletes an album, if it still is as `fits` wants it. Its songs become singles, whatever their tags say.
    pub(crate) async fn delete_album(
        &self,
        by: By,
        id: AlbumId,
        fits: impl Fn(&AlbumDetails) -> bool,
    ) -> Result<(), CurateError> {
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        let shown = details::album(&mut tx, id).await?.ok_or(CurateError::Unknown("album"))?;
        if !fits(&shown) {
            return Err(CurateError::Stale);
        }
        for sql in [
            "INSERT INTO song_edits (song_id, single) SELECT id, 1 FROM songs WHERE album_id = $1
             ON CONFLICT (song_id) DO UPDATE SET single = 1, album_id = NULL",
            "UPDATE songs SET album_id = NULL WHERE album_id = $1",
            "DELETE FROM album_edits WHERE album_id = $1",
        ] {
            sqlx::query(sql).bind(id.bytes()).execute(&mut *tx).await?;
        }
        let mut batch = Batch::new(&mut tx, by.now);
        batch.delete_album(id).await?;
        batch.finish().await?;
        note(&mut tx, &by.who, "delete-album", &id.to_string(), &shown.album.title, by.now).await?;
        self.database.commit_catalog(tx).await?;
        Ok(())
    }
}

async fn check_group(db: &mut AnyConnection, group: Option<GroupId>) -> Result<(), CurateError> {
    let Some(group) = group else { return Ok(()) };
    let found: Option<(i64,)> = sqlx::query_as("SELECT 1 FROM release_groups WHERE id = $1")
        .bind(group.bytes())
        .fetch_optional(db)
        .await?;
    found.map(drop).ok_or(CurateError::Nothing("release_group_id"))
}

/// The album as the tags of one of its songs name it.
fn named_album(descriptor: &Descriptor, id: AlbumId) -> Option<NamedAlbum> {
    let Place::Named(named) = Shelf::of(&descriptor.tags).album else { return None };
    let edition = named.release.map(|release| named.id.edition(release));
    (named.id == id || edition == Some(id)).then_some(*named)
}

/// The album with what is set now; what was withdrawn is as the tags name it.
fn wanted(
    id: AlbumId,
    before: &AlbumState,
    edits: &AlbumEdits,
    named: Option<&NamedAlbum>,
) -> Result<Wanted, CurateError> {
    let row = before.row.as_ref().ok_or(CurateError::Unknown("album"))?;
    let tags = || named.ok_or(CurateError::NoTags);
    // What a curator made has no tags, and needs none for what may be empty.
    let empty = row.made && named.is_none();
    let title = match (&edits.title, &before.edits.title) {
        (Some(title), _) => title.clone(),
        (None, Some(_)) => tags()?.title.shown.clone(),
        (None, None) => row.title.clone(),
    };
    let credits = match (edits.credits(), edits.artist == before.edits.artist) {
        (_, true) => None,
        (Some(credits), _) => Some(credits),
        (None, _) => Some(tags()?.credits.clone()),
    };
    let date = match (&edits.date, &before.edits.date) {
        (Some(date), _) => date.clone(),
        (None, Some(_)) if empty => String::new(),
        (None, Some(_)) => tags()?.date.clone(),
        (None, None) => row.date.clone(),
    };
    let group = match (edits.release_group, before.edits.release_group) {
        (Some(group), _) => (group, None),
        (None, Some(_)) if empty => (GroupId::of(id, None), None),
        (None, Some(_)) => {
            let named = tags()?;
            (GroupId::of(named.id, named.release_group), named.release_group)
        }
        (None, None) => (row.group, None),
    };
    Ok(Wanted {
        title: Name::of(&title).ok_or(CurateError::Nothing("title"))?,
        credits,
        date,
        release: row.release,
        group,
        disc_total: row.disc_total,
        made: row.made,
    })
}

async fn put_song_edits(db: &mut AnyConnection, id: SongId, it: &SongEdits) -> Result<(), DatabaseError> {
    let album = match &it.album {
        Some(Placement::On(album)) => Some(album.bytes()),
        _ => None,
    };
    sqlx::query(
        "INSERT INTO song_edits (song_id, title, artist, album_id, single, track_number, disc_number, isrc)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (song_id) DO UPDATE SET title = excluded.title, artist = excluded.artist,
             album_id = excluded.album_id, single = excluded.single, track_number = excluded.track_number,
             disc_number = excluded.disc_number, isrc = excluded.isrc",
    )
    .bind(&id.0[..])
    .bind(&it.title)
    .bind(&it.artist)
    .bind(album)
    .bind(i64::from(it.album == Some(Placement::Single)))
    .bind(it.track_number.map(i64::from))
    .bind(it.disc_number.map(i64::from))
    .bind(&it.isrc)
    .execute(db)
    .await?;
    Ok(())
}

async fn put_album_edits(db: &mut AnyConnection, id: AlbumId, it: &AlbumEdits) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO album_edits (album_id, title, artist, release_date, release_group_id)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (album_id) DO UPDATE SET title = excluded.title, artist = excluded.artist,
             release_date = excluded.release_date, release_group_id = excluded.release_group_id",
    )
    .bind(id.bytes())
    .bind(&it.title)
    .bind(&it.artist)
    .bind(&it.date)
    .bind(it.release_group.as_ref().map(GroupId::bytes))
    .execute(db)
    .await?;
    Ok(())
}
